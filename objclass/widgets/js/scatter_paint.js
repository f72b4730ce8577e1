// What a ScatterView draws: axes, points or a density, bars of a histogram, rings around marked points.
import { inkOn, lackOfContrast, packColor, unpackColor } from "./colors.js";
import { discStamps, drawDensity, drawPoints, histogram, isCrowded } from "./point_pixels.js";
import { drawAxes, drawHead, drawTitles, plotInk } from "./plot_axes.js";
import { boxOf, contourPieces, densityGrid, hexagons, violinOf } from "./plot_shapes.js";
import { toPixel } from "./scales.js";

const DENSITY_CELL = 2;
const BINS = 64;
const HEXAGON = 7; // CSS pixels from centre to corner
const CONTOUR_CELL = 4;
const CONTOURS = [[0.1, 1.2], [0.5, 2]]; // the part of the points outside, the width of the line
const LEAST_POINTS = 8; // of a colour with a contour
const HALF_BOX = 0.24; // of the way from one name to the next
const HALF_VIOLIN = 0.4;
const RIM = 1; // CSS pixels around a point whose colour is hardly seen on the ground of the plot
const RIM_ALPHA = 0.7; // of the rim of a point that is not seen at all
const LIFT = 0.4; // of black or white in such a colour where there are no rims

export function paintPlot(view) {
  const context = view.contexts[0];
  const ink = plotInk(view.element);
  const { left, top, width, height } = view.frameBox;
  makeLegible(view);
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
  const { style, contours } = view.look;
  const { names } = view.axes.x;
  const mode = names || style === "hexbin" || style === "density" ? style : crowded && style === "auto" ? "density" : "points";
  view.element.dataset.mode = mode;
  if (mode === "hexbin") {
    paintHexagons(view, context);
  } else if (mode === "density") {
    drawDensity(image, view.px, view.py, view.legible.colors, Math.round(DENSITY_CELL * view.ratio));
  } else if (!names || !crowded) {
    if (view.discs?.radius !== view.radius * view.ratio) {
      const radius = view.radius * view.ratio;
      view.discs = { radius, stamps: discStamps(radius), rimStamps: discStamps(radius + RIM * view.ratio) };
    }
    const look = { ...view.discs, rims: view.legible.rims };
    for (const pass of [0, 1]) drawPoints(image, view.px, view.py, view.colors, look, view.layer, pass);
  }
  view.points.getContext("2d", { willReadFrequently: true }).putImageData(image, 0, 0);
  context.drawImage(view.points, left, top, width, height);
  view.element.dataset.contours = 0;
  if (names) paintDistributions(view, context, ink);
  else if (contours) paintContours(view, context);
}

// What has the points of each colour seen on the ground of the plot: a rim, or a colour that is mixed with black or white.
function makeLegible(view) {
  const ground = getComputedStyle(view.element).backgroundColor;
  if (view.legible?.of === view.colors && view.legible.ground === ground) return;
  const behind = ground.match(/[\d.]+/g).slice(0, 3).map(Number);
  const ink = inkOn(behind);
  const [rims, lifted] = [new Map(), new Map()];
  const lift = (color) => {
    const rgb = unpackColor(color);
    const lack = lackOfContrast(rgb, behind);
    if (lack > 0) rims.set(color, packColor(ink, Math.round(255 * RIM_ALPHA * lack)));
    lifted.set(color, packColor(rgb.map((part, which) => part + LIFT * lack * (ink[which] - part)), color >>> 24));
    return lifted.get(color);
  };
  const colors = new Uint32Array(view.colors.length);
  let [last, seen] = [-1, 0]; // many neighbours are of one colour
  for (let i = 0; i < colors.length; i++) {
    if (view.colors[i] !== last) {
      last = view.colors[i];
      seen = lifted.get(last) ?? lift(last);
    }
    colors[i] = seen;
  }
  view.legible = { of: view.colors, ground, rims, colors };
}

// The more points the more opaque, by the logarithm, as in a density.
function paintHexagons(view, context) {
  const { left, top, width, height } = view.frameBox;
  const { ratio } = view;
  const found = hexagons(view.px, view.py, view.legible.colors, HEXAGON * ratio, width * ratio, height * ratio);
  const most = found.reduce((high, { count }) => Math.max(high, count), 1);
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  for (const { x, y, count, color } of found) {
    context.beginPath();
    for (let corner = 0; corner < 6; corner++) {
      const turn = (Math.PI / 3) * (corner + 0.5);
      context.lineTo(left + x / ratio + HEXAGON * Math.cos(turn), top + y / ratio + HEXAGON * Math.sin(turn));
    }
    context.fillStyle = `rgba(${color.map(Math.round).join()}, ${(0.2 + (0.8 * Math.log1p(count)) / Math.log1p(most)).toFixed(3)})`;
    context.fill();
  }
  context.restore();
}

