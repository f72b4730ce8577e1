// A scatter plot, a histogram or a density on a canvas, with axes, zoom, pan and hover.
//
// const view = new ScatterView(host);
// view.setAxes({x: {values, title, log, names?, inks?}, y: {values, title, log} | null}, keep)   y null: a histogram of x;
//     x with names: places of these names, in colours; keep: leave what is seen as it is
// view.setLook({style, contours, equal})   style: auto, points, density, hexbin; boxes or violins of an x with names
// view.setPanels({of, titles} | null)   the place of the panel of each row (-1: none), and what panels are called
// view.setColors(colors, layer)     packed colours, one a row, alpha 0 hides; layer 1 is drawn over layer 0
// view.setRadius(pixels), view.reset(), view.mark(row, ring), view.pick(x, y) -> row or -1
// view.onHover = (row | -1) => ..., view.tool as for a SliceView; view.domainX and domainY in axis units
import { followTheme, h } from "./dom.js";
import { buildGrid, nearest } from "./hits.js";
import { PointerInput } from "./pointer_input.js";
import { layoutPanels, panelAt, rowsOfPanels } from "./plot_grid.js";
import { extent, paddedDomain, toAxisUnits, toUnits, zoomDomain } from "./scales.js";
import { paintMarks, paintPlot } from "./scatter_paint.js";

const MARGIN = { left: 58, right: 14, top: 12, bottom: 44 };
const PICK_REACH = 8;

export class ScatterView {
  constructor(host) {
    this.painters = [paintMarks];
    this.tool = null;
    this.onRow = () => {};
    this.onWheel = () => false; // as a SliceView's: it zooms
    this.radius = 3.5;
    this.look = { style: "auto", contours: false, equal: false };
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
    this.stopTheme = followTheme(() => this.draw());
    this.resize();
  }

  dispose() {
    this.observer.disconnect();
    this.stopTheme();
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
    this.equalize();
    this.place();
  }

  setAxes({ x, y }, keep = false) {
    this.axes = { x, y };
    this.units = { x: toAxisUnits(x.values, x.log), y: y && toAxisUnits(y.values, y.log) };
    this.missing = 0;
    for (let i = 0; i < this.units.x.length; i++) {
      if ((!x.names && Number.isNaN(this.units.x[i])) || (y && Number.isNaN(this.units.y[i]))) this.missing += 1;
    }
    if (keep) this.place();
    else this.reset();
  }

  setPanels(panels) {
    this.panels = panels && { ...panels, rows: rowsOfPanels(panels.of, panels.titles.length) };
    this.equalize();
    this.place();
  }

  setLook(look) {
    const wasEqual = this.look.equal;
    this.look = look;
    if (wasEqual !== look.equal) this.reset();
    else this.draw();
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
    const { x, y } = this.axes;
    this.domainX = x.names ? [-0.5, x.names.length - 0.5] : paddedDomain(extent(this.units.x), y ? 0.04 : 0);
    this.domainY = y ? paddedDomain(extent(this.units.y)) : [0, 1];
    this.equalize();
    this.place();
  }

  get isEqual() {
    return Boolean(this.look.equal && this.axes?.y && !this.axes.x.names);
  }

  // Give the axis of which less is seen in a pixel as many units in it as the other has.
  equalize() {
    if (!this.isEqual || !this.size[0]) return;
    const { width, height } = this.boxes[0];
    const span = ([low, high]) => high - low;
    const perPixel = Math.max(span(this.domainX) / width, span(this.domainY) / height);
    const around = ([low, high], length) => [(low + high - length) / 2, (low + high + length) / 2];
    this.domainX = around(this.domainX, perPixel * width);
    this.domainY = around(this.domainY, perPixel * height);
  }

  // The part of the element within the axes: {left, top, width, height} in CSS pixels.
  get frameBox() {
    const [width, height] = this.size;
    const { left, right, top, bottom } = MARGIN;
    return { left, top, width: Math.max(10, width - left - right), height: Math.max(10, height - top - bottom) };
  }

