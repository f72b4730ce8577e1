// Which of several images or time points is shown.
import { h, iconButton } from "./dom.js";

// The names of the images and their time points: {names: [name], frames: Map name -> [[frame, place], ...]}.
function groupSeries(series) {
  const frames = new Map();
  series.forEach(({ image = "", frame = 0 }, place) => {
    if (!frames.has(image)) frames.set(image, []);
    frames.get(image).push([frame, place]);
  });
  for (const list of frames.values()) list.sort(([a], [b]) => a - b);
  return { names: [...frames.keys()], frames };
}

export class ImageSwitch {
  constructor(model, store) {
    Object.assign(this, { model, store });
    const { series } = store;
    Object.assign(this, groupSeries(series));
    this.select = h("select", { class: "oc-select oc-grow", "aria-label": "Shown image", onchange: () => this.pick(this.select.value, this.frame) },
      ...this.names.map((name) => h("option", { value: name }, name)));
    this.range = h("input", { type: "range", class: "oc-range", min: 0, step: 1, "aria-label": "Shown frame", oninput: () => {
      store.show(this.frames.get(this.name)[Number(this.range.value)][1]);
    } });
    this.output = h("output", { class: "oc-slice-number" });
    const step = (by) => store.show((model.get("_shown") + by + series.length) % series.length);
    const hasNames = this.names.length > 1;
    const hasFrames = series.some(({ frame }) => frame !== undefined);
    this.element = h("div", { class: "oc-bar oce-series", role: "group", "aria-label": "Images", hidden: series.length < 2 },
      ...(hasNames ? [h("span", { class: "oc-soft" }, "Image"), this.select] : []),
      ...(hasFrames ? [h("span", { class: "oc-soft" }, "Frame"), h("div", { class: "oc-grow" }, this.range), this.output] : []),
      iconButton("back", "Previous image", () => step(-1)), iconButton("more", "Next image", () => step(1)));
    model.on("change:_shown", () => this.show(), this);
    this.show();
  }

  get name() {
    return this.store.series[this.model.get("_shown")].image ?? "";
  }

  get frame() {
    return this.store.series[this.model.get("_shown")].frame ?? 0;
  }

  // The image of that name, at the time point that is shown now or the one nearest to it.
  pick(name, frame) {
    const near = this.frames.get(name).reduce((best, one) => Math.abs(one[0] - frame) < Math.abs(best[0] - frame) ? one : best);
    this.store.show(near[1]);
  }

  show() {
    this.select.value = this.name;
    const list = this.frames.get(this.name);
    this.range.max = list.length - 1;
    this.range.value = list.findIndex(([frame]) => frame === this.frame);
    this.range.setAttribute("aria-valuetext", `Frame ${this.frame}`);
    this.output.textContent = `${this.frame} / ${list[list.length - 1][0]}`;
  }
}
