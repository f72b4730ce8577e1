import assert from "node:assert/strict";
import { test } from "node:test";
import {
  applyPatch, ballPlanes, cutPatch, fillPolygon, joinBoxes, paintPath, paintSegment,
} from "../../../objclass/widgets/js/brush.js";

// The definition, pixel by pixel: the centre within the radius of the segment, or the segment goes through.
function belongs(row, col, a, b, radius, [rowScale, colScale]) {
  const point = [(row + 0.5) * rowScale, (col + 0.5) * colScale];
  const [p, q] = [a, b].map(([r, c]) => [r * rowScale, c * colScale]);
  const along = [q[0] - p[0], q[1] - p[1]];
  const length = along[0] ** 2 + along[1] ** 2;
  const place = length && ((point[0] - p[0]) * along[0] + (point[1] - p[1]) * along[1]) / length;
  const near = Math.max(0, Math.min(1, place));
  const away = Math.hypot(point[0] - p[0] - near * along[0], point[1] - p[1] - near * along[1]);
  return away <= radius || passes(row, col, a, b);
}

function passes(row, col, a, b) {
  const steps = 4000;
  for (let step = 0; step <= steps; step++) {
    const part = step / steps;
    if (Math.floor(a[0] + (b[0] - a[0]) * part) === row && Math.floor(a[1] + (b[1] - a[1]) * part) === col) return true;
  }
  return false;
}

const random = (() => {
  let state = 7;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
})();

test("a segment paints the pixels of its definition, and tells where", () => {
  for (let trial = 0; trial < 60; trial++) {
    const shape = [14, 17];
    const point = () => [random() * 20 - 3, random() * 23 - 3];
    const [a, b] = [point(), trial % 5 ? point() : null];
    const radius = [0.5, 1, 2.3, 6][trial % 4];
    const scale = [[1, 1], [3.7, 1], [1, 2]][trial % 3];
    const mask = new Uint8Array(shape[0] * shape[1]);
    const box = paintSegment(mask, shape, a, b ?? a, radius, scale);
    let expected = null;
    for (let row = 0; row < shape[0]; row++) {
      for (let col = 0; col < shape[1]; col++) {
        const wanted = belongs(row, col, a, b ?? a, radius, scale);
        assert.equal(Boolean(mask[row * shape[1] + col]), wanted, `trial ${trial}, pixel ${row}, ${col}`);
        if (wanted) expected = joinBoxes(expected, [row, col, row + 1, col + 1]);
      }
    }
    assert.deepEqual(box, expected);
  }
});

test("the thinnest stroke has no gaps", () => {
  const { mask, box } = paintPath([40, 60], [[2.2, 3.7], [37.9, 22.1], [20.5, 57.3]], 0.5, [4, 1]);
  assert.deepEqual(box, [2, 3, 38, 58]);
  const seen = new Set([2 * 60 + 3]);
  const queue = [...seen];
  while (queue.length) {
    const at = queue.pop();
    for (const step of [-61, -60, -59, -1, 1, 59, 60, 61]) {
      if (mask[at + step] && !seen.has(at + step)) {
        seen.add(at + step);
        queue.push(at + step);
      }
    }
  }
  assert.equal(seen.size, mask.reduce((sum, value) => sum + value, 0));
});

test("a ball is cut by the planes that it reaches, in physical units", () => {
  assert.deepEqual(ballPlanes(5, 20, 5, 3), [{ index: 4, radius: 4 }, { index: 6, radius: 4 }]);
  assert.deepEqual(ballPlanes(0, 3, 2.5, 1).map(({ index }) => index), [1, 2]);
  assert.deepEqual(ballPlanes(5, 20, 3, 4), []);
});

test("a patch carries a stroke to another raster", () => {
  const { mask, box } = paintPath([9, 9], [[4, 4]], 2, [1, 1]);
  const values = cutPatch(mask, 9, box, 3);
  const raster = { data: new Uint8Array(81).fill(1), width: 9 };
  applyPatch(raster, { row: box[0], col: box[1], rows: box[2] - box[0], cols: box[3] - box[1] }, values);
  assert.deepEqual([...raster.data], [...mask].map((set) => (set ? 2 : 1)));
});

test("a polygon has the pixels whose centres lie within", () => {
  const inside = (points, row, col) => {
    let odd = false;
    points.forEach((a, which) => {
      const b = points[(which + 1) % points.length];
      if (a[0] <= row !== b[0] <= row && col < a[1] + ((row - a[0]) / (b[0] - a[0])) * (b[1] - a[1])) odd = !odd;
    });
    return odd;
  };
  const shape = [23, 31];
  for (const points of [
    [[2.2, 3.1], [4.8, 28.3], [20.1, 16.7]],
    [[-5, -5], [40, 10.3], [3.3, 50]],
    [[1.1, 1.1], [20.7, 20.2], [1.3, 20.9], [20.2, 1.4]],
  ]) {
    const mask = new Uint8Array(shape[0] * shape[1]);
    const [row0, col0, row1, col1] = fillPolygon(mask, shape, points);
    for (let row = 0; row < shape[0]; row++) {
      for (let col = 0; col < shape[1]; col++) {
        const there = mask[row * shape[1] + col] === 1;
        assert.equal(there, inside(points, row + 0.5, col + 0.5), `${points} ${row} ${col}`);
        if (there) assert.ok(row >= row0 && row < row1 && col >= col0 && col < col1);
      }
    }
  }
  assert.equal(fillPolygon(new Uint8Array(4), [2, 2], [[5, 5], [5, 6], [6, 6]]), null);
});
