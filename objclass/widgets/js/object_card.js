// The line that tells of the marked object: its name, and its values on the axes and in the colour.
import { h, iconButton, textButton } from "./dom.js";
import { GROUP_COLUMN } from "./object_store.js";
import { formatValue } from "./scales.js";

// What a value of the table is called, and how it is written.
export function describeCell(name, value) {
  return name === GROUP_COLUMN ? ["group", value ? formatValue(value) : "none"] : [name, formatValue(value)];
}

export class ObjectCard {
  constructor(explorer, host) {
    Object.assign(this, { explorer, model: explorer.model, store: explorer.store });
    this.element = h("div", { class: "oce-card", role: "status" });
    host.append(this.element);
  }

  // What the card shows follows the marked object, the axes and the columns.
  ask() {
    const slot = this.store.focusSlot;
    if (slot) this.model.send({ kind: "row", label: this.store.labels[slot - 1] });
    else this.element.replaceChildren();
  }

  show({ label, cells }) {
    const slot = this.store.focusSlot;
    if (!slot || label !== this.store.labels[slot - 1]) return;
    const wanted = new Set([this.model.get("x"), this.model.get("y"), this.model.get("color")]);
    const parts = Object.entries(cells).filter(([name]) => wanted.has(name))
      .map(([name, value]) => describeCell(name, value))
      .map(([name, value]) => h("span", { title: `${name} ${value}` }, h("span", {}, `${name} `), h("b", {}, value)));
    const mode = this.store.groups.list.length ? "extend" : "replace";
    const add = this.explorer.mode ? [] : [textButton("Add to group", () => this.explorer.pick(slot, "extend"),
      { class: "oc-button oc-small", "data-mode": mode })];
    this.element.replaceChildren(h("b", {}, this.store.nameOf(slot)), ...parts, ...add,
      iconButton("close", "Unmark", () => this.store.mark(0), { class: "oc-button oc-icon-button oc-small" }));
  }
}
