// Strokes on their way to the kernel. A stroke stays here, and in the browser's storage, until the kernel
// says that it is kept (in the file, where there is one): neither a reload nor a kernel that died in the
// middle loses it.
import { applyPatch } from "./brush.js";
import { encodeRuns, decodeRuns } from "./pixels.js";

const PREFIX = "objclass strokes ";
const MOST_CHARACTERS = 2e6;
const MOST_BYTES = 4 * 2 ** 20; // Jupyter loses messages above 10 MiB
const LONGEST = 24 * 3600 * 1000;

export function toBase64(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return btoa(text);
}

export function fromBase64(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Uint32Array(bytes.buffer);
}

export class StrokeLog {
  // `send(content, buffers)` sends a message; `storage` is like localStorage; `key` names what is annotated.
  // `extra` goes with every message.
  constructor({ send, storage, key, client, extra = {}, onChange = () => {} }) {
    Object.assign(this, { send, storage, key, client, extra, onChange });
    this.seq = 0;
    this.pending = [];
  }

  // patches: [{index, row, col, rows, cols, values}]
  add(axis, patches) {
    const strokes = groupBySize(patches.flatMap(encodePatch)).map((group) =>
      ({ client: this.client, seq: ++this.seq, axis, patches: group }));
    this.pending.push(...strokes);
    this.store(); // first, as sending may fail
    strokes.forEach((stroke) => this.transmit(stroke));
    this.onChange();
  }

  transmit({ client, seq, axis, patches }) {
    const places = patches.map(({ runs, ...place }) => place);
    try {
      this.send({ kind: "stroke", client, seq, axis, patches: places, ...this.extra }, patches.map(({ runs }) => runs.buffer));
    } catch {
      // The kernel is gone: the stroke waits here and in the storage for the next one.
    }
  }

  // The kernel keeps everything of this client up to `seq`.
  acknowledge(client, seq) {
    const before = this.pending.length;
    this.pending = this.pending.filter((stroke) => stroke.client !== client || stroke.seq > seq);
    if (this.pending.length === before) return;
    this.store();
    this.onChange();
  }

  // Paint what the kernel has not seen yet onto a plane that came from it.
  reapply(axis, index, raster, seen = 0) {
    for (const stroke of this.pending) {
      if (stroke.axis !== axis || (stroke.client === this.client && stroke.seq <= seen)) continue;
      for (const { runs, ...place } of stroke.patches) {
        if (place.index !== index) continue;
        applyPatch(raster, place, decodeRuns(runs, new Uint16Array(place.rows * place.cols)));
      }
    }
  }

  // Take up the strokes that earlier pages have left; the kernel knows those that it has already.
  recover() {
    const keys = [];
    for (let i = 0; i < (this.storage?.length ?? 0); i++) keys.push(this.storage.key(i));
    const left = keys.filter((key) => key.startsWith(`${PREFIX}${this.key}|`)).flatMap((key) => this.takeOver(key));
    for (const { patches, ...stroke } of left) {
      const unpacked = patches.map(({ runs, ...place }) => ({ ...place, runs: fromBase64(runs) }));
      this.pending.push({ ...stroke, patches: unpacked });
      this.transmit(this.pending[this.pending.length - 1]);
    }
    this.store();
    this.onChange();
    return left.length;
  }

  takeOver(key) {
    try {
      const { time, strokes } = JSON.parse(this.storage.getItem(key));
      this.storage.removeItem(key);
      return Date.now() - time < LONGEST ? strokes : [];
    } catch {
      return [];
    }
  }

  store() {
    const key = `${PREFIX}${this.key}|${this.client}`;
    const text = `{"time":${Date.now()},"strokes":[${this.pending.map(pack).join()}]}`;
    try {
      if (!this.pending.length) this.storage?.removeItem(key);
      else if (text.length < MOST_CHARACTERS) this.storage?.setItem(key, text);
    } catch {
      // Storage that is full or forbidden: the strokes are still in this page.
    }
  }
}

// A patch with its values as runs; in two, and these in two, while it would be too large for a message.
function encodePatch({ values, ...place }) {
  const runs = encodeRuns(values);
  if (runs.byteLength <= MOST_BYTES || place.rows === 1) return [{ ...place, runs }];
  const rows = place.rows >> 1;
  const cut = rows * place.cols;
  return [
    ...encodePatch({ ...place, rows, values: values.subarray(0, cut) }),
    ...encodePatch({ ...place, row: place.row + rows, rows: place.rows - rows, values: values.subarray(cut) }),
  ];
}

// Patches in as few messages as may be, none of which is too large.
function groupBySize(patches) {
  const groups = [];
  let room = 0;
  for (const patch of patches) {
    room -= patch.runs.byteLength;
    if (room < 0) {
      groups.push([]);
      room = MOST_BYTES - patch.runs.byteLength;
    }
    groups[groups.length - 1].push(patch);
  }
  return groups;
}

function pack(stroke) {
  stroke.packed ??= JSON.stringify({
    ...stroke, patches: stroke.patches.map(({ runs, ...place }) => ({ ...place, runs: toBase64(runs) })) });
  return stroke.packed;
}
