// Planes from the kernel: the newest wish wins, what was seen is kept, neighbours come in advance.
//
// const planes = new PlaneClient(model, {shape, layers: ["image", "labels"]});
// planes.onPlane = ({axis, index, layers: {image: [raster], labels: [raster]}}) => ...
// planes.show(axis, index, screen)                   answers from the cache at once where it can; `screen` is
//                                                    SliceView's
// planes.receive(message, buffers)                   hand it every message of kind "plane"
// planes.invalidate("labels")                        a layer has changed in the kernel (axis and index narrow it)
// planes.get(planes.key(layer, axis, index))         a plane of a `whole` layer that the browser has
// planes.offer(message, buffers)                    a plane that came with the widget: shown until the kernel answers
// planes.hold(layer)                                the browser changes it now: answers on their way are old
// planes.reset(shape, source)                        another image is shown from now on
// planes.forget()                                    drop everything; nothing new is asked for
// planes.stop()                                      nothing is wanted any more, until the next show()
// With another `kind` the requests are messages of that kind. An answer that is `fresh` comes unasked.
import { detailRequest, overviewStep, planeShape } from "./geometry.js";
import { decodeRuns, typedArray } from "./pixels.js";

const OVERVIEW_BUDGET = 1100000;
const DETAIL_BUDGET = 2500000;
const IN_FLIGHT = 2;
const LOST_AFTER = 15000;
const ENTRY = 100; // bytes that an empty plane counts for

let viewCount = 0;

const afterPaint = globalThis.requestAnimationFrame
  ? (next) => requestAnimationFrame(() => setTimeout(next))
  : (next) => next();

export class PlaneClient {
  constructor(model, { shape, layers, whole = [], kind = "plane", cacheBytes = 160e6, prefetch = 2 }) {
    Object.assign(this, { model, layers, whole, kind, cacheBytes, prefetch });
    this.seq = 0;
    this.onPlane = this.onWaiting = () => {};
    this.reset(shape);
  }

  // Begin with another image: no answer that is on its way counts, and the kernel leaves out such requests.
  reset(shape, source = 0) {
    Object.assign(this, { shape, source });
    this.view = `${Date.now().toString(36)}-${viewCount++}`;
    this.cache = new Map();
    this.bytes = 0;
    this.flights = new Map();
    this.generation = new Map();
    this.wish = null;
  }

  // `whole` layers are always sent at full size, whatever the size of the plane.
  key(layer, axis, index, part) {
    return `${layer}|${axis}|${index}|${part && !this.whole.includes(layer) ? `${part.step}|${part.region}` : "all"}`;
  }

  show(axis, index, { transform, fitted, size }) {
    const shape = planeShape(this.shape, axis);
    const overview = { region: [0, 0, ...shape], step: overviewStep(shape, fitted, OVERVIEW_BUDGET) };
    const detail = detailRequest(transform, size, shape, overview.step, DETAIL_BUDGET);
    this.wish = { axis, index, parts: detail ? [overview, detail] : [overview] };
    this.deliver();
    this.advance();
  }

  offer(message, buffers) {
    this.offered = { ...message, layers: {} };
    message.layers.forEach((layer, which) => {
      const raster = unpackLayer(message, layer, buffers[which]);
      this.offered.layers[layer.name] = raster ? [raster] : [];
    });
  }

  missing({ axis, index, parts }) {
    for (const part of parts) {
      const layers = this.layers.filter((layer) => !this.cache.has(this.key(layer, axis, index, part)));
      if (layers.length) return { axis, index, ...part, layers };
    }
    return null;
  }

  // Give the view what there is of its wish, once the overview of every layer is there.
  deliver() {
    const { axis, index, parts } = this.wish;
    if (this.missing({ axis, index, parts: parts.slice(0, 1) })) {
      if (this.offered?.axis === axis && this.offered.index === index) this.onPlane(this.offered);
      return;
    }
    const layers = {};
    for (const layer of this.layers) {
      const keys = new Set(parts.map((part) => this.key(layer, axis, index, part)));
      layers[layer] = [...keys].map((key) => this.get(key)).filter(Boolean);
    }
    this.onPlane({ axis, index, layers });
  }

  get(key) {
    const entry = this.cache.get(key);
    if (entry === undefined) return undefined;
    const raster = entry.unpack ? entry.unpack() : entry.raster;
    this.put(key, { raster, size: rasterSize(raster) });
    return raster;
  }

