// The explorer's geometry and bookkeeping, without a browser: node --test tests/widgets/
import assert from "node:assert/strict";
import test from "node:test";
import { slotUnder } from "../../../objclass/widgets/js/edit_panel.js";
import { contrastOf, GROUP_COLORS, inkOn, lackOfContrast } from "../../../objclass/widgets/js/colors.js";
import { TableView } from "../../../objclass/widgets/js/table_view.js";
import {
  buildGrid, insidePolygon, insideRange, insideRaster, nearest, simplifyPath,
} from "../../../objclass/widgets/js/hits.js";
import { dragShape, gestureMode } from "../../../objclass/widgets/js/lasso.js";
import { applyChoice, computeLevels, groupColor, ObjectStore, toldOfObjects } from "../../../objclass/widgets/js/object_store.js";
import { drawLines } from "../../../objclass/widgets/js/line_chart.js";
import { planePolygon } from "../../../objclass/widgets/js/image_panel.js";
import { switchLog } from "../../../objclass/widgets/js/plot_panel.js";
import { boxOf, contourPieces, densityGrid, hexagons, quantile, violinOf } from "../../../objclass/widgets/js/plot_shapes.js";
import { discStamps, drawDensity, drawPoints, histogram, isCrowded } from "../../../objclass/widgets/js/point_pixels.js";
import { differenceColor } from "../../../objclass/widgets/js/profile_panel.js";
import {
  extent, formatTick, formatValue, niceStep, paddedDomain, roundTo, ticks, toAxisUnits, toPixel, toUnits, zoomDomain,
} from "../../../objclass/widgets/js/scales.js";
import { plateauMap, spreadLevels, visibleTriangles } from "../../../objclass/widgets/js/volume_panel.js";

const image = (width, height) => ({ data: new Uint8ClampedArray(width * height * 4), width, height });

test("a page that is drawn before the kernel has told of the objects waits for them", async () => {
  const heard = new Set();
  const state = { _objects: {} };
  const model = { get: (name) => state[name], on: (_, hear) => heard.add(hear), off: (_, hear) => heard.delete(hear) };
  let told = false;
  const waiting = toldOfObjects(model).then(() => { told = true; });
  await Promise.resolve();
  assert.equal(told, false);
  state._objects = { labels: new DataView(new ArrayBuffer(0)) };
  heard.forEach((hear) => hear());
  await waiting;
  assert.equal(heard.size, 0);
  await toldOfObjects(model);
});

test("points in a polygon that crosses itself: even-odd, as matplotlib", () => {
  const star = [[0, -3], [2, 3], [-3, -1], [3, -1], [-2, 3]];
  const inside = insidePolygon([0, 0, 0, 5, NaN], [0.2, -2, 2.9, 0, 0], star);
  assert.deepEqual([...inside], [0, 1, 0, 0, 0]);
});

test("a range includes its ends and no missing values", () => {
  assert.deepEqual([...insideRange([1, 2, 3, NaN, 3.1], 2, 3)], [0, 1, 1, 0, 0]);
});

test("values of a plane of which half the pixels are inside", () => {
  const raster = { data: Int32Array.from([1, 1, 2, 2, 1, 1, 2, 0]), width: 4, height: 2, row0: 0, col0: 0, step: 1 };
  const left = [[-1, -1], [-1, 2.1], [3, 2.1], [3, -1]];
  assert.deepEqual(insideRaster(raster, left), [1]);
  assert.deepEqual(insideRaster(raster, left.map(([row, col]) => [row, col === 2.1 ? 2.6 : col])), [1, 2]);
});

test("the nearest point among many equals the search through all", () => {
  const random = lcg(7);
  const [px, py] = [Float32Array.from({ length: 3000 }, () => random() * 300), Float32Array.from({ length: 3000 }, () => random() * 200)];
  const shown = Uint8Array.from({ length: 3000 }, (_, i) => (i % 5 ? 1 : 0));
  const grid = buildGrid(px, py, shown, 300, 200);
  for (let trial = 0; trial < 300; trial++) {
    const [x, y] = [random() * 300, random() * 200];
    let [best, expected] = [64, -1];
    for (let i = 0; i < 3000; i++) {
      const distance = (px[i] - x) ** 2 + (py[i] - y) ** 2;
      if (shown[i] && distance <= best) [best, expected] = [distance, i];
    }
    assert.equal(nearest(grid, x, y, 8), expected);
  }
});

