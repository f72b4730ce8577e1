import assert from "node:assert/strict";
import { test } from "node:test";
import { PlaneClient } from "../../../objclass/widgets/js/plane_client.js";

const SHAPE = [9, 4, 5];
const AS_IT_IS = { x: 0, y: 0, rowScale: 1, colScale: 1 };
const SCREEN = { transform: AS_IT_IS, fitted: AS_IT_IS, size: [5, 4] };

function makeClient(options = {}) {
  const sent = [];
  const shown = [];
  const client = new PlaneClient({ send: (message) => sent.push(message) }, { shape: SHAPE, layers: ["image"], ...options });
  client.onPlane = ({ axis, index }) => shown.push([axis, index]);
  const answer = (request, changes = {}) => {
    const layers = request.layers.map((name) => ({ name, shape: [1, 4, 5], dtype: "uint8" }));
    const buffers = layers.map(() => new DataView(Uint8Array.from({ length: 20 }, () => request.index).buffer));
    client.receive({ ...request, layers, ...changes }, buffers);
  };
  return { client, sent, shown, answer };
}

const indices = (messages) => messages.map(({ index }) => index);

test("a slider moved quickly asks for the newest plane, not for all", () => {
  const { client, sent, shown, answer } = makeClient({ prefetch: 0 });
  for (let index = 0; index < 9; index++) client.show(0, index, SCREEN);
  assert.deepEqual(indices(sent), [0, 1]);
  answer(sent[0]);
  assert.deepEqual(indices(sent), [0, 1, 8]);
  answer(sent[1]);
  answer(sent[2]);
  assert.deepEqual(shown, [[0, 8]]);
});

test("neighbours are fetched in advance and shown at once", () => {
  const { client, sent, shown, answer } = makeClient({ prefetch: 1 });
  client.show(0, 4, SCREEN);
  for (let turn = 0; turn < sent.length && turn < 9; turn++) answer(sent[turn]);
  assert.deepEqual(indices(sent), [4, 5, 3]);
  client.show(0, 5, SCREEN);
  assert.deepEqual(shown, [[0, 4], [0, 5]]);
});

test("an answer that was on its way when a layer changed is dropped and asked for again", () => {
  const { client, sent, shown, answer } = makeClient({ prefetch: 0 });
  client.show(0, 4, SCREEN);
  client.invalidate("image");
  assert.equal(sent.length, 1, "one request is under way already");
  answer(sent[0]);
  assert.deepEqual(shown, []);
  answer(sent[1]);
  assert.deepEqual(shown, [[0, 4]]);
});

test("only the layer and plane that changed are asked for again", () => {
  const { client, sent, answer } = makeClient({ layers: ["image", "labels"], prefetch: 0 });
  client.show(0, 4, SCREEN);
  answer(sent[0]);
  client.invalidate("labels", 0, 3);
  assert.equal(sent.length, 1);
  client.invalidate("labels", 0, 4);
  assert.deepEqual(sent[1].layers, ["labels"]);
});

test("what a fresh answer brings replaces what was known, though it was not asked for", () => {
  const { client, sent, shown, answer } = makeClient({ prefetch: 0, kind: "overlay" });
  client.show(0, 4, SCREEN);
  assert.equal(sent[0].kind, "overlay");
  answer(sent[0]);
  client.forget();
  answer(sent[0]);
  assert.equal(shown.length, 1, "an answer that nobody waits for is ignored");
  answer(sent[0], { fresh: true });
  assert.equal(shown.length, 2);
});

test("answers to another view are ignored", () => {
  const { client, sent, shown, answer } = makeClient();
  client.show(0, 4, SCREEN);
  answer(sent[0], { view: "another" });
  assert.deepEqual(shown, []);
});

test("the cache forgets what was not seen for longest", () => {
  const { client, sent, answer } = makeClient({ cacheBytes: 300, prefetch: 0 });
  for (const index of [0, 1, 2]) {
    client.show(0, index, SCREEN);
    answer(sent[sent.length - 1]);
  }
  client.show(0, 2, SCREEN);
  assert.equal(sent.length, 3);
  client.show(0, 0, SCREEN);
  assert.equal(sent.length, 4);
});

test("a plane stays packed until it is looked at", () => {
  const { client, sent } = makeClient({ layers: ["annotations"], whole: ["annotations"], prefetch: 1 });
  const receive = (request) => {
    const layer = { name: "annotations", shape: [1, 400, 500], dtype: "uint8", encoding: "runs", whole: true };
    client.receive({ ...request, layers: [layer] }, [new DataView(Uint32Array.of(200000, 0).buffer)]);
  };
  client.show(0, 4, SCREEN);
  receive(sent[0]);
  const one = client.bytes;
  receive(sent[1]);
  assert.ok(one > 200000 && client.bytes < one + 200, "the neighbour takes what its message took");
  const raster = client.get(client.key("annotations", 0, sent[1].index));
  raster.data[7] = 1;
  assert.ok(client.bytes > 2 * 200000);
  assert.equal(client.get(client.key("annotations", 0, sent[1].index)), raster, "what is painted on it stays");
});

test("a plane that is small on the screen comes small, and a part of it comes sharp", () => {
  const { client, sent } = makeClient({ shape: [9, 400, 400], prefetch: 0 });
  const scaled = (scale) => ({ x: 0, y: 0, rowScale: scale, colScale: scale });
  client.show(0, 4, { transform: scaled(0.25), fitted: scaled(0.25), size: [100, 100] });
  client.receive({ ...sent[0], layers: [{ name: "image", shape: [1, 100, 100], dtype: "uint8" }] },
    [new DataView(new ArrayBuffer(10000))]);
  client.show(0, 4, { transform: scaled(2), fitted: scaled(0.25), size: [100, 100] });
  assert.deepEqual(sent.map(({ step, region }) => [step, region]), [[4, [0, 0, 400, 400]], [1, [0, 0, 64, 64]]]);
});

test("an answer that comes after nothing is wanted any more is kept and not shown", () => {
  const { client, sent, shown, answer } = makeClient({ prefetch: 1 });
  client.show(0, 4, SCREEN);
  client.stop();
  answer(sent[0]);
  client.invalidate("labels");
  assert.deepEqual([sent.length, shown], [1, []]);
  client.show(0, 4, SCREEN);
  assert.deepEqual(shown, [[0, 4]]);
});
