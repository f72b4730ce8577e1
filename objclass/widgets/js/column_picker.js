// Which columns are meant: a list with a search, boxes to tick, and presets.
import { h, textButton } from "./dom.js";

// The names that have all words of a search in them.
function searchNames(names, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return names.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
}

// `onChange(names)`; none ticked stands for what `none` says. `presets` are [text, (names) => names].
export class ColumnPicker {
  constructor({ title, none, presets = [], onChange }) {
    Object.assign(this, { none, onChange, names: [], chosen: new Set() });
    this.search = h("input", { type: "search", class: "oc-text", placeholder: "Search columns", "aria-label": `Search: ${title}`, oninput: () => this.list() });
    this.boxes = h("div", { class: "oce-picker-list", role: "group", "aria-label": title });
    this.words = h("span", { class: "oc-soft" });
    const small = { class: "oc-button oc-small" };
    this.element = h("div", { class: "oce-picker" }, this.search, this.boxes, h("div", { class: "oc-bar" },
      textButton("Tick shown", () => this.set([...this.chosen, ...searchNames(this.names, this.search.value)]), small),
      textButton("None", () => this.set([]), small),
      ...presets.map(([text, choose]) => textButton(text, () => this.set(choose(this.names)), small)), this.words));
  }

  // Offer these columns; of those ticked the ones that are gone go.
  offer(names) {
    if (String(names) === String(this.names)) return;
    this.names = names;
    this.chosen = new Set([...this.chosen].filter((name) => names.includes(name)));
    this.list();
  }

  set(names) {
    this.chosen = new Set(names.filter((name) => this.names.includes(name)));
    this.list();
    this.onChange(this.value);
  }

  get value() {
    return this.names.filter((name) => this.chosen.has(name));
  }

  list() {
    const shown = searchNames(this.names, this.search.value);
    this.boxes.replaceChildren(...shown.map((name) => {
      const input = h("input", { type: "checkbox", onchange: () => {
        if (input.checked) this.chosen.add(name);
        else this.chosen.delete(name);
        this.tell();
        this.onChange(this.value);
      } });
      input.checked = this.chosen.has(name);
      return h("label", { class: "oc-check" }, input, h("span", {}, name));
    }));
    this.tell();
  }

  tell() {
    this.words.textContent = this.chosen.size ? `${this.chosen.size} of ${this.names.length} columns` : this.none;
  }
}
