// The 3D view within the explorer: k3d's own view, recoloured, hidden and clipped here in the page.
import { checkbox, h, iconButton, slider, textButton } from "./dom.js";
import { typedArray } from "./pixels.js";

const LEVELS = 256;
const MARKED = LEVELS - 1;
const MARK = [255, 255, 255];
const PATIENCE = 20000;
const NO_WEBGL = "3D needs WebGL 2, which this browser does not offer here. Switch graphics acceleration on in its "
  + "settings, or open the notebook in another browser. The plot and the slices work without it.";

// k3d's colour map in which level i of 256 has exactly the colour of the palette.
export function plateauMap(palette) {
  const map = new Float32Array(LEVELS * 8);
  const half = 0.45 / (LEVELS - 1);
  for (let level = 0; level < LEVELS; level++) {
    const rgb = palette[level] ?? [0, 0, 0];
    const middle = level / (LEVELS - 1);
    [middle - half, middle + half].forEach((place, side) => {
      map.set([Math.min(1, Math.max(0, place)), rgb[0] / 255, rgb[1] / 255, rgb[2] / 255], level * 8 + side * 4);
    });
  }
  return map;
}

// The level of every vertex, from the level of every object and its count of vertices.
export function spreadLevels(levels, counts) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const spread = new Float32Array(total);
  let start = 0;
  for (let object = 0; object < counts.length; object++) {
    spread.fill(levels[object] ?? 1, start, start + counts[object]);
    start += counts[object];
  }
  return spread;
}

// The triangles of the objects that are not hidden (level 0).
export function visibleTriangles(indices, levels, counts) {
  const parts = [];
  let start = 0;
  for (let object = 0; object < counts.length; object++) {
    const size = counts[object] * 3;
    if ((levels[object] ?? 1) !== 0 && size) parts.push(indices.subarray(start, start + size));
    start += size;
  }
  const result = new Uint32Array(Math.max(3, parts.reduce((sum, part) => sum + part.length, 0)));
  let place = 0;
  for (const part of parts) {
    result.set(part, place);
    place += part.length;
  }
  return result;
}

const wire = (array, dtype, shape = [array.length]) => ({ dtype, shape, data: new DataView(array.buffer, array.byteOffset, array.byteLength) });

export class VolumePanel {
  constructor(model, store, host) {
    Object.assign(this, { model, store });
    this.stage = h("div", { class: "oc-stage oce-stage oce-volume", "aria-label": "3D view", role: "group", tabindex: 0,
      title: "Drag to turn; click, then zoom with the wheel" });
    // Until it is clicked the wheel is the page's.
    this.stage.addEventListener("pointerdown", () => this.stage.focus({ preventScroll: true }), true);
    this.stage.addEventListener("wheel", (event) => {
      if (!this.stage.contains(document.activeElement)) event.stopPropagation();
    }, { capture: true, passive: true });
    this.message = h("div", { class: "oce-hint" }, "Computing surfaces …");
    this.stage.append(this.message);
    this.clip = ["x", "y", "z"].map((name, axis) => slider(`Clip ${name}`, 1, { min: 0, max: 1, step: 0.01 }, (part) => this.setClip(axis, part)));
    this.limits = [1, 1, 1];
    this.fog = checkbox("Image", false, () => this.showRaw(), { title: "The maximum projection of the image" });
    this.controls = h("div", { class: "oce-clips" }, this.fog.element, ...this.clip.map(({ element }) => element));
    const fit = iconButton("fit", "Show all objects", () => this.plot?.set("camera", [...this.model.get("_volume").camera]));
    this.controls.prepend(fit);
    host.append(this.stage, this.controls);
    model.on("change:_volume", () => this.open(), this);
    model.on("change:focus change:_shown", () => this.recolor(), this);
  }

  show() {
    if (!hasWebGL()) return (this.message.textContent = NO_WEBGL);
    if (this.model.get("_volume").plot) return this.open();
    this.say("Computing surfaces …");
    return this.model.send({ kind: "volume" });
  }

  async open() {
    const described = this.model.get("_volume");
    if (!described.plot) return this.forget();
    if (described.raw) this.showRaw();
    if (this.opened === described.plot) return;
    if (this.indices) this.surfaces.set({ indices: wire(this.indices, "uint32") }); // leave nothing hidden behind
    Object.assign(this, { opened: described.plot, indices: null, hidden: "unknown", map: "" });
    this.vertices = typedArray(described.vertices, "int32");
    this.triangles = typedArray(described.triangles, "int32");
    this.slots = described.slots ? typedArray(described.slots, "int32") : Int32Array.from(this.vertices, (_, place) => place + 1);
    this.size = described.size;
    const manager = this.model.widget_manager;
    this.plot = await manager.get_model(described.plot);
    this.surfaces = await manager.get_model(described.surfaces);
    const indices = typedArray(this.surfaces.get("indices").data ?? (await inflate(this.surfaces.get("indices").compressed_data)), "uint32");
    if (this.opened !== described.plot) return; // another one meanwhile
    this.indices = indices;
    await this.draw();
  }

