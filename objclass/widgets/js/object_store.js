// What the page knows of the objects: labels, groups, columns, and from these the colour of every object.
//
// An object is known by its slot: slots 1 ... shown are the rows in the plot (row = slot - 1), those after it
// are objects without a row there. All colours come from one level for each slot and one palette:
// level 0 is hidden, 1 is grey (in no group, or without a value), from 2 on categories, groups or a ramp.
import { GROUP_COLORS, UNSELECTED, formatColor, labelColor, packColor, parseColor } from "./colors.js";
import { typedArray } from "./pixels.js";

export const GROUP_COLUMN = "MANUAL_CLUSTER_ID";
export const CLASS_COLUMN = "CLASS";
const MOST_CLASSES = 9;
const PALE = 0.6; // how much of the grey is in the colour of an uncertain class
const RAMP_LEVELS = 253; // the last of 256 levels marks an object in 3D
const PLOT_ALPHA = [0, 130, 235];
const ALONE_ALPHA = 200; // of the points in no group while there is none
const SLICE_ALPHA = [0, 85, 200];
const PLAIN_EDGE = packColor([205, 205, 205], 190); // of objects in grey, which a fill hardly shows on bright nuclei
const MOST_EDGED = 20000;
const UNCERTAIN_ALPHA = 50; // of the fill in the slices; the edge has the colour of the class

export function groupColor(group) {
  return group <= GROUP_COLORS.length ? GROUP_COLORS[group - 1] : formatColor(labelColor(group));
}

// What a choice makes of the groups: new numbers, or null where there is nothing to choose into. The same rule
// as in groups.py, for an answer at once.
export function applyChoice(numbers, chosen, mode) {
  const highest = numbers.reduce((most, number) => Math.max(most, number), 0);
  const group = { replace: 1, subtract: 0, next: highest + 1, extend: Math.max(highest, 1) }[mode];
  const after = mode === "replace" ? new Int32Array(numbers.length) : numbers.slice();
  for (let row = 0; row < numbers.length; row++) if (chosen[row]) after[row] = group;
  return after;
}

// Levels of the rows. `source` is {kind: "groups", numbers, places} | {kind: "category", values} |
// {kind: "number", values, low, high}; places: group -> its place in the list.
export function computeLevels(source, count) {
  const levels = new Uint8Array(count).fill(1);
  if (source.kind === "groups") {
    for (let row = 0; row < count; row++) {
      const group = source.numbers[row];
      if (group > 0) levels[row] = 2 + (source.places.get(group) ?? 0);
    }
  } else if (source.kind === "classes") {
    for (let row = 0; row < count; row++) {
      const number = source.predicted[row];
      if (number > 0) levels[row] = 1 + number + (source.certain[row] ? 0 : MOST_CLASSES);
    }
  } else if (source.kind === "category") {
    for (let row = 0; row < count; row++) if (source.values[row] >= 0) levels[row] = 2 + source.values[row];
  } else {
    const span = source.high - source.low || 1;
    for (let row = 0; row < count; row++) {
      const part = (source.values[row] - source.low) / span;
      if (!Number.isNaN(part)) levels[row] = 2 + Math.round(Math.min(1, Math.max(0, part)) * (RAMP_LEVELS - 1));
    }
  }
  return levels;
}

// Resolves once there are objects, of which the kernel tells after the message that makes the model.
export function toldOfObjects(model) {
  return new Promise((resolve) => {
    const look = () => {
      if (!model.get("_objects").labels) return;
      model.off("change:_objects", look);
      resolve();
    };
    model.on("change:_objects", look);
    look();
  });
}

export class ObjectStore {
  constructor(model) {
    this.model = model;
    this.values = new Map();
    this.asked = new Set();
    this.client = Math.random().toString(36).slice(2);
    this.seq = 0;
    this.onColors = this.onColumns = this.onObjects = this.onGroups = this.onClasses = () => {};
    this.readObjects();
    this.readGroups(true);
    this.readClasses(true);
    model.on("change:_objects", () => this.readObjects(), this);
    model.on("change:_groups", () => this.readGroups(), this);
    model.on("change:_classes", () => this.readClasses(), this);
    model.on("change:_columns", () => this.onColumns(), this);
    model.on("change:only_selected change:color change:hidden", () => this.recolor(), this);
  }

  readObjects() {
    const { labels, long, shown, total } = this.model.get("_objects");
    this.labels = long ? Array.from(new BigInt64Array(toBuffer(labels)), Number) : typedArray(labels, "int32");
    Object.assign(this, { shown, total });
    this.slotOf = new Map();
    for (let k = 0; k < this.labels.length; k++) this.slotOf.set(this.labels[k], k + 1);
    this.values.clear();
    this.asked.clear();
    this.onObjects();
  }

  // An answer to an older gesture of this page than the last one is out of date.
  readGroups(first = false) {
    const groups = this.model.get("_groups");
    if (!first && groups.client === this.client && groups.seq < this.seq) return;
    this.groups = groups;
    this.numbers = typedArray(groups.numbers, "int32");
    if (!first) this.recolor();
    this.onGroups();
  }

