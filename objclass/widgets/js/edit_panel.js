// The mode "Edit": objects merged, cut along a line, deleted, grown into an area, and each edit undone.
import { packColor } from "./colors.js";
import { choice, countOf, enable, h, textButton } from "./dom.js";
import { simplifyPath } from "./hits.js";
import { fromCentres, planePolygon } from "./image_panel.js";
import { LassoTool } from "./lasso.js";
import { paintRings } from "./scatter_paint.js";

const CHOSEN = packColor([0, 229, 255]);
const ALL_EDGES = packColor([255, 255, 255], 190);
const CHOSEN_EDGE = 3;
const PATH_STEP = 0.5; // pixels of the plane between the places of a line at which it is asked what lies there
const EDIT_TOOLS = [
  { value: "select", text: "Select", label: "Click or draw around objects (S)" },
  { value: "cut", text: "Cut", label: "Draw a line across an object (C)" },
  { value: "grow", text: "Grow", label: "Start in an object and draw around the area to add to it (G)" },
];
const EDIT_KEYS = { s: "select", c: "cut", g: "grow" };
const EDIT_WORDS = {
  select: "Click an object, or draw around several: with Shift or Ctrl to add, with Alt to take away. Then merge (M) or delete (Delete).",
  cut: "Draw a line across an object in any slice: it is cut through its whole depth, and the smaller part gets a new label.",
  grow: "Start in an object and draw around the area to add to it in this slice. Other objects keep their voxels.",
};

// The slot that most places of a path lie in; 0 where none does. `slotAt(row, col)`; one of `preferred` wins.
export function slotUnder(path, slotAt, preferred = new Set()) {
  const counts = new Map();
  for (let corner = 1; corner < path.length; corner++) {
    const [[r0, c0], [r1, c1]] = [path[corner - 1], path[corner]];
    const parts = Math.max(1, Math.ceil(Math.hypot(r1 - r0, c1 - c0) / PATH_STEP));
    for (let part = 0; part <= parts; part++) {
      const slot = slotAt(r0 + ((r1 - r0) * part) / parts, c0 + ((c1 - c0) * part) / parts);
      if (slot) counts.set(slot, (counts.get(slot) ?? 0) + 1);
    }
  }
  const wanted = [...counts].filter(([slot]) => preferred.has(slot));
  return [...(wanted.length ? wanted : counts)].reduce((best, one) => (one[1] > best[1] ? one : best), [0, 0])[0];
}

// A lasso that, for cuts, is an open line.
class EditTool extends LassoTool {
  up(event) {
    if (this.shape !== "line" || !this.path) return super.up(event);
    this.path.push(this.place(event));
    const [path, moved, mode] = [simplifyPath(this.path), this.moved, this.mode];
    this.cancel();
    if (moved) this.finish(path, mode);
    else this.click(path[0], mode);
  }

