// Axes, grid and colours of a plot, drawn on a canvas in the theme of the page.
import { ticks, toPixel } from "./scales.js";

const FONT = "11px var(--jp-ui-font-family, system-ui, sans-serif)";
const FALLBACK_FONT = "11px system-ui, -apple-system, 'Segoe UI', sans-serif";

// The colours of text and lines, from the CSS of the element.
export function plotInk(element) {
  const style = getComputedStyle(element);
  const read = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  return {
    text: read("--oc-text", "#222"),
    quiet: read("--oc-text-soft", "#666"),
    line: read("--oc-line-strong", "#bbb"),
    grid: read("--oc-grid", "rgba(128, 128, 128, 0.16)"),
    font: FONT.replace(/var\([^)]*\)/, style.fontFamily) || FALLBACK_FONT,
  };
}

// Draw both axes around `frame`; `axes` = {x: {title, log}, y: {title, log}}, `numbers` which of them have numbers.
export function drawAxes(context, ink, frame, scaleX, scaleY, axes, numbers = { x: true, y: true }) {
  const { left, top, width, height } = frame;
  const bottom = top + height;
  const across = (axes.x.names?.map((label, units) => ({ units, label }))
    ?? ticks([scaleX.low, scaleX.high], Math.max(2, width / 80), axes.x.log)).map(({ units, label }) => [toPixel(scaleX, units), label]);
  const room = axes.x.names && width / axes.x.names.length - 4;
  const upward = ticks([scaleY.low, scaleY.high], Math.max(2, height / 55), axes.y.log)
    .map(({ units, label }) => [toPixel(scaleY, units), label]);
  context.font = ink.font;
  context.lineWidth = 1;
  context.strokeStyle = ink.grid;
  context.beginPath();
  if (!axes.x.names) for (const [x] of across) line(context, x, top, x, bottom);
  for (const [y] of upward) line(context, left, y, left + width, y);
  context.stroke();
  context.strokeStyle = ink.line;
  context.beginPath();
  line(context, left, bottom, left + width, bottom);
  line(context, left, top, left, bottom);
  context.stroke();
  context.fillStyle = ink.quiet;
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const [x, label] of numbers.x ? across : []) context.fillText(label, x, bottom + 6, room);
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const [y, label] of numbers.y ? upward : []) context.fillText(label, left - 7, y);
}

// The title of a panel, above it.
export function drawHead(context, ink, { left, top, width }, text) {
  context.font = ink.font;
  context.fillStyle = ink.text;
  context.textAlign = "left";
  context.textBaseline = "bottom";
  context.fillText(text, left, top - 3, width);
}

export function drawTitles(context, ink, { left, top, width, height }, axes) {
  context.fillStyle = ink.text;
  context.textAlign = "center";
  context.textBaseline = "bottom";
  context.fillText(axes.x.title, left + width / 2, top + height + 40, width);
  context.save();
  context.translate(14, top + height / 2);
  context.rotate(-Math.PI / 2);
  context.textBaseline = "middle";
  context.fillText(axes.y.title, 0, 0, height);
  context.restore();
}

// A line whose pixels are not smeared over two.
function line(context, x0, y0, x1, y1) {
  context.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
  context.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
}