test("a drawn path keeps its corners and loses what lies between", () => {
  const path = Array.from({ length: 50 }, (_, i) => [i, i < 25 ? 0 : (i - 25) * 2]);
  assert.deepEqual(simplifyPath(path), [[0, 0], [25, 0], [49, 48]]);
});

test("keys say what a gesture does", () => {
  assert.equal(gestureMode({}), "replace");
  assert.equal(gestureMode({ shiftKey: true }), "next");
  assert.equal(gestureMode({ metaKey: true }), "extend");
  assert.equal(gestureMode({ altKey: true, shiftKey: true }), "subtract");
  assert.deepEqual(dragShape("rectangle", [[1, 2], [9, 9], [5, 6]], [100, 50]), [[1, 2], [5, 2], [5, 6], [1, 6]]);
  assert.deepEqual(dragShape("range", [[1, 2], [5, 6]], [100, 50]), [[1, 0], [5, 0], [5, 50], [1, 50]]);
});

test("choices make groups by the kernel's rule", () => {
  const zeros = new Int32Array(5);
  const first = applyChoice(zeros, [1, 1, 0, 0, 0], "replace");
  const second = applyChoice(first, [0, 1, 1, 0, 0], "next");
  const third = applyChoice(second, [0, 0, 0, 1, 0], "extend");
  assert.deepEqual([...third], [1, 2, 2, 2, 0]);
  assert.deepEqual([...applyChoice(third, [1, 1, 0, 0, 0], "subtract")], [0, 0, 2, 2, 0]);
  assert.deepEqual([...applyChoice(third, [0, 0, 0, 0, 1], "replace")], [0, 0, 0, 0, 1]);
  assert.deepEqual([...zeros], [0, 0, 0, 0, 0]);
});

