// Strokes as pixels: pure functions.
//
// A pixel belongs to a stroke if its centre lies within the brush's radius of the pointer's path, or if the
// path goes through it. Lengths are physical: `scale` = [row, col] is the size of a pixel in units of the
// finest one, and so is the radius. Paths and pixels are in plane coordinates (geometry.js).

// Fill `mask` (rows x cols) with 1 along the path from `from` to `to`; returns the touched
// [row0, col0, row1, col1], or null where the path misses the plane.
export function paintSegment(mask, [rows, cols], from, to, radius, scale) {
  const touched = [rows, cols, 0, 0];
  const [first, second] = from[0] <= to[0] ? [from, to] : [to, from];
  const reach = radius / scale[0];
  const begin = Math.max(0, Math.floor(first[0] - reach));
  const end = Math.min(rows - 1, Math.floor(second[0] + reach));
  for (let row = begin; row <= end; row++) {
    const round = capsuleSpan(row + 0.5, first, second, radius, scale);
    if (round) fillSpan(mask, cols, row, Math.ceil(round[0] - 0.5), Math.floor(round[1] - 0.5), touched);
    const path = pathSpan(row, first, second);
    if (path) fillSpan(mask, cols, row, Math.floor(path[0]), Math.floor(path[1]), touched);
  }
  return touched[2] > touched[0] ? touched : null;
}

function fillSpan(mask, cols, row, low, high, touched) {
  const col0 = Math.max(0, low);
  const col1 = Math.min(cols, high + 1);
  if (col1 <= col0) return;
  mask.fill(1, row * cols + col0, row * cols + col1);
  touched[0] = Math.min(touched[0], row);
  touched[1] = Math.min(touched[1], col0);
  touched[2] = Math.max(touched[2], row + 1);
  touched[3] = Math.max(touched[3], col1);
}

// Where the line at `row` lies within `radius` of the segment: columns [low, high], or null.
// The set of such points is convex, so that it is one interval.
function capsuleSpan(row, a, b, radius, [rowScale, colScale]) {
  const y = row * rowScale;
  const [ay, ax, by, bx] = [a[0] * rowScale, a[1] * colScale, b[0] * rowScale, b[1] * colScale];
  let low = Infinity;
  let high = -Infinity;
  const include = (x) => {
    low = Math.min(low, x);
    high = Math.max(high, x);
  };
  for (const [cy, cx] of [[ay, ax], [by, bx]]) {
    const rest = radius * radius - (y - cy) * (y - cy);
    if (rest < 0) continue;
    include(cx - Math.sqrt(rest));
    include(cx + Math.sqrt(rest));
  }
  const length = Math.hypot(by - ay, bx - ax);
  if (length > 0) {
    const [ny, nx] = [(-(bx - ax) / length) * radius, ((by - ay) / length) * radius];
    const corners = [[ay + ny, ax + nx], [by + ny, bx + nx], [by - ny, bx - nx], [ay - ny, ax - nx]];
    corners.forEach(([y0, x0], which) => {
      const [y1, x1] = corners[(which + 1) % 4];
      if (y < Math.min(y0, y1) || y > Math.max(y0, y1) || y0 === y1) return;
      include(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
    });
  }
  return low <= high ? [low / colScale, high / colScale] : null;
}

// The columns of a row of pixels that the segment goes through, `a` above `b`.
function pathSpan(row, a, b) {
  const top = Math.max(row, a[0]);
  const bottom = Math.min(row + 1, b[0]);
  if (top > bottom || Math.floor(a[0]) > row || Math.floor(b[0]) < row) return null;
  const slope = b[0] > a[0] ? (b[1] - a[1]) / (b[0] - a[0]) : 0;
  const ends = b[0] > a[0] ? [a[1] + (top - a[0]) * slope, a[1] + (bottom - a[0]) * slope] : [a[1], b[1]];
  return [Math.min(...ends), Math.max(...ends)];
}

// Fill `mask` with 1 where the centre of a pixel lies within the polygon of points [row, col]; returns the touched
// box as paintSegment does.
export function fillPolygon(mask, [rows, cols], points) {
  const touched = [rows, cols, 0, 0];
  const heights = points.map(([row]) => row);
  const begin = Math.max(0, Math.floor(Math.min(...heights)));
  const end = Math.min(rows - 1, Math.ceil(Math.max(...heights)));
  for (let row = begin; row <= end; row++) {
    const crossings = points.flatMap((a, which) => {
      const b = points[(which + 1) % points.length];
      const y = row + 0.5;
      return a[0] <= y !== b[0] <= y ? [a[1] + ((y - a[0]) / (b[0] - a[0])) * (b[1] - a[1])] : [];
    }).sort((a, b) => a - b);
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      fillSpan(mask, cols, row, Math.ceil(crossings[pair] - 0.5), Math.floor(crossings[pair + 1] - 0.5), touched);
    }
  }
  return touched[2] > touched[0] ? touched : null;
}

export function joinBoxes(one, other) {
  if (!one || !other) return one ?? other;
  return [
    Math.min(one[0], other[0]), Math.min(one[1], other[1]),
    Math.max(one[2], other[2]), Math.max(one[3], other[3]),
  ];
}

// The planes that a ball of `radius` reaches from plane `index`, the nearest first: [{index, radius}] with
// the radius of its cut. `thickness` is the distance of two planes in units of the finest pixel.
export function ballPlanes(index, count, radius, thickness) {
  const planes = [];
  for (let away = 1; away * thickness < radius; away++) {
    const cut = Math.sqrt(radius * radius - away * thickness * (away * thickness));
    for (const other of [index - away, index + away]) {
      if (other >= 0 && other < count) planes.push({ index: other, radius: cut });
    }
  }
  return planes;
}

// The whole path on an empty mask: {mask, box}.
export function paintPath(shape, path, radius, scale) {
  const mask = new Uint8Array(shape[0] * shape[1]);
  let box = null;
  path.forEach((point, which) => {
    box = joinBoxes(box, paintSegment(mask, shape, path[Math.max(0, which - 1)], point, radius, scale));
  });
  return { mask, box };
}

// The part of a mask within a box, with `code` where it is set: what a patch of a stroke holds.
export function cutPatch(mask, cols, [row0, col0, row1, col1], code) {
  const width = col1 - col0;
  const values = new Uint16Array((row1 - row0) * width);
  for (let row = row0; row < row1; row++) {
    for (let col = col0; col < col1; col++) {
      if (mask[row * cols + col]) values[(row - row0) * width + col - col0] = code;
    }
  }
  return values;
}

// Put a patch (0 leaves a pixel as it is, v + 1 makes it v) into a raster at full size.
export function applyPatch(raster, { row, col, rows, cols }, values) {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      const value = values[r * cols + c];
      if (value) raster.data[(row + r) * raster.width + col + c] = value - 1;
    }
  }
}
