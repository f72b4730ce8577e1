// The groups drawn by hand: names, colours, merging, hiding, clearing.
import { colorField, enable, h, iconButton, nameField, textButton } from "./dom.js";
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
    const swatch = colorField(color, title, (chosen) => store.act("recolor", { group, color: chosen }));
    const field = nameField(name, `Name of group ${group}`, (text) => store.act("rename", { group, name: text }), `Group ${group}`);
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
