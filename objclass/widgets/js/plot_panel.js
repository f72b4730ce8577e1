// The plot with what belongs to it: choice of columns, legend, counts.
import { countOf, enable, h, textButton } from "./dom.js";
import { insidePolygon, insideRange } from "./hits.js";
import { LassoTool } from "./lasso.js";
import { Legend } from "./legend.js";
import { GROUP_COLUMN } from "./object_store.js";
import { PlotMenu } from "./plot_menu.js";
import { formatValue, roundTo } from "./scales.js";
import { ScatterView } from "./scatter_view.js";

const MOST_PANELS = 24;
const SPREAD = 0.36; // of the points of a name, of the way to the next one

// The axes of a log trait with one of them switched.
export function switchLog(log, axis) {
  return ["x", "y"].filter((name) => (name === axis) !== log.includes(name)).join("");
}

export class PlotPanel {
  constructor(model, store, host) {
    Object.assign(this, { model, store });
    this.controls = h("div", { class: "oc-bar oce-axes" });
    this.stage = h("div", { class: "oc-stage oce-stage" });
    this.legend = h("div", { class: "oce-legend", role: "list", "aria-label": "Legend" });
    this.note = h("div", { class: "oc-readout", role: "status" });
    host.append(this.controls, this.stage, this.legend, this.note);
    this.view = new ScatterView(this.stage);
    this.tool = new LassoTool(this.view, {
      finish: (corners, mode) => this.choose(corners, mode), click: (place, mode) => this.press(place, mode) });
    this.view.tool = this.tool;
    this.onPick = () => {};
    this.onGive = () => false; // whether somebody else takes a choice than the groups
    this.selects = {};
    this.logs = {};
    this.by = h("select", { class: "oc-select", "aria-label": "Panels by", onchange: () => this.model.put({ by: this.by.value }) });
    this.panelField = h("label", { class: "oc-row", title: "A panel of the plot for each value of a column" }, h("span", { class: "oc-soft" }, "Panels"), this.by);
    model.on("change:by", () => this.showPanels(), this);
    for (const [name, title] of [["x", "X"], ["y", "Y"], ["color", "Colour"]]) this.buildField(name, title);
    model.on("change:x change:y change:log_axes", () => this.showAxes(), this);
    this.menu = new PlotMenu(model);
    this.controls.append(this.menu.element);
    model.on("change:plot_style change:contours change:equal_scales change:color", () => this.showLook(), this);
    model.on("change:point_size", () => this.view.setRadius(model.get("point_size") / 2), this);
    this.view.radius = model.get("point_size") / 2;
    this.setShape("lasso");
    this.showLook();
  }

  // Boxes and violins have what the colours stand for on their x axis.
  get isSplit() {
    return ["boxes", "violins"].includes(this.model.get("plot_style"));
  }

  // The axis of the values in boxes and violins.
  get valueAxis() {
    return this.model.get("y") ? "y" : "x";
  }

  showLook() {
    const { model } = this;
    this.menu.show();
    const contours = model.get("contours") && Boolean(this.store.legend(model.get("color"))?.entries);
    this.view.setLook({ style: model.get("plot_style"), contours, equal: model.get("equal_scales") });
    this.showAxes();
  }

  buildField(name, title) {
    const select = h("select", { class: "oc-select", "aria-label": name === "color" ? "Colour by" : `${title} axis`,
      onchange: () => this.model.put({ [name]: select.value }) });
    this.selects[name] = select;
    const parts = [h("span", { class: "oc-soft" }, title), select];
    if (name !== "color") {
      this.logs[name] = textButton("log", () => this.model.put({ log_axes: switchLog(this.model.get("log_axes"), name) }),
        { class: "oc-button oc-small", title: `Logarithmic ${title} axis`, "aria-label": `Logarithmic ${title} axis` });
      parts.push(this.logs[name]);
    }
    this.controls.append(h("label", { class: "oce-axis" }, ...parts.slice(0, 2)), ...parts.slice(2));
  }

  setShape(shape) {
    this.shape = shape;
    this.tool.shape = shape === "pan" ? "pan" : this.isSplit ? "level" : this.model.get("y") ? shape : "range";
    this.view.element.style.cursor = shape === "pan" ? "grab" : "crosshair";
  }

  showColumns() {
    const numeric = this.store.columns.filter((column) =>
      column.kind === "number" || (column.kind === "category" && column.name.endsWith("_CLUSTER_ID")));
    const colorable = this.store.columns.filter((column) => column.kind !== "text");
    const fill = (select, names, extra = []) => select.replaceChildren(
      ...extra.map(([value, text]) => h("option", { value }, text)),
      ...names.map(({ name }) => h("option", { value: name }, name)));
    fill(this.selects.x, numeric);
    fill(this.selects.y, numeric, [["", "(count: histogram)"]]);
    fill(this.selects.color, colorable.filter(({ name }) => name !== GROUP_COLUMN), [[GROUP_COLUMN, "Groups"]]);
    fill(this.by, this.store.columns.filter(({ kind, categories }) => kind === "category" && categories.length > 0 && categories.length <= MOST_PANELS), [["", "one"]]);
    this.panelField.hidden = this.by.options.length < 2;
    this.showFields();
    this.showAxes();
    this.showPanels();
  }

  // A panel for each value of a column; rows without a value have none.
  showPanels() {
    const name = this.model.get("by");
    this.by.value = name;
    if (!name) return this.view.panels && this.view.setPanels(null);
    const of = this.store.column(name);
    const titles = this.store.describe(name)?.categories.map((category) => category.name);
    if (of && (of !== this.view.panels?.of || String(titles) !== String(this.view.panels.titles))) this.view.setPanels({ of, titles });
  }

