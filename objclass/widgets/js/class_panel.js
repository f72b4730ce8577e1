// The mode "Classes": clicks give examples of a class, a forest learns after each, and asks for the next one.
import { packColor } from "./colors.js";
import { colorField, countOf, enable, h, iconButton, nameField, textButton } from "./dom.js";
import { CLASS_COLUMN } from "./object_store.js";
import { formatValue } from "./scales.js";
import { paintRings } from "./scatter_paint.js";

const RING = packColor([255, 255, 255]);

export class ClassPanel {
  constructor(explorer, host) {
    const { model, store } = explorer;
    Object.assign(this, { explorer, model, store });
    this.list = h("div", { class: "oce-classes", role: "radiogroup", "aria-label": "Class that a click assigns", hidden: true });
    this.next = textButton("Next object (N)", () => this.suggest(), { title: "Go to the object that is most informative to annotate" });
    this.judge = textButton("Cross-validate", () => model.send({ kind: "judge" }), { title: "Predict each example by a classifier trained on others" });
    const small = { class: "oc-button oc-small" };
    this.more = textButton("Add a class", () => this.act("add"), small);
    this.from = textButton("Groups → examples", () => this.act("from_groups"), small);
    this.to = textButton("Classes → groups", () => this.act("to_groups"), small);
    this.words = h("p", { class: "oc-soft", role: "status" });
    this.judged = h("div", { class: "oce-judged" });
    host.append(h("div", { class: "oce-class-columns" },
      h("div", {}, this.list, h("div", { class: "oc-row" }, this.more, this.from, this.to)),
      h("div", {}, h("div", { class: "oc-row" }, this.next, this.judge), this.words, this.judged)));
    explorer.plot.view.painters.push((context, view) => this.paint(context, view));
    model.on("change:giving", () => this.show(), this);
    this.show();
  }

  get isOn() {
    return this.model.get("giving") > 0;
  }

  act(action, details = {}) {
    this.model.send({ kind: "class", action, ...details });
  }

  open() {
    if (this.isOn) return;
    this.colorBefore = this.model.get("color");
    this.act("start");
  }

  // Who has only looked at the classes gets the colours back.
  leave() {
    if (!this.isOn) return;
    const unused = this.store.classes.list.every(({ examples }) => examples === 0);
    const back = unused && this.colorBefore !== undefined && this.model.get("color") === CLASS_COLUMN;
    this.model.put({ giving: 0, ...(back ? { color: this.colorBefore } : {}) });
  }

  choose(number) {
    if (this.store.classes.list.some((item) => item.number === number)) this.model.put({ giving: number });
  }

  // Objects, by label, become examples of the class that clicks give; with Alt they are none any more.
  give(labels, mode) {
    if (!labels.length) return;
    const action = mode === "subtract" ? "take_back" : "give";
    this.act(action, { labels, number: this.model.get("giving") });
    if (this.model.get("color") !== CLASS_COLUMN) this.model.put({ color: CLASS_COLUMN });
  }

  pick(label, mode) {
    if (label) this.give([label], mode);
  }

  suggest() {
    if (this.store.classes.learnt) this.model.send({ kind: "suggest" });
  }

  show() {
    const { list, learnt, learning, uncertain, judged } = this.store.classes;
    const used = list.filter(({ examples }) => examples > 0).length;
    enable(this.next, learnt);
    enable(this.judge, learnt);
    enable(this.more, list.length < 9);
    enable(this.from, this.store.groups.list.length > 0);
    enable(this.to, used > 0);
    this.words.textContent = used < 2
      ? "Choose a class (keys 1 to 9), then click its objects in plot, slice, 3D or table, or draw around many. A second click takes back."
      : `${learning ? "Learning" : "Learnt"} from ${list.map(({ examples, name }) => `${name} (${formatValue(examples)})`).join(", ")}. Uncertain: ${countOf(uncertain, "object")}.`;
    this.showJudged(judged);
    if (!(this.list.contains(document.activeElement) && document.activeElement.type === "text")) {
      this.list.replaceChildren(...list.map((item) => this.row(item)));
    }
    this.list.hidden = !list.length; // until the kernel has named the first ones
    this.showExamples();
    const root = this.explorer.root;
    root.dataset.giving = this.model.get("giving");
    root.dataset.examples = list.map(({ name, examples }) => `${name}:${examples}`).join(" ");
    root.dataset.learnt = learnt;
    root.dataset.learning = learning;
  }

