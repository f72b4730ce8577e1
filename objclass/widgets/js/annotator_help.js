// The list of shortcuts under "?".
import { h } from "./dom.js";

const SHORTCUTS = [
  ["1 2 3 4 5", "eraser, brush, fill, pick, pan"],
  ["space", "pan while held"],
  ["[ ]", "smaller, larger brush"],
  ["- =", "previous, next class"],
  ["M", "add a class"],
  ["B", "2D brush or 3D ball"],
  ["← →", "previous, next slice; Page ↑ ↓ ten times as far"],
  [", .", "previous, next image"],
  ["P", "play through the slices"],
  ["wheel, Z, shift Z", "zoom (click into the view first); 0 fits"],
  ["ctrl wheel", "brush size"],
  ["right button", "pan"],
  ["V", "hide the overlays while held; a tap switches them"],
  ["C", "contours or filled"],
  ["T, L", "train; live on or off"],
  ["S", "suggest a slice"],
  ["ctrl Z, ctrl shift Z", "undo, redo"],
  ["?", "this list"],
];

export function helpDialog() {
  const rows = SHORTCUTS.map(([keys, text]) => h("div", {}, h("kbd", {}, keys), h("span", {}, text)));
  const close = h("button", { type: "button", class: "oc-button", onclick: () => dialog.close() }, "Close");
  const dialog = h("dialog", { class: "oc-help", "aria-label": "Shortcuts" },
    h("h4", {}, "Shortcuts"), h("div", { class: "oc-keys" }, ...rows), close);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return dialog;
}
