// The histogram of a channel, log scale, on which contrast is set by dragging; nothing goes to the kernel
// until the drag has ended.
import { h } from "./dom.js";
import { clamp } from "./geometry.js";

const HEIGHT = 48;

// Bar heights from 0 to 1 on a log scale.
export function logHeights(counts) {
  const most = Math.log1p(Math.max(...counts, 1));
  return counts.map((count) => Math.log1p(count) / most);
}

// Which of the two limits a drag that begins at `place` moves; both where it begins well between them.
export function gripAt(place, low, high, reach) {
  const [toLow, toHigh] = [Math.abs(place - low), Math.abs(place - high)];
  if (Math.min(toLow, toHigh) <= reach) return toLow <= toHigh ? "low" : "high";
  return place > low && place < high ? "both" : toLow <= toHigh ? "low" : "high";
}

// New limits after dragging `grip` by `delta`; the two never cross or leave [least, most].
export function dragLimits(start, grip, delta, { least, most }) {
  const smallest = (most - least) / 500;
  if (grip === "both") {
    const move = clamp(delta, least - start.low, most - start.high);
    return { low: start.low + move, high: start.high + move };
  }
  if (grip === "low") return { low: clamp(start.low + delta, least, start.high - smallest), high: start.high };
  return { low: start.low, high: clamp(start.high + delta, start.low + smallest, most) };
}

// The limits in the image's own values: integers where it has such, else four digits.
export function limitsText({ low, high, offset, scale }) {
  const values = [low, high].map((stored) => offset + stored * scale);
  return values.map((value) => (scale === 1 ? Math.round(value) : Number(value.toPrecision(4)))).join(" to ");
}

// Contrast limits from the shown part of a plane: all but the darkest 0.5 % and the brightest 0.2 %.
export function planeLimits(values) {
  const counts = new Uint32Array(values.BYTES_PER_ELEMENT === 1 ? 256 : 65536);
  for (const value of values) counts[value]++;
  const at = (share) => {
    let left = share * (values.length - 1);
    let value = 0;
    while (value < counts.length - 1 && left >= counts[value]) left -= counts[value++];
    return value;
  };
  const [low, high] = [at(0.005), at(0.998)];
  return { low, high: Math.max(high, low + 1) };
}

export class Histogram {
  // `element` is the canvas, `limits` an element with the limits in words.
  // `onLimits({low, high}, done)` is called while dragging and, with done, at its end; `onAuto()` at a double click.
  constructor(channel, onLimits, onAuto) {
    Object.assign(this, { channel, onLimits });
    this.canvas = h("canvas", {
      class: "oc-histogram", tabindex: 0, role: "slider", "aria-label": `Contrast of ${channel.name}`,
      title: "Drag the limits or the range between them",
      "data-hint": "drag a limit, or what lies between · arrows move the upper, shift the lower limit · double-click: automatic",
    });
    this.element = this.canvas;
    this.limits = h("output", { class: "oc-soft oc-value" });
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("dblclick", onAuto);
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.canvas);
  }

  update(channel) {
    this.channel = channel;
    this.limits.textContent = limitsText(channel);
    this.canvas.setAttribute("aria-valuetext", this.limits.textContent);
    this.canvas.setAttribute("aria-valuenow", this.channel.low); // of the two limits; the text has both
    this.canvas.setAttribute("aria-valuemin", this.channel.least);
    this.canvas.setAttribute("aria-valuemax", this.channel.most);
    this.draw();
  }

  reset() {
    this.onLimits({ low: this.channel.auto[0], high: this.channel.auto[1] }, true);
  }

  valueAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const { least, most } = this.channel;
    return least + ((event.clientX - box.left) / box.width) * (most - least);
  }

  begin(event) {
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    const { low, high, least, most } = this.channel;
    const from = this.valueAt(event);
    const grip = gripAt(from, low, high, (most - least) * 0.04);
    const move = (next) => this.onLimits(dragLimits({ low, high }, grip, this.valueAt(next) - from, this.channel), false);
    // Comes after the release of the pointer and after a cancelled touch alike.
    const end = () => {
      this.canvas.removeEventListener("pointermove", move);
      const { channel } = this;
      if (channel.low !== low || channel.high !== high) this.onLimits({ low: channel.low, high: channel.high }, true);
    };
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("lostpointercapture", end, { once: true });
  }

  // Arrow keys move the upper limit, with shift the lower one.
  key(event) {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    event.stopPropagation();
    const { low, high, least, most } = this.channel;
    const delta = (direction * (most - least)) / 100;
    this.onLimits(dragLimits({ low, high }, event.shiftKey ? "low" : "high", delta, this.channel), true);
  }

  draw() {
    const { clientWidth: width } = this.canvas;
    if (!width) return;
    const ratio = globalThis.devicePixelRatio || 1;
    this.canvas.width = width * ratio;
    this.canvas.height = HEIGHT * ratio;
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(this.canvas);
    const { histogram, least, most, low, high, color } = this.channel;
    const at = (value) => ((value - least) / (most - least)) * width;
    const bar = width / histogram.length;
    logHeights(histogram).forEach((height, which) => {
      const inside = (which + 1) * bar > at(low) && which * bar < at(high);
      context.fillStyle = `rgba(128, 128, 128, ${inside ? 0.95 : 0.35})`;
      context.fillRect(which * bar, HEIGHT * (1 - height), bar + 0.5, HEIGHT * height);
    });
    context.strokeStyle = style.getPropertyValue("--oc-accent");
    context.fillStyle = color === "#ffffff" ? style.getPropertyValue("--oc-accent") : color;
    context.lineWidth = 1.5;
    for (const [value, end] of [[low, 0], [high, HEIGHT]]) {
      const x = clamp(at(value), 1, width - 1);
      context.beginPath();
      context.moveTo(x, 0);
      context.lineTo(x, HEIGHT);
      context.stroke();
      context.beginPath();
      context.arc(x, end ? 5 : HEIGHT - 5, 4, 0, 7);
      context.fill();
    }
    context.beginPath();
    context.moveTo(at(low), HEIGHT);
    context.lineTo(at(high), 0);
    context.globalAlpha = 0.6;
    context.stroke();
  }
}
