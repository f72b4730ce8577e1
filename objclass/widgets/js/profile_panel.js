// Which group is which: a picture of the measures in which groups differ most, one row a group.
import { GROUP_COLUMN } from "./object_store.js";
import { h } from "./dom.js";
import { formatValue } from "./scales.js";

const STRONG = 2.5;
const OPAQUE = 0.5; // text of either theme can be read on it

// A standardised difference as a colour: blue below the others, orange above, see-through where equal.
export function differenceColor(value) {
  if (value === null) return "transparent";
  const strength = OPAQUE * Math.min(1, Math.abs(value) / STRONG);
  return value < 0 ? `rgba(0, 114, 178, ${strength.toFixed(2)})` : `rgba(230, 159, 0, ${strength.toFixed(2)})`;
}

export class ProfilePanel {
  constructor(store, host) {
    this.store = store;
    this.by = h("select", { class: "oc-select", "aria-label": "Groups of", onchange: () => this.request() });
    this.body = h("div", { class: "oce-profile" });
    host.append(h("div", { class: "oc-row" }, h("span", { class: "oc-soft" }, "Groups of"), this.by,
      h("span", { class: "oc-soft oc-grow" }, "Difference from all others, in standard deviations")), this.body);
  }

  showColumns() {
    const before = this.by.value;
    const columns = this.store.columns.filter(({ kind, name }) => kind === "category" || name === GROUP_COLUMN);
    this.by.replaceChildren(...columns.map(({ name }) =>
      h("option", { value: name }, name === GROUP_COLUMN ? "Selected groups" : name)));
    this.by.value = before || GROUP_COLUMN;
    if (!this.by.value) this.by.value = GROUP_COLUMN;
  }

  request(by = this.by.value) {
    this.by.value = by;
    this.store.ask({ kind: "profile", by });
  }

  receive({ by, groups, measures }) {
    if (!groups.length) {
      this.body.replaceChildren(h("p", { class: "oc-soft" }, "At least two groups are needed."));
      return;
    }
    const apart = groups.some((group) => group.silhouette !== null);
    const named = new Map(this.store.groups.list.map((group) => [String(group.group), group.name]));
    const title = (name) => by !== GROUP_COLUMN ? name : name === "0" ? "not selected" : named.get(name) || `Group ${name}`;
    const head = h("tr", {}, h("th", { scope: "col" }, ""), h("th", { scope: "col" }, "Objects"),
      apart ? h("th", { scope: "col", title: "Near 1: well separated; near 0: between two groups" }, "Silhouette") : null,
      ...measures.map((name) => h("th", { scope: "col" }, h("span", {}, name.replaceAll("_", " ")))));
    const rows = groups.map(({ name, size, silhouette, differences }) => h("tr", {},
      h("th", { scope: "row" }, title(name)), h("td", { class: "oce-count" }, formatValue(size)),
      apart ? h("td", { class: "oce-count" }, silhouette === null ? "–" : silhouette.toFixed(2)) : null,
      ...differences.map((value) => h("td", { style: `background: ${differenceColor(value)}` },
        value === null ? "–" : value.toFixed(1).replace("-", "−")))));
    this.body.replaceChildren(h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows)));
  }
}