  readClasses(first = false) {
    const { examples, predicted, certain, ...rest } = this.model.get("_classes");
    this.classes = { ...rest, examples: typedArray(examples, "int32"), predicted: typedArray(predicted, "int32"), certain: typedArray(certain, "uint8") };
    if (first) return;
    if (this.model.get("color") === CLASS_COLUMN) this.recolor();
    this.onClasses();
  }

  get columns() {
    return this.model.get("_columns");
  }

  describe(name) {
    return this.columns.find((column) => column.name === name);
  }

  // The values of a column, or null while they are on their way.
  column(name) {
    const version = this.describe(name)?.version;
    const known = this.values.get(name);
    if (known && known.version === version) return known.values;
    const wish = `${name}|${version}`;
    if (!this.asked.has(wish)) {
      this.asked.add(wish);
      this.model.send({ kind: "column", name });
    }
    return null;
  }

  receiveColumn({ name, version, dtype }, buffers) {
    const values = dtype === "int32" ? typedArray(buffers[0], "int32") : new Float64Array(toBuffer(buffers[0]));
    this.values.set(name, { version, values });
    this.onColumns();
  }

  // Take a choice (1 for each chosen row) in at once; the kernel's own answer follows.
  choose(chosen, mode, gesture) {
    this.numbers = applyChoice(this.numbers, chosen, mode);
    const sizes = new Map();
    for (const number of this.numbers) if (number > 0) sizes.set(number, (sizes.get(number) ?? 0) + 1);
    const known = new Map(this.groups.list.map((group) => [group.group, group]));
    const list = [...sizes].sort(([a], [b]) => a - b).map(([group, size]) => ({
      group, name: "", color: groupColor(group), hidden: false, ...known.get(group), size }));
    this.groups = { ...this.groups, list, undo: true, redo: false };
    this.recolor();
    this.onGroups();
    this.tell({ kind: "select", mode, ...gesture });
  }

  // The marked object, as a slot; 0 for none.
  get focusSlot() {
    const { offset } = this.series[this.model.get("_shown")];
    const label = this.model.get("focus");
    return label ? this.slotOf.get(offset + label) ?? 0 : 0;
  }

  mark(slot) {
    const image = slot ? this.imageOf(slot) : this.model.get("_shown");
    this.model.put({ _shown: image, focus: slot ? this.labelOf(slot) : 0 });
  }

  // Show another image; what is marked stays behind.
  show(image) {
    if (image === this.model.get("_shown")) return;
    this.model.put({ _shown: image, focus: 0 });
  }

  // `labels` are numbers over all images: the offset of the image and the label there.
  get series() {
    return this.model.get("_series");
  }

  imageOf(slot) {
    const number = this.labels[slot - 1];
    return Math.max(0, this.series.findLastIndex(({ offset }) => offset < number));
  }

  labelOf(slot) {
    return this.labels[slot - 1] - this.series[this.imageOf(slot)].offset;
  }

  // What an object is called.
  nameOf(slot) {
    const { name } = this.series[this.imageOf(slot)];
    return `Object ${this.labelOf(slot)}${name ? ` of ${name}` : ""}`;
  }

  act(action, details = {}) {
    this.tell({ kind: "group", action, ...details });
  }

  // Ask the kernel for what this page shows and no other of the same explorer.
  ask(message) {
    this.model.send({ ...message, view: this.client });
  }

  tell(message) {
    this.seq += 1;
    this.model.send({ ...message, client: this.client, seq: this.seq });
  }

  colorSource(name) {
    if (name === GROUP_COLUMN) {
      const places = new Map(this.groups.list.map(({ group }, place) => [group, place]));
      return { kind: "groups", numbers: this.numbers, places };
    }
    if (name === CLASS_COLUMN && this.classes.list.length) return { kind: "classes", ...this.classes };
    const column = this.describe(name);
    const values = column && this.column(name);
    return values && { ...column, values };
  }

  // The legend: [{name, color, count, group?}] or {low, high, unit} of a ramp.
  legend(name) {
    const column = this.describe(name);
    if (name === GROUP_COLUMN) {
      return { entries: this.groups.list.map((group) => ({
        ...group, name: group.name || `Group ${group.group}`, count: group.size })) };
    }
    if (name === CLASS_COLUMN && this.classes.list.length) {
      return { entries: this.classes.list, uncertain: this.classes.uncertain };
    }
    if (column?.kind === "category") return { entries: column.categories, missing: column.missing };
    return column && { low: column.low, high: column.high, unit: column.unit, missing: column.missing };
  }

