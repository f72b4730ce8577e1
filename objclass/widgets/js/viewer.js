// The slices of an image with their contrast, and objects over them. See viewer.py.
import { Connection } from "./connection.js";
import { checkbox, h, iconButton, keepFocus, listen, shieldKeys, slider } from "./dom.js";
import { labelTable } from "./colors.js";
import { hideSavedPicture } from "./saved_picture.js";
import { SlicePanel } from "./slice_panel.js";

const EDGE = 1.5;

function render({ model: source, el }) {
  const root = h("div", { class: "oc oc-viewer" });
  el.append(root);
  const connection = new Connection(source, root);
  const { model } = connection;
  const main = h("div", { class: "oc-main-column" });
  const side = h("div", { class: "oc-side" });
  root.append(h("div", { class: "oc-columns" }, main, side));
  const layers = model.get("layers");
  const panel = new SlicePanel(model, main, { layers });
  connection.onLost = () => panel.togglePlay(false);
  const { view } = panel;
  panel.bar.append(h("span", { class: "oc-grow" }), iconButton("fit", "Fit (0)", () => view.fit()));
  side.append(panel.contrast);
  if (layers.includes("labels")) side.append(labelControls(panel));
  shieldKeys(root);
  root.addEventListener("keydown", (event) => {
    if (event.target.matches('input[type="text"], input[type="number"]')) return;
    const isSlider = event.target.matches("input") && event.key.startsWith("Arrow");
    if (!isSlider && panel.key(event)) event.preventDefault();
    if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) event.stopPropagation();
  });
  const release = keepFocus(root, view.element);
  const stop = listen(model, {
    "msg:custom": (message, buffers) => message.kind === "plane" && panel.planes.receive(message, buffers) });
  el.viewer = panel;
  const forget = hideSavedPicture(el);
  return () => {
    forget();
    connection.dispose();
    release();
    stop();
    panel.dispose();
  };
}

function labelControls(panel) {
  const { view } = panel;
  let most = 0;
  view.setLayer("labels", { contour: EDGE });
  panel.onPlane = ({ layers }) => {
    const highest = layers.labels.reduce((so, { data }) => data.reduce((one, other) => Math.max(one, other), so), 0);
    const table = highest > most ? labelTable((most = highest)) : null;
    view.setLayer("labels", { rasters: layers.labels, ...(table && { table }) });
  };
  panel.describe = (row, col) => {
    const label = view.value("labels", row, col);
    return label ? `object ${label}` : "";
  };
  const filled = checkbox("Filled", false, (checked) => view.setLayer("labels", { contour: checked ? 0 : EDGE }));
  const opacity = slider("Objects", 1, { min: 0, max: 1, step: 0.05 }, (value) => view.setLayer("labels", { opacity: value }));
  return h("section", { class: "oc-section" }, opacity.element, filled.element);
}

export default { render };
