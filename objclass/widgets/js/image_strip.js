// Several images above the view: a thumbnail for each with its counts, and a slider where there are many.
import { countOf, h, iconButton, listen } from "./dom.js";

const SLIDER_FROM = 8;

export class ImageStrip {
  // onShow(number) when another image is to be shown.
  constructor(model, onShow) {
    Object.assign(this, { model, onShow, urls: [] });
    this.list = h("div", { class: "oc-cards", role: "group", "aria-label": "Images" });
    this.range = h("input", {
      type: "range", class: "oc-range", min: 0, step: 1, "aria-label": "Image", oninput: () => this.show(Number(this.range.value)) });
    this.text = h("output", { class: "oc-soft oc-value" });
    this.row = h("div", { class: "oc-row oc-card-row" },
      iconButton("back", "Previous image (,)", () => this.step(-1)), this.range, iconButton("more", "Next image (.)", () => this.step(1)), this.text);
    this.element = h("div", { class: "oc-strip" }, this.row, this.list);
    const render = () => this.render();
    this.stop = listen(model, { "change:image_list": render, "change:pictures": render, "change:shown": render });
    this.render();
  }

  get count() {
    return this.model.get("image_list").length;
  }

  dispose() {
    this.stop();
    this.urls.forEach((url) => URL.revokeObjectURL(url));
  }

  // The number is known here at once, though the kernel answers later.
  show(number) {
    if (number < 0 || number >= this.count || number === this.shown) return;
    this.onShow(number);
    this.mark(number);
  }

  step(direction) {
    this.show(this.shown + direction);
  }

  // Thumbnails stay as they are made; only what is said of them changes.
  render() {
    const images = this.model.get("image_list");
    this.element.hidden = images.length < 2;
    if (this.element.hidden) return;
    this.row.hidden = images.length < SLIDER_FROM;
    this.range.max = images.length - 1;
    while (this.list.children.length < images.length) this.list.append(this.card(this.list.children.length));
    const pictures = this.model.get("pictures");
    images.forEach(({ name, painted, objects }, number) => {
      const card = this.list.children[number];
      const words = [painted ? `${painted.toLocaleString("en")} px` : "", objects === null ? "" : countOf(objects, "object")];
      card.title = [name, ...words].filter(Boolean).join(" · ");
      card.querySelector(".oc-card-name").textContent = name;
      card.querySelector(".oc-card-count").textContent = words.filter(Boolean).join(" · ");
      if (pictures[number]?.byteLength && !this.urls[number]) {
        this.urls[number] = URL.createObjectURL(new Blob([pictures[number]], { type: "image/png" }));
        card.querySelector("img").src = this.urls[number];
      }
    });
    this.mark(this.model.get("shown"));
  }

  card(number) {
    return h("button", { type: "button", class: "oc-card", "data-image": number, onclick: () => this.show(number) },
      h("img", { alt: "" }), h("span", { class: "oc-card-name" }), h("span", { class: "oc-card-count oc-soft" }));
  }

  mark(number) {
    if (this.shown !== number) this.list.children[number]?.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.shown = number;
    [...this.list.children].forEach((card, other) => card.setAttribute("aria-pressed", String(other === number)));
    this.range.value = number;
    this.text.textContent = `${number + 1} / ${this.count}`;
  }
}
