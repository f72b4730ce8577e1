// The gesture that chooses: a lasso, a rectangle or a range drawn on any view with painters, and clicks.
import { simplifyPath } from "./hits.js";

const CLICK_REACH = 4;

// What a gesture does with the groups: alt takes away, shift opens the next group, ctrl or cmd adds to the
// last one, and no key starts anew.
export function gestureMode(event) {
  if (event.altKey) return "subtract";
  if (event.shiftKey) return "next";
  return event.ctrlKey || event.metaKey ? "extend" : "replace";
}

// The corners of the shape between the start and the end of a drag, in CSS pixels of the view.
export function dragShape(shape, path, [width, height]) {
  const [[x0, y0], [x1, y1]] = [path[0], path[path.length - 1]];
  if (shape === "rectangle") return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  if (shape === "level") return [[0, y0], [width, y0], [width, y1], [0, y1]];
  if (shape === "range") return [[x0, 0], [x1, 0], [x1, height], [x0, height]];
  return simplifyPath(path);
}

// view: {element, size, painters, drawTop()}. `finish(corners, mode)` gets a shape of at least three corners,
// `click([x, y], mode)` a press without a drag.
export class LassoTool {
  constructor(view, { shape = "lasso", finish, click }) {
    Object.assign(this, { view, shape, finish, click });
    this.cursor = "crosshair";
    this.path = null;
    view.painters.push((context) => this.paint(context));
  }

  place(event) {
    const box = this.view.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    if (this.shape === "pan") return false;
    this.path = [this.place(event)];
    this.mode = gestureMode(event);
    this.moved = false;
    return true;
  }

  move(event) {
    if (!this.path) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) this.path.push(this.place(part));
    const [x, y] = this.place(event);
    this.path.push([x, y]);
    this.moved ||= Math.hypot(x - this.path[0][0], y - this.path[0][1]) > CLICK_REACH;
  }

  up(event) {
    if (!this.path) return;
    this.path.push(this.place(event));
    const corners = dragShape(this.shape, this.path, this.view.size);
    const [start, moved, mode] = [this.path[0], this.moved, this.mode];
    this.cancel();
    if (!moved) this.click(start, mode);
    else if (corners.length >= 3) this.finish(corners, mode);
  }

  cancel() {
    this.path = null;
    this.view.drawTop();
  }

  paint(context) {
    if (!this.path || !this.moved) return;
    const corners = this.shape === "lasso" ? this.path : dragShape(this.shape, this.path, this.view.size);
    context.beginPath();
    corners.forEach(([x, y], which) => (which ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    context.fillStyle = "rgba(128, 160, 220, 0.16)";
    context.fill();
    context.lineWidth = 3;
    context.strokeStyle = "rgba(255, 255, 255, 0.75)";
    context.stroke();
    context.lineWidth = 1.5;
    context.setLineDash(this.mode === "subtract" ? [2, 3] : [6, 4]);
    context.strokeStyle = "#1c3f94";
    context.stroke();
  }
}
