// What lies over the image in the annotator: strokes, prediction, objects, doubt.
import { classTable, labelTable, packColor } from "./colors.js";
import { PlaneClient } from "./plane_client.js";

const CONTOUR = 1.5;
const STALE_FADE = 0.45;

// Violet where the forest hesitates a little to yellow where it is undecided; see-through where it is sure.
function doubtTable() {
  return Uint32Array.from({ length: 256 }, (_, value) => {
    const part = value / 255;
    const rgb = [90 + 165 * part, 30 + 190 * part * part, 140 - 80 * part];
    return packColor(rgb, Math.min(230, value * 1.6));
  });
}

// The classes' colours without the background's, which would only cover the image.
function predictionTable(classes, objectClass) {
  const table = classTable(classes);
  if (objectClass !== 1 && table.length > 1) table[1] = 0;
  return table;
}

export class AnnotatorLayers {
  // `display` = {overlay, contour, opacity, annotations}: what the panel beside the view sets.
  constructor(model, panel, display) {
    Object.assign(this, { model, panel, display, view: panel.view });
    this.rasters = { annotations: [], labels: [], overlay: [] };
    this.hidden = false;
    this.planes = new PlaneClient(model, {
      shape: panel.volume.shape, layers: [display.overlay], kind: "overlay", prefetch: 0 });
    this.planes.onPlane = (plane) => this.receiveOverlay(plane);
    this.takeFirst();
    this.doubt = doubtTable();
  }

  // The prediction that came with the widget.
  takeFirst() {
    const { overlay, overlay_buffers: buffers } = this.model.get("first");
    if (overlay) this.planes.offer(overlay, buffers);
  }

  // Another image is shown.
  reload() {
    const { shape, source } = this.panel.volume;
    this.clear();
    this.planes.reset(shape, source);
    this.request();
  }

  // Another slice: nothing of the last one stays.
  clear() {
    this.rasters = { annotations: [], labels: [], overlay: [] };
  }

  setPlane(layers) {
    this.rasters = { ...this.rasters, annotations: layers.annotations, labels: layers.labels };
    this.show();
  }

  receiveOverlay({ axis, index, layers }) {
    const raster = layers[this.display.overlay];
    if (!raster || axis !== this.panel.axis || index !== this.panel.index) return;
    const wasShown = this.rasters.overlay.length > 0;
    this.rasters = { ...this.rasters, overlay: raster };
    const { dataset } = this.view.element;
    dataset.overlay = raster.length ? `${this.display.overlay} ${axis} ${index}` : "";
    dataset.overlayCount = Number(dataset.overlayCount ?? 0) + 1;
    if (raster.length || wasShown) this.show();
  }

  // Ask the kernel for what it computes for the shown slice, or tell it that nothing is wanted.
  request() {
    const { overlay } = this.display;
    const { view, planes, panel } = this;
    if (!view.transform) return;
    if (overlay === "prediction" || overlay === "uncertainty") {
      if (planes.layers[0] !== overlay) this.rasters.overlay = [];
      planes.layers = [overlay];
      planes.show(panel.axis, panel.index, view.screen());
    } else {
      this.stop();
    }
  }

  stop() {
    if (!this.planes.wish) return;
    this.planes.stop();
    this.model.send({ kind: "overlay_off", view: this.planes.view });
  }

  hide(hidden) {
    this.hidden = hidden;
    this.show();
  }

  show() {
    const { overlay, contour, opacity, annotations } = this.display;
    const { view, rasters, model } = this;
    const { stale, objects, objects_stale: objectsStale } = model.get("state");
    const classes = model.get("classes");
    const width = contour ? CONTOUR : 0;
    const fade = (contour ? 1 : 0.55) * opacity;
    const shows = (name) => overlay === name && !this.hidden;
    view.setLayer("uncertainty", {
      rasters: rasters.overlay, table: this.doubt, opacity, visible: shows("uncertainty") });
    view.setLayer("prediction", {
      rasters: rasters.overlay, table: predictionTable(classes, model.get("positive_class")),
      contour: width, opacity: stale ? fade * STALE_FADE : fade, visible: shows("prediction") });
    view.setLayer("labels", {
      rasters: rasters.labels, table: this.objectTable(objects ?? 0), contour: width,
      opacity: objectsStale ? fade * STALE_FADE : fade, visible: shows("labels") });
    view.setLayer("annotations", {
      rasters: rasters.annotations, table: classTable(classes), opacity: 0.65,
      visible: annotations && !this.hidden });
    const outdated = {
      prediction: stale && rasters.overlay.length > 0 && "Prediction out of date",
      labels: objectsStale && "Objects out of date: segment again",
    }[overlay];
    view.element.classList.toggle("oc-outdated", Boolean(outdated));
    view.element.dataset.outdated = outdated || "";
  }

  objectTable(count) {
    if (this.objectColors?.length !== count + 1) this.objectColors = labelTable(count);
    return this.objectColors;
  }

  // What lies under the cursor, in words.
  describe(row, col, nameOf) {
    const words = [];
    const annotated = this.view.value("annotations", row, col);
    if (annotated) words.push(`annotated ${nameOf(annotated)}`);
    const predicted = this.display.overlay === "prediction" && this.view.value("prediction", row, col);
    if (predicted) words.push(`predicted ${nameOf(predicted)}`);
    const label = this.view.value("labels", row, col);
    if (label) words.push(`object ${label}`);
    return words.join("   ");
  }
}
