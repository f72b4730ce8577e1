// The rows of the table: the kernel sorts and filters, this shows the part that is seen.
import { ColumnPicker } from "./column_picker.js";
import { checkbox, countOf, enable, h, textButton } from "./dom.js";
import { GROUP_COLUMN } from "./object_store.js";
import { formatValue } from "./scales.js";

const ROW = 24;
const AHEAD = 20;
const SCROLL_LIMIT = 8000000;

// How the rows of a long table lie in a box that a browser cannot scroll further than SCROLL_LIMIT pixels:
// up to there a row has ROW pixels, beyond it the rows share them.
function rowGeometry(total, height) {
  const extent = Math.min(SCROLL_LIMIT, total * ROW);
  const stretch = extent > height ? (total * ROW - height) / (extent - height) : 1;
  return { extent, rowAt: (scroll) => (scroll * stretch) / ROW, scrollOf: (row) => (row * ROW) / stretch };
}

export class TableView {
  constructor(model, store, host, formats) {
    Object.assign(this, { model, store });
    this.state = { sort: "", descending: false, query: "", selected: false, columns: [] };
    this.seq = 0;
    this.near = null;
    this.onRow = this.onHover = () => {};
    this.query = h("input", { type: "search", class: "oc-text", placeholder: "Filter, for example: area > 300 and solidity < 0.9",
      "aria-label": "Filter", onchange: () => this.filter(), oninput: () => this.query.value || this.filter(),
      onkeydown: (event) => event.key === "Enter" && this.filter() });
    this.problem = h("div", { class: "oce-problem", role: "alert", hidden: true });
    const only = checkbox("In a group", false, (selected) => this.change({ selected }));
    this.count = h("span", { class: "oc-soft" });
    const files = formats.map((format) => textButton(format === "csv" ? "CSV" : "Parquet",
      () => store.ask({ kind: "export", format }), { class: "oc-button oc-small", title: `Save all rows as ${format}` }));
    this.picker = new ColumnPicker({ title: "Columns of the table", none: "All columns", onChange: (columns) => this.change({ columns }) });
    const columns = h("details", { class: "oc-fold oce-columns-fold" }, h("summary", {}, "Columns"), this.picker.element);
    this.group = textButton("Filtered → group", () => this.makeGroup(), { class: "oc-button oc-small", title: "Make the next group of the rows that fit the filter" });
    enable(this.group, false);
    this.head = h("tr");
    this.above = h("tr", { "aria-hidden": "true" });
    this.below = h("tr", { "aria-hidden": "true" });
    this.body = h("tbody");
    this.box = h("div", { class: "oce-table", tabindex: 0, role: "region", "aria-label": "Table of the objects", onscroll: () => this.scrolled() },
      h("table", {}, h("thead", {}, this.head), this.body));
    host.append(h("div", { class: "oc-row" }, h("div", { class: "oce-filter" }, this.query, this.problem), only.element, this.group, this.count, columns, ...files), this.box);
  }

  // The rows that the filter leaves are the next group.
  makeGroup() {
    const { query, selected } = this.state;
    const where = selected ? `(${query}) and ${GROUP_COLUMN} > 0` : query;
    this.store.tell({ kind: "select", shape: "where", where, mode: "next" });
    this.model.put({ color: GROUP_COLUMN });
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
    this.near = near;
    this.seq += 1;
    const count = Math.ceil(this.box.clientHeight / ROW) + 2 * AHEAD;
    this.store.ask({ kind: "rows", ...this.state, start, count, near, seq: this.seq });
  }

  geometry(total = this.total ?? 0) {
    return rowGeometry(total, this.box.clientHeight);
  }

  // An object that is sought stays so: the answer that is on its way no longer counts.
  refresh() {
    this.request(Math.max(0, Math.floor(this.geometry().rowAt(this.box.scrollTop)) - AHEAD), this.near);
  }

  // The table is looked at: at the marked object, where there is one.
  open(label) {
    this.marked = label;
    if (label) this.request(0, label);
    else this.refresh();
  }

  scrolled() {
    if (!this.shown || this.waiting) return;
    const top = this.box.scrollTop;
    const first = Math.floor(this.geometry().rowAt(top));
    const last = first + Math.ceil(this.box.clientHeight / ROW);
    // Where rows share their pixels, what is seen moves on at another pace than the rows themselves.
    const inStep = this.geometry().extent === this.total * ROW || Math.abs(top - this.shown.top) < 2;
    if (inStep && first >= this.shown.start && last <= this.shown.end) return;
    this.waiting = setTimeout(() => {
      this.waiting = null;
      this.refresh();
    }, 40);
  }

  receive(message) {
    if (message.seq !== this.seq) return;
    this.near = null;
    const { start, total, columns, cells, objects, place, problem } = message;
    this.problem.hidden = !problem;
    this.problem.textContent = problem;
    this.query.setAttribute("aria-invalid", String(Boolean(problem)));
    enable(this.group, !problem && this.state.query.trim() !== "" && total > 0);
    if (problem) return;
    this.total = total;
    const { extent, rowAt, scrollOf } = this.geometry();
    const middle = this.box.clientHeight / 2 / ROW;
    const top = place === null ? this.box.scrollTop : Math.max(0, scrollOf(place - middle));
    this.shown = { start, end: start + cells.length === total ? Infinity : start + cells.length, top };
    this.count.textContent = countOf(total, "row");
    this.showHead(columns);
    const above = Math.max(0, top - (rowAt(top) - start) * ROW);
    this.above.style.height = `${above}px`;
    this.below.style.height = `${Math.max(0, extent - above - cells.length * ROW)}px`;
    this.body.replaceChildren(this.above, ...cells.map((row, which) => this.row(row, objects[which])), this.below);
    this.mark(this.marked);
    if (place !== null) this.box.scrollTop = top;
  }

  row(cells, label) {
    return h("tr", { "data-label": label, onclick: () => this.onRow(label),
      onpointerenter: () => this.onHover(label), onpointerleave: () => this.onHover(0) },
      ...cells.map((cell) => h("td", {}, formatValue(cell))));
  }

  showHead(columns) {
    const { sort, descending } = this.state;
    this.picker.offer(this.store.columns.map(({ name }) => name).filter((name) => name !== "label"));
    this.head.replaceChildren(...columns.map((name) => {
      const unit = this.store.describe(name)?.unit;
      const order = name !== sort ? "none" : descending ? "descending" : "ascending";
      const sign = { none: "", ascending: " ▲", descending: " ▼" }[order];
      return h("th", { scope: "col", "aria-sort": order }, h("button", { type: "button",
        onclick: () => this.change({ sort: name, descending: name === sort && !descending }) }, name, unit ? h("span", { class: "oc-soft" }, ` (${unit})`) : null, sign));
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
