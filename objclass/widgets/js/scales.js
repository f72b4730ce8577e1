// Axes of a plot: pure functions from column values to screen pixels and back, ticks, and numbers in words.
//
// A logarithmic axis is linear in log10: "axis units" are the values themselves or their log10.

const SUFFIX_POWERS = { "-3": "m", 3: "k", 6: "M", 9: "G" };

// Values -> axis units, NaN where there is no place on the axis.
export function toAxisUnits(values, log) {
  const units = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    units[i] = log ? (value > 0 ? Math.log10(value) : NaN) : Number.isFinite(value) ? value : NaN;
  }
  return units;
}

// The least and greatest of the finite numbers, or null where there is none.
export function extent(units) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < units.length; i++) {
    if (units[i] < low) low = units[i];
    if (units[i] > high) high = units[i];
  }
  return low <= high ? [low, high] : null;
}

// A domain with some air around the data; a single value gets room on both sides.
export function paddedDomain(range, air = 0.04) {
  if (!range) return [0, 1];
  const [low, high] = range;
  const room = high > low ? (high - low) * air : Math.abs(low) * 0.1 || 0.5;
  return [low - room, high + room];
}

// A scale {low, high, from, to}: axis units low ... high lie on the pixels from ... to.
export const toPixel = (scale, units) =>
  scale.from + ((units - scale.low) / (scale.high - scale.low)) * (scale.to - scale.from);
export const toUnits = (scale, pixel) =>
  scale.low + ((pixel - scale.from) / (scale.to - scale.from)) * (scale.high - scale.low);

// Zoom a domain by `factor` (above 1: closer) and keep `anchor` where it is.
export function zoomDomain([low, high], factor, anchor) {
  return [anchor - (anchor - low) / factor, anchor + (high - anchor) / factor];
}

// A round step that gives about `count` ticks.
export function niceStep(span, count) {
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 5, 10].find((digit) => digit * power >= raw * 0.999) ?? 10);
}

// Ticks [{units, label}] of a linear or logarithmic domain in axis units.
export function ticks([low, high], count, log) {
  if (!(high > low)) return [];
  if (log && high - low >= 1.2) return decadeTicks(low, high, count);
  if (log) {
    return ticks([10 ** low, 10 ** high], count, false)
      .map(({ units, label }) => ({ units: Math.log10(units), label }))
      .filter(({ units }) => Number.isFinite(units));
  }
  const step = niceStep(high - low, count);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9; i++) {
    found.push({ units: i * step, label: formatTick(i * step, step) });
  }
  return found;
}

function decadeTicks(low, high, count) {
  const every = Math.max(1, Math.ceil((high - low) / count));
  const found = [];
  for (let power = Math.ceil(low); power <= high; power++) {
    if (power % every === 0) found.push({ units: power, label: formatTick(10 ** power, 10 ** power) });
  }
  return found;
}

// A tick's number: no more digits than its step asks for.
export function formatTick(value, step) {
  if (Math.abs(value) < step * 1e-6) return "0";
  const size = Math.abs(value);
  if (size >= 1e4 || size < 1e-3) {
    const power = size >= 1e12 || size < 1e-3 ? null : Math.floor(Math.log10(size * 1.0000001) / 3) * 3;
    if (power && SUFFIX_POWERS[power]) {
      return `${trimNumber(value / 10 ** power, step / 10 ** power)}${SUFFIX_POWERS[power]}`.replace("-", "−");
    }
    return value.toExponential(1).replace(".0e", "e").replace("e+", "e").replace(/-/g, "−");
  }
  return trimNumber(value, step).replace("-", "−");
}

function trimNumber(value, step) {
  const decimals = Math.min(12, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  return value.toFixed(decimals);
}

// A value for reading: four significant digits, no trailing zeros, a thin gap between thousands.
export function formatValue(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en").replace("-", "−");
  const size = Math.abs(value);
  const text = size >= 1e6 || size < 1e-3 ? value.toExponential(3) : String(Number(value.toPrecision(4)));
  return text.replace(/-/g, "−");
}

// Round a value drawn on screen to a thousandth of a pixel's worth: what is recorded stays short.
export function roundTo(value, perPixel) {
  const decimals = Math.min(15, Math.max(0, Math.ceil(-Math.log10(perPixel)) + 2));
  const power = Math.ceil(Math.log10(perPixel)) - 2;
  return power > 0 ? Math.round(value / 10 ** power) * 10 ** power : Number(value.toFixed(decimals));
}
