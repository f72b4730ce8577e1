// The list of classes: colour, name, which one is painted, which one is the object.
import { CLASS_COLORS, formatColor, classColor } from "./colors.js";
import { colorField, enable, h, icon, iconButton } from "./dom.js";

const MAX_CLASS = 254;

export class ClassList {
  // `value` is the class to begin with; onSelect(value) when another class is to be painted.
  constructor(model, value, onSelect) {
    Object.assign(this, { model, onSelect, used: [] });
    const isThere = this.classes.some((item) => item.value === value);
    this.value = isThere ? value : Math.min(model.get("positive_class"), 2);
    this.list = h("div", { class: "oc-classes", role: "radiogroup", "aria-label": "Class to paint" });
    const add = h("button", {
      type: "button", class: "oc-button oc-small", title: "Add a class (M)", onclick: () => this.add() }, "Add class");
    this.element = h("section", { class: "oc-section" },
      h("header", { class: "oc-head" }, h("h4", {}, "Classes"), add), this.list);
    this.render();
  }

  get classes() {
    return this.model.get("classes");
  }

  color(value = this.value) {
    return this.classes.find((item) => item.value === value)?.color ?? formatColor(classColor(value));
  }

  name(value) {
    return this.classes.find((item) => item.value === value)?.name ?? `class ${value}`;
  }

  save(classes) {
    this.model.put({ classes });
  }

  edit(value, changes) {
    this.save(this.classes.map((item) => (item.value === value ? { ...item, ...changes } : item)));
  }

  add() {
    const value = Math.max(0, ...this.classes.map((item) => item.value)) + 1;
    if (value > MAX_CLASS) return;
    const color = CLASS_COLORS[(value - 1) % CLASS_COLORS.length];
    this.save([...this.classes, { value, name: `class ${value}`, color }]);
    this.select(value);
  }

  select(value) {
    this.value = value;
    this.mark();
    this.onSelect(value);
  }

  // The next class, or with -1 the one before.
  step(direction) {
    const values = this.classes.map((item) => item.value);
    const place = values.indexOf(this.value) + direction;
    this.select(values[(place + values.length) % values.length]);
  }

  // How many pixels each class has, {value: count}, and the classes that have some in any image.
  setCounts(counts, used = this.used) {
    this.counts = counts;
    this.used = used;
    for (const row of this.list.children) {
      const count = counts[row.dataset.value] ?? 0;
      row.querySelector(".oc-count").textContent = count ? count.toLocaleString("en") : "";
      this.showClear(Number(row.dataset.value), row.querySelector(".oc-clear"), count);
    }
  }

  // One click erases the scribbles of a class, the next removes the class, unless objects are made of it.
  showClear(value, button, count) {
    const label = count ? `Erase ${this.name(value)} on all slices` : `Remove ${this.name(value)}`;
    button.replaceChildren(icon(count ? "trash" : "close"));
    button.title = label;
    button.setAttribute("aria-label", label);
    enable(button, count || this.canRemove(value));
  }

  canRemove(value) {
    return this.classes.length > 2 && !this.used.includes(value) && value !== this.model.get("positive_class");
  }

  clear(value) {
    if (this.counts?.[value]) this.model.send({ kind: "clear_class", value });
    else if (this.canRemove(value)) {
      this.save(this.classes.filter((item) => item.value !== value));
      if (this.value === value) this.select(this.model.get("positive_class"));
    }
  }

  mark() {
    for (const row of this.list.children) {
      const chosen = Number(row.dataset.value) === this.value;
      row.classList.toggle("oc-chosen", chosen);
      row.querySelector(".oc-class-pick").setAttribute("aria-checked", String(chosen));
    }
  }

  render() {
    const objectClass = this.model.get("positive_class");
    this.list.replaceChildren(...this.classes.map((item) => this.row(item, objectClass)));
    this.mark();
    this.setCounts(this.counts ?? {});
  }

  row({ value, name, color }, objectClass) {
    const pick = h("button", {
      type: "button", class: "oc-class-pick", role: "radio", "aria-label": `Paint ${name}`,
      title: `Paint ${name}`, onclick: () => this.select(value),
    }, String(value));
    const swatch = colorField(color, name, (chosen) => this.edit(value, { color: chosen }));
    const field = h("input", {
      type: "text", class: "oc-text oc-class-name", value: name, "aria-label": `Name of class ${value}`,
      onfocus: () => this.select(value), onchange: () => this.edit(value, { name: field.value || `class ${value}` }),
    });
    const isObject = value === objectClass;
    const objectMark = iconButton("target", isObject ? "Objects are made of this class" : `Make objects of ${name}`, () => {
      this.model.send({ kind: "set", name: "positive_class", value });
    }, { class: "oc-button oc-icon-button oc-small oc-quiet", "aria-pressed": String(isObject) });
    const clear = iconButton("trash", "", () => this.clear(value),
      { class: "oc-button oc-icon-button oc-small oc-quiet oc-clear" });
    return h("div", { class: "oc-class", "data-value": value },
      pick, swatch, field, h("span", { class: "oc-count oc-soft" }), objectMark, clear);
  }
}
