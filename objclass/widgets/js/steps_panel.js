// Reduce and Cluster: a method, its few parameters, which columns; progress, cancel.
import { checkbox, enable, foldOut, h, numberField, textButton } from "./dom.js";
import { drawLines } from "./line_chart.js";

const SCANNED = ["kmeans", "gmm"];

export class StepPanel {
  constructor(model, store, host, step) {
    Object.assign(this, { model, store, step });
    const methods = model.get("_methods")[step];
    this.method = h("select", { class: "oc-select", "aria-label": "Method", onchange: () => this.showOptions() },
      ...methods.map(({ name, title }) => h("option", { value: name }, title)));
    this.options = h("div", { class: "oce-options" });
    this.scale = checkbox("Scale columns", true, () => {}, { title: "Give every column mean 0 and standard deviation 1" });
    this.seed = numberField("Seed", 0, { min: 0, max: 4294967295 }, (value) => (this.seedValue = value));
    this.seedValue = 0;
    this.components = numberField("Axes", 2, { min: 1, max: 10 }, (value) => (this.axes = value));
    this.axes = 2;
    this.columns = h("select", { class: "oce-columns", multiple: true, "aria-label": "Columns used", size: 7 });
    this.columnsFold = foldOut("Columns", false, this.columns,
      h("span", { class: "oc-soft" }, "None chosen: all measurements, without positions, embeddings and clusters."));
    this.run = textButton(step === "reduce" ? "Reduce" : "Cluster", () => this.start(), { class: "oc-button oc-main" });
    this.scan = textButton("How many?", () => this.startScan(), { title: "Compare 2 to 10 clusters" });
    this.scan.hidden = step === "reduce";
    this.busy = false;
    this.empty = h("p", { class: "oc-soft", hidden: true }, `There are no objects to ${step}.`);
    this.chart = h("canvas", { class: "oce-chart", role: "img", "aria-label": "Fit over the number of clusters", hidden: true });
    const first = [h("label", { class: "oc-field" }, h("span", {}, "Method"), this.method), this.options];
    if (step === "reduce") first.push(this.components.element);
    host.append(
      h("div", { class: "oce-step" },
        h("div", { class: "oce-column" }, ...first),
        h("div", { class: "oce-column" }, this.seed.element, this.scale.element, this.columnsFold),
        h("div", { class: "oce-column oce-actions" }, h("div", { class: "oc-row" }, this.run, this.scan), this.empty, this.chart)));
    this.showOptions();
  }

  showOptions() {
    const { options } = this.model.get("_methods")[this.step].find(({ name }) => name === this.method.value);
    this.values = Object.fromEntries(options.map(({ name, default: value }) => [name, value]));
    this.options.replaceChildren(...options.map((option) =>
      numberField(option.title, option.default, option, (value) => (this.values[option.name] = value)).element));
    this.setBusy(this.busy);
  }

  showColumns() {
    this.setBusy(this.busy);
    const chosen = new Set([...this.columns.selectedOptions].map((option) => option.value));
    this.columns.replaceChildren(...this.store.columns.filter(({ kind, name }) => kind === "number" && name !== "label")
      .map(({ name }) => h("option", { value: name, selected: chosen.has(name) }, name)));
  }

  settings() {
    const columns = [...this.columns.selectedOptions].map((option) => option.value);
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
    const second = message.bic ? "bic" : "inertia";
    drawLines(this.chart, message.n_clusters, [
      { name: "Silhouette (high is good)", values: message.silhouette },
      { name: second === "bic" ? "BIC (low is good)" : "Inertia (low is good)", values: message[second] },
    ], "clusters");
    this.chart.dataset.best = message.n_clusters[message.silhouette.indexOf(Math.max(...message.silhouette))];
  }

  setBusy(busy) {
    this.busy = busy;
    const ready = !busy && this.store.total > 0;
    enable(this.run, ready);
    enable(this.scan, ready && SCANNED.includes(this.method.value));
    this.empty.hidden = this.store.total > 0;
  }
}
