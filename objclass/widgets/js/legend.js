// The legend under the plot: a click hides, a double click isolates; names, colours and groups of categories.
import { colorField, h, nameField, textButton } from "./dom.js";
import { insideRange } from "./hits.js";
import { CLASS_COLUMN, GROUP_COLUMN } from "./object_store.js";
import { formatValue } from "./scales.js";

const DOUBLE = 220; // milliseconds in which a second click makes a double click
const MOST_NAMED = 60;

export class Legend {
  constructor(model, store, plot, host) {
    Object.assign(this, { model, store, plot, host });
    model.on("change:hidden", () => this.show(), plot);
  }

  show() {
    const name = this.model.get("color");
    const legend = this.store.legend(name);
    if (!legend || this.isTyping()) return;
    if (!legend.entries) return this.host.replaceChildren(this.buildRamp(name, legend));
    const chips = legend.entries.map((entry) => this.buildChip(name, entry));
    if (name === GROUP_COLUMN && !chips.length) {
      chips.push(h("span", { class: "oc-soft" }, "Draw around points, or around objects in the slice, to make group 1."));
    }
    const mark = (className, style, text, count, title = "") => h("span", { class: `oce-chip ${className}`, role: "listitem", title },
      h("i", { style }), text, h("b", {}, formatValue(count)));
    if (legend.uncertain) {
      chips.push(mark("oce-uncertain", "", "uncertain: pale, in slices only the edge", legend.uncertain, "The forest gives the class less than 60 %"));
    }
    if (legend.missing) chips.push(mark("", "background: var(--oc-line)", "no value", legend.missing));
    if (this.isCategory(name) && legend.entries.length <= MOST_NAMED) chips.push(this.buildMore(name, legend.entries));
    this.host.replaceChildren(...chips);
  }

  isTyping() {
    return this.host.contains(document.activeElement) && document.activeElement.tagName === "INPUT";
  }

  isCategory(name) {
    return name !== GROUP_COLUMN && name !== CLASS_COLUMN;
  }

  // What a category is known by in `hidden`.
  key({ value, number, name }) {
    return value ?? (number === undefined ? name : String(number));
  }

  hiddenOf(name) {
    if (name === GROUP_COLUMN) return this.store.groups.list.filter(({ hidden }) => hidden).map(({ group }) => group);
    return this.model.get("hidden")[name] ?? [];
  }

  buildChip(name, entry) {
    const key = name === GROUP_COLUMN ? entry.group : this.key(entry);
    const isShown = !this.hiddenOf(name).includes(key);
    const button = h("button", { type: "button", "aria-pressed": String(isShown), "data-category": key,
      title: `Click: ${isShown ? "hide" : "show"}. Double click: ${entry.name} alone, or all.` },
      h("i", { style: `background: ${entry.color}` }), entry.name, h("b", {}, formatValue(entry.count)));
    button.addEventListener("click", ({ detail }) => {
      clearTimeout(this.timer);
      if (detail > 1) this.isolate(name, key);
      else if (detail === 0) this.toggle(name, key, isShown); // by key
      else this.timer = setTimeout(() => this.toggle(name, key, isShown), DOUBLE);
    });
    return h("span", { class: "oce-chip", role: "listitem" }, button);
  }

  toggle(name, key, hide) {
    if (name === GROUP_COLUMN) return this.store.act("hide", { group: key, hidden: hide });
    const others = this.hiddenOf(name).filter((other) => other !== key);
    return this.setHidden(name, hide ? [...others, key] : others);
  }

  isolate(name, key) {
    if (name === GROUP_COLUMN) return this.store.act("isolate", { group: key });
    const others = this.store.legend(name).entries.map((entry) => this.key(entry)).filter((other) => other !== key);
    const hidden = this.hiddenOf(name);
    const isAlone = hidden.length === others.length && others.every((other) => hidden.includes(other));
    return this.setHidden(name, isAlone ? [] : others);
  }

  setHidden(name, hidden) {
    this.model.put({ hidden: { ...this.model.get("hidden"), [name]: hidden } });
  }

  // A part that folds out over what is below the legend.
  foldOver(title, ...children) {
    const body = h("div", {}, ...children);
    const fold = h("details", { class: "oce-legend-more" }, h("summary", {}, title), body);
    fold.addEventListener("toggle", () => {
      const { left, bottom } = fold.getBoundingClientRect();
      Object.assign(body.style, { left: `${left}px`, top: `${Math.min(bottom, innerHeight - 280)}px` });
    });
    fold.addEventListener("keydown", (event) => event.key === "Escape" && ((fold.open = false), event.stopPropagation()));
    return fold;
  }

  act(action, details) {
    this.model.send({ kind: "legend", action, ...details });
  }

  buildMore(column, entries) {
    const rows = entries.map((entry) => {
      const category = this.key(entry);
      const swatch = colorField(entry.color, entry.name, (color) => this.act("recolor", { column, category, color }));
      const given = entry.name === category ? "" : entry.name;
      const field = nameField(given, `Name of ${category}`, (name) => this.act("rename", { column, category, name }), category);
      return h("div", { class: "oc-row", "data-category": category }, swatch, field);
    });
    return this.foldOver("Names, groups", ...rows,
      textButton("Make groups of these", () => this.act("to_groups", { column }), { class: "oc-button oc-small" }));
  }

  buildRamp(name, { low, high, unit, missing }) {
    const ramp = this.model.get("_ramp");
    const stops = [0, 32, 64, 96, 128, 160, 192, 224, 255].map((level) =>
      `rgb(${[0, 1, 2].map((part) => ramp.getUint8(level * 3 + part)).join(",")})`);
    const values = this.store.column(name) ?? [];
    const ends = values.reduce(([least, most], value) => (Number.isFinite(value) ? [Math.min(least, value), Math.max(most, value)] : [least, most]), [Infinity, -Infinity]);
    const [from, to] = ends.map((value, which) => {
      const input = h("input", { type: "number", class: "oc-number", step: "any", "aria-label": which ? "Highest value" : "Lowest value" });
      input.value = value;
      return input;
    });
    const range = this.foldOver("Range to a group", h("div", { class: "oc-row" }, from, "to", to),
      textButton("Make a group", () => this.chooseRange(name, Number(from.value), Number(to.value)), { class: "oc-button oc-small" }));
    return h("span", { class: "oce-ramp", role: "listitem" },
      h("span", {}, formatValue(low)), h("i", { style: `background: linear-gradient(90deg, ${stops.join(",")})` }),
      h("span", {}, `${formatValue(high)}${unit ? ` ${unit}` : ""}`),
      missing ? h("span", { class: "oc-soft" }, `${formatValue(missing)} without a value`) : null, range);
  }

  chooseRange(name, low, high) {
    const points = [Math.min(low, high), Math.max(low, high)];
    const chosen = insideRange(this.store.column(name), ...points);
    const mode = this.store.groups.list.length ? "next" : "replace";
    this.plot.tell(chosen, mode, { shape: "range", x: name, points });
  }
}
