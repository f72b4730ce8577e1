// Which points does a gesture mean? Pure functions on typed arrays, for an answer at once; the kernel
// computes the same again and has the last word.

// Mark the points inside a closed polygon ([[x, y], ...]): 1 in `out`. The crossings test with the same
// comparisons as matplotlib's contains_points, so that points on an edge go the same way.
export function insidePolygon(xs, ys, polygon, out = new Uint8Array(xs.length)) {
  const [left, right] = bounds(polygon, 0);
  const [bottom, top] = bounds(polygon, 1);
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i];
    const y = ys[i];
    if (x >= left && x <= right && y >= bottom && y <= top) out[i] = crossings(x, y, polygon);
  }
  return out;
}

function crossings(x, y, polygon) {
  let inside = 0;
  let [ax, ay] = polygon[polygon.length - 1];
  for (let corner = 0; corner < polygon.length; corner++) {
    const [bx, by] = polygon[corner];
    const above = by >= y;
    if (ay >= y !== above && (by - y) * (ax - bx) >= (bx - x) * (ay - by) === above) inside ^= 1;
    ax = bx;
    ay = by;
  }
  return inside;
}

function bounds(polygon, axis) {
  let [low, high] = [Infinity, -Infinity];
  for (const corner of polygon) {
    low = Math.min(low, corner[axis]);
    high = Math.max(high, corner[axis]);
  }
  return [low, high];
}

export function insideRange(xs, low, high, out = new Uint8Array(xs.length)) {
  for (let i = 0; i < xs.length; i++) out[i] = xs[i] >= low && xs[i] <= high ? 1 : 0;
  return out;
}

// The values of a plane's raster of which at least half of the pixels lie inside a polygon of plane
// coordinates [[row, col], ...], pixel centres at + 0.5.
export function insideRaster(raster, polygon) {
  const counts = new Map();
  const { data, width, height, row0, col0, step } = raster;
  const rows = new Float64Array(width);
  const cols = Float64Array.from({ length: width }, (_, c) => col0 + (c + 0.5) * step);
  for (let r = 0; r < height; r++) {
    rows.fill(row0 + (r + 0.5) * step);
    const inside = insidePolygon(rows, cols, polygon);
    for (let c = 0; c < width; c++) {
      const value = data[r * width + c];
      if (value === 0) continue;
      const count = counts.get(value) ?? [0, 0];
      count[0] += inside[c];
      count[1] += 1;
      counts.set(value, count);
    }
  }
  return [...counts].filter(([, [hits, all]]) => 2 * hits >= all).map(([value]) => value);
}

// A grid over the screen, to find the point nearest to the pointer among very many: points sorted by cell.
export function buildGrid(px, py, shown, width, height, cell = 16) {
  const columns = Math.max(1, Math.ceil(width / cell));
  const rows = Math.max(1, Math.ceil(height / cell));
  const starts = new Int32Array(columns * rows + 1);
  const cellOf = new Int32Array(px.length).fill(-1);
  for (let i = 0; i < px.length; i++) {
    const [x, y] = [px[i], py[i]];
    if (!shown[i] || !(x >= 0 && x < width && y >= 0 && y < height)) continue;
    cellOf[i] = Math.floor(y / cell) * columns + Math.floor(x / cell);
    starts[cellOf[i] + 1] += 1;
  }
  for (let c = 0; c < columns * rows; c++) starts[c + 1] += starts[c];
  const points = new Int32Array(starts[columns * rows]);
  const next = starts.slice(0, -1);
  for (let i = 0; i < px.length; i++) if (cellOf[i] >= 0) points[next[cellOf[i]]++] = i;
  return { px, py, starts, points, columns, rows, cell };
}

// The point nearest to (x, y) within `reach` pixels, at most one cell, or -1.
export function nearest(grid, x, y, reach) {
  const { px, py, starts, points, columns, rows, cell } = grid;
  const [column, row] = [Math.floor(x / cell), Math.floor(y / cell)];
  let [best, found] = [reach * reach, -1];
  for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
    for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c++) {
      for (let k = starts[r * columns + c]; k < starts[r * columns + c + 1]; k++) {
        const i = points[k];
        const distance = (px[i] - x) ** 2 + (py[i] - y) ** 2;
        if (distance <= best) [best, found] = [distance, i];
      }
    }
  }
  return found;
}

// Leave out corners of a drawn path that lie within `tolerance` of the line through their neighbours
// (Douglas and Peucker): a lasso of hundreds of pointer positions becomes some dozens of corners.
export function simplifyPath(path, tolerance = 0.7) {
  if (path.length < 3) return path;
  const keep = new Uint8Array(path.length);
  keep[0] = keep[path.length - 1] = 1;
  const open = [[0, path.length - 1]];
  while (open.length) {
    const [first, last] = open.pop();
    let [farthest, at] = [tolerance, -1];
    for (let i = first + 1; i < last; i++) {
      const distance = distanceToSegment(path[i], path[first], path[last]);
      if (distance > farthest) [farthest, at] = [distance, i];
    }
    if (at < 0) continue;
    keep[at] = 1;
    open.push([first, at], [at, last]);
  }
  return path.filter((_, i) => keep[i]);
}

function distanceToSegment([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const along = length ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}
