// What the user is told: errors, notes about the table, and what is under way, with a way to stop it (`busy`, to be
// placed by the caller).
import { h, iconButton, textButton } from "./dom.js";

export class Notices {
  constructor(model, store, host) {
    Object.assign(this, { model, store });
    this.onBusy = () => {};
    this.error = h("div", { class: "oce-error", role: "alert", hidden: true });
    this.notes = h("div", { class: "oce-notes" });
    this.busy = h("div", { class: "oce-busy", role: "status", hidden: true });
    host.append(this.error, this.notes);
    model.on("change:busy", () => this.showBusy(), this);
    model.on("change:error", () => this.showError(), this);
    model.on("change:notes", () => this.showNotes(), this);
    this.showError();
    this.showNotes();
  }

  showError() {
    const text = this.model.get("error");
    this.error.hidden = !text;
    const close = () => {
      this.model.set("error", "");
      this.model.save_changes();
    };
    this.error.replaceChildren(h("span", { class: "oc-grow" }, text),
      iconButton("close", "Close", close, { class: "oc-button oc-icon-button oc-small" }));
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
