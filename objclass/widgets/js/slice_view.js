// One plane of a volume on a canvas: image, label layers, cursor, scale bar; zoom, pan and tools.
//
// const view = new SliceView(host, {unit: "µm"});
// view.setPlane({shape: [rows, cols], spacing: [row, col]})   true proportions; fits when the shape changes
// view.setImage([raster, ...])                                coarse first, finer parts after it
//     raster: {row0, col0, step, width, height, planes: [Uint8Array | Uint16Array, one a channel]}
// view.setChannels([{low, high, rgb, visible}])               contrast in stored values, no round trip
// view.setLayer("labels", {rasters, table, contour, opacity, visible})   any of these; the rest stays
//     rasters: [{row0, col0, step, width, height, data: typed array of values}], table: value -> packed colour
//     (colors.js). A later layer covers an earlier one; recolouring is setLayer(name, {table}): no pixels move.
//     contour: 0 fills, else the width of the edge that is painted, in screen pixels.
// view.touch(region)                                          values within [row0, col0, row1, col1] changed
// view.painters.push((context, view) => ...)                  draws on top, in CSS pixels; view.drawTop()
// view.tool = {down(event, row, col) -> bool, move, up, cancel, cursor}   claims the main button, else it pans
// view.onHover = (row, col, event | null) => ...              plane coordinates, not rounded; also at a new plane
// view.onTransform = () => ...                                after zoom, pan, fit, resize
// view.screen()                                               {transform, fitted, size} in pixels of the device
// view.value(layer, row, col), view.imageValues(row, col), view.transform, view.fit(), view.dispose()
import {
  fitTransform, panBy, scaleBar, scaleTransform, toPlane, toScreen, zoomAt,
} from "./geometry.js";
import { composeChannels, fadeTable, paintLabels, valueAt } from "./pixels.js";
import { h } from "./dom.js";
import { PointerInput } from "./pointer_input.js";

const SMOOTH_BELOW = 3;

