// How the plot is drawn: a menu in its bar.
import { checkbox, enable, h, textButton } from "./dom.js";

const STYLES = [
  ["auto", "automatic"], ["points", "points"], ["density", "density"], ["hexbin", "hexagons"],
  ["boxes", "boxes by colour"], ["violins", "violins by colour"],
];

export class PlotMenu {
  constructor(model) {
    Object.assign(this, { model });
    this.style = h("select", { class: "oc-select", "aria-label": "Draw as", title: "Automatic: points, and a density where they cover each other",
      onchange: () => model.put({ plot_style: this.style.value }) },
      ...STYLES.map(([value, text]) => h("option", { value }, text)));
    this.contours = checkbox("Contours of colours", false, (contours) => model.put({ contours }),
      { title: "Around 50 % and 90 % of the points of each colour" });
    this.equal = checkbox("Equal scales", false, (value) => model.put({ equal_scales: value }),
      { title: "One unit is equally long on both axes" });
    this.swap = textButton("Swap axes", () => model.put(this.swapped()), { class: "oc-button oc-small" });
    this.element = h("details", { class: "oc-fold oce-menu" }, h("summary", {}, "View"), h("div", { class: "oce-menu-body" },
      h("label", { class: "oc-field" }, h("span", {}, "Draw as"), this.style), this.contours.element, this.equal.element,
      h("div", { class: "oc-row" }, this.swap)));
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.element.open = false;
      this.element.firstChild.focus();
      event.stopPropagation();
    });
    this.show();
  }

  swapped() {
    const log = this.model.get("log_axes");
    const turned = [log.includes("y") ? "x" : "", log.includes("x") ? "y" : ""].join("");
    return { x: this.model.get("y"), y: this.model.get("x"), log_axes: turned };
  }

  show() {
    this.style.value = this.model.get("plot_style");
    this.contours.input.checked = this.model.get("contours");
    this.equal.input.checked = this.model.get("equal_scales");
    enable(this.swap, Boolean(this.model.get("y")));
  }
}