  paint(context) {
    if (this.shape !== "line") return super.paint(context);
    if (!this.path || !this.moved) return;
    for (const [width, color] of [[4, "rgba(0, 0, 0, 0.6)"], [2, "#ff5252"]]) {
      context.beginPath();
      this.path.forEach(([x, y], which) => (which ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.lineWidth = width;
      context.strokeStyle = color;
      context.stroke();
    }
  }
}

export class EditPanel {
  constructor(explorer, host) {
    const { model, store, image } = explorer;
    Object.assign(this, { explorer, model, store, image, isOn: false, kind: "select", chosen: new Set() });
    this.tools = choice(EDIT_TOOLS, "select", (kind) => this.setTool(kind), "Edit tool");
    this.merge = textButton("Merge (M)", () => this.mergeChosen(), { title: "Merge into the object that was selected first" });
    this.remove = textButton("Delete (Delete)", () => this.deleteChosen());
    this.back = textButton("Undo (Ctrl+Z)", () => this.act("undo"));
    this.none = textButton("Select none (Esc)", () => this.give([], "replace"), { class: "oc-button oc-small" });
    this.words = h("p", { class: "oc-soft" });
    this.counts = h("p", { role: "status" });
    host.append(h("div", { class: "oc-row" }, this.tools.element, this.merge, this.remove, this.back), this.words,
      h("div", { class: "oc-row" }, this.counts, this.none));
    this.tool = new EditTool(image.slices.view, {
      finish: (corners, mode) => this.finish(planePolygon(corners, image.slices.view.transform), mode),
      click: (place, mode) => image.tool.click(place, mode),
    });
    explorer.plot.view.painters.push((context, view) => this.paint(context, view));
    model.on("change:_edits", () => this.show(), this);
    model.on("change:_objects", () => this.forgetGone(), this);
    this.show();
  }

  open() {
    if (this.isOn) return;
    this.isOn = true;
    this.lasso = this.image.slices.view.tool;
    this.image.slices.view.tool = this.tool;
    this.setTool("select");
    this.explorer.showUndo();
  }

  leave() {
    if (!this.isOn) return;
    this.isOn = false;
    this.tool.cancel();
    this.image.slices.view.tool = this.lasso;
    this.image.setShape(this.lasso.shape);
    this.give([], "replace");
    this.explorer.showUndo();
  }

  setTool(kind) {
    this.kind = kind;
    this.tools.set(kind);
    this.tool.shape = kind === "cut" ? "line" : "lasso";
    this.image.slices.view.element.style.cursor = "crosshair";
    this.say("");
    this.show();
  }

  setShape(shape) {
    if (this.kind === "select") this.tool.shape = shape;
  }

  key(event) {
    const letter = event.key.toLowerCase();
    if (letter in EDIT_KEYS) this.setTool(EDIT_KEYS[letter]);
    else if (letter === "m") this.mergeChosen();
    else if (event.key === "Delete" || event.key === "Backspace") this.deleteChosen();
    else if (event.key === "Escape" && (this.tool.path || this.chosen.size)) {
      if (this.tool.path) this.tool.cancel();
      else this.give([], "replace");
    } else return false;
    return true;
  }

  // Labels become the chosen ones; with a key they are added or taken away.
  give(labels, mode) {
    if (mode === "replace") this.chosen = new Set(labels);
    else labels.forEach((label) => (mode === "subtract" ? this.chosen.delete(label) : this.chosen.add(label)));
    this.say("");
    this.show();
  }

  pick(label, mode) {
    const again = mode !== "replace" && this.chosen.has(label);
    if (label) this.give([label], again ? "subtract" : mode);
    else if (mode === "replace") this.give([], mode);
  }

  // What was drawn in the slice, in plane coordinates.
  finish(path, mode) {
    const { slices } = this.image;
    const slotAt = (row, col) => this.image.slotAt(row, col);
    if (this.kind === "select") return this.image.choose(path, mode);
    const points = fromCentres(path);
    const flat = this.model.get("volume").ndim === 2;
    const plane = flat ? {} : { axis: slices.axis };
    const slots = new Set([...this.chosen].map((label) => this.store.slotOf.get(label)));
    if (this.kind === "cut") {
      const slot = slotUnder(path, slotAt, slots);
      if (!slot) return this.say("The line crosses no object.");
      return this.act("cut", { label: this.store.labels[slot - 1], line: points, ...plane });
    }
    const slot = slotAt(...path[0]) || (slots.size === 1 ? [...slots][0] : 0);
    if (!slot) return this.say("Start in the object to grow, or select it first.");
    return this.act("grow", { label: this.store.labels[slot - 1], polygon: points, ...plane, ...(flat ? {} : { index: slices.index }) });
  }

  mergeChosen() {
    if (this.chosen.size > 1) this.act("merge", { labels: [...this.chosen] });
    else this.say("Select two or more objects to merge.");
  }

  deleteChosen() {
    if (this.chosen.size) this.act("delete", { labels: [...this.chosen] });
    else this.say("Select the objects to delete.");
  }

  act(kind, details = {}) {
    const can = this.model.get("_edits");
    if ((kind === "undo" && !can.undo) || (kind === "redo" && !can.redo)) return;
    this.say("");
    this.model.send({ kind: "edit", edit: { edit: kind, ...details } });
  }

  forgetGone() {
    this.chosen = new Set([...this.chosen].filter((label) => this.store.slotOf.has(label)));
    this.show();
  }

  say(text) {
    this.said = text;
    this.showCounts();
  }

  showCounts() {
    const { count } = this.model.get("_edits");
    const parts = [this.said, this.chosen.size ? `${countOf(this.chosen.size, "object")} chosen: ${[...this.chosen].slice(0, 8).join(", ")}${this.chosen.size > 8 ? ", …" : ""}.` : "",
      count ? `${countOf(count, "edit")} so far; explorer.labels holds the result.` : ""];
    this.counts.textContent = parts.filter(Boolean).join(" ");
  }

  show() {
    enable(this.merge, this.chosen.size > 1);
    enable(this.remove, this.chosen.size > 0);
    enable(this.back, this.model.get("_edits").undo);
    this.none.hidden = !this.chosen.size;
    this.words.textContent = EDIT_WORDS[this.kind];
    this.showCounts();
    const table = new Uint32Array(this.store.labels.length + 1);
    for (const label of this.chosen) table[this.store.slotOf.get(label)] = CHOSEN;
    const edges = new Uint32Array(table.length).fill(ALL_EDGES, 1);
    this.image.slices.view.setLayer("edges", { table: edges, contour: 1, visible: this.isOn });
    this.image.slices.view.setLayer("chosen", { table, contour: CHOSEN_EDGE, visible: this.chosen.size > 0 });
    this.explorer.plot.view.drawTop();
    this.explorer.root.dataset.chosen = [...this.chosen].join(" ");
    this.explorer.root.dataset.edits = this.model.get("_edits").count;
  }

  paint(context, view) {
    const rows = [...this.chosen].map((label) => this.store.slotOf.get(label) - 1).filter((row) => row < this.store.shown);
    paintRings(context, view, rows, { color: "#00a5c0", thickness: 2, gap: 3 });
  }
}
