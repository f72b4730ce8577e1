// A small chart of two measures over integers, each on its own scale.
import { plotInk } from "./plot_axes.js";
import { GROUP_COLORS } from "./colors.js";
import { extent, formatValue } from "./scales.js";

const CHART = { width: 300, height: 140, left: 44, right: 62, top: 38, bottom: 22 };

// `best` is the place that is marked, -1 for none. The first line has its scale on the left, the second on the right.
export function drawLines(canvas, places, lines, title, best) {
  const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
  const { width, height, left, right, top, bottom } = CHART;
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  const context = canvas.getContext("2d");
  const ink = plotInk(canvas);
  const x = (which) => left + ((width - left - right) * which) / Math.max(1, places.length - 1);
  context.scale(ratio, ratio);
  context.font = ink.font;
  context.fillStyle = ink.quiet;
  context.textAlign = "center";
  places.forEach((place, which) => {
    context.fillStyle = which === best ? ink.text : ink.quiet;
    context.font = which === best ? `bold ${ink.font}` : ink.font;
    context.fillText(String(place), x(which), height - 7);
  });
  context.font = ink.font;
  if (best >= 0) {
    context.strokeStyle = ink.quiet;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(x(best), top - 2);
    context.lineTo(x(best), height - bottom);
    context.stroke();
    context.setLineDash([]);
  }
  lines.forEach(({ name, values }, which) => {
    const range = extent(values.map((value) => value ?? NaN)) ?? [0, 1];
    const y = (value) => height - bottom - 4 - ((height - top - bottom - 8) * (value - range[0])) / (range[1] - range[0] || 1);
    context.strokeStyle = context.fillStyle = GROUP_COLORS[which ? 1 : 0];
    context.lineWidth = 2;
    context.beginPath();
    values.forEach((value, place) => value !== null && context.lineTo(x(place), y(value)));
    context.stroke();
    values.forEach((value, place) => {
      if (value === null) return;
      context.beginPath();
      context.arc(x(place), y(value), 3, 0, 2 * Math.PI);
      context.fill();
    });
    context.textAlign = which ? "left" : "right";
    for (const value of range) context.fillText(formatValue(Number(value.toPrecision(3))), which ? width - right + 8 : left - 8, y(value) + 4);
    context.fillRect(left, 6 + which * 14, 12, 3);
    context.fillStyle = ink.text;
    context.textAlign = "left";
    context.fillText(name, left + 18, 11 + which * 14);
  });
  context.fillStyle = ink.quiet;
  context.fillText(title, width - right + 12, height - 7);
}
