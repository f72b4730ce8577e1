// What a plot draws beyond points: hexagons, contours of groups, boxes and violins. Pure functions on numbers.

const WHISKER = 1.5; // times the interquartile range, as Tukey's

// Hexagons of `size` pixels (centre to corner) with at least one shown point: [{x, y, count, color: [r, g, b]}],
// in the mean colour of their points.
export function hexagons(px, py, colors, size, width, height) {
  const [dx, dy] = [size * Math.sqrt(3), size * 1.5];
  const found = new Map();
  for (let i = 0; i < px.length; i++) {
    if (colors[i] < 0x1000000 || !(px[i] >= 0 && px[i] < width && py[i] >= 0 && py[i] < height)) continue;
    const [column, row] = hexagonAt(px[i] / dx, py[i] / dy, dx / dy);
    const key = row * 65536 + column;
    let one = found.get(key);
    if (!one) found.set(key, (one = { x: (column + (row & 1) / 2) * dx, y: row * dy, count: 0, color: [0, 0, 0] }));
    one.count += 1;
    for (const [part, shift] of [0, 8, 16].entries()) one.color[part] += ((colors[i] >>> shift) & 255);
  }
  for (const one of found.values()) one.color = one.color.map((sum) => sum / one.count);
  return [...found.values()];
}

// The hexagon whose centre is nearest: of the nearest row, or of the next one on the other side.
function hexagonAt(x, y, shape) {
  const row = Math.round(y);
  const other = row + (y < row ? -1 : 1);
  const places = [row, other].map((each) => [Math.round(x - (each & 1) / 2), each]);
  const away = ([column, each]) => ((x - column - (each & 1) / 2) * shape) ** 2 + (y - each) ** 2;
  return away(places[0]) <= away(places[1]) ? places[0] : places[1];
}

// The density of points on a grid of `cell` pixels, smoothed by Scott's rule, and its value at each point.
export function densityGrid(xs, ys, cell, width, height) {
  const [columns, rows] = [Math.ceil(width / cell) + 1, Math.ceil(height / cell) + 1];
  const grid = new Float64Array(columns * rows);
  const at = Array.from(xs, (x, i) => Math.round(ys[i] / cell) * columns + Math.round(x / cell));
  for (const place of at) grid[place] += 1;
  const scott = xs.length ** (-1 / 6);
  blurLines(grid, columns, rows, 1, columns, smoothing(xs, scott, cell));
  blurLines(grid, rows, columns, columns, 1, smoothing(ys, scott, cell));
  return { grid, columns, rows, values: at.map((place) => grid[place]) };
}

function smoothing(values, scott, cell) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return Math.min(15, Math.max(1, (Math.sqrt(variance) * scott) / cell));
}

// Smooth `count` lines of `length` numbers, `step` apart within a line and `stride` from line to line.
function blurLines(grid, length, count, step, stride, sigma) {
  const reach = Math.ceil(3 * sigma);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, k) => Math.exp(-((k - reach) ** 2) / (2 * sigma ** 2)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const before = new Float64Array(length);
  for (let line = 0; line < count; line++) {
    for (let k = 0; k < length; k++) before[k] = grid[line * stride + k * step];
    for (let k = 0; k < length; k++) {
      let sum = 0;
      for (let other = Math.max(0, k - reach); other <= Math.min(length - 1, k + reach); other++) {
        sum += before[other] * weights[other - k + reach];
      }
      grid[line * stride + k * step] = sum / total;
    }
  }
}

// The line where a grid has the value `level`, as pieces [x0, y0, x1, y1] in cells (marching squares).
export function contourPieces({ grid, columns, rows }, level) {
  const pieces = [];
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const at = row * columns + column;
      const corners = [[column, row, grid[at]], [column + 1, row, grid[at + 1]],
        [column + 1, row + 1, grid[at + columns + 1]], [column, row + 1, grid[at + columns]]];
      const crossings = corners.flatMap(([x0, y0, a], which) => {
        const [x1, y1, b] = corners[(which + 1) % 4];
        if (a >= level === b >= level) return [];
        const part = (level - a) / (b - a);
        return [[x0 + part * (x1 - x0), y0 + part * (y1 - y0)]];
      });
      for (let pair = 0; pair + 1 < crossings.length; pair += 2) pieces.push([...crossings[pair], ...crossings[pair + 1]]);
    }
  }
  return pieces;
}

// A value that `part` of the sorted numbers lie below, between neighbours on a line (as NumPy's).
export function quantile(sorted, part) {
  const place = (sorted.length - 1) * part;
  const low = Math.floor(place);
  return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

// What a box shows: quartiles, and the last values within 1.5 interquartile ranges of them.
export function boxOf(sorted) {
  const [lower, median, upper] = [0.25, 0.5, 0.75].map((part) => quantile(sorted, part));
  const reach = WHISKER * (upper - lower);
  const low = sorted.find((value) => value >= lower - reach);
  const high = sorted.findLast((value) => value <= upper + reach);
  return { lower, median, upper, low, high };
}

// The outline of a violin: its density at `count` places from the least value to the greatest, 1 where it is highest.
export function violinOf(sorted, count = 60) {
  const [low, high] = [sorted[0], sorted[sorted.length - 1]];
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const deviation = Math.sqrt(sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sorted.length);
  if (!(deviation > 0)) return [[low, 1]];
  const bins = new Float64Array(count);
  const step = (high - low) / (count - 1);
  for (const value of sorted) bins[Math.round((value - low) / step)] += 1;
  blurLines(bins, count, 1, 1, count, Math.max(0.7, (deviation * sorted.length ** (-1 / 5)) / step));
  const most = Math.max(...bins);
  return Array.from(bins, (density, place) => [low + place * step, density / most]);
}