  // The objects by what their colours stand for: the place of each row among names and colours.
  split() {
    const source = this.colorSource(this.model.get("color"));
    if (!source) return null;
    const { entries } = this.legend(this.model.get("color"));
    if (!entries) return { of: new Int16Array(this.shown), names: ["All"], inks: [UNSELECTED] };
    const placeOf = {
      groups: (row) => source.places.get(this.numbers[row]) ?? -1,
      classes: (row) => this.classes.list.findIndex(({ number }) => number === this.classes.predicted[row]),
    }[source.kind] ?? ((row) => source.values[row]);
    const of = Int16Array.from({ length: this.shown }, (_, row) => placeOf(row));
    const named = { names: entries.map(({ name }) => name), inks: entries.map(({ color }) => color) };
    const rest = source.kind === "category" ? "no value" : "none";
    if (!of.includes(-1)) return { of, ...named };
    return { of: of.map((place) => (place < 0 ? entries.length : place)), names: [...named.names, rest], inks: [...named.inks, UNSELECTED] };
  }

  recolor() {
    const name = this.model.get("color");
    const source = this.colorSource(name);
    if (!source) return;
    this.levels = computeLevels(source, this.shown);
    this.hide();
    this.palette = this.paletteOf(name);
    const [plot, slice] = [PLOT_ALPHA, SLICE_ALPHA].map((alpha) =>
      this.palette.map((rgb, level) => packColor(rgb, alpha[Math.min(level, 2)])));
    if (source.kind === "classes") {
      for (let level = 2 + MOST_CLASSES; level < slice.length; level++) slice[level] = packColor(this.palette[level - MOST_CLASSES], UNCERTAIN_ALPHA);
    }
    if (!this.levels.some((level) => level > 1)) plot[1] = packColor(this.palette[1], ALONE_ALPHA);
    this.colors = new Uint32Array(this.shown);
    this.table = new Uint32Array(this.labels.length + 1);
    this.layer = new Uint8Array(this.shown);
    for (let row = 0; row < this.shown; row++) {
      const level = this.levels[row];
      this.colors[row] = level === 0 ? 0 : plot[level];
      this.table[row + 1] = level === 0 ? 0 : slice[level];
      this.layer[row] = level > 1 ? 1 : 0;
    }
    const rest = this.model.get("only_selected") ? 0 : slice[1];
    this.table.fill(rest, this.shown + 1);
    this.onColors();
  }

  // The colours of the objects whose class is uncertain, by slot; of the others none.
  uncertainEdges() {
    const edges = new Uint32Array(this.labels.length + 1);
    if (this.model.get("color") !== CLASS_COLUMN || !this.levels) return edges;
    const first = 2 + MOST_CLASSES;
    for (let row = 0; row < this.shown; row++) {
      if (this.levels[row] >= first) edges[row + 1] = packColor(this.palette[this.levels[row] - MOST_CLASSES]);
    }
    return edges;
  }

  // The edges of the objects in grey, by slot; of the others, and among very many, none.
  plainEdges() {
    const edges = new Uint32Array(this.labels.length + 1);
    if (!this.levels || this.labels.length > MOST_EDGED) return edges;
    for (let row = 0; row < this.shown; row++) if (this.levels[row] === 1) edges[row + 1] = PLAIN_EDGE;
    if (!this.model.get("only_selected")) edges.fill(PLAIN_EDGE, this.shown + 1);
    return edges;
  }

  hide() {
    const hidden = new Set(this.groups.list.filter((group) => group.hidden).map((group) => group.group));
    const only = this.model.get("only_selected");
    const category = this.hiddenCategory();
    if (!only && !hidden.size && !category) return;
    for (let row = 0; row < this.shown; row++) {
      const group = this.numbers[row];
      if ((only && group === 0) || hidden.has(group) || category?.(row)) this.levels[row] = 0;
    }
  }

  // Whether the legend hides the category or class of a row, as a function; null where it hides none.
  hiddenCategory() {
    const name = this.model.get("color");
    const hidden = this.model.get("hidden")[name] ?? [];
    if (!hidden.length) return null;
    if (name === CLASS_COLUMN && this.classes.list.length) return (row) => hidden.includes(String(this.classes.predicted[row]));
    const column = this.describe(name);
    const values = column?.kind === "category" && this.column(name);
    const places = values && new Set(column.categories.flatMap(({ value }, place) => (hidden.includes(value) ? [place] : [])));
    return values && ((row) => places.has(values[row]));
  }

  paletteOf(name) {
    const grey = parseColor(UNSELECTED);
    if (name === CLASS_COLUMN && this.classes.list.length) {
      const rgb = Array.from({ length: MOST_CLASSES }, () => grey);
      for (const { number, color } of this.classes.list) rgb[number - 1] = parseColor(color);
      return [grey, grey, ...rgb, ...rgb.map((one) => one.map((part, which) => part + PALE * (grey[which] - part)))];
    }
    const legend = this.legend(name);
    if (legend.entries) return [grey, grey, ...legend.entries.map((entry) => parseColor(entry.color))];
    const ramp = this.model.get("_ramp");
    const at = (level) => [0, 1, 2].map((part) => ramp.getUint8(level * 3 + part));
    return [grey, grey, ...Array.from({ length: RAMP_LEVELS }, (_, level) => at(Math.round((level * 255) / (RAMP_LEVELS - 1))))];
  }
}

function toBuffer(view) {
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
}