  showFields() {
    for (const name of ["x", "y", "color"]) this.selects[name].value = this.model.get(name);
    for (const name of ["x", "y"]) this.logs[name].setAttribute("aria-pressed", String(this.model.get("log_axes").includes(name)));
    enable(this.logs.y, Boolean(this.model.get("y")));
  }

  axis(name) {
    const column = this.model.get(name);
    const values = this.store.column(column);
    const unit = this.store.describe(column)?.unit;
    return values && { values, title: unit ? `${column} (${unit})` : column, log: this.model.get("log_axes").includes(name) };
  }

  showAxes() {
    this.showFields();
    this.menu.show();
    this.setShape(this.shape ?? "lasso");
    if (this.isSplit) return this.showSplit();
    const [x, y] = [this.axis("x"), this.model.get("y") ? this.axis("y") : null];
    if (!x || (this.model.get("y") && !y)) return;
    const key = ["x", "y", "log_axes"].map((name) => this.model.get(name)).join("|");
    if (key === this.key && x.values === this.shownX && y?.values === this.shownY) return;
    Object.assign(this, { key, shownX: x.values, shownY: y?.values });
    this.view.setAxes({ x, y });
    this.showCounts();
  }

  showSplit() {
    const y = this.axis(this.valueAxis);
    const split = y && this.store.levels && this.store.split();
    if (!split) return;
    const { of, names, inks } = split;
    // Points of a name lie side by side, each at a place that stays.
    const values = Float64Array.from(of, (place, row) => place + SPREAD * (((row * 0.618034) % 1) - 0.5));
    const color = this.model.get("color");
    const key = ["split", y.title, y.log, ...names].join("|");
    const isSame = key === this.key && y.values === this.shownY;
    Object.assign(this, { key, shownX: null, shownY: y.values });
    this.view.setAxes({ x: { values, title: color === GROUP_COLUMN ? "Group" : color, log: false, names, inks }, y }, isSame);
    this.showCounts();
  }

  showCounts() {
    const { total, shown } = this.store;
    const missing = this.view.missing ?? 0;
    const parts = [countOf(total, "object")];
    if (shown < total) parts.push(`${formatValue(shown)} drawn`);
    if (missing) {
      const why = this.model.get("log_axes") ? "without a value or not above 0" : "without a value";
      parts.push(`${formatValue(missing)} ${why}, not drawn`);
    }
    const selected = this.store.groups.list.reduce((sum, group) => sum + group.size, 0);
    if (selected) parts.push(`${formatValue(selected)} selected`);
    const said = this.said && h("span", { class: "oce-said" }, this.said);
    this.note.replaceChildren(...(said ? [said] : []), ...parts.map((text) => h("span", {}, text)));
    this.view.element.dataset.missing = missing;
  }

  showColors() {
    this.view.setColors(this.store.colors, this.store.layer);
    if (this.isSplit) this.showSplit();
    this.showLegend();
    this.showCounts();
  }

  showLegend() {
    this.legendPanel ??= new Legend(this.model, this.store, this, this.legend);
    this.legendPanel.show();
  }

  // A shape drawn in the plot: corners in CSS pixels -> the columns' own units, rounded to what can be seen.
  choose(corners, mode) {
    const { view, model } = this;
    const log = this.isSplit ? (view.axes.y.log ? "y" : "") : model.get("y") ? model.get("log_axes") : model.get("log_axes").replace("y", "");
    const [scaleX, scaleY] = [view.scale("x"), view.scale("y")];
    const box = view.boxAt(corners[0]); // a shape belongs to the axes of the panel in which it was begun
    const perPixel = (scale) => Math.abs((scale.high - scale.low) / (scale.to - scale.from));
    const value = (units, scale, axis) => log.includes(axis)
      ? Number((10 ** units).toPrecision(7)) : roundTo(units, perPixel(scale));
    const drawn = corners.map((corner) => view.unitsAt(corner, box))
      .map(([y, x]) => [value(x, scaleX, "x"), value(y, scaleY, "y")]);
    const units = (number, axis) => (log.includes(axis) ? Math.log10(number) : number);
    if (this.isSplit || !model.get("y")) {
      const [axis, name] = this.isSplit ? ["y", this.valueAxis] : ["x", "x"];
      const ends = this.isSplit ? [drawn[0][1], drawn[2][1]] : [drawn[0][0], drawn[1][0]];
      const points = [Math.min(...ends), Math.max(...ends)];
      const chosen = insideRange(view.units[axis], ...points.map((end) => units(end, axis)));
      return this.tell(chosen, mode, { shape: "range", x: model.get(name), points });
    }
    const polygon = drawn.map(([x, y]) => [units(x, "x"), units(y, "y")]);
    const chosen = insidePolygon(view.units.x, view.units.y, polygon);
    this.tell(chosen, mode, { shape: "polygon", x: model.get("x"), y: model.get("y"), log, points: drawn });
  }

  // Tell the user something about the last gesture, until the next one.
  say(text) {
    this.said = text;
    this.showCounts();
  }

  tell(chosen, mode, gesture) {
    this.said = "";
    if (this.store.shown === this.store.total && !chosen.includes(1)) {
      return this.say("No object inside: nothing has changed.");
    }
    if (this.onGive(chosen, mode)) return;
    this.store.choose(chosen, mode, gesture);
    if (this.model.get("color") !== GROUP_COLUMN) this.model.put({ color: GROUP_COLUMN });
  }

  press([x, y], mode) {
    const row = this.view.pick(x, y);
    this.onPick(row < 0 ? 0 : row + 1, mode);
  }
}