export class SliceView {
  constructor(host, { unit = "px" } = {}) {
    this.unit = unit;
    this.shape = [1, 1];
    this.spacing = [1, 1];
    this.layers = new Map();
    this.image = [];
    this.channels = [];
    this.sheets = [];
    this.painters = [];
    this.tool = null;
    this.onHover = this.onTransform = () => {};
    this.onWheel = () => false; // whether it has done something with a turn of the wheel, which zooms otherwise
    this.pending = { image: false, labels: null, top: false, frame: 0 };
    this.frameTimes = [];
    this.canvases = ["image", "labels", "top"].map((name) => h("canvas", { class: `oc-canvas oc-${name}` }));
    this.canvases.forEach((canvas) => canvas.setAttribute("aria-hidden", "true"));
    this.element = h(
      "div", { class: "oc-view", tabindex: 0, role: "application", "aria-label": "Slice of the image" },
      ...this.canvases);
    host.append(this.element);
    this.contexts = this.canvases.map((canvas) => canvas.getContext("2d"));
    this.size = [0, 0];
    this.transform = null;
    this.input = new PointerInput(this);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.element);
    this.resize();
  }

  dispose() {
    this.observer.disconnect();
    this.input.dispose();
    cancelAnimationFrame(this.pending.frame);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    if (!width || !height) return;
    if (width === this.size[0] && height === this.size[1] && ratio === this.ratio) return;
    const fitted = !this.transform || this.isFitted();
    this.size = [width, height];
    this.ratio = ratio;
    for (const canvas of this.canvases) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const { width: w, height: hgt } = this.canvases[1];
    this.labelPixels = this.contexts[1].createImageData(w, hgt);
    this.labelWords = new Uint32Array(this.labelPixels.data.buffer);
    if (fitted) this.fit();
    else this.setTransform(this.transform);
  }

  setPlane({ shape, spacing }) {
    const same = String([shape, spacing]) === String([this.shape, this.spacing]);
    this.shape = shape;
    this.spacing = spacing;
    if (!same || !this.transform) this.fit();
  }

  fitted() {
    return fitTransform(this.shape, this.spacing, this.size);
  }

  isFitted() {
    const fit = this.fitted();
    return Object.keys(fit).every((key) => Math.abs(fit[key] - this.transform[key]) < 0.01);
  }

  // Whether no part of the plane lies outside the view.
  showsAll() {
    const [left, top] = toScreen(this.transform, 0, 0);
    const [right, bottom] = toScreen(this.transform, ...this.shape);
    return left > -1 && top > -1 && right < this.size[0] + 1 && bottom < this.size[1] + 1;
  }

  fit() {
    if (this.size[0]) this.setTransform(this.fitted());
  }

  screen() {
    const [transform, fitted] = [this.transform, this.fitted()].map((one) => scaleTransform(one, this.ratio));
    return { transform, fitted, size: this.size.map((length) => length * this.ratio) };
  }

  zoom(factor, point = [this.size[0] / 2, this.size[1] / 2]) {
    this.setTransform(zoomAt(this.transform, point, factor, this.fitted()));
  }

  pan(dx, dy) {
    this.setTransform(panBy(this.transform, dx, dy));
  }

  setTransform(transform) {
    this.transform = transform;
    this.element.dataset.transform = JSON.stringify(transform);
    this.draw();
    this.onTransform();
  }

  // Plane coordinates under a pointer event, and under a point of the view.
  planeAt(event) {
    const box = this.element.getBoundingClientRect();
    return toPlane(this.transform, event.clientX - box.left, event.clientY - box.top);
  }

  setImage(rasters) {
    this.image = rasters;
    this.composed = null;
    this.draw({ labels: false });
  }

  setChannels(channels) {
    this.channels = channels;
    this.composed = null;
    this.draw({ labels: false });
  }

  setLayer(name, changes) {
    const layer = this.layers.get(name) || {
      rasters: [], table: new Uint32Array(1), contour: 0, opacity: 1, visible: true };
    Object.assign(layer, changes);
    layer.faded = layer.opacity === 1 ? layer.table : fadeTable(layer.table, layer.opacity);
    this.layers.set(name, layer);
    this.draw({ image: false });
  }

  value(name, row, col) {
    const rasters = this.layers.get(name)?.rasters ?? [];
    return rasters.reduce((found, raster) => valueAt(raster, row, col) ?? found, undefined);
  }

  imageValues(row, col) {
    const values = (raster) => raster.planes.map((data) => valueAt({ ...raster, data }, row, col));
    return this.image.reduce((found, raster) => {
      const here = values(raster);
      return here[0] === undefined ? found : here;
    }, []);
  }

  touch([row0, col0, row1, col1]) {
    const device = scaleTransform(this.transform, this.ratio);
    const [left, top] = toScreen(device, row0, col0);
    const [right, bottom] = toScreen(device, row1, col1);
    this.growDirty([Math.floor(left) - 3, Math.floor(top) - 3, Math.ceil(right) + 3, Math.ceil(bottom) + 3]);
    this.schedule();
  }

  growDirty(rect) {
    const { width, height } = this.canvases[1];
    const old = this.pending.labels ?? [width, height, 0, 0];
    this.pending.labels = [
      Math.max(0, Math.min(old[0], rect[0])), Math.max(0, Math.min(old[1], rect[1])),
      Math.min(width, Math.max(old[2], rect[2])), Math.min(height, Math.max(old[3], rect[3])),
    ];
  }

  draw({ image = true, labels = true } = {}) {
    if (image || !labels) this.pending.image = true;
    if (labels) this.growDirty([0, 0, Infinity, Infinity]);
    this.drawTop();
  }

  drawTop() {
    this.pending.top = true;
    this.schedule();
  }

  schedule() {
    if (!this.pending.frame) this.pending.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    const begun = performance.now();
    const { image, labels, top } = this.pending;
    this.pending = { image: false, labels: null, top: false, frame: 0 };
    if (!this.transform) return;
    if (image || labels) this.input.hover();
    if (image) this.paintImage();
    if (labels && labels[2] > labels[0] && labels[3] > labels[1]) this.paintLayers(labels);
    if (top) this.paintTop();
    this.frameTimes.push(performance.now() - begun);
    if (this.frameTimes.length > 600) this.frameTimes.shift();
  }

  composeImage() {
    return this.image.map((raster, part) => {
      const { canvas, pixels } = this.sheet(part, raster);
      composeChannels(raster.planes, this.channels, pixels.data);
      canvas.getContext("2d").putImageData(pixels, 0, 0);
      return { canvas, raster };
    });
  }

  // A canvas and its pixels, the same for every slice: making them anew wakes the garbage collector.
  sheet(part, { width, height }) {
    const known = this.sheets[part];
    if (known?.canvas.width === width && known.canvas.height === height) return known;
    const made = { canvas: h("canvas", { width, height }), pixels: new ImageData(width, height) };
    this.sheets[part] = made;
    return made;
  }

  paintImage() {
    const context = this.contexts[0];
    const { x, y, rowScale, colScale } = scaleTransform(this.transform, this.ratio);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    if (this.channels.length) this.composed ??= this.composeImage();
    for (const { canvas, raster } of this.composed ?? []) {
      const { row0, col0, step, width, height } = raster;
      context.setTransform(colScale * step, 0, 0, rowScale * step, x + col0 * colScale, y + row0 * rowScale);
      context.imageSmoothingEnabled = Math.min(rowScale, colScale) * step < SMOOTH_BELOW;
      // The last sample of a reduced plane may stand for fewer pixels than the others: cut it there.
      const seenWidth = Math.min(width, (this.shape[1] - col0) / step);
      const seenHeight = Math.min(height, (this.shape[0] - row0) / step);
      context.drawImage(canvas, 0, 0, seenWidth, seenHeight, 0, 0, seenWidth, seenHeight);
    }
  }

  paintLayers(rect) {
    const { width } = this.canvases[1];
    const [x0, y0, x1, y1] = rect;
    for (let y = y0; y < y1; y++) this.labelWords.fill(0, y * width + x0, y * width + x1);
    const device = scaleTransform(this.transform, this.ratio);
    for (const { visible, rasters, faded, contour } of this.layers.values()) {
      if (!visible) continue;
      const reach = contour ? Math.max(1, Math.round(contour * this.ratio)) : 0;
      for (const raster of rasters) {
        paintLabels(this.labelWords, width, rect, raster, faded, device, reach);
      }
    }
    this.contexts[1].putImageData(this.labelPixels, 0, 0, x0, y0, x1 - x0, y1 - y0);
  }

  paintTop() {
    const context = this.contexts[2];
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, ...this.size);
    for (const painter of this.painters) {
      context.save();
      painter(context, this);
      context.restore();
    }
    this.paintScaleBar(context);
  }

  paintScaleBar(context) {
    const [width, height] = this.size;
    const { pixels, label } = scaleBar(this.transform, this.spacing[1], this.unit, Math.min(120, width / 3));
    const [right, bottom] = [width - 12, height - 12];
    context.font = "11px var(--jp-ui-font-family, system-ui, sans-serif)";
    context.textAlign = "center";
    context.lineJoin = "round";
    context.strokeStyle = "rgba(0, 0, 0, 0.65)";
    context.fillStyle = "#fff";
    context.lineWidth = 3;
    context.strokeText(label, right - pixels / 2, bottom - 8);
    context.fillText(label, right - pixels / 2, bottom - 8);
    context.fillStyle = "rgba(0, 0, 0, 0.65)";
    context.fillRect(right - pixels - 1, bottom - 4, pixels + 2, 5);
    context.fillStyle = "#fff";
    context.fillRect(right - pixels, bottom - 3, pixels, 3);
  }
}
