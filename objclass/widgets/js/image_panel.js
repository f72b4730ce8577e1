// The slices and the 3D view of the explorer, one at a time, and what is chosen in the slices.
import { checkbox, choice, h, slider } from "./dom.js";
import { insideRaster } from "./hits.js";
import { ImageSwitch } from "./image_switch.js";
import { LassoTool } from "./lasso.js";
import { SlicePanel } from "./slice_panel.js";
import { VolumePanel } from "./volume_panel.js";

const VIEWS = [{ value: "slices", text: "Slices" }, { value: "volume", text: "3D" }];
const EDGE = 2;
const LAYERS = ["objects", "plain", "uncertain", "edges", "examples", "chosen", "hovered", "focus"]; // a later one covers an earlier one

// A polygon in CSS pixels of the view as plane coordinates, to a hundredth of a pixel.
export function planePolygon(corners, { x, y, rowScale, colScale }) {
  return corners.map(([px, py]) => [toHundredths((py - y) / rowScale), toHundredths((px - x) / colScale)]);
}

// Plane coordinates as the kernel counts them: from pixel centres, not from their edges.
export function fromCentres(path) {
  return path.map((corner) => corner.map((value) => toHundredths(value - 0.5)));
}

const toHundredths = (value) => Math.round(value * 100) / 100;

export class ImagePanel {
  constructor(model, store, host) {
    Object.assign(this, { model, store, rings: new Map(), ringed: new Map() });
    this.onPick = this.onHover = this.onChoose = () => {};
    const slices = h("div", { class: "oce-slices" });
    const volume = h("div", { class: "oce-slices", hidden: true });
    this.shown = choice(VIEWS, "slices", (value) => {
      slices.hidden = value !== "slices";
      volume.hidden = value !== "volume";
      sliceControls.hidden = slices.hidden;
      if (value === "volume") this.volume.show();
    }, "View");
    this.shown.element.hidden = model.get("volume").ndim === 2;
    const contrast = h("details", { class: "oc-fold oce-contrast" }, h("summary", {}, "Contrast"));
    const sliceControls = h("span", { class: "oc-bar oc-grow" }, ...this.buildControls(), h("span", { class: "oc-grow" }), contrast);
    this.series = new ImageSwitch(model, store);
    host.append(h("div", { class: "oc-bar oce-axes" }, this.shown.element, sliceControls), this.series.element, slices, volume);
    this.slices = new SlicePanel(model, slices, { layers: ["image", "objects"] });
    this.slices.bar.remove();
    this.slices.stage.classList.add("oce-stage");
    contrast.append(this.slices.contrast);
    for (const name of LAYERS) this.slices.view.setLayer(name, { visible: name === "objects" });
    this.slices.onPlane = ({ layers }) => {
      if (this.replaced) {
        this.replaced = false;
        this.showColors();
      }
      for (const name of LAYERS) {
        const visible = name === "objects" || (this.slices.view.layers.get(name)?.visible ?? false);
        this.slices.view.setLayer(name, { rasters: layers.objects, visible });
      }
    };
    this.slices.describe = (row, col) => this.describe(this.slotAt(row, col));
    this.slices.onVolume = () => this.pending && this.goTo(this.pending.voxel, this.pending.image);
    this.buildTool();
    this.volume = new VolumePanel(model, store, volume);
    // The surfaces of another image are made when they are looked at, once nothing else is being made.
    model.on("change:_volume change:busy", () => {
      if (!volume.hidden && !model.get("_volume").plot && !model.get("busy").title) this.volume.show();
    }, this);
  }

  buildControls() {
    const opacity = slider("Objects", 1, { min: 0, max: 1, step: 0.05 },
      (value) => ["objects", "plain"].forEach((name) => this.slices.view.setLayer(name, { opacity: value })));
    const edges = checkbox("Edges", false, (value) => this.slices.view.setLayer("objects", { contour: value ? EDGE : 0 }),
      { title: "Only the edges of the objects" });
    return [h("span", { class: "oce-size" }, opacity.element), edges.element];
  }

  buildTool() {
    const { view } = this.slices;
    this.tool = new LassoTool(view, {
      finish: (corners, mode) => this.choose(planePolygon(corners, view.transform), mode),
      click: (place, mode) => this.onPick(this.slotAt(...planePolygon([place], view.transform)[0]), mode),
    });
    view.tool = this.tool;
    view.element.addEventListener("pointermove", () => this.onHover(this.tool.path ? 0 : this.pointed()));
    view.element.addEventListener("pointerleave", () => this.onHover(0));
    this.setShape("lasso");
  }

  setShape(shape) {
    this.tool.shape = shape;
    this.slices.view.element.style.cursor = shape === "pan" ? "grab" : "crosshair";
  }

  slotAt(row, col) {
    if (this.replaced) return 0;
    return this.slices.view.value("objects", row, col) ?? 0;
  }

  // The slot under the pointer.
  pointed() {
    return this.slices.cursor ? this.slotAt(...this.slices.cursor) : 0;
  }

  describe(slot) {
    if (!slot) return "";
    const label = this.store.labelOf(slot);
    if (slot > this.store.shown) return `object ${label} (no row)`;
    const group = this.store.numbers[slot - 1];
    return `object ${label}${group ? `, group ${group}` : ""}`;
  }

  outline(layer, slot, color) {
    const size = this.store.labels.length + 1;
    if (this.rings.get(layer)?.length !== size) this.rings.set(layer, new Uint32Array(size));
    const table = this.rings.get(layer);
    table[this.ringed.get(layer) ?? 0] = 0;
    table[slot] = slot ? color : 0;
    this.ringed.set(layer, slot);
    if (slot || this.slices.view.layers.get(layer)?.visible) {
      this.slices.view.setLayer(layer, { table, contour: EDGE, visible: slot > 0 });
    }
  }

  // A polygon in plane coordinates.
  choose(polygon, mode) {
    const { view, axis, index } = this.slices;
    const chosen = new Uint8Array(this.store.shown);
    const [raster] = view.layers.get("objects").rasters;
    if (!raster || this.replaced) return;
    for (const slot of insideRaster(raster, polygon)) if (slot <= this.store.shown) chosen[slot - 1] = 1;
    this.onChoose(chosen, mode, { shape: "plane", axis, index, points: fromCentres(polygon), image: this.slices.volume.source });
  }

  goTo(voxel, image) {
    this.pending = null;
    if (image === this.slices.volume.source) return this.slices.goTo(this.slices.axis, voxel[this.slices.axis], voxel);
    this.pending = { voxel, image };
    this.store.show(image);
  }

  // Other objects: their planes come anew, and until then those that are seen keep their colours.
  replaceObjects() {
    this.replaced = true;
    this.slices.planes.invalidate("objects");
  }

  showColors() {
    if (!this.replaced) {
      this.slices.view.setLayer("objects", { table: this.store.table });
      const plain = this.store.plainEdges();
      this.slices.view.setLayer("plain", { table: plain, contour: 1, visible: plain.some((color) => color > 0) });
      const edges = this.store.uncertainEdges();
      this.slices.view.setLayer("uncertain", { table: edges, contour: EDGE, visible: edges.some((color) => color > 0) });
    }
    this.volume.recolor();
  }

  dispose() {
    this.slices.dispose();
  }
}
