// The annotator's tab 3D: the objects as surfaces, in the colours that they have in the slices.
import { choice, h } from "./dom.js";
import { labelColor } from "./colors.js";
import { VolumePanel } from "./volume_panel.js";

const COLORS = 254; // levels of k3d's colour map, without the hidden and the marked

export class Objects3D {
  // `root` gets the class oc-in-3d while the tab is shown; `host` is where the view goes.
  constructor(model, root, host) {
    Object.assign(this, { model, root, host });
    this.element = h("div", { class: "oc-3d", hidden: true });
    host.append(this.element);
    this.tabs = choice([
      { value: "slices", text: "Slices", label: "The slices, to paint on" },
      { value: "3d", text: "3D", label: "The objects in 3D" },
    ], "slices", (tab) => this.show(tab), "View");
    this.tabs.element.hidden = model.get("volume").ndim === 2;
    this.store = { levels: null, palette: [], slotOf: new Map(), get focusSlot() { return this.slotOf.get(model.get("focus")) ?? 0; } };
    this.follow = () => this.takeObjects();
    model.on("change:_volume", this.follow); // before the panel's own, which draws
    this.refresh();
  }

  get isShown() {
    return this.root.classList.contains("oc-in-3d");
  }

  dispose() {
    this.model.off("change:_volume", this.follow);
  }

  show(tab) {
    const { objects } = this.model.get("state");
    const opens = tab === "3d" && objects > 0;
    this.tabs.set(opens ? "3d" : "slices");
    this.root.classList.toggle("oc-in-3d", opens);
    this.element.hidden = !opens;
    if (!opens) return;
    this.panel ??= new VolumePanel(this.model, this.store, this.element);
    this.takeObjects();
    this.renew();
  }

  // New objects have new surfaces; out of date they are grey.
  refresh() {
    const { objects, objects_stale: stale } = this.model.get("state");
    this.tabs.enable("3d", objects > 0, "The objects in 3D: Segment first");
    this.element.classList.toggle("oc-outdated", Boolean(stale));
    this.element.dataset.outdated = stale ? "Objects out of date: segment again" : "";
    if (!this.isShown) return;
    if (!objects) this.show("slices");
    else this.renew();
  }

  renew() {
    const { objects_version: version } = this.model.get("state");
    if (this.asked === version) return;
    this.asked = version;
    const { version: made } = this.model.get("_volume");
    if (made === undefined || made === version) this.panel.show();
    else this.model.send({ kind: "volume" });
  }

  takeObjects() {
    const { labels } = this.model.get("_volume");
    if (!labels) return;
    this.store.levels = Uint8Array.from(labels, (_, place) => 1 + (place % COLORS));
    this.store.palette = [[0, 0, 0], ...labels.slice(0, COLORS).map((label) => labelColor(label))];
    this.store.slotOf = new Map(labels.map((label, place) => [label, place + 1]));
  }
}
