// Pixels of a plane, from the message to the canvas: pure functions on typed arrays, no DOM.
import { sampleIndices } from "./geometry.js";

const ARRAY_TYPES = { uint8: Uint8Array, uint16: Uint16Array, int32: Int32Array, uint32: Uint32Array };

// The values in a binary buffer of a message. A message's buffer need not start at a multiple of the
// item size, which a typed array asks for: then it is copied.
export function typedArray(view, dtype) {
  const Type = ARRAY_TYPES[dtype];
  const count = view.byteLength / Type.BYTES_PER_ELEMENT;
  if (view.byteOffset % Type.BYTES_PER_ELEMENT === 0) return new Type(view.buffer, view.byteOffset, count);
  return new Type(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

// Run-length code: a Uint32Array of all run lengths, then all values.
export function encodeRuns(values) {
  const counts = [];
  const runs = [];
  let start = 0;
  for (let i = 1; i <= values.length; i++) {
    if (i === values.length || values[i] !== values[start]) {
      counts.push(i - start);
      runs.push(values[start]);
      start = i;
    }
  }
  const code = new Uint32Array(counts.length * 2);
  code.set(counts);
  code.set(runs, counts.length);
  return code;
}

// `into` is a new array, all zeros: runs of zeros are passed over, and cost neither time nor memory.
export function decodeRuns(code, into) {
  const count = code.length / 2;
  let start = 0;
  for (let run = 0; run < count; run++) {
    const value = code[count + run];
    if (value !== 0) into.fill(value, start, start + code[run]);
    start += code[run];
  }
  return into;
}

// Brightness of the stored values 0 ... size - 1: 0 at `low`, 255 at `high`; a gamma below 1 brightens between them.
function contrastTable(size, low, high, gamma = 1) {
  const table = new Uint8ClampedArray(size);
  const reach = Math.max(high - low, 1e-9);
  for (let value = 0; value < size; value++) {
    const part = (value - low) / reach;
    table[value] = 255 * (gamma === 1 || part <= 0 ? part : part ** gamma);
  }
  return table;
}

// Add up the visible channels in their colours into RGBA pixels.
// `planes` are typed arrays of stored values; `channels` are {low, high, rgb, visible, shades?} in stored values,
// shades: a colour map, the bytes of 256 colours.
export function composeChannels(planes, channels, out) {
  const count = out.length / 4;
  new Uint32Array(out.buffer, out.byteOffset, count).fill(0xff000000);
  planes.forEach((plane, which) => {
    const { low, high, rgb, visible, gamma, shades } = channels[which];
    if (!visible) return;
    const table = contrastTable(plane.BYTES_PER_ELEMENT === 1 ? 256 : 65536, low, high, gamma);
    if (planes.length === 1) return paintSingle(plane, table, shades || plainShades(rgb), out);
    if (shades) return addShades(plane, table, shades, out);
    const [red, green, blue] = rgb.map((part) => part / 255);
    for (let i = 0, p = 0; i < count; i++, p += 4) {
      const bright = table[plane[i]];
      if (bright === 0) continue;
      out[p] += bright * red;
      out[p + 1] += bright * green;
      out[p + 2] += bright * blue;
    }
  });
  return out;
}

// From black to a colour.
function plainShades(rgb) {
  return Uint8Array.from({ length: 768 }, (_, at) => Math.round((rgb[at % 3] * Math.floor(at / 3)) / 255));
}

function paintSingle(plane, table, shades, out) {
  const packed = Uint32Array.from({ length: 256 }, (_, bright) =>
    0xff000000 | (shades[3 * bright + 2] << 16) | (shades[3 * bright + 1] << 8) | shades[3 * bright]);
  const words = new Uint32Array(out.buffer, out.byteOffset, plane.length);
  for (let i = 0; i < plane.length; i++) words[i] = packed[table[plane[i]]];
}

function addShades(plane, table, shades, out) {
  for (let i = 0; i < plane.length; i++) {
    const at = 3 * table[plane[i]];
    for (let part = 0; part < 3; part++) out[4 * i + part] += shades[at + part];
  }
}

// The same colours, less opaque.
export function fadeTable(table, opacity) {
  const faded = new Uint32Array(table.length);
  for (let i = 0; i < table.length; i++) {
    const alpha = Math.round((table[i] >>> 24) * opacity);
    faded[i] = ((table[i] & 0xffffff) | (alpha << 24)) >>> 0;
  }
  return faded;
}

// Paint a raster of labels in the colours of `table` (label -> packed colour; 0 and what is beyond the table
// stay as they are) onto the screen pixels of `rect` = [x0, y0, x1, y1]. `transform` is in device pixels.
// With `contour` > 0 only the inner edge of each label is painted, that many screen pixels wide.
export function paintLabels(out, width, rect, raster, table, transform, contour = 0) {
  const [x0, y0, x1, y1] = rect;
  const { data, step } = raster;
  const reach = contour;
  const colAt = sampleIndices(
    x0 - reach, x1 + reach, transform.x, transform.colScale, raster.col0, step, raster.width);
  const rowAt = sampleIndices(
    y0 - reach, y1 + reach, transform.y, transform.rowScale, raster.row0, step, raster.height);
  for (let y = y0; y < y1; y++) {
    const row = rowAt[y - y0 + reach];
    if (row < 0) continue;
    const start = row * raster.width;
    const above = rowAt[y - y0];
    const below = rowAt[y - y0 + 2 * reach];
    const inside = (r, c, value) => r >= 0 && c >= 0 && data[r * raster.width + c] === value;
    for (let x = x0; x < x1; x++) {
      const col = colAt[x - x0 + reach];
      if (col < 0) continue;
      const value = data[start + col];
      if (value === 0) continue;
      const color = table[value];
      if (!color) continue;
      if (
        reach > 0 &&
        inside(row, colAt[x - x0], value) && inside(row, colAt[x - x0 + 2 * reach], value) &&
        inside(above, col, value) && inside(below, col, value)
      ) continue;
      out[y * width + x] = color;
    }
  }
}

// The value of a raster at plane coordinates, or undefined outside of it.
export function valueAt(raster, row, col) {
  const r = Math.floor((row - raster.row0) / raster.step);
  const c = Math.floor((col - raster.col0) / raster.step);
  if (r < 0 || c < 0 || r >= raster.height || c >= raster.width) return undefined;
  return raster.data[r * raster.width + c];
}
