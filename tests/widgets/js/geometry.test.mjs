import assert from "node:assert/strict";
import { test } from "node:test";
import {
  detailRequest, fitTransform, overviewStep, panBy, planeShape, planeSpacing, sampleIndices, scaleBar, toPlane,
  toScreen, visibleRegion, voxelAt, zoomAt,
} from "../../../objclass/widgets/js/geometry.js";

test("planes keep the other two axes in order", () => {
  assert.deepEqual([0, 1, 2].map((axis) => planeShape([4, 5, 6], axis)), [[5, 6], [4, 6], [4, 5]]);
  assert.deepEqual(planeSpacing([3, 1, 2], 1), [3, 2]);
  assert.deepEqual([0, 1, 2].map((axis) => voxelAt(axis, 7, 1.9, 2.1)), [[7, 1, 2], [1, 7, 2], [1, 2, 7]]);
});

test("a fitted plane lies in the middle, in true proportions", () => {
  const transform = fitTransform([10, 20], [4, 1], [412, 212], 6);
  assert.equal(transform.rowScale / transform.colScale, 4);
  const [left, top] = toScreen(transform, 0, 0);
  const [right, bottom] = toScreen(transform, 10, 20);
  assert.ok(Math.abs(left + right - 412) < 1e-9 && Math.abs(top + bottom - 212) < 1e-9);
  assert.ok(top >= 6 - 1e-9 && left >= 6 - 1e-9);
});

test("toPlane undoes toScreen", () => {
  const transform = { x: 13, y: -7, rowScale: 2.5, colScale: 0.75 };
  const [row, col] = toPlane(transform, ...toScreen(transform, 3.25, 100.5));
  assert.ok(Math.abs(row - 3.25) < 1e-12 && Math.abs(col - 100.5) < 1e-12);
});

test("zooming keeps what lies under the cursor, within bounds", () => {
  const fit = fitTransform([100, 100], [1, 1], [500, 500]);
  for (const factor of [1.3, 0.5, 1e9, 1e-9]) {
    const zoomed = zoomAt(fit, [120, 333], factor, fit);
    const [before, after] = [toPlane(fit, 120, 333), toPlane(zoomed, 120, 333)];
    assert.ok(Math.abs(before[0] - after[0]) < 1e-6 && Math.abs(before[1] - after[1]) < 1e-6);
    assert.ok(zoomed.colScale <= 64 && zoomed.colScale >= fit.colScale / 4 - 1e-9);
  }
});

test("the visible region follows the pan", () => {
  const transform = { x: 0, y: 0, rowScale: 2, colScale: 2 };
  assert.deepEqual(visibleRegion(transform, [20, 10], [100, 100]), [0, 0, 5, 10]);
  assert.deepEqual(visibleRegion(panBy(transform, -3, -4), [20, 10], [100, 100]), [2, 1, 7, 12]);
  assert.deepEqual(visibleRegion(panBy(transform, 900, 900), [20, 10], [100, 100]), [0, 0, 0, 0]);
});

test("a large plane is asked for in parts: no more than is seen, no finer than the screen", () => {
  const shape = [4096, 4096];
  const fit = fitTransform(shape, [1, 1], [600, 600]);
  const overview = overviewStep(shape, fit, 1100000);
  assert.equal(overview, 6);
  assert.equal(detailRequest(fit, [600, 600], shape, overview, 2500000), null);
  const close = zoomAt(fit, [300, 300], 8, fit);
  const { region, step } = detailRequest(close, [600, 600], shape, overview, 2500000);
  const seen = visibleRegion(close, [600, 600], shape);
  assert.equal(step, 1);
  assert.ok(region[0] <= seen[0] && region[1] <= seen[1] && region[2] >= seen[2] && region[3] >= seen[3]);
  assert.ok((region[2] - region[0]) * (region[3] - region[1]) <= 2500000);
  const again = detailRequest(panBy(close, 3, 2), [600, 600], shape, overview, 2500000);
  assert.deepEqual(again.region, region);
});

test("a whole plane is as sharp as the screen in both directions, as far as the budget goes", () => {
  const step = (shape, spacing, size, budget = 1e9) => overviewStep(shape, fitTransform(shape, spacing, size, 0), budget);
  assert.equal(step([512, 512], [1, 1], [640, 640]), 1);
  assert.equal(step([2048, 2048], [1, 1], [640, 640]), 3);
  assert.equal(step([2048, 2048], [1, 1], [1280, 1280]), 1);
  assert.equal(step([2048, 2048], [1, 1], [1280, 1280], 1100000), 2);
  assert.equal(step([100, 2048], [4, 1], [640, 640]), 1, "its rows are farther apart than the screen's");
});

test("every screen pixel shows the sample under its middle", () => {
  const indices = sampleIndices(0, 8, 1, 2, 0, 1, 3);
  assert.deepEqual([...indices], [-1, 0, 0, 1, 1, 2, 2, -1]);
  assert.deepEqual([...sampleIndices(0, 4, 0, 1, 0, 2, 9)], [0, 0, 1, 1]);
});

test("a scale bar has a round length that fits", () => {
  for (const colScale of [0.013, 1, 7, 55]) {
    const { length, pixels } = scaleBar({ colScale }, 0.35, "µm", 120);
    assert.ok(pixels <= 120.001 && pixels > 120 / 2.6);
    assert.match(length.toExponential(), /^[125]e/);
  }
});