  // Other objects, or another image: their surfaces are still to be made.
  forget() {
    if (!this.opened) return;
    if (this.indices) this.surfaces.set({ indices: wire(this.indices, "uint32") });
    this.view?.remove();
    Object.assign(this, { opened: null, indices: null, plot: null, view: null });
    this.say("Drawing the surfaces …");
  }

  // Show k3d's view once it has drawn something; a view that stays empty says so, and is looked at further.
  async draw() {
    this.stage.dataset.ready = "false";
    this.say("Drawing …");
    this.view?.remove();
    this.view = null; // whoever still looks at it stops
    const view = await this.model.widget_manager.create_view(this.plot, {});
    const shown = view.el ?? view.node ?? view;
    this.view = shown;
    this.stage.append(shown);
    this.recolor();
    shown.addEventListener("webglcontextlost", () => this.sayEmpty("The browser has released the memory of the 3D view."), true);
    const started = performance.now();
    for (let said = false; !showsSomething(shown.querySelector("canvas")); ) {
      if (!said && performance.now() - started > PATIENCE) {
        this.sayEmpty("The 3D view is empty.");
        said = true;
      }
      await new Promise((resolve) => setTimeout(resolve, said ? 1000 : 100));
      if (this.view !== shown) return; // forgotten or drawn again meanwhile
    }
    this.message.remove();
    this.stage.dataset.ready = "true";
  }

  say(...content) {
    this.message.replaceChildren(h("div", {}, ...content));
    this.stage.append(this.message);
  }

  sayEmpty(text) {
    this.say(`${text} `, textButton("Draw again", () => this.draw()));
  }

  // The image is made and sent when it is asked for.
  async showRaw() {
    const { raw } = this.model.get("_volume");
    if (raw) (await this.model.widget_manager.get_model(raw)).set("visible", this.fog.input.checked);
    else this.model.send({ kind: "raw" });
  }

  // Levels go to the vertices, the palette to the colour map; triangles change only if something is hidden.
  recolor() {
    if (!this.indices || !this.store.levels) return;
    const rest = this.model.get("only_selected") ? 0 : 1;
    const levels = Uint8Array.from(this.slots, (slot) => this.store.levels[slot - 1] ?? rest);
    const marked = this.slots.indexOf(this.store.focusSlot);
    if (marked >= 0 && levels[marked]) levels[marked] = MARKED;
    const hidden = levels.includes(0) ? levels.map((level) => (level ? 1 : 0)).join("") : "";
    const palette = [...this.store.palette];
    palette[MARKED] = MARK;
    const map = plateauMap(palette);
    const attribute = spreadLevels(levels, this.vertices);
    const changes = { attribute: wire(attribute, "float32") };
    if (String(map) !== this.map) changes.color_map = wire(map, "float32", [LEVELS * 2, 4]);
    if (hidden !== this.hidden) {
      changes.indices = wire(visibleTriangles(this.indices, levels, this.triangles), "uint32");
    }
    Object.assign(this, { hidden, map: String(map) });
    if (attribute.length) this.surfaces.set(changes);
  }

  setClip(axis, part) {
    this.limits[axis] = part;
    const planes = this.limits.flatMap((limit, which) => {
      if (limit >= 1) return [];
      const normal = [0, 0, 0];
      normal[which] = -1;
      return [[...normal, limit * this.size[which]]];
    });
    this.plot?.set("clipping_planes", planes);
  }
}

function hasWebGL() {
  const context = document.createElement("canvas").getContext("webgl2");
  context?.getExtension("WEBGL_lose_context")?.loseContext(); // a page has few of them
  return context !== null;
}

// Whether a canvas has more than one colour.
function showsSomething(canvas) {
  if (!canvas?.width) return false;
  const [width, height] = [96, 64];
  const small = h("canvas", { width, height }).getContext("2d");
  small.drawImage(canvas, 0, 0, width, height);
  const words = new Uint32Array(small.getImageData(0, 0, width, height).data.buffer);
  return words.some((word) => word !== words[0]);
}

async function inflate(view) {
  const stream = new Blob([view]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new DataView(await new Response(stream).arrayBuffer());
}
