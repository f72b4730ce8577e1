// Reduce and Cluster: a method, its few parameters, which columns; progress, cancel.
import { ColumnPicker } from "./column_picker.js";
import { checkbox, enable, foldOut, followTheme, h, numberField, textButton } from "./dom.js";
import { drawLines } from "./line_chart.js";

const SCANNED = ["kmeans", "gmm"];

export class StepPanel {
  constructor(model, store, host, step) {
    Object.assign(this, { model, store, step });
    const methods = model.get("_methods")[step];
    this.method = h("select", { class: "oc-select", "aria-label": "Method", onchange: () => this.showOptions() },
      ...methods.map(({ name, title }) => h("option", { value: name }, title)));
    this.options = h("div", { class: "oce-options" });
    this.scale = checkbox("Scale columns", true, () => this.ask(), { title: "Give every column mean 0 and standard deviation 1" });
    this.seed = numberField("Seed", 0, { min: 0, max: 4294967295 }, (value) => (this.seedValue = value));
    this.seedValue = 0;
    this.components = numberField("Axes", 2, { min: 1, max: 10 }, (value) => (this.axes = value));
    this.axes = 2;
    const ofGroup = (group) => (names) => names.filter((name) => store.describe(name)?.group === group);
    this.picker = new ColumnPicker({ title: `Columns to ${step} by`, none: "None selected: all measurements", onChange: () => this.ask(),
      presets: ["size", "shape", "intensity", "texture"].map((group) => [group, ofGroup(group)]) });
    this.columnsFold = foldOut("Columns", false, this.picker.element);
    this.usedCount = h("span", { role: "status" });
    this.usedLines = h("div");
    this.usedFold = foldOut(this.usedCount, false, this.usedLines);
    this.used = h("div", { class: "oc-soft oce-used" }, this.usedFold);
    this.notes = h("div", { class: "oce-step-notes", role: "status" });
    this.run = textButton(step === "reduce" ? "Reduce" : "Cluster", () => this.start(), { class: "oc-button oc-main" });
    this.scan = textButton("How many?", () => this.startScan(), { title: "Compare 2 to 10 clusters" });
    this.scan.hidden = step === "reduce";
    this.busy = false;
    this.empty = h("p", { class: "oc-soft", hidden: true }, `There are no objects to ${step}.`);
    this.drawChart = () => {};
    this.stopTheme = followTheme(() => this.drawChart());
    this.best = h("div", { class: "oc-row", hidden: true });
    this.chart = h("canvas", { class: "oce-chart", role: "img", "aria-label": "Fit over the number of clusters", hidden: true });
    const first = [h("label", { class: "oc-field" }, h("span", {}, "Method"), this.method), this.options];
    if (step === "reduce") first.push(this.components.element);
    host.append(
      h("div", { class: "oce-step" },
        h("div", { class: "oce-column" }, ...first),
        h("div", { class: "oce-column" }, this.seed.element, this.scale.element, this.columnsFold),
        h("div", { class: "oce-column oce-actions" }, h("div", { class: "oc-row" }, this.run, this.scan), this.empty, this.notes, this.used, this.chart, this.best)));
    model.on("change:_step_notes", () => this.showNotes(), this);
    this.showOptions();
    this.showNotes();
  }

  // What the step warned of when it ran last.
  showNotes() {
    const notes = this.model.get("_step_notes")[this.step] ?? [];
    this.notes.replaceChildren(...notes.map((text) => h("p", {}, text)));
  }

  showOptions() {
    const { options } = this.model.get("_methods")[this.step].find(({ name }) => name === this.method.value);
    this.values = Object.fromEntries(options.map(({ name, default: value }) => [name, value]));
    this.fields = Object.fromEntries(options.map((option) => {
      const field = numberField(option.title, option.default, option, (value) => (this.values[option.name] = value));
      const take = (value) => {
        field.set(value);
        this.values[option.name] = value;
      };
      return [option.name, { ...field, take }];
    }));
    this.options.replaceChildren(...Object.values(this.fields).map(({ element }) => element));
    this.setBusy(this.busy);
  }

  showColumns() {
    this.setBusy(this.busy);
    this.picker.offer(this.store.columns.filter(({ kind, name }) => kind === "number" && name !== "label").map(({ name }) => name));
    this.ask();
  }

  // Which columns are used, and which left out and why: asked for when it is looked at.
  ask() {
    if (!this.used.getClientRects().length || !this.store.total) return;
    this.seq = (this.seq ?? 0) + 1;
    this.store.ask({ kind: "used", step: this.step, columns: this.picker.value, scale: this.scale.input.checked, seq: this.seq });
  }

  receiveUsed({ seq, text, lines }) {
    if (seq !== this.seq) return;
    this.usedCount.textContent = text;
    this.usedLines.replaceChildren(...lines.map((line) => h("p", {}, line)));
    this.usedFold.classList.toggle("oce-nothing-more", !lines.length);
  }

  settings() {
    const columns = this.picker.value;
    return { method: this.method.value, options: this.values, columns, scale: this.scale.input.checked, random_state: this.seedValue };
  }

  start() {
    const extra = this.step === "reduce" ? { n_components: this.axes } : {};
    this.model.send({ kind: "step", step: this.step, ...this.settings(), ...extra });
  }

  startScan() {
    this.model.send({ kind: "scan", ...this.settings(), options: {} });
  }

  receiveScan(message) {
    if (message.method !== this.method.value) return;
    this.chart.hidden = false;
    const best = message.silhouette.indexOf(Math.max(...message.silhouette));
    const second = message.bic ? "bic" : "inertia";
    this.drawChart = () => drawLines(this.chart, message.n_clusters, [
      { name: "Silhouette (higher is better)", values: message.silhouette },
      { name: second === "bic" ? "BIC (lower is better)" : "Inertia (lower is better)", values: message[second] },
    ], "clusters", best);
    this.drawChart();
    const count = message.n_clusters[best];
    this.chart.dataset.best = count ?? "";
    this.best.hidden = count === undefined;
    this.best.replaceChildren(h("span", {}, "Highest silhouette: ", h("b", {}, `${count} clusters`)),
      textButton(`Use ${count}`, () => this.fields.n_clusters?.take(count), { class: "oc-button oc-small" }));
  }

  dispose() {
    this.model.off(null, null, this);
    this.stopTheme();
  }

  setBusy(busy) {
    this.busy = busy;
    const ready = !busy && this.store.total > 0;
    enable(this.run, ready);
    enable(this.scan, ready && SCANNED.includes(this.method.value));
    this.empty.hidden = this.store.total > 0;
  }
}
