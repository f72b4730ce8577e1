// What "Measure and explore" has made: the explorer below the annotator, and the line of code that makes it again.
import { h, iconButton } from "./dom.js";

export class NextStep {
  constructor(model) {
    this.model = model;
    this.element = h("div", { class: "oc-next", hidden: true });
    this.show();
  }

  async show() {
    const id = this.model.get("explorer_id");
    if (!id || id === this.shown) return;
    this.shown = id;
    const manager = this.model.widget_manager;
    const view = await manager.create_view(await manager.get_model(id), {});
    if (this.shown !== id) return;
    const code = this.model.get("explorer_code");
    const copy = iconButton("copy", "Copy this line", () => navigator.clipboard?.writeText(code).catch(() => {}));
    const host = h("div", { class: "oc-next-view" });
    this.element.replaceChildren(h("div", { class: "oc-row" }, h("code", { class: "oc-grow" }, code), copy), host);
    this.element.hidden = false;
    host.append(view.el ?? view.node ?? view);
    this.element.scrollIntoView({ block: "nearest" });
  }
}
