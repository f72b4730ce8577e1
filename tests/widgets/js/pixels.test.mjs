import assert from "node:assert/strict";
import { test } from "node:test";
import { classTable, labelTable, packColor } from "../../../objclass/widgets/js/colors.js";
import {
  composeChannels, decodeRuns, encodeRuns, fadeTable, paintLabels, typedArray, valueAt,
} from "../../../objclass/widgets/js/pixels.js";

const gray = [255, 255, 255];

test("16-bit pixels keep their range until contrast is applied", () => {
  const out = new Uint8ClampedArray(16);
  composeChannels([Uint16Array.of(0, 1000, 40000, 65535)], [{ low: 1000, high: 40000, rgb: gray, visible: true }], out);
  assert.deepEqual([0, 4, 8, 12].map((at) => out[at]), [0, 0, 255, 255]);
  assert.ok([3, 7, 11, 15].every((at) => out[at] === 255));
});

test("channels add up in their colours, without those that are off", () => {
  const planes = [Uint8Array.of(255, 0), Uint8Array.of(255, 255), Uint8Array.of(9, 9)];
  const channel = (rgb, visible = true) => ({ low: 0, high: 255, rgb, visible });
  const out = composeChannels(planes, [channel([0, 255, 0]), channel([255, 0, 255]), channel(gray, false)], new Uint8ClampedArray(8));
  assert.deepEqual([...out], [255, 255, 255, 255, 255, 0, 255, 255]);
});

test("a channel in a colour map, alone and beside another", () => {
  const shades = Uint8Array.from({ length: 768 }, (_, at) => (at % 3 === 2 ? 255 - Math.floor(at / 3) : Math.floor(at / 3)));
  const mapped = { low: 0, high: 255, rgb: gray, visible: true, shades };
  const alone = composeChannels([Uint8Array.of(0, 200)], [mapped], new Uint8ClampedArray(8));
  assert.deepEqual([...alone], [0, 0, 255, 255, 200, 200, 55, 255]);
  const red = { low: 0, high: 255, rgb: [255, 0, 0], visible: true };
  const both = composeChannels([Uint8Array.of(0, 200), Uint8Array.of(100, 100)], [mapped, red], new Uint8ClampedArray(8));
  assert.deepEqual([...both], [100, 0, 255, 255, 255, 200, 55, 255]);
});

test("run lengths come back as they were", () => {
  for (const values of [[0], [0, 0, 3, 3, 3, 0], [1, 2, 3], Array(5000).fill(7)]) {
    const code = encodeRuns(Uint16Array.from(values));
    assert.deepEqual([...decodeRuns(code, new Uint16Array(values.length))], values);
  }
  assert.deepEqual([...encodeRuns([0, 0, 7])], [2, 1, 0, 7]);
});

test("a buffer that does not start at a multiple of the item size is read all the same", () => {
  const bytes = Uint8Array.of(9, 9, 9, 1, 0, 2, 0);
  const view = new DataView(bytes.buffer, 3, 4);
  assert.deepEqual([...typedArray(view, "uint16")], [1, 2]);
});

const transform = { x: 0, y: 0, rowScale: 1, colScale: 1 };
const raster = (data, width) => ({ row0: 0, col0: 0, step: 1, width, height: data.length / width, data });

test("labels are painted in their table's colours; 0 and what is beyond the table stay", () => {
  const table = labelTable(2);
  const out = new Uint32Array(4).fill(5);
  paintLabels(out, 2, [0, 0, 2, 2], raster(Int32Array.of(0, 1, 2, 9), 2), table, transform);
  assert.deepEqual([...out], [5, table[1], table[2], 5]);
});

test("only the asked rectangle is painted", () => {
  const out = new Uint32Array(16);
  paintLabels(out, 4, [1, 1, 3, 3], raster(new Uint8Array(16).fill(1), 4), labelTable(1), transform);
  assert.deepEqual([...out].map(Boolean), [0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0].map(Boolean));
});

test("a contour is the inner edge, between neighbours too", () => {
  const data = Uint8Array.from([1, 1, 1, 2, 2, 1, 1, 1, 2, 2, 1, 1, 1, 2, 2]);
  const out = new Uint32Array(15);
  paintLabels(out, 5, [0, 0, 5, 3], raster(data, 5), labelTable(2), transform, 1);
  assert.deepEqual([...out].map((color) => (color ? 1 : 0)), [1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
});

test("fading changes the opacity alone", () => {
  const [faded] = fadeTable(Uint32Array.of(packColor([10, 20, 30], 200)), 0.5);
  assert.equal(faded, packColor([10, 20, 30], 100));
});

test("classes without a colour are see-through", () => {
  assert.deepEqual([...classTable([{ value: 2, color: "#ff0000" }])], [0, 0, packColor([255, 0, 0])]);
});

test("a value is read at plane coordinates", () => {
  const part = { row0: 10, col0: 20, step: 2, width: 3, height: 2, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  assert.equal(valueAt(part, 12.5, 25.9), 6);
  assert.equal(valueAt(part, 9.9, 25), undefined);
});
