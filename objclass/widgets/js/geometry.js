// Planes, voxels and the way from plane to screen: pure functions, no canvas.
//
// A plane is what is left of a (z, y, x) volume with one axis held at an index; its two other axes, in their
// order, are its rows and columns: axis 0 is XY (rows y, columns x), 1 is XZ (z, x), 2 is YZ (z, y).
// Pixel (row, col) covers [row, row + 1) x [col, col + 1). A transform {x, y, rowScale, colScale} puts plane
// coordinates on the screen: screen x = x + col * colScale, screen y = y + row * rowScale.

export const PLANE_NAMES = ["XY", "XZ", "YZ"];
const MAX_SCALE = 64;

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function planeAxes(axis) {
  return [0, 1, 2].filter((other) => other !== axis);
}

export function planeShape(shape, axis) {
  return planeAxes(axis).map((other) => shape[other]);
}

export function planeSpacing(spacing, axis) {
  return planeAxes(axis).map((other) => spacing[other]);
}

// The [z, y, x] index of the voxel under plane coordinates.
export function voxelAt(axis, index, row, col) {
  const voxel = [Math.floor(row), Math.floor(col)];
  voxel.splice(axis, 0, index);
  return voxel;
}

// The transform that shows the whole plane in the middle of the view, in true proportions.
export function fitTransform([rows, cols], [rowSpacing, colSpacing], [width, height], margin = 6) {
  const finest = Math.min(rowSpacing, colSpacing);
  const [rowAspect, colAspect] = [rowSpacing / finest, colSpacing / finest];
  const room = [Math.max(1, width - 2 * margin), Math.max(1, height - 2 * margin)];
  const zoom = Math.min(room[0] / (cols * colAspect), room[1] / (rows * rowAspect), MAX_SCALE);
  const [rowScale, colScale] = [zoom * rowAspect, zoom * colAspect];
  return { x: (width - cols * colScale) / 2, y: (height - rows * rowScale) / 2, rowScale, colScale };
}

export function toScreen(transform, row, col) {
  return [transform.x + col * transform.colScale, transform.y + row * transform.rowScale];
}

export function toPlane(transform, x, y) {
  return [(y - transform.y) / transform.rowScale, (x - transform.x) / transform.colScale];
}

// Zoom by `factor` and keep what lies under the screen point where it is. `fit` bounds zooming out.
export function zoomAt(transform, [x, y], factor, fit) {
  const smallest = Math.min(fit.rowScale, fit.colScale) / 4;
  const scale = Math.min(transform.rowScale, transform.colScale);
  const bounded = clamp(scale * factor, smallest, MAX_SCALE) / scale;
  return {
    x: x + (transform.x - x) * bounded,
    y: y + (transform.y - y) * bounded,
    rowScale: transform.rowScale * bounded,
    colScale: transform.colScale * bounded,
  };
}

export function panBy(transform, dx, dy) {
  return { ...transform, x: transform.x + dx, y: transform.y + dy };
}

// The same picture in the pixels of the device.
export function scaleTransform(transform, ratio) {
  const { x, y, rowScale, colScale } = transform;
  return { x: x * ratio, y: y * ratio, rowScale: rowScale * ratio, colScale: colScale * ratio };
}

// The part of the plane that the view shows: [row0, col0, row1, col1], whole pixels, ends excluded.
export function visibleRegion(transform, [width, height], [rows, cols]) {
  const [top, left] = toPlane(transform, 0, 0);
  const [bottom, right] = toPlane(transform, width, height);
  const row0 = clamp(Math.floor(top), 0, rows);
  const col0 = clamp(Math.floor(left), 0, cols);
  return [row0, col0, clamp(Math.ceil(bottom), row0, rows), clamp(Math.ceil(right), col0, cols)];
}

// Smallest step at which [rows, cols] has no more than `budget` pixels.
function stepForBudget([rows, cols], budget) {
  let step = 1;
  while (Math.ceil(rows / step) * Math.ceil(cols / step) > budget) step++;
  return step;
}

// The largest step at which a plane is still as sharp as the screen.
const sharpStep = ({ rowScale, colScale }) => Math.max(1, Math.floor(1 / Math.max(rowScale, colScale)));

// The step of a whole plane: as sharp as the view that fits it, if `budget` pixels are enough for that.
export function overviewStep(shape, fitted, budget) {
  return Math.max(sharpStep(fitted), stepForBudget(shape, budget));
}

// What to ask for beyond the overview of a large plane: {region, step}, or null where it is enough.
// The region goes beyond what is seen by a quarter and starts at multiples of 64 pixels, so that a small
// pan needs nothing new.
export function detailRequest(transform, viewSize, shape, coarse, budget) {
  const scale = Math.max(transform.rowScale, transform.colScale);
  if (coarse === 1 || scale * coarse <= 1.25) return null;
  const [row0, col0, row1, col1] = visibleRegion(transform, viewSize, shape);
  if (row1 <= row0 || col1 <= col0) return null;
  const pad = [Math.ceil((row1 - row0) / 4), Math.ceil((col1 - col0) / 4)];
  const down = (value) => Math.max(0, Math.floor(value / 64) * 64);
  const up = (value, size) => Math.min(size, Math.ceil(value / 64) * 64);
  const region = [
    down(row0 - pad[0]), down(col0 - pad[1]), up(row1 + pad[0], shape[0]), up(col1 + pad[1], shape[1]),
  ];
  const size = [region[2] - region[0], region[3] - region[1]];
  const step = Math.max(sharpStep(transform), stepForBudget(size, budget));
  return step < coarse ? { region, step } : null;
}

// For every screen pixel from `start` to `stop`, the index of the sample it shows, -1 outside.
export function sampleIndices(start, stop, offset, scale, first, step, size) {
  const indices = new Int32Array(stop - start);
  for (let pixel = start; pixel < stop; pixel++) {
    const index = Math.floor(((pixel + 0.5 - offset) / scale - first) / step);
    indices[pixel - start] = index >= 0 && index < size ? index : -1;
  }
  return indices;
}

// A round physical length for a scale bar of at most `room` screen pixels: {length, pixels, label}.
export function scaleBar(transform, colSpacing, unit, room) {
  const perPixel = colSpacing / transform.colScale;
  const longest = perPixel * room;
  const power = 10 ** Math.floor(Math.log10(longest));
  const length = [5, 2, 1].map((digit) => digit * power).find((value) => value <= longest * 1.000001);
  return { length, pixels: length / perPixel, label: `${Number(length.toPrecision(3))} ${unit}` };
}
