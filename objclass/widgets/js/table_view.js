// The rows of the table: the kernel sorts and filters, this shows the part that is seen.
import { checkbox, h, textButton } from "./dom.js";
import { formatValue } from "./scales.js";

const ROW = 24;
const AHEAD = 20;
const SCROLL_LIMIT = 8000000;

export class TableView {
  constructor(model, store, host, formats) {
    Object.assign(this, { model, store });
    this.state = { sort: "", descending: false, query: "", selected: false };
    this.seq = 0;
    this.onRow = this.onHover = () => {};
    this.query = h("input", { type: "text", class: "oc-text oc-grow", placeholder: "Filter, for example: area > 300 and solidity < 0.9",
      "aria-label": "Filter", onchange: () => this.filter(), onkeydown: (event) => event.key === "Enter" && this.filter() });
    const only = checkbox("In a group", false, (selected) => this.change({ selected }));
    this.count = h("span", { class: "oc-soft" });
    const files = formats.map((format) => textButton(format === "csv" ? "CSV" : "Parquet",
      () => model.send({ kind: "export", format, view: store.client }), { class: "oc-button oc-small", title: `Save all rows as ${format}` }));
    this.head = h("tr");
    this.above = h("tr", { "aria-hidden": "true" });
    this.below = h("tr", { "aria-hidden": "true" });
    this.body = h("tbody");
    this.box = h("div", { class: "oce-table", tabindex: 0, role: "region", "aria-label": "Table of the objects", onscroll: () => this.scrolled() },
      h("table", {}, h("thead", {}, this.head), this.body));
    host.append(h("div", { class: "oc-row" }, this.query, only.element, this.count, ...files), this.box);
  }

  filter() {
    if (this.query.value !== this.state.query) this.change({ query: this.query.value });
  }

  change(values) {
    Object.assign(this.state, values);
    this.box.scrollTop = 0;
    this.request();
  }

  request(start = 0, near = null) {
    this.seq += 1;
    const count = Math.ceil(this.box.clientHeight / ROW) + 2 * AHEAD;
    this.model.send({ kind: "rows", ...this.state, start, count, near, seq: this.seq, view: this.store.client });
  }

  refresh() {
    this.request(Math.max(0, Math.floor(this.box.scrollTop / ROW) - AHEAD));
  }

  scrolled() {
    const first = Math.floor(this.box.scrollTop / ROW);
    const last = first + Math.ceil(this.box.clientHeight / ROW);
    if (!this.shown || (first >= this.shown.start && last <= this.shown.end) || this.waiting) return;
    this.waiting = setTimeout(() => {
      this.waiting = null;
      this.refresh();
    }, 40);
  }

  receive(message) {
    if (message.view !== this.store.client || message.seq !== this.seq) return;
    const { start, total, columns, cells, place } = message;
    this.shown = { start, end: start + cells.length === total ? Infinity : start + cells.length };
    this.count.textContent = `${formatValue(total)} rows`;
    this.showHead(columns);
    const label = columns.indexOf("label");
    this.above.style.height = `${Math.min(SCROLL_LIMIT, start * ROW)}px`;
    this.below.style.height = `${Math.min(SCROLL_LIMIT, (total - start - cells.length) * ROW)}px`;
    this.body.replaceChildren(this.above, ...cells.map((row) => this.row(row, row[label])), this.below);
    this.mark(this.marked);
    if (place !== null) this.box.scrollTop = Math.max(0, place * ROW - this.box.clientHeight / 2);
  }

  row(cells, label) {
    return h("tr", { "data-label": label, onclick: () => this.onRow(label),
      onpointerenter: () => this.onHover(label), onpointerleave: () => this.onHover(0) },
      ...cells.map((cell) => h("td", {}, formatValue(cell))));
  }

  showHead(columns) {
    const { sort, descending } = this.state;
    this.head.replaceChildren(...columns.map((name) => {
      const order = name !== sort ? "none" : descending ? "descending" : "ascending";
      const sign = { none: "", ascending: " ▲", descending: " ▼" }[order];
      return h("th", { scope: "col", "aria-sort": order }, h("button", { type: "button",
        onclick: () => this.change({ sort: name, descending: name === sort && !descending }) }, name + sign));
    }));
  }

  mark(label) {
    this.marked = label;
    for (const row of this.body.children) row.classList.toggle("oce-marked", Number(row.dataset.label) === label);
  }

  // Bring the row of an object into sight.
  find(label) {
    this.marked = label;
    const row = this.body.querySelector(`[data-label="${label}"]`);
    if (row) {
      this.mark(label);
      const top = row.offsetTop - ROW;
      const bottom = row.offsetTop + ROW - this.box.clientHeight;
      this.box.scrollTop = Math.min(top, Math.max(bottom, this.box.scrollTop));
    } else if (label) {
      this.request(0, label);
    }
  }
}

// Hand a file from the kernel to the user.
export function saveFile(name, view) {
  const url = URL.createObjectURL(new Blob([view]));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
