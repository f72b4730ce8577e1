// A scatter plot, a histogram or a density on a canvas, with axes, zoom, pan and hover.
//
// const view = new ScatterView(host);
// view.setAxes({x: {values, title, log}, y: {values, title, log} | null})   y null: a histogram of x
// view.setColors(colors, layer)     packed colours, one a row, alpha 0 hides; layer 1 is drawn over layer 0
// view.setRadius(pixels), view.reset(), view.mark(row, ring), view.pick(x, y) -> row or -1
// view.onHover = (row | -1) => ..., view.tool as for a SliceView; view.domainX and domainY in axis units
import { h } from "./dom.js";
import { buildGrid, nearest } from "./hits.js";
import { discStamps, drawDensity, drawPoints, histogram, isCrowded } from "./point_pixels.js";
import { PointerInput } from "./pointer_input.js";
import { drawAxes, plotInk } from "./plot_axes.js";
import { extent, paddedDomain, toAxisUnits, toPixel, toUnits, zoomDomain } from "./scales.js";

const MARGIN = { left: 58, right: 14, top: 12, bottom: 44 };
const PICK_REACH = 8;
const DENSITY_CELL = 2;
const BINS = 64;

export class ScatterView {
  constructor(host) {
    this.painters = [(context) => this.paintMarks(context)];
    this.tool = null;
    this.onRow = () => {};
    this.radius = 3.5;
    this.marks = new Map();
    this.axes = null;
    this.colors = this.layer = null;
    this.canvases = ["points", "top"].map((name) => h("canvas", { class: `oc-canvas oc-${name}`, "aria-hidden": "true" }));
    this.element = h(
      "div", { class: "oc-view oc-plot", tabindex: 0, role: "application", "aria-label": "Plot of the objects" },
      ...this.canvases);
    host.append(this.element);
    this.contexts = this.canvases.map((canvas) => canvas.getContext("2d", { willReadFrequently: true }));
    this.points = h("canvas");
    this.size = [0, 0];
    this.frameTimes = [];
    this.input = new PointerInput(this);
    this.element.addEventListener("dblclick", () => this.reset());
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.element);
    this.theme = new MutationObserver(() => this.draw());
    this.theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
    this.resize();
  }

  dispose() {
    this.observer.disconnect();
    this.theme.disconnect();
    this.input.dispose();
    cancelAnimationFrame(this.frame);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || !height) return;
    this.size = [width, height];
    this.ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    for (const canvas of this.canvases) {
      canvas.width = Math.round(width * this.ratio);
      canvas.height = Math.round(height * this.ratio);
    }
    this.place();
  }

  setAxes({ x, y }) {
    this.axes = { x, y };
    this.units = { x: toAxisUnits(x.values, x.log), y: y && toAxisUnits(y.values, y.log) };
    this.missing = 0;
    for (let i = 0; i < this.units.x.length; i++) {
      if (Number.isNaN(this.units.x[i]) || (y && Number.isNaN(this.units.y[i]))) this.missing += 1;
    }
    this.reset();
  }

  setColors(colors, layer) {
    Object.assign(this, { colors, layer });
    this.grid = null;
    this.draw();
  }

  setRadius(radius) {
    this.radius = radius;
    this.draw();
  }

  reset() {
    if (!this.axes) return;
    this.domainX = paddedDomain(extent(this.units.x), this.axes.y ? 0.04 : 0);
    this.domainY = this.axes.y ? paddedDomain(extent(this.units.y)) : [0, 1];
    this.place();
  }

  // The part of the element within the axes: {left, top, width, height} in CSS pixels.
  get frameBox() {
    const [width, height] = this.size;
    const { left, right, top, bottom } = MARGIN;
    return { left, top, width: Math.max(10, width - left - right), height: Math.max(10, height - top - bottom) };
  }

  scale(axis) {
    const { left, top, width, height } = this.frameBox;
    const [low, high] = axis === "x" ? this.domainX : this.domainY;
    return axis === "x" ? { low, high, from: left, to: left + width } : { low, high, from: top + height, to: top };
  }

  // [y, x] in axis units under a point of the element, in the order of a plane's (row, column).
  unitsAt([x, y]) {
    return [toUnits(this.scale("y"), y), toUnits(this.scale("x"), x)];
  }

  planeAt(event) {
    const box = this.element.getBoundingClientRect();
    this.pointer = [event.clientX - box.left, event.clientY - box.top];
    return this.axes ? this.unitsAt(this.pointer) : [NaN, NaN];
  }

  pan(dx, dy) {
    const { width, height } = this.frameBox;
    const shift = ([low, high], part) => [low + part * (high - low), high + part * (high - low)];
    this.domainX = shift(this.domainX, -dx / width);
    if (this.axes.y) this.domainY = shift(this.domainY, dy / height);
    this.place();
  }

  // Over an axis' own numbers only that axis is zoomed.
  zoom(factor, [x, y] = [this.size[0] / 2, this.size[1] / 2]) {
    const { left, top, height } = this.frameBox;
    const [unitsY, unitsX] = this.unitsAt([x, y]);
    if (x >= left) this.domainX = zoomDomain(this.domainX, factor, unitsX);
    if (this.axes.y && y <= top + height) this.domainY = zoomDomain(this.domainY, factor, unitsY);
    this.place();
  }

  // Where every point lies, in device pixels of the frame.
  place() {
    if (!this.axes || !this.size[0]) return;
    const { left, top } = this.frameBox;
    const [scaleX, scaleY] = [this.scale("x"), this.scale("y")];
    const count = this.units.x.length;
    this.px ??= new Float32Array(0);
    if (this.px.length !== count) [this.px, this.py] = [new Float32Array(count), new Float32Array(count)];
    const slopeX = ((scaleX.to - scaleX.from) / (scaleX.high - scaleX.low)) * this.ratio;
    const slopeY = ((scaleY.to - scaleY.from) / (scaleY.high - scaleY.low)) * this.ratio;
    const startY = (scaleY.from - top) * this.ratio;
    for (let i = 0; i < count; i++) {
      this.px[i] = (this.units.x[i] - scaleX.low) * slopeX;
      this.py[i] = this.units.y ? startY + (this.units.y[i] - scaleY.low) * slopeY : NaN;
    }
    this.grid = null;
    this.element.dataset.domain = JSON.stringify([this.domainX, this.domainY]);
    this.element.dataset.frame = JSON.stringify({ ...this.frameBox, left });
    this.draw();
  }

  draw() {
    this.stale = true;
    this.drawTop();
  }

  drawTop() {
    this.frame ||= requestAnimationFrame(() => this.paint());
  }

  paint() {
    const begun = performance.now();
    this.frame = 0;
    if (!this.axes || !this.colors || !this.size[0]) return;
    if (this.stale) this.paintPlot();
    this.stale = false;
    const context = this.contexts[1];
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, ...this.size);
    for (const painter of this.painters) {
      context.save();
      painter(context, this);
      context.restore();
    }
    this.frameTimes.push(performance.now() - begun);
    if (this.frameTimes.length > 600) this.frameTimes.shift();
  }

  paintPlot() {
    const context = this.contexts[0];
    const ink = plotInk(this.element);
    const { left, top, width, height } = this.frameBox;
    const bars = this.units.y ? null : histogram(this.units.x, this.colors, this.domainX, BINS);
    if (bars) this.domainY = [0, Math.max(1, bars.most * 1.06)];
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, ...this.size);
    drawAxes(context, ink, this.frameBox, this.scale("x"), this.scale("y"), {
      x: this.axes.x, y: this.axes.y ?? { title: "Objects", log: false } });
    if (bars) return this.paintBars(context, bars);
    [this.points.width, this.points.height] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    const image = new ImageData(this.points.width, this.points.height);
    const shown = this.colors.reduce((sum, color) => sum + (color >= 0x1000000 ? 1 : 0), 0);
    const crowded = isCrowded(shown, this.radius * this.ratio, image.width, image.height) && this.countInside() > shown / 8;
    this.element.dataset.mode = crowded ? "density" : "points";
    if (crowded) {
      drawDensity(image, this.px, this.py, this.colors, Math.round(DENSITY_CELL * this.ratio));
    } else {
      if (this.stamped !== this.radius * this.ratio) {
        this.stamped = this.radius * this.ratio;
        this.stamps = discStamps(this.stamped);
      }
      for (const pass of [0, 1]) drawPoints(image, this.px, this.py, this.colors, this.stamps, this.layer, pass);
    }
    this.points.getContext("2d", { willReadFrequently: true }).putImageData(image, 0, 0);
    context.drawImage(this.points, left, top, width, height);
  }

  countInside() {
    const [width, height] = [this.frameBox.width * this.ratio, this.frameBox.height * this.ratio];
    let inside = 0;
    for (let i = 0; i < this.px.length; i++) {
      if (this.px[i] >= 0 && this.px[i] < width && this.py[i] >= 0 && this.py[i] < height) inside += 1;
    }
    return inside;
  }

  paintBars(context, { counts, totals }) {
    this.element.dataset.mode = "histogram";
    const { left, width } = this.frameBox;
    const scaleY = this.scale("y");
    const bases = new Float64Array(totals.length);
    for (const [color, bars] of counts) {
      context.fillStyle = `rgb(${color & 255}, ${(color >>> 8) & 255}, ${(color >>> 16) & 255})`;
      bars.forEach((count, bin) => {
        if (!count) return;
        const bottom = toPixel(scaleY, bases[bin]);
        const x = left + (bin * width) / bars.length;
        context.fillRect(x + 0.5, toPixel(scaleY, bases[bin] + count), Math.max(1, width / bars.length - 1), bottom - toPixel(scaleY, bases[bin] + count));
        bases[bin] += count;
      });
    }
  }

  mark(row, style) {
    if (this.marks.get(style) === row) return;
    this.marks.set(style, row);
    this.drawTop();
  }

  paintMarks(context) {
    const { left, top, width, height } = this.frameBox;
    const ink = plotInk(this.element);
    for (const [style, row] of this.marks) {
      this.element.dataset[style] = "";
      if (!(row >= 0) || row >= this.px.length) continue;
      const x = left + this.px[row] / this.ratio;
      const y = this.units.y ? top + this.py[row] / this.ratio : top + height;
      if (!(x >= left && x <= left + width && y >= top && y <= top + height)) continue;
      this.element.dataset[style] = `${x.toFixed(1)} ${y.toFixed(1)}`;
      context.lineWidth = style === "focus" ? 2.5 : 1.5;
      context.strokeStyle = ink.text;
      context.beginPath();
      context.arc(x, y, this.radius + 4, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  pick(x, y) {
    if (!this.units?.y || !this.colors) return -1;
    const { left, top, width, height } = this.frameBox;
    this.grid ??= buildGrid(
      this.px, this.py, this.colors.map((color) => (color >= 0x1000000 ? 1 : 0)),
      Math.ceil(width * this.ratio), Math.ceil(height * this.ratio), 16 * this.ratio);
    return nearest(this.grid, (x - left) * this.ratio, (y - top) * this.ratio, PICK_REACH * this.ratio);
  }

  onHover(row, col, event) {
    this.onRow(event && !this.tool?.path ? this.pick(...this.pointer) : -1);
  }
}