test("levels of groups, categories and numbers; grey where there is none", () => {
  const places = new Map([[1, 0], [4, 1]]);
  assert.deepEqual([...computeLevels({ kind: "groups", numbers: [0, 1, 4], places }, 3)], [1, 2, 3]);
  assert.deepEqual([...computeLevels({ kind: "category", values: [-1, 0, 3] }, 3)], [1, 2, 5]);
  const number = { kind: "number", values: [NaN, 0, 5, 10, 99], low: 0, high: 10 };
  assert.deepEqual([...computeLevels(number, 5)], [1, 2, 128, 254, 254]);
  assert.equal(groupColor(1), GROUP_COLORS[0]);
  assert.match(groupColor(30), /^#[0-9a-f]{6}$/);
});

test("axes: missing and non-positive values have no place on a logarithmic one", () => {
  assert.deepEqual([...toAxisUnits([1, 100, 0, -1, NaN], true)], [0, 2, NaN, NaN, NaN]);
  assert.deepEqual(extent(toAxisUnits([NaN, 2, -1, Infinity], false)), [-1, 2]);
  assert.equal(extent([NaN]), null);
  assert.deepEqual(paddedDomain(null), [0, 1]);
  const [low, high] = paddedDomain([5, 5]);
  assert.ok(low < 5 && high > 5);
});

test("pixels and axis units are inverse to each other", () => {
  const scale = { low: -2, high: 8, from: 400, to: 20 };
  for (const units of [-2, 0.3, 8]) assert.ok(Math.abs(toUnits(scale, toPixel(scale, units)) - units) < 1e-12);
  const zoomed = zoomDomain([0, 10], 2, 4);
  assert.deepEqual(zoomed, [2, 7]);
});

test("ticks are round, within the domain and well labelled", () => {
  assert.deepEqual(ticks([0, 1], 5, false).map(({ label }) => label), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"].map((text) => (text === "0.0" ? "0" : text)));
  assert.deepEqual(ticks([0, 4], 5, true).map(({ label }) => label), ["1", "10", "100", "1000", "10k"]);
  assert.equal(niceStep(10, 5), 2);
  assert.equal(formatTick(25000, 5000), "25k");
  assert.equal(formatTick(-0.25, 0.05), "−0.25");
  assert.equal(formatTick(1e-7, 1e-7), "1e−7");
  assert.deepEqual(ticks([3, 3], 5, false), []);
});

test("numbers for reading", () => {
  assert.equal(formatValue(null), "–");
  assert.equal(formatValue(12345), "12,345");
  assert.equal(formatValue(0.123456), "0.1235");
  assert.equal(formatValue("a"), "a");
});

test("what is recorded is rounded to a hundredth of a pixel", () => {
  assert.equal(roundTo(123.456789, 0.5), 123.457);
  assert.ok(Math.abs(roundTo(1234567.891, 1000) - 1234567.891) <= 10);
});

test("points are blended where they lie, hidden ones nowhere, selected ones on top", () => {
  const target = image(20, 20);
  const stamps = discStamps(3);
  const [red, green] = [0xff0000ff, 0xff00ff00];
  const colors = Uint32Array.from([green, red, 0]);
  const layer = Uint8Array.from([1, 0, 0]);
  const [px, py] = [Float32Array.from([10, 10, 3]), Float32Array.from([10, 11, 3])];
  drawPoints(target, px, py, colors, { stamps }, layer, 0);
  drawPoints(target, px, py, colors, { stamps }, layer, 1);
  const at = (x, y) => [...target.data.slice((y * 20 + x) * 4, (y * 20 + x) * 4 + 4)];
  assert.deepEqual(at(10, 10), [0, 255, 0, 255]);
  assert.equal(at(10, 14)[0], 255);
  assert.deepEqual(at(3, 3), [0, 0, 0, 0]);
});

test("a rim lies around the points of its colour alone", () => {
  const target = image(30, 20);
  const [dark, red, white] = [0xff210d2a, 0xff0000ff, 0xffffffff];
  const look = { stamps: discStamps(3), rimStamps: discStamps(5), rims: new Map([[dark, white]]) };
  drawPoints(target, Float32Array.from([8, 22]), Float32Array.from([10, 10]), Uint32Array.from([dark, red]), look, [0, 0], 0);
  const at = (x, y) => [...target.data.slice((y * 30 + x) * 4, (y * 30 + x) * 4 + 4)];
  assert.deepEqual(at(8, 10), [0x2a, 0x0d, 0x21, 255]);
  assert.deepEqual(at(12, 10), [255, 255, 255, 255]);
  assert.equal(at(26, 10)[3], 0);
});

test("contrast is that of WCAG, and what lacks of it is told on light and dark", () => {
  assert.equal(contrastOf([0, 0, 0], [255, 255, 255]), 21);
  assert.ok(Math.abs(contrastOf([119, 119, 119], [255, 255, 255]) - 4.48) < 0.01);
  assert.deepEqual([inkOn([255, 255, 255]), inkOn([33, 33, 33])], [[0, 0, 0], [255, 255, 255]]);
  assert.ok(lackOfContrast([68, 1, 84], [33, 33, 33]) > 0.95);
  assert.equal(lackOfContrast([68, 1, 84], [255, 255, 255]), 0);
  assert.ok(lackOfContrast([253, 231, 37], [255, 255, 255]) > 0.8);
  assert.equal(lackOfContrast([33, 33, 33], [33, 33, 33]), 1);
});

test("a density holds the mean colour and grows with the count", () => {
  const target = image(8, 8);
  const colors = Uint32Array.from([0xff0000ff, 0xff00ff00, 0xff0000ff, 0]);
  const most = drawDensity(target, Float32Array.from([1, 1, 5, 5]), Float32Array.from([1, 1, 5, 7]), colors, 2);
  assert.equal(most, 2);
  assert.deepEqual([...target.data.slice(0, 3)], [127, 127, 0]);
  const alpha = (x, y) => target.data[(y * 8 + x) * 4 + 3];
  assert.equal(alpha(0, 0), 255);
  assert.ok(alpha(5, 5) < 255 && alpha(5, 5) > 60);
  assert.equal(alpha(5, 7), 0);
  assert.ok(isCrowded(200000, 3.5, 500, 350));
  assert.ok(!isCrowded(500, 3.5, 500, 350));
});

test("a histogram counts what is shown, split by colour", () => {
  const colors = Uint32Array.from([0xff0000ff, 0xff0000ff, 0xff00ff00, 0, 0xff00ff00]);
  const { counts, totals, most } = histogram([0, 0.1, 0.2, 0.3, NaN], colors, [0, 1], 2);
  assert.deepEqual([...totals], [3, 0]);
  assert.equal(most, 3);
  assert.deepEqual([...counts.get(0xff0000ff)], [2, 0]);
});

test("a polygon of the screen in plane coordinates", () => {
  const transform = { x: 10, y: 20, rowScale: 4, colScale: 2 };
  assert.deepEqual(planePolygon([[14, 40], [10, 20]], transform), [[5, 2], [0, 0]]);
});

test("the log button of one axis leaves the other", () => {
  assert.equal(switchLog("", "y"), "y");
  assert.equal(switchLog("y", "x"), "xy");
  assert.equal(switchLog("xy", "x"), "y");
});

test("a table that still scrolls goes on looking for an object", () => {
  const asked = [];
  const table = Object.assign(Object.create(TableView.prototype), {
    seq: 0, total: 1e6, state: {}, store: { ask: (message) => asked.push(message) },
    box: { clientHeight: 200, scrollTop: 40 }, body: { querySelector: () => null } });
  table.find(777777);
  table.refresh();
  assert.deepEqual(asked.map(({ near, seq }) => [near, seq]), [[777777, 1], [777777, 2]]);
  table.request();
  assert.equal(asked[2].near, null);
});

test("differences: blue below, orange above, nothing where undefined", () => {
  assert.match(differenceColor(-5), /^rgba\(0, 114, 178, 0.50\)/);
  assert.match(differenceColor(1.25), /^rgba\(230, 159, 0, 0.25\)/);
  assert.equal(differenceColor(null), "transparent");
});

test("levels go to vertices, hidden objects lose their triangles", () => {
  const counts = Int32Array.from([2, 0, 3]);
  assert.deepEqual([...spreadLevels(Uint8Array.from([5, 6, 7]), counts)], [5, 5, 7, 7, 7]);
  const indices = Uint32Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual([...visibleTriangles(indices, Uint8Array.from([0, 3]), Int32Array.from([1, 2]))], [3, 4, 5, 6, 7, 8]);
  assert.equal(visibleTriangles(indices, Uint8Array.from([0, 0]), Int32Array.from([1, 2])).length, 3);
});

test("no text of the chart of the number of clusters lies on another one, or is cut", () => {
  globalThis.getComputedStyle = () => ({ getPropertyValue: () => "", fontFamily: "sans-serif" });
  const texts = [];
  const context = new Proxy({}, {
    get: (state, name) => state[name] ?? ((text, x, y) => {
      if (name !== "fillText") return;
      const width = 6.2 * text.length; // of 11 px, rather more than less
      const left = x - width * ({ center: 0.5, right: 1 }[state.textAlign] ?? 0);
      texts.push({ text, left, right: left + width, y });
    }),
    set: (state, name, value) => ((state[name] = value), true),
  });
  const names = ["Silhouette (higher is better)", "Inertia (lower is better)"];
  const lines = names.map((name, which) => ({ name, values: [2, 3, 4, 5, 6, 7, 8, 9, 10].map((k) => 0.1234 * (k + 1000 * which)) }));
  drawLines({ getContext: () => context }, [2, 3, 4, 5, 6, 7, 8, 9, 10], lines, "clusters", 1);
  assert.equal(texts.length, 9 + 4 + 2 + 1);
  for (const one of texts) {
    assert.ok(one.left >= 0 && one.right <= 300, one.text);
    for (const other of texts) {
      const isApart = one === other || one.right <= other.left || other.right <= one.left || Math.abs(one.y - other.y) >= 11;
      assert.ok(isApart, `${one.text} on ${other.text}`);
    }
  }
});

test("the colour map has a plateau for each level", () => {
  const palette = Array.from({ length: 256 }, (_, level) => [level, 255 - level, 7]);
  const map = plateauMap(palette);
  assert.equal(map.length, 256 * 8);
  for (let k = 4; k < map.length; k += 4) assert.ok(map[k] >= map[k - 4]);
  assert.equal(map[8 * 100 + 1], Math.fround(100 / 255));
});

function lcg(seed) {
  let state = seed;
  return () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
}

test("a line cuts the object that most of it lies in, or one that was chosen", () => {
  const slotAt = (_row, col) => (col < 3 ? 7 : col < 10 ? 4 : 0);
  assert.equal(slotUnder([[0, 0], [0, 14]], slotAt), 4);
  assert.equal(slotUnder([[0, 0], [0, 14]], slotAt, new Set([7, 9])), 7);
  assert.equal(slotUnder([[0, 11], [5, 14]], slotAt), 0);
});

test("each point is counted in the hexagon whose centre is nearest", () => {
  const random = lcg(3);
  const [px, py] = [Float32Array.from({ length: 400 }, () => random() * 200), Float32Array.from({ length: 400 }, () => random() * 100)];
  const colors = Uint32Array.from({ length: 400 }, (_, i) => (i % 4 ? 0xff0000ff : 0x0000ffff)); // every fourth is hidden
  const found = hexagons(px, py, colors, 9, 200, 100);
  assert.equal(found.reduce((sum, { count }) => sum + count, 0), 300);
  assert.deepEqual(found[0].color, [255, 0, 0]);
  for (let i = 1; i < 400; i += 7) {
    if (i % 4 === 0) continue;
    const nearest = Math.min(...found.map(({ x, y }) => Math.hypot(px[i] - x, py[i] - y)));
    assert.ok(nearest <= 9 + 1e-3, `${nearest}`);
  }
  const lone = hexagons([50], [40], [0xff0000ff], 9, 200, 100)[0];
  assert.ok(Math.hypot(lone.x - 50, lone.y - 40) <= 9);
});

test("a contour around nine tenths of the points has them inside", () => {
  const random = lcg(5);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const [xs, ys] = [Array.from({ length: 2000 }, () => 150 + 20 * normal()), Array.from({ length: 2000 }, () => 100 + 10 * normal())];
  const density = densityGrid(xs, ys, 4, 300, 200);
  const level = Float64Array.from(density.values).sort()[200];
  const pieces = contourPieces(density, level);
  assert.ok(pieces.length > 20);
  for (const [x, y] of pieces) {
    const distance = Math.hypot((x * 4 - 150) / 20, (y * 4 - 100) / 10);
    assert.ok(distance > 1.5 && distance < 3.2, `${distance}`); // the ellipse of 90 % is at 2.15
  }
  const row = Float64Array.from([0, 0, 0, 0, 1, 0, 0, 0, 0]); // one peak: a diamond around it
  assert.equal(contourPieces({ grid: row, columns: 3, rows: 3 }, 0.5).length, 4);
});

test("boxes and violins have the quartiles of NumPy and the peak of the values", () => {
  assert.equal(quantile([1, 2, 3, 4], 0.25), 1.75);
  assert.equal(quantile([7], 0.75), 7);
  const box = boxOf([0, 10, 11, 12, 13, 14, 15, 40]);
  assert.deepEqual(box, { lower: 10.75, median: 12.5, upper: 14.25, low: 10, high: 15 });
  const outline = violinOf(Float64Array.from([1, 4, 5, 5, 5, 6, 9]));
  const peak = outline.reduce((best, one) => (one[1] > best[1] ? one : best));
  assert.ok(Math.abs(peak[0] - 5) < 0.4);
  assert.deepEqual([outline[0][0], outline.at(-1)[0]], [1, 9]);
  assert.deepEqual(violinOf([3, 3]), [[3, 1]]);
});

test("objects in grey have an edge, those without a row too, unless only the selected ones are seen", () => {
  const edgesOf = (levels, labels, only) => {
    const model = { get: () => only };
    return Array.from(ObjectStore.prototype.plainEdges.call({ levels, labels, shown: levels.length, model }), (color) => color > 0);
  };
  assert.deepEqual(edgesOf([1, 2, 0], [5, 6, 7, 8], false), [false, true, false, false, true]);
  assert.deepEqual(edgesOf([0, 2, 0], [5, 6, 7, 8], true), [false, false, false, false, false]);
  assert.ok(!edgesOf([1], new Array(30000).fill(1), false).includes(true), "among very many there would be nothing else");
});
