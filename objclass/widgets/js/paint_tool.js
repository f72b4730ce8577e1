// What the pointer does on the slice: brush, eraser, line, polygon, fill, pick; and the brush's cursor.
import {
  applyPatch, ballPlanes, cutPatch, fillPolygon, joinBoxes, paintPath, paintSegment,
} from "./brush.js";
import { toScreen } from "./geometry.js";

export const TOOLS = [
  { value: "erase", icon: "eraser", label: "Eraser (1)", key: "1" },
  { value: "brush", icon: "brush", label: "Brush (2)", key: "2" },
  { value: "fill", icon: "fill", label: "Fill a region of the prediction, with Shift up to edges of the image (3)", key: "3" },
  { value: "pick", icon: "pick", label: "Pick the class under the cursor (4)", key: "4" },
  { value: "pan", icon: "pan", label: "Pan (5, or hold space)", key: "5" },
  { value: "line", icon: "line", label: "Straight line (6)", key: "6" },
  { value: "polygon", icon: "polygon", label: "Polygon: click its corners, or draw around (7)", key: "7" },
];

const NEAR = 8; // screen pixels from the first corner at which a polygon closes
const OUTLINE = 6; // points from which on what was drawn in one go is an outline
const CURSORS = { pan: "grab", fill: "crosshair", pick: "crosshair", line: "crosshair", polygon: "crosshair" };

export class PaintTool {
  // `panel` is the SlicePanel; `state` = {tool, size, ball, value, right}, shared with the controls.
  // onStroke(axis, patches), onFill(row, col, byEdges), onPick(row, col), onSize(size) and onStart() are called as things happen.
  constructor(panel, state, callbacks) {
    Object.assign(this, { panel, state, ...callbacks });
    this.view = panel.view;
    this.raster = null;
    this.mask = null;
    this.stroke = null;
    this.corners = null; // of the line or polygon that is being drawn
    this.view.painters.push((context) => this.paintShape(context), (context) => this.paintCursor(context));
  }

  // The annotations of the shown plane, at full size: strokes are painted into it.
  setRaster(raster) {
    this.raster = raster;
    const size = raster.data.length;
    if (this.mask?.length !== size) this.mask = new Uint8Array(size);
  }

  get painting() {
    return this.stroke !== null;
  }

  get radius() {
    return this.state.size / 2;
  }

  // Sizes of a pixel of the plane, and the distance of planes, in units of the finest voxel.
  get scale() {
    const { spacing, ndim } = this.panel.volume;
    const finest = Math.min(...spacing.slice(3 - ndim));
    return { pixel: this.view.spacing.map((size) => size / finest), plane: spacing[this.panel.axis] / finest };
  }

  down(event, row, col) {
    const { tool } = this.state;
    const isRight = event.button === 2;
    if (tool === "pan" || (isRight && this.state.right !== "erase")) return false;
    const [rows, cols] = this.view.shape;
    const inside = row >= 0 && col >= 0 && row < rows && col < cols;
    if (tool === "pick" && inside) this.onPick(row, col);
    if (tool === "fill" && inside) this.onFill(row, col, event.shiftKey);
    if (tool === "brush" || tool === "erase") this.begin(event, row, col);
    if (tool === "line") this.corners = { points: [[row, col], [row, col]], event };
    if (tool === "polygon") this.corner(event, row, col);
    return true;
  }

  // With control the wheel sets the size of the brush.
  wheel(event) {
    if (!["brush", "erase", "line"].includes(this.state.tool) || !event.deltaY) return false;
    this.onSize(this.state.size - Math.sign(event.deltaY) * Math.max(1, Math.round(this.state.size / 10)));
    return true;
  }

  begin(event, row, col) {
    if (!this.raster) return;
    this.start(event);
    this.extend([row, col]);
  }

  start(event) {
    // The other end of a pen rubs out.
    const erases = this.state.tool === "erase" || event.buttons === 32 || event.button === 2;
    this.stroke = {
      path: [], box: null, value: erases ? 0 : this.state.value, axis: this.panel.axis, index: this.panel.index,
      scale: this.scale,
    };
    this.onStart();
  }

  // A click adds a corner; one on the first corner, or a second on the last, closes the polygon.
  corner(event, row, col) {
    const points = this.corners?.points ?? [];
    if (points.length > 2 && (this.isNear(points[0], row, col) || this.isNear(points.at(-1), row, col))) return this.close();
    this.corners = { points: [...points, [row, col]], event: this.corners?.event ?? event, drawn: 0 };
  }

  isNear(point, row, col) {
    const [x0, y0] = toScreen(this.view.transform, ...point);
    const [x1, y1] = toScreen(this.view.transform, row, col);
    return Math.hypot(x1 - x0, y1 - y0) < NEAR;
  }

  // Fill the polygon that was drawn.
  close() {
    const { points, event } = this.corners ?? { points: [] };
    this.corners = null;
    this.view.drawTop();
    if (points.length < 3 || !this.raster) return;
    this.start(event);
    this.cover(fillPolygon(this.mask, [this.raster.height, this.raster.width], points));
    this.stroke.path = points;
    this.finish();
  }

