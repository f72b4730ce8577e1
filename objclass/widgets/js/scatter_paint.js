// What a ScatterView draws: axes, points or a density, bars of a histogram, rings around marked points.
import { discStamps, drawDensity, drawPoints, histogram, isCrowded } from "./point_pixels.js";
import { drawAxes, drawHead, drawTitles, plotInk } from "./plot_axes.js";
import { toPixel } from "./scales.js";

const DENSITY_CELL = 2;
const BINS = 64;

export function paintPlot(view) {
  const context = view.contexts[0];
  const ink = plotInk(view.element);
  const { left, top, width, height } = view.frameBox;
  const bars = view.units.y ? null : countBars(view);
  if (bars) view.domainY = [0, Math.max(1, ...bars.map(({ most }) => most * 1.06))];
  context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  context.clearRect(0, 0, ...view.size);
  const axes = { x: view.axes.x, y: view.axes.y ?? { title: "Objects", log: false } };
  view.boxes.forEach((box, which) => {
    drawAxes(context, ink, box, view.scale("x", box), view.scale("y", box), axes, { x: box.isLast, y: box.isFirst });
    if (view.panels) drawHead(context, ink, box, view.panels.titles[which]);
    if (bars) paintBars(view, context, bars[which], box);
  });
  drawTitles(context, ink, view.frameBox, axes);
  if (bars) return;
  [view.points.width, view.points.height] = [Math.round(width * view.ratio), Math.round(height * view.ratio)];
  const image = new ImageData(view.points.width, view.points.height);
  const shown = view.colors.reduce((sum, color) => sum + (color >= 0x1000000 ? 1 : 0), 0);
  const crowded = isCrowded(shown, view.radius * view.ratio, image.width, image.height) && countInside(view) > shown / 8;
  view.element.dataset.mode = crowded ? "density" : "points";
  if (crowded) {
    drawDensity(image, view.px, view.py, view.colors, Math.round(DENSITY_CELL * view.ratio));
  } else {
    if (view.stamped !== view.radius * view.ratio) {
      view.stamped = view.radius * view.ratio;
      view.stamps = discStamps(view.stamped);
    }
    for (const pass of [0, 1]) drawPoints(image, view.px, view.py, view.colors, view.stamps, view.layer, pass);
  }
  view.points.getContext("2d", { willReadFrequently: true }).putImageData(image, 0, 0);
  context.drawImage(view.points, left, top, width, height);
}

function countInside(view) {
  const [width, height] = [view.frameBox.width * view.ratio, view.frameBox.height * view.ratio];
  let inside = 0;
  for (let i = 0; i < view.px.length; i++) {
    if (view.px[i] >= 0 && view.px[i] < width && view.py[i] >= 0 && view.py[i] < height) inside += 1;
  }
  return inside;
}

// The histogram of each panel.
function countBars(view) {
  const { x } = view.units;
  const rows = view.panels?.rows ?? [null];
  return rows.map((own) => own
    ? histogram(Array.from(own, (row) => x[row]), Array.from(own, (row) => view.colors[row]), view.domainX, BINS)
    : histogram(x, view.colors, view.domainX, BINS));
}

function paintBars(view, context, { counts, totals }, box) {
  view.element.dataset.mode = "histogram";
  const { left, width } = box;
  const scaleY = view.scale("y", box);
  const bases = new Float64Array(totals.length);
  for (const [color, bars] of counts) {
    context.fillStyle = `rgb(${color & 255}, ${(color >>> 8) & 255}, ${(color >>> 16) & 255})`;
    bars.forEach((count, bin) => {
      if (!count) return;
      const bottom = toPixel(scaleY, bases[bin]);
      const x = left + (bin * width) / bars.length;
      context.fillRect(x + 0.5, toPixel(scaleY, bases[bin] + count), Math.max(1, width / bars.length - 1), bottom - toPixel(scaleY, bases[bin] + count));
      bases[bin] += count;
    });
  }
}

// Rings around the marked points.
export function paintMarks(context, view) {
  const { left, top } = view.frameBox;
  const ink = plotInk(view.element);
  for (const [style, row] of view.marks) {
    view.element.dataset[style] = "";
    if (!(row >= 0) || row >= view.px.length) continue;
    const x = left + view.px[row] / view.ratio;
    const box = view.boxAt([x, view.units.y ? top + view.py[row] / view.ratio : top]);
    const y = view.units.y ? top + view.py[row] / view.ratio : box.top + box.height;
    if (!(x >= box.left && x <= box.left + box.width && y >= box.top && y <= box.top + box.height)) continue;
    view.element.dataset[style] = `${x.toFixed(1)} ${y.toFixed(1)}`;
    context.lineWidth = style === "focus" ? 2.5 : 1.5;
    context.strokeStyle = ink.text;
    context.beginPath();
    context.arc(x, y, view.radius + 4, 0, 2 * Math.PI);
    context.stroke();
  }
}
