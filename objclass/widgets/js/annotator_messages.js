// What the annotator tells: where strokes are kept, what went wrong, and what it asks about files.
import { countOf, h, textButton } from "./dom.js";
import { errorBox } from "./error_box.js";

const SLOW = 2500;
const SAID = 8000;

export class AnnotatorMessages {
  constructor(model) {
    this.model = model;
    this.notices = h("div", { class: "oc-notices", role: "alert" });
    this.error = errorBox(model, "oc-error");
    this.status = h("span", { class: "oc-status oc-soft oc-grow", role: "status" });
    this.said = h("div", { class: "oc-said", role: "status" });
    this.showNotices();
  }

  // A line over the view that goes by itself.
  say(text) {
    this.said.textContent = text;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => (this.said.textContent = ""), SAID);
  }

  dispose() {
    clearTimeout(this.slow);
    clearTimeout(this.saying);
  }

  // `waiting`: how many strokes the kernel has not confirmed yet.
  showStatus(waiting) {
    const { saved = "", unsaved } = this.model.get("state");
    clearTimeout(this.slow);
    if (waiting) {
      const tell = () => this.tell(`The kernel is busy; ${countOf(waiting, "scribble")} kept in the browser`, true);
      this.slow = setTimeout(tell, SLOW);
    }
    if (unsaved) this.tell(`Not saved: ${unsaved}`, true);
    else this.tell(waiting && this.model.get("save_to") ? "Saving…" : saved, false);
  }

  tell(text, warns) {
    this.status.textContent = text;
    this.status.title = [text, this.model.get("save_to")].filter(Boolean).join("\n");
    this.status.classList.toggle("oc-warned", warns);
  }

  showNotices() {
    const answer = (topic, value) => () => this.model.send({ kind: "answer", topic, value });
    this.notices.replaceChildren(...this.model.get("notices").map(({ topic, text, choices }) =>
      h("div", { class: "oc-notice" }, h("span", { class: "oc-grow" }, text),
        ...choices.map((item) => textButton(item.text, answer(topic, item.value))))));
  }
}
