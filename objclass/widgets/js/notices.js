// What the user is told: errors, notes about the table, and what is under way, with a way to stop it (`busy`, to be
// placed by the caller).
import { h, textButton } from "./dom.js";
import { errorBox } from "./error_box.js";

export class Notices {
  constructor(model, store, host) {
    Object.assign(this, { model, store });
    this.onBusy = () => {};
    this.error = errorBox(model, "oce-error");
    this.notes = h("div", { class: "oce-notes" });
    this.busy = h("div", { class: "oce-busy", role: "status", hidden: true });
    host.append(this.error.element, this.notes);
    model.on("change:busy", () => this.showBusy(), this);
    model.on("change:error", () => this.error.show(), this);
    model.on("change:notes", () => this.showNotes(), this);
    this.showNotes();
  }

  showNotes() {
    this.notes.replaceChildren(...this.model.get("notes").map((text) => h("span", {}, text)));
    if (this.store.shown < this.store.total) {
      this.notes.append(textButton("Draw all as a density", () => this.model.send({ kind: "draw_all" }), { class: "oc-button oc-small" }));
    }
  }

  showBusy() {
    const { title, fraction, started } = this.model.get("busy");
    clearInterval(this.clock);
    this.busy.hidden = !title;
    this.onBusy(Boolean(title));
    if (!title) return;
    const time = h("span", { class: "oc-soft" });
    const tick = () => (time.textContent = `${Math.max(0, Date.now() / 1000 - started).toFixed(0)} s`);
    const bar = h("progress", { max: 1, "aria-label": title });
    if (fraction !== null) bar.value = fraction;
    this.busy.replaceChildren(h("span", {}, title), bar, time,
      textButton("Cancel", () => this.model.send({ kind: "cancel" }), { class: "oc-button oc-small" }));
    tick();
    this.clock = setInterval(tick, 500);
  }

  dispose() {
    clearInterval(this.clock);
  }
}