// Lines around half and nine tenths of the points of each colour.
function paintContours(view, context) {
  const { left, top, width, height } = view.frameBox;
  const { ratio } = view;
  const found = new Map();
  const { colors } = view.legible;
  for (let i = 0; i < view.px.length; i++) {
    const [x, y] = [view.px[i] / ratio, view.py[i] / ratio];
    if (view.layer[i] !== 1 || colors[i] < 0x1000000 || !(x >= 0 && x <= width && y >= 0 && y <= height)) continue;
    const panel = view.panels?.of[i] ?? 0;
    const key = `${panel} ${colors[i]}`;
    if (!found.has(key)) found.set(key, { xs: [], ys: [], color: colors[i], box: view.boxes[panel] });
    found.get(key).xs.push(x);
    found.get(key).ys.push(y);
  }
  const worth = [...found.values()].filter(({ xs }) => xs.length >= LEAST_POINTS);
  view.element.dataset.contours = worth.length;
  for (const { xs, ys, color, box } of worth) {
    context.save();
    context.beginPath();
    context.rect(box.left, box.top, box.width, box.height);
    context.clip();
    const density = densityGrid(xs, ys, CONTOUR_CELL, width, height);
    const sorted = Float64Array.from(density.values).sort();
    for (const [part, thickness] of CONTOURS) {
      context.beginPath();
      for (const [x0, y0, x1, y1] of contourPieces(density, sorted[Math.floor(part * sorted.length)] * 0.999)) {
        context.moveTo(left + x0 * CONTOUR_CELL, top + y0 * CONTOUR_CELL);
        context.lineTo(left + x1 * CONTOUR_CELL, top + y1 * CONTOUR_CELL);
      }
      context.lineWidth = thickness;
      context.strokeStyle = `rgb(${unpackColor(color).join()})`;
      context.stroke();
    }
    context.restore();
  }
}

// A box or a violin for each name of the x axis, in each panel.
function paintDistributions(view, context, ink) {
  const { inks } = view.axes.x;
  view.boxes.forEach((box, which) => {
    const [scaleX, scaleY] = [view.scale("x", box), view.scale("y", box)];
    const values = inks.map(() => []);
    for (let i = 0; i < view.units.x.length; i++) {
      const isHere = !view.panels || view.panels.of[i] === which;
      if (isHere && view.colors[i] >= 0x1000000 && !Number.isNaN(view.units.y[i])) values[Math.round(view.units.x[i])].push(view.units.y[i]);
    }
    context.save();
    context.beginPath();
    context.rect(box.left, box.top, box.width, box.height);
    context.clip();
    values.forEach((list, place) => {
      if (!list.length) return;
      const at = (shift) => toPixel(scaleX, place + shift);
      const draw = view.look.style === "violins" ? drawViolin : drawBox;
      draw(context, { sorted: Float64Array.from(list).sort(), at, height: (value) => toPixel(scaleY, value), color: inks[place], ink });
    });
    context.restore();
  });
}

function drawBox(context, { sorted, at, height, color, ink }) {
  const { lower, median, upper, low, high } = boxOf(sorted);
  const [left, middle, right] = [-HALF_BOX, 0, HALF_BOX].map(at);
  context.fillStyle = `${color}99`;
  context.strokeStyle = ink.text;
  context.lineWidth = 1.25;
  context.fillRect(left, height(upper), right - left, height(lower) - height(upper));
  context.strokeRect(left, height(upper), right - left, height(lower) - height(upper));
  context.beginPath();
  for (const [from, to] of [[upper, high], [lower, low]]) {
    context.moveTo(middle, height(from));
    context.lineTo(middle, height(to));
    context.moveTo((left + middle) / 2, height(to));
    context.lineTo((right + middle) / 2, height(to));
  }
  context.stroke();
  drawMedian(context, left, right, height(median), ink);
}

function drawViolin(context, { sorted, at, height, color, ink }) {
  const outline = violinOf(sorted);
  context.beginPath();
  for (const [value, width] of outline) context.lineTo(at(HALF_VIOLIN * width), height(value));
  for (const [value, width] of outline.toReversed()) context.lineTo(at(-HALF_VIOLIN * width), height(value));
  context.closePath();
  context.fillStyle = `${color}99`;
  context.fill();
  context.lineWidth = 1.25;
  context.strokeStyle = ink.text;
  context.stroke();
  drawMedian(context, at(-HALF_BOX / 2), at(HALF_BOX / 2), height(boxOf(sorted).median), ink);
}

function drawMedian(context, from, to, y, ink) {
  context.beginPath();
  context.moveTo(from, y);
  context.lineTo(to, y);
  context.lineWidth = 2.5;
  context.strokeStyle = ink.text;
  context.stroke();
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
  const { colors } = view.legible;
  const rows = view.panels?.rows ?? [null];
  return rows.map((own) => own
    ? histogram(Array.from(own, (row) => x[row]), Array.from(own, (row) => colors[row]), view.domainX, BINS)
    : histogram(x, colors, view.domainX, BINS));
}

function paintBars(view, context, { counts, totals }, box) {
  view.element.dataset.mode = "histogram";
  const { left, width } = box;
  const scaleY = view.scale("y", box);
  const bases = new Float64Array(totals.length);
  for (const [color, bars] of counts) {
    context.fillStyle = `rgb(${unpackColor(color).join()})`;
    bars.forEach((count, bin) => {
      if (!count) return;
      const bottom = toPixel(scaleY, bases[bin]);
      const x = left + (bin * width) / bars.length;
      context.fillRect(x + 0.5, toPixel(scaleY, bases[bin] + count), Math.max(1, width / bars.length - 1), bottom - toPixel(scaleY, bases[bin] + count));
      bases[bin] += count;
    });
  }
}

// Rings around the points of some rows, `gap` CSS pixels away from them.
export function paintRings(context, view, rows, { color, thickness, gap }) {
  if (!view.units?.y) return;
  const { left, top, width, height } = view.frameBox;
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.lineWidth = thickness;
  context.strokeStyle = color;
  for (const row of rows) {
    context.beginPath();
    context.arc(left + view.px[row] / view.ratio, top + view.py[row] / view.ratio, view.radius + gap, 0, 2 * Math.PI);
    context.stroke();
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