  move(event) {
    if (this.corners) {
      const point = this.view.planeAt(event);
      if (this.state.tool === "line") this.corners.points[1] = point;
      else if (this.corners.points.length && !this.isNear(this.corners.points.at(-1), ...point)) {
        this.corners.points.push(point);
        this.corners.drawn += 1;
      }
      return;
    }
    if (!this.stroke) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const part of events.length ? events : [event]) this.extend(this.view.planeAt(part));
  }

  extend(point) {
    const { stroke, raster } = this;
    const from = stroke.path[stroke.path.length - 1] ?? point;
    stroke.path.push(point);
    const shape = [raster.height, raster.width];
    this.cover(paintSegment(this.mask, shape, from, point, this.radius, stroke.scale.pixel));
  }

  // Show what of the mask lies in the box.
  cover(box) {
    const { stroke, raster } = this;
    if (!box) return;
    stroke.box = joinBoxes(stroke.box, box);
    const { data, width } = raster;
    for (let row = box[0]; row < box[2]; row++) {
      for (let at = row * width + box[1]; at < row * width + box[3]; at++) {
        if (this.mask[at]) data[at] = stroke.value;
      }
    }
    this.view.touch(box);
  }

  up() {
    if (this.corners && this.state.tool === "line") {
      const { points: [from, to], event } = this.corners;
      this.corners = null;
      this.begin(event, ...from);
      if (this.stroke) this.extend(to);
    }
    if (this.corners?.drawn >= OUTLINE) return this.close();
    this.finish();
  }

  // Another slice comes: what is painted counts, a polygon that is open does not.
  leave() {
    if (this.corners) this.cancel();
    this.finish();
  }

  finish() {
    const { stroke } = this;
    if (!stroke) return;
    this.stroke = null;
    if (!stroke.box) return;
    const code = stroke.value + 1;
    const patches = [makePatch(stroke.index, this.mask, this.raster.width, stroke.box, code)];
    this.clearMask(stroke.box);
    if (this.state.ball && this.state.tool !== "polygon") patches.push(...this.ballPatches(stroke, code));
    this.onStroke(stroke.axis, patches);
  }

  ballPatches({ axis, index, path, scale: { pixel, plane } }, code) {
    const shape = [this.raster.height, this.raster.width];
    const others = ballPlanes(index, this.panel.volume.shape[axis], this.radius, plane);
    return others.flatMap((other) => {
      const { mask, box } = paintPath(shape, path, other.radius, pixel);
      return box ? [makePatch(other.index, mask, shape[1], box, code)] : [];
    });
  }

  cancel() {
    const { stroke } = this;
    this.corners = null;
    this.view.drawTop();
    this.stroke = null;
    if (!stroke?.box) return;
    this.clearMask(stroke.box);
    this.onCancel();
  }

  clearMask([row0, col0, row1, col1]) {
    const { width } = this.raster;
    for (let row = row0; row < row1; row++) this.mask.fill(0, row * width + col0, row * width + col1);
  }

  // The line or polygon that is being drawn, up to the pointer.
  paintShape(context) {
    if (!this.corners) return;
    const { cursor } = this.panel;
    const isOpen = this.state.tool === "polygon" && cursor;
    const points = [...this.corners.points, ...(isOpen ? [cursor] : [])].map((point) => toScreen(this.view.transform, ...point));
    const color = this.corners.event.button === 2 ? "#fff" : this.state.color();
    context.setLineDash([]);
    for (const [style, width] of [["rgba(0, 0, 0, 0.7)", 3.5], [color, 1.5]]) {
      context.beginPath();
      points.forEach(([x, y], which) => (which ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.strokeStyle = style;
      context.lineWidth = width;
      context.stroke();
    }
    if (this.state.tool !== "polygon") return;
    context.beginPath();
    context.arc(...points[0], NEAR / 2, 0, 2 * Math.PI);
    context.stroke();
  }

  paintCursor(context) {
    const { cursor } = this.panel;
    const paints = ["brush", "erase", "line"].includes(this.state.tool);
    this.view.element.style.cursor = CURSORS[this.state.tool] ?? (cursor ? "none" : "crosshair");
    if (!cursor || !paints) return;
    const { transform } = this.view;
    const [x, y] = toScreen(transform, ...cursor);
    const [rowScale, colScale] = this.scale.pixel;
    const rx = Math.max(1.5, (this.radius / colScale) * transform.colScale);
    const ry = Math.max(1.5, (this.radius / rowScale) * transform.rowScale);
    const color = this.state.tool === "erase" ? "#fff" : this.state.color();
    for (const [style, width] of [["rgba(0, 0, 0, 0.7)", 3], [color, 1.5]]) {
      context.beginPath();
      context.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
      context.strokeStyle = style;
      context.lineWidth = width;
      context.stroke();
    }
  }
}

function makePatch(index, mask, cols, box, code) {
  const [row, col] = box;
  return { index, row, col, rows: box[2] - row, cols: box[3] - col, values: cutPatch(mask, cols, box, code) };
}

// Put patches into the planes that the browser has.
export function applyPatches(planes, axis, patches) {
  for (const { values, ...place } of patches) {
    const raster = planes.get(planes.key("annotations", axis, place.index));
    if (raster) applyPatch(raster, place, values);
  }
}
