import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeRuns } from "../../../objclass/widgets/js/pixels.js";
import { StrokeLog, fromBase64, toBase64 } from "../../../objclass/widgets/js/stroke_log.js";

class Storage {
  items = new Map();
  get length() { return this.items.size; }
  key(place) { return [...this.items.keys()][place]; }
  getItem(key) { return this.items.get(key) ?? null; }
  setItem(key, text) { this.items.set(key, text); }
  removeItem(key) { this.items.delete(key); }
}

const patch = (index, values, cols = values.length) =>
  ({ index, row: 1, col: 2, rows: values.length / cols, cols, values: Uint16Array.from(values) });

function makeLog(storage, client, key = "image") {
  const sent = [];
  const log = new StrokeLog({ send: (content, buffers) => sent.push({ ...content, buffers }), storage, key, client });
  return { log, sent };
}

test("a stroke is sent with its patches, and kept until it is acknowledged", () => {
  const storage = new Storage();
  const { log, sent } = makeLog(storage, "a");
  log.add(0, [patch(3, [0, 3, 3])]);
  log.add(1, [patch(4, [2, 2])]);
  assert.deepEqual(sent.map(({ seq, axis }) => [seq, axis]), [[1, 0], [2, 1]]);
  assert.deepEqual(sent[0].patches, [{ index: 3, row: 1, col: 2, rows: 1, cols: 3 }]);
  assert.deepEqual([...decodeRuns(new Uint32Array(sent[0].buffers[0]), new Uint16Array(3))], [0, 3, 3]);
  log.acknowledge("a", 1);
  assert.deepEqual(log.pending.map(({ seq }) => seq), [2]);
  log.acknowledge("b", 9);
  assert.equal(log.pending.length, 1);
  log.acknowledge("a", 2);
  assert.equal(storage.length, 0);
});

test("no message comes near what Jupyter loses, and nothing is left out of them", () => {
  const { log, sent } = makeLog(null, "a");
  const size = 2000;
  const values = Array.from({ length: size * size }, (_, place) => 2 + (place % 2));
  log.add(0, [patch(3, values, size), patch(4, [2, 2])]);
  assert.ok(sent.length > 1);
  const whole = new Uint16Array(size * size);
  for (const { patches, buffers } of sent) {
    assert.ok(buffers.reduce((sum, { byteLength }) => sum + byteLength, 0) <= 4 * 2 ** 20);
    patches.forEach((place, which) => {
      if (place.index === 3) decodeRuns(new Uint32Array(buffers[which]), whole.subarray((place.row - 1) * size));
    });
  }
  assert.deepEqual([...whole], values);
  assert.deepEqual(sent.map(({ seq }) => seq), sent.map((_, place) => place + 1));
});

test("a page that died leaves its strokes to the next one, in order, under their old numbers", () => {
  const storage = new Storage();
  const dead = makeLog(storage, "dead").log;
  dead.add(0, [patch(3, [5, 5])]);
  dead.add(0, [patch(3, [7, 0])]);
  dead.acknowledge("dead", 1);
  makeLog(storage, "other image", "elsewhere").log.add(0, [patch(0, [2])]);
  const { log, sent } = makeLog(storage, "next");
  assert.equal(log.recover(), 1);
  assert.deepEqual(sent.map(({ client, seq }) => [client, seq]), [["dead", 2]]);
  assert.equal(makeLog(storage, "third").log.recover(), 1, "it is kept until it is acknowledged");
});

test("strokes on their way stay visible on a plane that comes from the kernel", () => {
  const { log } = makeLog(new Storage(), "a");
  log.add(0, [patch(3, [3, 0, 4])]);
  log.add(0, [patch(3, [1, 0, 0])]);
  const raster = () => ({ data: new Uint8Array(20).fill(9), width: 10 });
  const all = raster();
  log.reapply(0, 3, all, 0);
  assert.deepEqual([...all.data.subarray(12, 15)], [0, 9, 3]);
  const known = raster();
  log.reapply(0, 3, known, 1);
  assert.deepEqual([...known.data.subarray(12, 15)], [0, 9, 9]);
  const other = raster();
  log.reapply(0, 2, other, 0);
  assert.ok(other.data.every((value) => value === 9));
});

test("a stroke that cannot be sent is in the storage all the same", () => {
  const storage = new Storage();
  const log = new StrokeLog({ send() { throw new Error("closed"); }, storage, key: "image", client: "a" });
  log.add(0, [patch(0, [2])]);
  assert.equal(log.pending.length, 1);
  assert.equal(makeLog(storage, "b").log.recover(), 1);
});

test("storage that is missing, full or damaged does no harm", () => {
  const full = { length: 1, key: () => "objclass strokes image|x", getItem: () => "{", setItem() { throw new Error("full"); }, removeItem() {} };
  for (const storage of [null, full]) {
    const { log, sent } = makeLog(storage, "a");
    assert.equal(log.recover(), 0);
    log.add(0, [patch(0, [2])]);
    assert.equal(sent.length, 1);
  }
});

test("base64 keeps large arrays", () => {
  const values = Uint32Array.from({ length: 30000 }, (_, place) => place * 7919);
  assert.deepEqual(fromBase64(toBase64(values)), values);
});
