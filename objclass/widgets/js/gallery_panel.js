// Crops of many objects side by side, at one scale and one contrast: the kernel sends them as one sheet.
import { checkbox, countOf, h, textButton } from "./dom.js";
import { gestureMode } from "./lasso.js";
import { GROUP_COLUMN } from "./object_store.js";
import { typedArray } from "./pixels.js";

const CROPS = 100;

// The pixels of a crop: colours as they came, or the object's own on its boundary (the fourth byte).
export function paintCrop(pixels, sheet, start, [red, green, blue], edged) {
  for (let at = 0; at < pixels.length; at += 4) {
    const from = start + at;
    const edge = edged && sheet[from + 3];
    pixels[at] = edge ? red : sheet[from];
    pixels[at + 1] = edge ? green : sheet[from + 1];
    pixels[at + 2] = edge ? blue : sheet[from + 2];
    pixels[at + 3] = 255;
  }
}

// What the select "Objects" offers beside all, selected and filtered: the values of the colour's column.
function categoryChoices(name, legend) {
  const entries = legend?.entries ?? [];
  return entries.map((entry) => ({
    text: `${name === GROUP_COLUMN ? "" : `${name} `}${entry.name}`, by: name, value: String(entry.group ?? entry.name) }));
}

// explorer: {model, store, hover, pick, table}
export class GalleryPanel {
  constructor(explorer, host) {
    const { model, store } = explorer;
    Object.assign(this, { explorer, model, store, seq: 0, labels: [], total: 0 });
    this.show = h("select", { class: "oc-select", "aria-label": "Objects in the gallery", onchange: () => this.request() });
    this.order = h("select", { class: "oc-select", "aria-label": "Order of the gallery", onchange: () => this.request() });
    this.descending = checkbox("Descending", false, () => this.request());
    this.edges = checkbox("Edges", true, () => this.paint(), { title: "Show the boundary of each object" });
    this.count = h("span", { class: "oc-soft", role: "status" });
    this.tiles = h("div", { class: "oce-tiles", role: "group", "aria-label": "Gallery" });
    this.more = textButton("Show more", () => this.request(this.labels.length), { class: "oc-button oc-small" });
    host.append(h("div", { class: "oc-row oce-gallery-bar" },
      h("label", { class: "oc-row" }, h("span", { class: "oc-soft" }, "Objects"), this.show),
      h("label", { class: "oc-row" }, h("span", { class: "oc-soft" }, "Sorted by"), this.order),
      this.descending.element, this.edges.element, h("span", { class: "oc-grow" }), this.count, this.more), this.tiles);
    model.on("change:channels change:color", () => this.refresh(), this);
  }

  get isOpen() {
    return this.tiles.getClientRects().length > 0;
  }

  // The choices follow the colours, columns and groups; what was chosen stays where it is still there.
  refresh() {
    if (!this.isOpen) return;
    const color = this.model.get("color");
    const legend = this.store.legend(color);
    const choices = [{ text: "All", show: "all" }, { text: "In a group", show: "selected" }, { text: "Filtered in the table", show: "filtered" },
      ...categoryChoices(color, legend).map((choice) => ({ ...choice, show: "category" }))];
    this.fill(this.show, choices.map((choice) => [JSON.stringify(choice), choice.text]));
    const names = this.store.columns.filter(({ kind }) => kind !== "text").map(({ name }) => [name, name]);
    this.fill(this.order, [["", "Table"], ["typical", "Most typical"], ["unusual", "Least typical"], ...names]);
    this.request();
  }

  fill(select, options) {
    const before = select.value;
    select.replaceChildren(...options.map(([value, text]) => h("option", { value }, text)));
    select.value = options.some(([value]) => value === before) ? before : options[0][0];
  }

  request(start = 0) {
    this.seq += 1;
    this.asked = performance.now();
    const { text: _text, ...wish } = JSON.parse(this.show.value);
    this.store.ask({ kind: "gallery", ...wish, query: this.explorer.table.state.query, order: this.order.value,
      descending: this.descending.input.checked, start, count: CROPS, seq: this.seq });
  }

  receive({ seq, labels, start, total, tile }, buffers) {
    if (seq !== this.seq) return;
    const sheet = typedArray(buffers[0], "uint8");
    if (start === 0) {
      this.tiles.replaceChildren();
      this.labels = [];
      this.crops = [];
    }
    labels.forEach((label, place) => {
      this.labels.push(label);
      this.crops.push({ sheet, start: place * tile * tile * 4 });
      this.tiles.append(this.tile(label, tile));
    });
    Object.assign(this, { total, size: tile });
    this.count.textContent = `${this.labels.length.toLocaleString("en")} of ${countOf(total, "object")}`;
    this.more.hidden = this.labels.length >= total;
    this.paint();
    this.tiles.dataset.ms = (performance.now() - this.asked).toFixed(0);
  }

  tile(label, size) {
    const slot = this.store.slotOf.get(label) ?? 0;
    return h("button", { type: "button", class: "oce-tile", "data-label": label, title: this.store.nameOf(slot), "aria-label": this.store.nameOf(slot),
      onclick: (event) => this.explorer.pick(slot, gestureMode(event)),
      onpointerenter: () => this.explorer.hover(slot), onpointerleave: () => this.explorer.hover(0) },
      h("canvas", { width: size, height: size, "aria-hidden": "true" }));
  }

  // In the colours that the objects have now.
  paint() {
    if (!this.isOpen || !this.store.levels) return;
    const marked = this.store.focusSlot;
    this.labels.forEach((label, place) => {
      const slot = this.store.slotOf.get(label) ?? 0;
      const button = this.tiles.children[place];
      const context = button.firstChild.getContext("2d");
      const image = context.createImageData(this.size, this.size);
      const { sheet, start } = this.crops[place];
      paintCrop(image.data, sheet, start, this.store.palette[this.store.levels[slot - 1] ?? 1], this.edges.input.checked);
      context.putImageData(image, 0, 0);
      button.classList.toggle("oce-marked", slot > 0 && slot === marked);
    });
  }

  mark() {
    const marked = this.store.focusSlot;
    for (const button of this.tiles.children) {
      button.classList.toggle("oce-marked", marked > 0 && this.store.slotOf.get(Number(button.dataset.label)) === marked);
    }
  }
}
