import assert from "node:assert/strict";
import { test } from "node:test";
import { dragLimits, gripAt, limitsText, logHeights } from "../../../objclass/widgets/js/histogram.js";

const range = { least: 0, most: 1000 };

test("a drag takes the near limit, or both from between", () => {
  assert.equal(gripAt(105, 100, 900, 20), "low");
  assert.equal(gripAt(890, 100, 900, 20), "high");
  assert.equal(gripAt(500, 100, 900, 20), "both");
  assert.equal(gripAt(20, 100, 900, 20), "low");
  assert.equal(gripAt(990, 100, 900, 20), "high");
});

test("limits neither cross nor leave the range", () => {
  assert.deepEqual(dragLimits({ low: 100, high: 900 }, "both", 500, range), { low: 200, high: 1000 });
  assert.deepEqual(dragLimits({ low: 100, high: 900 }, "low", 5000, range), { low: 898, high: 900 });
  assert.deepEqual(dragLimits({ low: 100, high: 900 }, "high", -5000, range), { low: 100, high: 102 });
});

test("bars are logarithmic, empty ones have no height", () => {
  const heights = logHeights([0, 9, 99]);
  assert.deepEqual(heights, [0, Math.log(10) / Math.log(100), 1]);
});

test("limits are told in the image's own values", () => {
  assert.equal(limitsText({ low: 95.4, high: 65535, offset: 0, scale: 1 }), "95 to 65535");
  assert.equal(limitsText({ low: 0, high: 65535, offset: -0.5, scale: 1 / 65535 }), "-0.5 to 0.5");
  assert.equal(limitsText({ low: 1, high: 30000, offset: -32768, scale: 1 }), "-32767 to -2768");
});
