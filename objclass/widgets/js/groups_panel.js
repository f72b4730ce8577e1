// The groups drawn by hand: names, colours, merging, hiding, clearing.
import { enable, h, iconButton, textButton } from "./dom.js";
import { formatValue } from "./scales.js";

export class GroupsPanel {
  constructor(store, host) {
    this.store = store;
    this.list = h("div", { class: "oce-groups", role: "list", "aria-label": "Groups" });
    this.clear = textButton("Clear all", () => store.act("clear"), { class: "oc-button oc-small" });
    this.hint = h("span", { class: "oc-soft" }, "Draw again: groups anew. With Shift: the next group. With Ctrl or ⌘: add to the last one. With Alt: remove.");
    host.append(this.list, h("div", { class: "oc-row" }, this.clear, this.hint));
  }

  show() {
    const { list } = this.store.groups;
    enable(this.clear, list.length > 0);
    this.hint.hidden = list.length === 0;
    if (this.list.contains(document.activeElement) && document.activeElement.type === "text") return;
    if (!list.length) {
      this.list.replaceChildren(h("p", { class: "oc-soft" },
        "No groups yet. Draw around points or objects: group 1. With Shift: the next group. With Ctrl or ⌘: add to the last one. With Alt: remove."));
      return;
    }
    this.list.replaceChildren(...list.map((group) => this.row(group, list)));
  }

  row({ group, name, color, size, hidden }, list) {
    const { store } = this;
    const title = name || `Group ${group}`;
    const swatch = h("input", { type: "color", class: "oc-swatch", value: color, "aria-label": `Colour of ${title}`,
      onchange: () => store.act("recolor", { group, color: swatch.value }) });
    const field = h("input", { type: "text", class: "oc-text oc-grow", value: name, placeholder: `Group ${group}`,
      "aria-label": `Name of group ${group}`, maxlength: 80, onchange: () => store.act("rename", { group, name: field.value }) });
    field.addEventListener("keydown", (event) => event.key === "Enter" && field.blur());
    const others = list.filter((other) => other.group !== group);
    const merge = h("select", { class: "oc-select", "aria-label": `Merge ${title} into`, disabled: !others.length,
      onchange: () => merge.value && store.act("merge", { group, into: Number(merge.value) }) },
      h("option", { value: "" }, "Merge into …"),
      ...others.map((other) => h("option", { value: other.group }, other.name || `Group ${other.group}`)));
    return h("div", { class: "oc-row", role: "listitem", "data-group": group },
      swatch, h("span", { class: "oce-number" }, String(group)), field,
      h("span", { class: "oce-count" }, formatValue(size)), merge,
      iconButton("eye", hidden ? `Show ${title}` : `Hide ${title}`, () => store.act("hide", { group, hidden: !hidden }),
        { class: "oc-button oc-icon-button oc-small", "aria-pressed": String(hidden) }),
      iconButton("trash", `Clear ${title}`, () => store.act("clear", { group }), { class: "oc-button oc-icon-button oc-small" }));
  }
}