  row({ number, name, color, examples, count }) {
    const chosen = this.model.get("giving") === number;
    const pick = h("button", { type: "button", class: "oc-button oc-small oce-class", role: "radio", "aria-checked": String(chosen),
      "aria-label": `Give ${name} (${number})`, title: `Clicks assign ${name} (${number})`, onclick: () => this.choose(number) }, String(number));
    const swatch = colorField(color, name, (other) => this.act("recolor", { number, color: other }));
    const field = nameField(name, `Name of class ${number}`, (text) => this.act("rename", { number, name: text }));
    return h("div", { class: "oc-row", "data-class": number }, pick, swatch, field,
      h("span", { class: "oce-count", title: "Examples" }, formatValue(examples)),
      h("span", { class: "oce-count oc-soft", title: "Objects of this class, examples and predicted" }, `of ${formatValue(count)}`),
      iconButton("trash", `Remove ${name}`, () => this.act("remove", { number }), { class: "oc-button oc-icon-button oc-small" }));
  }

  // Accuracy and confusion; a cell leads through its objects.
  showJudged(judged) {
    if (!judged.classes) return this.judged.replaceChildren();
    const { accuracy, spread, classes, confusion, objects, notes, importances } = judged;
    const rows = classes.map((name, row) => h("tr", {}, h("th", { scope: "row" }, name),
      ...confusion[row].map((count, column) => h("td", {}, count
        ? h("button", { type: "button", class: row === column ? null : "oce-wrong", title: `${name} taken for ${classes[column]}`,
          onclick: () => this.walk(objects[row][column]) }, formatValue(count)) : "0"))));
    this.judged.replaceChildren(
      h("p", {}, "Balanced accuracy ", h("b", {}, accuracy.toFixed(2)), ` ± ${spread.toFixed(2)}, by cross-validation`),
      ...notes.map((note) => h("p", { class: "oc-soft" }, note)),
      h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, "given \\ predicted"), ...classes.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, ...rows)),
      ...this.importances(importances));
  }

  // The columns of the highest permutation importance; a click shows the classes along one.
  importances(columns) {
    if (!columns.length) return [];
    const most = Math.max(...columns.map(({ importance }) => importance));
    const rows = columns.flatMap(({ column, importance, std, like }) => [
      h("button", { type: "button", title: `Show it on the x axis${like ? `. Correlated with: ${like}` : ""}`,
        onclick: () => this.model.put({ x: column }) }, column),
      h("i", { style: `--part: ${((100 * importance) / most).toFixed(0)}%` }),
      h("span", {}, `${importance.toFixed(3)} ± ${std.toFixed(3)}`),
    ]);
    return [h("p", { title: "Probability of the right class that is lost if the values of the column are shuffled" }, "Most important columns"),
      h("div", { class: "oce-importances" }, ...rows)];
  }

  walk(labels) {
    const at = labels.indexOf(this.store.labels[this.store.focusSlot - 1]);
    this.store.mark(this.store.slotOf.get(labels[(at + 1) % labels.length]) ?? 0);
  }

  // A white edge in the slices and a ring in the plot mark the examples.
  showExamples() {
    const { examples } = this.store.classes;
    const table = new Uint32Array(this.store.labels.length + 1);
    this.exampleRows = [];
    for (let row = 0; row < examples.length; row++) if (examples[row]) this.exampleRows.push(row);
    for (const row of this.exampleRows) table[row + 1] = RING;
    this.explorer.image.slices.view.setLayer("examples", { table, contour: 1, visible: this.exampleRows.length > 0 });
    this.explorer.plot.view.drawTop();
  }

  paint(context, view) {
    if (this.model.get("color") !== CLASS_COLUMN) return;
    paintRings(context, view, this.exampleRows, { color: getComputedStyle(view.element).color, thickness: 1.5, gap: 2 });
  }
}
