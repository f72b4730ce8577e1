// The tip at a point of the plot: which object, its values, and how it looks.
import { paintCrop } from "./gallery_panel.js";
import { h } from "./dom.js";
import { describeCell } from "./object_card.js";
import { typedArray } from "./pixels.js";

const TIP_DELAY = 250;
const TIP_AWAY = 16;

export class PlotTip {
  constructor(model, store, stage) {
    Object.assign(this, { model, store, stage, slot: 0 });
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.words = h("div", { class: "oce-tip-words" });
    this.element = h("div", { class: "oce-tip", role: "tooltip", hidden: true }, this.canvas, this.words);
    stage.append(this.element);
    stage.addEventListener("pointermove", (event) => (this.pointer = event));
    stage.addEventListener("pointerdown", () => this.hide());
  }

  // The pointer is at another point, or at none (slot 0).
  point(slot) {
    if (slot === this.slot) return;
    this.hide();
    this.slot = slot;
    if (slot) this.waiting = setTimeout(() => this.store.ask({ kind: "tip", label: this.store.labels[slot - 1] }), TIP_DELAY);
  }

  hide() {
    clearTimeout(this.waiting);
    this.slot = 0;
    this.element.hidden = true;
  }

  receive({ label, cells, tile }, buffers) {
    if (this.store.slotOf.get(label) !== this.slot || !this.slot) return;
    this.canvas.width = this.canvas.height = tile;
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(tile, tile);
    paintCrop(image.data, typedArray(buffers[0], "uint8"), 0, this.store.palette?.[this.store.levels[this.slot - 1]] ?? [255, 255, 255], true);
    context.putImageData(image, 0, 0);
    const shown = [...new Set(["x", "y", "color"].map((name) => this.model.get(name)))].filter((name) => name in cells);
    this.words.replaceChildren(h("b", {}, this.store.nameOf(this.slot)), ...shown.map((name) => describeCell(name, cells[name]))
      .map(([name, value]) => h("span", {}, `${name} `, h("b", {}, value))));
    this.element.hidden = false;
    this.place();
  }

  place() {
    const box = this.stage.getBoundingClientRect();
    const [x, y] = [this.pointer.clientX - box.left, this.pointer.clientY - box.top];
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const left = x + TIP_AWAY + width < box.width ? x + TIP_AWAY : Math.max(0, x - TIP_AWAY - width);
    this.element.style.left = `${left}px`;
    this.element.style.top = `${Math.max(0, Math.min(y - height / 2, box.height - height))}px`;
  }

  dispose() {
    clearTimeout(this.waiting);
  }
}
