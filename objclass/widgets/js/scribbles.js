// The scribbles of an annotator: painted with the tool, kept until the kernel has them, changed by undo and others.
import { PaintTool, applyPatches } from "./paint_tool.js";
import { decodeRuns, typedArray } from "./pixels.js";
import { StrokeLog } from "./stroke_log.js";

export class Scribbles {
  // `classes` is the ClassList; setSize(size) of the brush; onChange() when the number of scribbles on their way changes.
  constructor(model, panel, brush, { classes, setSize, onChange }) {
    Object.assign(this, { model, panel, classes, view: panel.view, planes: panel.planes });
    // Each image has a log of its own: the file of one may be written before that of another.
    this.image = model.get("shown");
    this.logs = model.get("image_list").map(({ key }, image) => new StrokeLog({
      send: (content, buffers) => model.send(content, undefined, buffers), storage: safeStorage(),
      key, client: `${panel.planes.view}/${image}`, extra: { image }, onChange }));
    this.tool = new PaintTool(panel, brush, {
      onStart: () => panel.planes.hold("annotations"),
      onStroke: (axis, patches) => this.send(axis, patches),
      onCancel: () => panel.planes.invalidate("annotations", panel.axis, panel.index),
      onFill: (row, col, byEdges) => this.fill(row, col, byEdges),
      onPick: (row, col) => this.pick(row, col),
      onSize: setSize,
    });
    this.view.tool = this.tool;
  }

  get log() {
    return this.logs[this.image];
  }

  // Another image is shown; what was painted until then was of the one before.
  reload(image) {
    this.image = image;
  }

  // Scribbles that the kernel does not keep yet.
  get waiting() {
    return this.logs.reduce((sum, { pending }) => sum + pending.length, 0);
  }

  recover() {
    this.logs.forEach((log) => log.recover());
  }

  acknowledge({ seen }) {
    for (const [client, seq] of Object.entries(seen)) this.logs.forEach((log) => log.acknowledge(client, seq));
  }

  setPlane(axis, index, annotations) {
    if (this.tool.painting) return;
    this.tool.setRaster(annotations);
    this.log.reapply(axis, index, annotations, Infinity);
  }

  leavePlane() {
    this.tool.leave();
    this.tool.raster = null;
  }

  // What the kernel, or another view, has painted.
  receive(message, buffers) {
    const { planes, panel } = this;
    const own = message.client === this.log.client;
    for (const other of [0, 1, 2]) if (other !== message.axis) planes.invalidate("annotations", other);
    if (!own && message.client) planes.invalidate("annotations", message.axis);
    if (!message.client) {
      const patches = message.patches.map((place, which) => ({
        ...place, values: decodeRuns(typedArray(buffers[which], "uint32"), new Uint16Array(place.rows * place.cols)) }));
      const seen = message.seen[this.log.client] ?? 0;
      applyPatches(planes, message.axis, patches);
      for (const { index } of patches) this.reapply(message.axis, index, seen);
      this.view.touch([0, 0, ...this.view.shape]);
    }
    if (message.jump !== null && (message.axis !== panel.axis || message.jump !== panel.index)) {
      panel.goTo(message.axis, message.jump);
    }
  }

  reapply(axis, index, seen) {
    const raster = this.planes.get(this.planes.key("annotations", axis, index));
    if (raster) this.log.reapply(axis, index, raster, seen);
  }

  send(axis, patches) {
    const { planes } = this;
    applyPatches(planes, axis, patches.slice(1));
    for (const other of [0, 1, 2]) if (other !== axis) planes.invalidate("annotations", other);
    this.log.add(axis, patches);
  }

  // Without a prediction the edges of the image are what there is.
  fill(row, col, byEdges) {
    const { axis, index } = this.panel;
    const { value } = this.classes;
    const edges = byEdges || !this.model.get("state").trained;
    this.model.send({
      kind: "fill", axis, index, row: Math.floor(row), col: Math.floor(col), value, edges, size: this.tool.state.size });
  }

  pick(row, col) {
    const value = this.view.value("annotations", row, col) || this.view.value("prediction", row, col);
    if (value) this.classes.select(value);
  }
}

function safeStorage() {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}
