// Pictures to keep, and the code that makes the table again.
import { h, textButton } from "./dom.js";

const PARTS = [["plot", "Plot"], ["slice", "Slice"], ["3d", "3D"], ["all", "Plot and slice"]];

export class SavePanel {
  constructor(model, store) {
    this.store = store;
    const small = "oc-button oc-small";
    const buttons = (of, text) => ["png", "svg"].map((format) => textButton(format.toUpperCase(),
      () => this.ask(of, format), { class: small, "aria-label": `Save ${text} as ${format.toUpperCase()}` }));
    this.copied = textButton("Copy code", () => store.ask({ kind: "code" }),
      { title: "Copy the Python code that reproduces this table" });
    this.parts = PARTS.map(([of, text]) => h("div", { class: "oc-row" }, h("span", { class: "oc-grow" }, text), ...buttons(of, text.toLowerCase())));
    this.menu = h("details", { class: "oc-fold oce-save" }, h("summary", {}, "Save picture"), h("div", { class: "oce-save-body" }, ...this.parts));
    this.parts[2].hidden = model.get("volume").ndim === 2;
    this.menu.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    this.element = h("span", { class: "oc-bar" }, this.menu, this.copied);
  }

  close() {
    this.menu.open = false;
    this.menu.firstChild.focus();
  }

  ask(of, format) {
    this.store.ask({ kind: "picture", of, format });
    this.close();
  }

  // To the clipboard; where the page may not write there, into a field to copy from.
  async receive({ text }) {
    this.element.dataset.code = text.length;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      this.offer(text);
      return;
    }
    this.copied.textContent = "Copied";
    setTimeout(() => (this.copied.textContent = "Copy code"), 1500);
  }

  offer(text) {
    this.field?.remove();
    this.field = h("textarea", { class: "oce-code", rows: 6, readonly: true, "aria-label": "Code" });
    this.field.value = text;
    this.field.addEventListener("keydown", (event) => event.key === "Escape" && this.field.remove());
    this.element.append(this.field);
    this.field.select();
  }
}
