// Colours of classes, groups and objects. They differ in lightness as well as in hue, so that they can be
// told apart with any kind of colour vision. colors.py holds the same colours for Python; a test compares.

// Okabe and Ito's colours and Tol's wine, in the order in which classes are met: 1 background, 2 object, ...
export const CLASS_COLORS = [
  "#56b4e9", "#e69f00", "#cc79a7", "#009e73", "#f0e442", "#d55e00", "#0072b2", "#882255",
];

// Selected groups and clusters; whatever belongs to none is UNSELECTED.
export const GROUP_COLORS = [
  "#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#f0e442", "#0072b2", "#d55e00", "#882255",
];
export const UNSELECTED = "#8c8c8c";
const LEGIBLE = 3;

// "#rrggbb" -> [r, g, b], 0 to 255.
export function parseColor(text) {
  return [1, 3, 5].map((start) => parseInt(text.slice(start, start + 2), 16));
}

// [r, g, b] -> "#rrggbb".
export function formatColor(rgb) {
  return "#" + rgb.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("");
}

// [r, g, b] of a packed colour.
export function unpackColor(color) {
  return [color & 255, (color >>> 8) & 255, (color >>> 16) & 255];
}

// The number that one pixel of a canvas holds: alpha, blue, green, red from the highest byte down.
export function packColor([red, green, blue], alpha = 255) {
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

// The relative luminance of [r, g, b], 0 to 1, by WCAG.
function luminance(rgb) {
  const [red, green, blue] = rgb.map((part) => (part <= 10 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

// The contrast of two colours, 1 to 21, by WCAG.
export function contrastOf(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

// Black or white, whichever is seen better on `ground`.
export function inkOn(ground) {
  return luminance(ground) > 0.18 ? [0, 0, 0] : [255, 255, 255];
}

// How much a colour lacks of the contrast that WCAG wants of what is no text: 0, nothing, to 1, all.
export function lackOfContrast(rgb, ground) {
  return Math.max(0, (LEGIBLE - contrastOf(rgb, ground)) / (LEGIBLE - 1));
}

// The colour of class `value` (1, 2, ...), as [r, g, b].
export function classColor(value) {
  return parseColor(CLASS_COLORS[(value - 1) % CLASS_COLORS.length]);
}

// The colour of object `label` (1, 2, ...): hues a golden angle apart, at four lightnesses in turn.
export function labelColor(label) {
  const hue = (label * 0.618033988749895) % 1;
  const lightness = [0.62, 0.48, 0.74, 0.55][label % 4];
  const saturation = [0.85, 0.75, 0.9, 0.6][Math.floor(label / 4) % 4];
  const chroma = (1 - Math.abs(2 * lightness - 1)) * saturation;
  return [0, 8, 4].map((offset) => {
    const place = (offset + hue * 12) % 12;
    const part = lightness - (chroma / 2) * Math.max(-1, Math.min(place - 3, 9 - place, 1));
    return Math.round(part * 255);
  });
}

// A table label -> packed colour for the objects 0 ... count; label 0 is see-through.
export function labelTable(count) {
  const table = new Uint32Array(count + 1);
  for (let label = 1; label <= count; label++) table[label] = packColor(labelColor(label));
  return table;
}

// A table value -> packed colour from [{value, color: "#rrggbb"}, ...]; other values are see-through.
export function classTable(classes) {
  const table = new Uint32Array(Math.max(0, ...classes.map((item) => item.value)) + 1);
  for (const { value, color } of classes) table[value] = packColor(parseColor(color));
  return table;
}
