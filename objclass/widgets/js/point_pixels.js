// Points and densities straight into the pixels of an image: fast enough for hundreds of thousands, and
// no WebGL context is taken from the 3D view. Pure functions on typed arrays.

const SUBPIXELS = 4;

// Coverage (0 ... 255) of a disc of `radius` pixels whose centre is off a pixel's by (dx, dy).
function discCoverage(radius, dx, dy) {
  const half = Math.ceil(radius + 1);
  const size = 2 * half + 1;
  const coverage = new Uint8Array(size * size);
  for (let y = -half; y <= half; y++) {
    for (let x = -half; x <= half; x++) {
      const distance = Math.hypot(x - dx, y - dy);
      coverage[(y + half) * size + x + half] = 255 * Math.min(1, Math.max(0, radius + 0.5 - distance));
    }
  }
  return { half, coverage };
}

// Discs at a quarter pixel's steps, as lists of [dy, dx, coverage].
export function discStamps(radius) {
  const stamps = [];
  for (let sy = 0; sy < SUBPIXELS; sy++) {
    for (let sx = 0; sx < SUBPIXELS; sx++) {
      const { half, coverage } = discCoverage(radius, (sx + 0.5) / SUBPIXELS - 0.5, (sy + 0.5) / SUBPIXELS - 0.5);
      const size = 2 * half + 1;
      const cells = [];
      for (let k = 0; k < coverage.length; k++) {
        if (coverage[k]) cells.push(Math.floor(k / size) - half, (k % size) - half, coverage[k]);
      }
      stamps.push(Int16Array.from(cells));
    }
  }
  return stamps;
}

// Draw the points of one layer. `colors` are packed, one a point, alpha 0 for points that are not shown;
// `layer[i]` says in which pass a point is drawn, so that selected points lie on top. Under a point of a colour in
// `rims` lies a disc of that colour: its `rimStamps` are larger.
export function drawPoints(image, px, py, colors, { stamps, rimStamps, rims = new Map() }, layer, pass) {
  const { width, height } = image;
  for (let i = 0; i < px.length; i++) {
    const color = colors[i];
    const x = px[i];
    const y = py[i];
    if (layer[i] !== pass || color < 0x1000000 || !(x > -20 && x < width + 20 && y > -20 && y < height + 20)) continue;
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const part = Math.floor((y - row) * SUBPIXELS) * SUBPIXELS + Math.floor((x - column) * SUBPIXELS);
    const rim = rims.get(color);
    if (rim) press(image, rimStamps[part], row, column, rim);
    press(image, stamps[part], row, column, color);
  }
}

function press({ data, width, height }, stamp, row, column, color) {
  for (let k = 0; k < stamp.length; k += 3) {
    const [ty, tx] = [row + stamp[k], column + stamp[k + 1]];
    if (tx < 0 || ty < 0 || tx >= width || ty >= height) continue;
    blend(data, (ty * width + tx) * 4, color, (stamp[k + 2] * (color >>> 24)) / 65025);
  }
}

// Lay a packed colour over a pixel whose alpha grows with it.
function blend(data, at, color, alpha) {
  const before = data[at + 3] / 255;
  const after = alpha + before * (1 - alpha);
  const share = alpha / after;
  data[at] += ((color & 255) - data[at]) * share;
  data[at + 1] += (((color >>> 8) & 255) - data[at + 1]) * share;
  data[at + 2] += (((color >>> 16) & 255) - data[at + 2]) * share;
  data[at + 3] = after * 255;
}

// Draw very many points as a density: in each cell of `cell` pixels the mean colour of its points, the more
// opaque the more there are (by the logarithm), so that colours of groups and crowding are seen together.
export function drawDensity(image, px, py, colors, cell) {
  const { data, width, height } = image;
  const columns = Math.ceil(width / cell);
  const cells = columns * Math.ceil(height / cell);
  const sums = new Float32Array(cells * 4);
  let most = 0;
  for (let i = 0; i < px.length; i++) {
    const color = colors[i];
    if (color < 0x1000000 || !(px[i] >= 0 && px[i] < width && py[i] >= 0 && py[i] < height)) continue;
    const at = (Math.floor(py[i] / cell) * columns + Math.floor(px[i] / cell)) * 4;
    sums[at] += color & 255;
    sums[at + 1] += (color >>> 8) & 255;
    sums[at + 2] += (color >>> 16) & 255;
    sums[at + 3] += 1;
    if (sums[at + 3] > most) most = sums[at + 3];
  }
  const words = new Uint32Array(data.buffer, data.byteOffset, width * height);
  const packed = new Uint32Array(columns);
  for (let row = 0; row * columns < cells; row++) {
    for (let column = 0; column < columns; column++) {
      packed[column] = densityColor(sums, (row * columns + column) * 4, most);
    }
    for (let y = row * cell; y < Math.min(height, (row + 1) * cell); y++) {
      for (let x = 0; x < width; x++) words[y * width + x] = packed[Math.floor(x / cell)];
    }
  }
  return most;
}

function densityColor(sums, at, most) {
  const count = sums[at + 3];
  if (count === 0) return 0;
  const alpha = 60 + 195 * (Math.log1p(count) / Math.log1p(most));
  const [red, green, blue] = [sums[at] / count, sums[at + 1] / count, sums[at + 2] / count];
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

// Whether single points no longer show: on average every pixel of the plot is covered several times.
export function isCrowded(shown, radius, width, height) {
  return shown * Math.PI * radius * radius > 2.5 * width * height;
}

// Counts for a histogram: `bins` of equal width in axis units, each split by colour. Returns a Map
// packed colour -> Uint32Array of counts, and the height of the tallest bar.
export function histogram(units, colors, [low, high], bins) {
  const counts = new Map();
  const totals = new Uint32Array(bins);
  for (let i = 0; i < units.length; i++) {
    if (!(units[i] >= low && units[i] <= high) || colors[i] < 0x1000000) continue;
    const bin = Math.min(bins - 1, Math.floor(((units[i] - low) / (high - low)) * bins));
    let bars = counts.get(colors[i]);
    if (!bars) counts.set(colors[i], (bars = new Uint32Array(bins)));
    bars[bin] += 1;
    totals[bin] += 1;
  }
  return { counts, totals, most: totals.reduce((a, b) => Math.max(a, b), 0) };
}