  // A plane stays as it came until it is looked at: most neighbours never are, and unpacked they are large.
  put(key, entry) {
    this.drop(key);
    this.cache.set(key, entry);
    this.bytes += entry.size;
    for (const oldest of this.cache.keys()) {
      if (this.bytes <= this.cacheBytes || oldest === key) break;
      this.drop(oldest);
    }
  }

  drop(key) {
    this.bytes -= this.cache.get(key)?.size ?? 0;
    this.cache.delete(key);
  }

  invalidate(layer, axis = null, index = null) {
    const start = `${layer}|${axis === null ? "" : `${axis}|${index === null ? "" : `${index}|`}`}`;
    for (const key of [...this.cache.keys()]) if (key.startsWith(start)) this.drop(key);
    this.generation.set(layer, this.seq);
    this.advance();
  }

  // Answers on their way no longer count for a layer that the browser is about to change itself.
  hold(layer) {
    this.generation.set(layer, this.seq);
  }

  // Ask for a neighbour, but only once the plane itself is on the screen: the browser paints it first.
  rest() {
    if (this.resting) return;
    this.resting = true;
    afterPaint(() => {
      this.resting = false;
      if (!this.wish || this.flights.size || this.missing(this.wish)) return;
      const request = this.nextNeighbour();
      if (request) this.send(request, performance.now());
    });
  }

  // Ask for what is to be seen, else rest.
  advance() {
    const now = performance.now();
    for (const [seq, flight] of this.flights) if (now - flight.sent > LOST_AFTER) this.flights.delete(seq);
    if (!this.wish || this.flights.size >= IN_FLIGHT) return;
    const request = this.missing(this.wish);
    if (request) this.send(request, now);
    else if (!this.flights.size) this.rest();
  }

  send(request, now) {
    if (this.isUnderway(request)) return;
    const seq = ++this.seq;
    this.flights.set(seq, { ...request, sent: now });
    this.model.send({ kind: this.kind, view: this.view, seq, source: this.source, ...request });
    this.onWaiting(this.flights.size);
  }

  isUnderway(request) {
    const same = (one) => String([one.axis, one.index, one.step, one.region, one.layers]);
    return [...this.flights.values()].some((flight) => same(flight) === same(request));
  }

  forget() {
    for (const key of [...this.cache.keys()]) this.drop(key);
  }

  stop() {
    this.wish = null;
  }

  nextNeighbour() {
    const { axis, index, parts } = this.wish;
    for (let distance = 1; distance <= this.prefetch; distance++) {
      for (const other of [index + distance, index - distance]) {
        if (other < 0 || other >= this.shape[axis]) continue;
        const request = this.missing({ axis, index: other, parts: parts.slice(0, 1) });
        if (request) return request;
      }
    }
    return null;
  }

  receive(message, buffers) {
    if (message.view !== this.view) return;
    if (!this.flights.delete(message.seq) && !message.fresh) return;
    this.offered = null;
    message.layers.forEach((layer, which) => {
      // An answer on its way when the layer changed is out of date.
      if ((this.generation.get(layer.name) ?? 0) >= message.seq && !message.fresh) return;
      const key = this.key(layer.name, message.axis, message.index, message);
      const buffer = buffers[which];
      this.put(key, { unpack: () => unpackLayer(message, layer, buffer), size: ENTRY + buffer.byteLength });
    });
    if (this.wish?.axis === message.axis && this.wish.index === message.index) this.deliver();
    this.advance();
    this.onWaiting(this.flights.size);
  }
}

function rasterSize(raster) {
  return (raster?.planes ?? [raster?.data]).reduce((sum, data) => sum + (data?.byteLength ?? 0), ENTRY);
}

// A raster from one layer of a "plane" message. A layer that the kernel has nothing for is null.
function unpackLayer(message, layer, buffer) {
  if (!layer.shape) return null;
  const [channels, height, width] = layer.shape;
  const place = layer.whole
    ? { row0: 0, col0: 0, step: 1, width, height }
    : { row0: message.region[0], col0: message.region[1], step: message.step, width, height };
  let data;
  if (layer.encoding === "runs") {
    const Type = { uint8: Uint8Array, uint16: Uint16Array, int32: Int32Array }[layer.dtype];
    data = decodeRuns(typedArray(buffer, "uint32"), new Type(channels * height * width));
  } else {
    data = typedArray(buffer, layer.dtype);
  }
  if (layer.name !== "image") return { ...place, data };
  const size = height * width;
  const planes = Array.from({ length: channels }, (_, channel) => data.subarray(channel * size, (channel + 1) * size));
  return { ...place, planes };
}
