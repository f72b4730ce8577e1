// The list of shortcuts under "?".
import { h } from "./dom.js";

const SHORTCUTS = [
  ["1 … 7", "eraser, brush, fill, pick, pan, line, polygon"],
  ["shift click", "with fill: up to the edges of the image, as coarse as the brush"],
  ["double click, Enter", "close the polygon; Escape drops it"],
  ["space", "pan while held"],
  ["[ ]", "smaller, larger brush"],
  ["- =", "previous, next class"],
  ["M", "add a class"],
  ["B", "2D brush or 3D ball"],
  ["← →", "previous, next slice; Page ↑ ↓ ten times as far"],
  [", .", "previous, next image"],
  ["P", "play through the slices"],
  ["wheel, Z, shift Z", "zoom (click into the view first); 0 fits"],
  ["shift wheel", "previous, next slice; under Mouse the two can change places"],
  ["ctrl wheel", "brush size"],
  ["right button", "pan, or erase: see Mouse"],
  ["V", "hide the overlays while held; a tap switches them"],
  ["C", "contours or filled"],
  ["T, L", "train; live on or off"],
  ["S", "suggest a slice"],
  ["ctrl Z, ctrl shift Z", "undo, redo"],
  ["?", "this list"],
];

// What pointer and wheel do on the slice, in a line.
export function hintFor({ tool, right, wheel }, ndim, hasFocus) {
  const button = right === "erase" ? "right button erases" : "right button pans";
  const texts = {
    brush: `${button} · Ctrl + wheel: brush size`, erase: `${button} · Ctrl + wheel: brush size`,
    line: `drag a straight line · ${button} · Ctrl + wheel: width`,
    polygon: "click the corners, double-click to close; or draw around",
    fill: "click: region of the prediction; Shift + click: up to edges of the image",
    pick: "a click takes the class that is there", pan: "drag to pan",
  };
  const turns = ndim === 2 ? "wheel: zoom" : wheel === "slices" ? "wheel: slices, Shift: zoom" : "wheel: zoom, Shift: slices";
  return `${texts[tool]} · ${hasFocus ? "" : "click, then "}${turns}`;
}

export function helpDialog() {
  const rows = SHORTCUTS.map(([keys, text]) => h("div", {}, h("kbd", {}, keys), h("span", {}, text)));
  const close = h("button", { type: "button", class: "oc-button", onclick: () => dialog.close() }, "Close");
  const dialog = h("dialog", { class: "oc-help", "aria-label": "Shortcuts" },
    h("h4", {}, "Shortcuts"), h("div", { class: "oc-keys" }, ...rows), close);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return dialog;
}