  // One box for each panel; without panels the whole frame is one.
  get boxes() {
    if (!this.panels) return [{ ...this.frameBox, isFirst: true, isLast: true }];
    return layoutPanels(this.frameBox, this.panels.titles.length);
  }

  boxAt(point) {
    return panelAt(this.boxes, point);
  }

  scale(axis, { left, top, width, height } = this.boxes[0]) {
    const [low, high] = axis === "x" ? this.domainX : this.domainY;
    return axis === "x" ? { low, high, from: left, to: left + width } : { low, high, from: top + height, to: top };
  }

  // [y, x] in axis units under a point of the element, in the order of a plane's (row, column).
  unitsAt([x, y], box = this.boxAt([x, y])) {
    return [toUnits(this.scale("y", box), y), toUnits(this.scale("x", box), x)];
  }

  planeAt(event) {
    const box = this.element.getBoundingClientRect();
    this.pointer = [event.clientX - box.left, event.clientY - box.top];
    return this.axes ? this.unitsAt(this.pointer) : [NaN, NaN];
  }

  pan(dx, dy) {
    const { width, height } = this.boxes[0];
    const shift = ([low, high], part) => [low + part * (high - low), high + part * (high - low)];
    if (!this.axes.x.names) this.domainX = shift(this.domainX, -dx / width);
    if (this.axes.y) this.domainY = shift(this.domainY, dy / height);
    this.place();
  }

  // Over an axis' own numbers only that axis is zoomed.
  zoom(factor, [x, y] = [this.size[0] / 2, this.size[1] / 2]) {
    const { left, top, height } = this.frameBox;
    const [unitsY, unitsX] = this.unitsAt([x, y]);
    if ((x >= left || this.isEqual) && !this.axes.x.names) this.domainX = zoomDomain(this.domainX, factor, unitsX);
    if (this.axes.y && (y <= top + height || this.isEqual)) this.domainY = zoomDomain(this.domainY, factor, unitsY);
    this.place();
  }

  // Where every point lies, in device pixels of the frame; NaN for one outside of its panel.
  place() {
    if (!this.axes || !this.size[0]) return;
    const { boxes, frameBox } = this;
    const count = this.units.x.length;
    this.px ??= new Float32Array(0);
    if (this.px.length !== count) [this.px, this.py] = [new Float32Array(count), new Float32Array(count)];
    if (this.panels) {
      this.px.fill(NaN);
      this.panels.rows.forEach((rows, which) => this.placeRows(rows, boxes[which]));
    } else {
      this.placeRows(null, frameBox);
    }
    this.grid = null;
    this.element.dataset.domain = JSON.stringify([this.domainX, this.domainY]);
    this.element.dataset.frame = JSON.stringify(frameBox);
    this.element.dataset.panels = this.panels ? JSON.stringify(boxes) : "";
    this.draw();
  }

  placeRows(rows, box) {
    const { left, top } = this.frameBox;
    const [scaleX, scaleY] = [this.scale("x", box), this.scale("y", box)];
    const slopeX = ((scaleX.to - scaleX.from) / (scaleX.high - scaleX.low)) * this.ratio;
    const slopeY = ((scaleY.to - scaleY.from) / (scaleY.high - scaleY.low)) * this.ratio;
    const [startX, startY] = [(scaleX.from - left) * this.ratio, (scaleY.from - top) * this.ratio];
    const { x, y } = this.units;
    for (let k = 0; k < (rows ?? x).length; k++) {
      const i = rows ? rows[k] : k;
      this.px[i] = startX + (x[i] - scaleX.low) * slopeX;
      this.py[i] = y ? startY + (y[i] - scaleY.low) * slopeY : NaN;
      const isInside = x[i] >= scaleX.low && x[i] <= scaleX.high && (!y || (y[i] >= scaleY.low && y[i] <= scaleY.high));
      if (rows && !isInside) this.px[i] = NaN;
    }
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
    if (!this.axes || !this.colors || !this.size[0] || !this.element.isConnected) return;
    if (this.stale) paintPlot(this);
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

  mark(row, style) {
    if (this.marks.get(style) === row) return;
    this.marks.set(style, row);
    this.drawTop();
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
