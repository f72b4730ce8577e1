// Contrast of the channels: histogram, automatic limits, gamma, colour, and which channels are shown.
import { h, slider } from "./dom.js";
import { Histogram, planeLimits } from "./histogram.js";

const MAPS = [["", "one colour"], ["inferno", "inferno"], ["viridis", "viridis"], ["gray_r", "gray, inverted"]];

export class ContrastPanel {
  // `view` is the SliceView, whose image the automatic contrast is for.
  constructor(model, view) {
    Object.assign(this, { model, view, chosen: 0 });
    const channels = model.get("channels");
    this.element = h("div", { class: "oc-contrast" });
    this.histograms = channels.map((channel, which) =>
      new Histogram(channel, (limits, done) => this.changeChannel(which, limits, done), () => this.autoContrast(which)));
    const single = channels.length === 1;
    const rows = channels.map((channel, which) => this.channelRow(channel, which, single));
    const auto = h("button", {
      type: "button", class: "oc-button oc-small", title: "Contrast of the shown slice",
      onclick: () => this.autoContrast(this.chosen) }, "Auto");
    const whole = h("button", {
      type: "button", class: "oc-button oc-small", title: "Contrast of the whole stack",
      onclick: () => this.histograms[this.chosen].reset() }, "Stack");
    whole.hidden = model.get("volume").ndim === 2;
    this.gamma = slider("Gamma", 1, { min: 0.2, max: 2, step: 0.05 }, (gamma) => this.changeChannel(this.chosen, { gamma }, false));
    this.gamma.input.addEventListener("change", () => this.changeChannel(this.chosen, {}, true));
    this.gamma.input.addEventListener("dblclick", () => this.changeChannel(this.chosen, { gamma: 1 }, true));
    this.gamma.input.title = "Below 1 brightens dark pixels; double-click: 1";
    this.map = h("select", { class: "oc-select", "aria-label": "Colour map", onchange: () => this.changeChannel(this.chosen, { map: this.map.value }, true) },
      ...MAPS.map(([value, text]) => h("option", { value }, text)));
    this.element.append(...rows, ...this.histograms.map(({ element }) => element),
      h("div", { class: "oc-row oc-contrast-tools" }, auto, whole, this.gamma.element),
      h("label", { class: "oc-field" }, h("span", {}, "Colours"), this.map));
    this.choose(0);
  }

  channelRow(channel, which, single) {
    const shown = h("input", {
      type: "checkbox", "aria-label": `Show ${channel.name}`,
      onchange: () => this.changeChannel(which, { visible: shown.checked }, true),
    });
    shown.checked = channel.visible;
    const color = h("input", {
      type: "color", class: "oc-swatch", "aria-label": `Colour of ${channel.name}`, title: "Colour", value: channel.color,
      oninput: () => this.changeChannel(which, { color: color.value }, true),
    });
    const name = single ? h("span", { class: "oc-grow oc-contrast-title" }, "Contrast") : h("button", {
      type: "button", class: "oc-channel oc-grow", title: "Contrast of this channel; double-click: this channel alone",
      onclick: () => this.choose(which), ondblclick: () => this.solo(which),
    }, channel.name);
    return h("div", { class: "oc-row", "data-channel": which }, single ? null : shown, color, name, this.histograms[which].limits);
  }

  // The channel whose histogram is shown.
  choose(which) {
    this.chosen = which;
    this.histograms.forEach(({ element }, other) => (element.hidden = other !== which));
    for (const row of this.element.querySelectorAll("[data-channel]")) {
      row.querySelector(".oc-channel")?.setAttribute("aria-pressed", String(Number(row.dataset.channel) === which));
    }
    this.showLook(this.model.get("channels")[which]);
    this.histograms[which].draw();
  }

  showLook({ gamma = 1, map = "" }) {
    this.gamma.input.value = gamma;
    this.map.value = map;
  }

  // One channel alone; once more: all of them.
  solo(which) {
    const channels = this.model.get("channels");
    const isAlone = channels.every(({ visible }, other) => visible === (other === which));
    this.model.put({ channels: channels.map((channel, other) => ({ ...channel, visible: isAlone || other === which })) });
  }

  autoContrast(which) {
    const values = this.view.image[0]?.planes[which];
    if (values) this.changeChannel(which, planeLimits(values), true);
  }

  // A slice that is much darker or brighter than the contrast allows gets its own.
  ensureVisible() {
    this.model.get("channels").forEach(({ low, high, visible }, which) => {
      const values = this.view.image[0]?.planes[which];
      if (!values || !visible) return;
      const here = planeLimits(values);
      if (here.high < low + (high - low) / 4 || here.low > high) this.changeChannel(which, here, true);
    });
  }

  changeChannel(which, changes, done) {
    const channels = this.model.get("channels").map((channel, other) =>
      other === which ? { ...channel, ...changes } : channel);
    this.model.set("channels", channels);
    if (done) this.model.save_changes();
  }

  // `channels` are those of the trait.
  update(channels) {
    this.histograms.forEach((histogram, which) => histogram.update(channels[which]));
    this.showLook(channels[this.chosen]);
    for (const box of this.element.querySelectorAll("[data-channel] > input[type=checkbox]")) {
      box.checked = channels[box.parentElement.dataset.channel].visible;
    }
  }
}
