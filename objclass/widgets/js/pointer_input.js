// Mouse, pen, touch and wheel on a SliceView: zoom to the cursor, pan, pinch, hover, and the view's tool.

export class PointerInput {
  constructor(view) {
    this.view = view;
    this.touches = new Map();
    this.mode = null; // null, "tool", "pan" or "pinch"
    this.spaceHeld = false;
    this.controlHeld = false;
    const target = view.element;
    this.abort = new AbortController();
    const listen = (name, handler, options = {}) =>
      target.addEventListener(name, handler.bind(this), { signal: this.abort.signal, ...options });
    listen("pointerdown", this.down);
    listen("pointermove", this.move);
    listen("pointerup", this.up);
    listen("pointercancel", this.cancel);
    listen("pointerleave", this.leave);
    listen("wheel", this.wheel, { passive: false });
    // A pinch on a touchpad comes as a turn of the wheel with control, too: only the key itself tells.
    const key = (event) => (this.controlHeld = event.ctrlKey || event.metaKey);
    for (const name of ["keydown", "keyup"]) addEventListener(name, key, { capture: true, signal: this.abort.signal });
    listen("contextmenu", (event) => {
      event.preventDefault();
      event.stopPropagation(); // on the document Jupyter would open a menu of its own
    });
  }

  dispose() {
    this.abort.abort();
  }

  down(event) {
    const { view } = this;
    event.preventDefault();
    view.element.focus({ preventScroll: true });
    view.element.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") this.touches.set(event.pointerId, event);
    if (this.touches.size === 2) return this.startPinch();
    if (this.mode) return;
    const [row, col] = view.planeAt(event);
    const draws = event.button === 0 || event.button === 2 || event.button === 5; // 5 is the other end of a pen
    const claims = draws && !this.spaceHeld && view.tool?.down(event, row, col);
    this.mode = claims ? "tool" : "pan";
    this.pointer = event.pointerId;
    this.last = event;
  }

  move(event) {
    const { view } = this;
    if (this.touches.has(event.pointerId)) this.touches.set(event.pointerId, event);
    if (this.mode === "pinch") return this.pinch();
    if (this.mode && event.pointerId !== this.pointer) return;
    if (this.mode === "pan") {
      view.pan(event.clientX - this.last.clientX, event.clientY - this.last.clientY);
      this.last = event;
    }
    if (this.mode === "tool") view.tool.move(event);
    this.hover(event);
    view.drawTop();
  }

  // Tell what is under the pointer, and again when another plane or part of it comes to lie there.
  hover(event = this.hovering) {
    if (!event) return;
    this.hovering = event;
    this.view.onHover(...this.view.planeAt(event), event);
  }

  up(event) {
    this.touches.delete(event.pointerId);
    if (this.mode === "pinch") {
      if (this.touches.size === 0) this.mode = null;
      return;
    }
    if (event.pointerId !== this.pointer) return;
    const wasTool = this.mode === "tool";
    this.mode = null;
    if (wasTool) this.view.tool.up(event);
  }

  cancel(event) {
    this.touches.delete(event.pointerId);
    if (this.mode === "tool" && event.pointerId === this.pointer) this.view.tool.cancel();
    if (this.touches.size === 0) this.mode = null;
  }

  leave() {
    if (this.mode) return;
    this.hovering = null;
    this.view.onHover(NaN, NaN, null);
    this.view.drawTop();
  }

  // Before the view has been clicked the wheel scrolls the notebook, as everywhere else on the page.
  wheel(event) {
    if (!event.ctrlKey && !this.view.element.contains(document.activeElement)) return;
    event.preventDefault();
    if (this.controlHeld && this.view.tool?.wheel?.(event)) return;
    if (!event.ctrlKey && this.view.onWheel(event)) return;
    const box = this.view.element.getBoundingClientRect();
    const unit = event.deltaMode === 1 ? 16 : 1;
    const factor = Math.exp(-Math.max(-60, Math.min(60, event.deltaY * unit)) * 0.005);
    this.view.zoom(factor, [event.clientX - box.left, event.clientY - box.top]);
  }

  startPinch() {
    if (this.mode === "tool") this.view.tool.cancel();
    this.mode = "pinch";
    this.grip = this.measureGrip();
  }

  measureGrip() {
    const [a, b] = [...this.touches.values()];
    const box = this.view.element.getBoundingClientRect();
    return {
      x: (a.clientX + b.clientX) / 2 - box.left,
      y: (a.clientY + b.clientY) / 2 - box.top,
      distance: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) || 1,
    };
  }

  pinch() {
    if (this.touches.size < 2) return;
    const now = this.measureGrip();
    this.view.pan(now.x - this.grip.x, now.y - this.grip.y);
    this.view.zoom(now.distance / this.grip.distance, [now.x, now.y]);
    this.grip = now;
  }
}
