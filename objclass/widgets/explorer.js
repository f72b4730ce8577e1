// The linked explorer: plot, slices, 3D and panels around one ObjectStore. See explorer.py for the messages.
import { packColor } from "./colors.js";
import { checkbox, choice, h, iconButton, slider, textButton } from "./dom.js";
import { GroupsPanel } from "./groups_panel.js";
import { insideRaster } from "./hits.js";
import { LassoTool, keyList } from "./lasso.js";
import { GROUP_COLUMN, ObjectStore } from "./object_store.js";
import { PlotPanel } from "./plot_panel.js";
import { ProfilePanel } from "./profile_panel.js";
import { formatValue } from "./scales.js";
import { SlicePanel } from "./slice_panel.js";
import { StepPanel } from "./steps_panel.js";
import { TableView, saveFile } from "./table_view.js";
import { VolumePanel } from "./volume_panel.js";

const KEYS = [
  ["drag", "Choose: group 1, all other groups are emptied"],
  ["Shift + drag", "Choose the next group"],
  ["Ctrl or ⌘ + drag", "Add to the last group"],
  ["Alt + drag", "Take out of the groups"],
  ["click", "Mark an object; with a key above: choose it"],
  ["L, R, H", "Lasso, rectangle, hand"],
  ["wheel", "Zoom to the pointer; over an axis: that axis only"],
  ["Space + drag, right drag", "Move"],
  ["double click, 0", "Show all"],
  ["Ctrl or ⌘ + Z, Shift + Z", "Undo, redo"],
  ["O", "Only selected objects"],
  ["← →, Page, Home, End", "Slices, in the slice view"],
  ["Esc", "Drop what is being drawn, unmark"],
];
const TOOLS = [
  { value: "lasso", icon: "lasso", label: "Lasso (L)" },
  { value: "rectangle", icon: "rectangle", label: "Rectangle (R)" },
  { value: "pan", icon: "pan", label: "Hand (H)" },
];

class Explorer {
  constructor(model, el) {
    this.model = model;
    this.store = new ObjectStore(model);
    this.root = h("div", { class: "oc oce", "data-ready": "false" });
    el.append(this.root);
    this.hovered = 0;
    this.buildBar();
    this.buildNotes();
    const views = h("div", { class: "oce-views" });
    const [left, right] = [h("section", { class: "oce-pane", "aria-label": "Plot" }), h("section", { class: "oce-pane", "aria-label": "Image" })];
    views.append(left, right);
    this.root.append(views);
    this.plot = new PlotPanel(model, this.store, left);
    this.buildImage(right);
    this.buildPanels();
    this.connect();
    this.plot.showColumns();
    this.store.recolor();
    this.showBusy();
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  set(values) {
    this.model.set(values);
    this.model.save_changes();
  }

  buildBar() {
    this.tools = choice(TOOLS, "lasso", (shape) => this.setTool(shape), "Tool");
    this.undo = iconButton("undo", "Undo (Ctrl+Z)", () => this.store.act("undo"));
    this.redo = iconButton("redo", "Redo (Ctrl+Shift+Z)", () => this.store.act("redo"));
    this.only = checkbox("Only selected", this.model.get("only_selected"), (value) => this.set({ only_selected: value }));
    this.follow = checkbox("Follow", false, () => {}, { title: "Go to the slice of the point under the pointer" });
    const size = slider("Points", this.model.get("point_size"), { min: 1, max: 20, step: 0.5 }, (value) => this.set({ point_size: value }));
    this.help = h("div", { class: "oce-help", hidden: true }, keyList(KEYS));
    const fit = iconButton("fit", "Show all (0)", () => this.plot.view.reset());
    const question = iconButton("help", "Keys", () => (this.help.hidden = !this.help.hidden));
    this.bar = h("div", { class: "oc-bar oce-bar", role: "toolbar", "aria-label": "Explorer" }, this.tools.element,
      h("span", { class: "oc-choice" }, this.undo, this.redo), fit, this.only.element, this.follow.element,
      h("span", { class: "oce-size" }, size.element), h("span", { class: "oc-grow" }), question);
    this.root.append(this.bar, this.help);
  }

  buildNotes() {
    this.notes = h("div", { class: "oce-notes" });
    this.error = h("div", { class: "oce-error", role: "alert", hidden: true });
    this.busy = h("div", { class: "oce-busy", role: "status", hidden: true });
    this.root.append(this.error, this.notes, this.busy);
  }

  buildImage(host) {
    const slices = h("div", { class: "oce-slices" });
    const volume = h("div", { class: "oce-slices", hidden: true });
    const view = choice([{ value: "slices", text: "Slices" }, { value: "volume", text: "3D" }], "slices", (value) => {
      slices.hidden = value !== "slices";
      volume.hidden = value !== "volume";
      if (value === "volume") this.volume.show();
    }, "View");
    const opacity = slider("Objects", 1, { min: 0, max: 1, step: 0.05 }, (value) => this.slices.view.setLayer("objects", { opacity: value }));
    const edges = checkbox("Edges", false, (value) => this.slices.view.setLayer("objects", { contour: value ? 2 : 0 }), { title: "Only the edges of the objects" });
    const contrast = h("details", { class: "oc-fold oce-contrast" }, h("summary", {}, "Contrast"));
    const bar = h("div", { class: "oc-bar oce-axes" }, view.element, h("span", { class: "oce-size" }, opacity.element), edges.element, h("span", { class: "oc-grow" }), contrast);
    host.append(bar, slices, volume);
    this.slices = new SlicePanel(this.model, slices, { layers: ["image", "objects"] });
    this.slices.bar.remove();
    this.slices.stage.classList.add("oce-stage");
    contrast.append(this.slices.contrast);
    this.slices.onPlane = ({ layers }) => {
      const rasters = layers.objects;
      this.slices.view.setLayer("objects", { rasters });
      this.slices.view.setLayer("hovered", { rasters });
      this.slices.view.setLayer("focus", { rasters });
    };
    this.slices.describe = (row, col) => {
      const slot = this.slotAt(row, col);
      return slot ? this.describeSlot(slot) : "";
    };
    this.sliceTool = new LassoTool(this.slices.view, {
      finish: (corners, mode) => this.chooseInSlice(corners, mode),
      click: ([x, y], mode) => {
        const { x: left, y: top, rowScale, colScale } = this.slices.view.transform;
        this.pick(this.slotAt((y - top) / rowScale, (x - left) / colScale), mode);
      },
    });
    this.slices.view.tool = this.sliceTool;
    this.slices.view.element.addEventListener("pointermove", () => this.hoverSlice());
    this.slices.view.element.addEventListener("pointerleave", () => this.hover(0));
    this.volume = new VolumePanel(this.model, this.store, volume);
  }

  buildPanels() {
    const names = { groups: "Groups", reduce: "Reduce", cluster: "Cluster", profile: "Profile", table: "Table" };
    this.panels = {};
    this.tabs = {};
    const bar = h("div", { class: "oce-tabs", role: "tablist", "aria-label": "Panels" });
    const bodies = h("div", { class: "oce-bodies" });
    for (const [name, title] of Object.entries(names)) {
      const body = (this.panels[name] = h("div", { class: "oce-body", role: "tabpanel", "aria-label": title, hidden: name !== "groups", "data-panel": name }));
      this.tabs[name] = h("button", { type: "button", role: "tab", class: "oce-tab", "data-tab": name,
        "aria-selected": String(name === "groups"), onclick: () => this.openPanel(name) }, title);
      bar.append(this.tabs[name]);
      bodies.append(body);
    }
    this.card = h("div", { class: "oce-card", role: "status" });
    bar.append(h("span", { class: "oc-grow" }), this.card);
    this.root.append(bar, bodies);
    this.groups = new GroupsPanel(this.store, this.panels.groups);
    this.reduce = new StepPanel(this.model, this.store, this.panels.reduce, "reduce");
    this.cluster = new StepPanel(this.model, this.store, this.panels.cluster, "cluster");
    this.profile = new ProfilePanel(this.model, this.store, this.panels.profile);
    this.table = new TableView(this.model, this.store, this.panels.table, this.model.get("_formats"));
    this.table.onRow = (label) => this.pick(this.store.slotOf.get(label) ?? 0, "replace");
    this.table.onHover = (label) => this.hover(this.store.slotOf.get(label) ?? 0);
  }

  openPanel(name) {
    this.panel = name;
    for (const [other, body] of Object.entries(this.panels)) {
      body.hidden = other !== name;
      this.tabs[other].setAttribute("aria-selected", String(other === name));
    }
    if (name === "profile") this.profile.request(this.groupingColumn());
    if (name === "table") this.table.refresh();
  }

  groupingColumn() {
    const color = this.model.get("color");
    return this.store.describe(color)?.kind === "category" ? color : GROUP_COLUMN;
  }

  connect() {
    const { model, store } = this;
    store.onColors = () => this.showColors();
    store.onGroups = () => this.showGroups();
    store.onObjects = () => store.recolor();
    store.onColumns = () => {
      this.plot.showColumns();
      this.reduce.showColumns();
      this.cluster.showColumns();
      this.profile.showColumns();
      store.recolor();
      if (this.panel === "table") this.table.refresh();
    };
    this.plot.onPick = (slot, mode) => this.pick(slot, mode);
    this.plot.view.onRow = (row) => {
      this.hover(row + 1);
      if (row >= 0 && this.follow.input.checked) this.seek(this.store.labels[row]);
    };
    this.reduce.showColumns();
    this.cluster.showColumns();
    this.profile.showColumns();
    model.on("msg:custom", (message, buffers) => this.receive(message, buffers), this);
    model.on("change:busy", () => this.showBusy(), this);
    model.on("change:error", () => this.showError(), this);
    model.on("change:notes", () => this.showNotes(), this);
    model.on("change:focus", () => this.showFocus(), this);
    model.on("change:only_selected", () => (this.only.input.checked = model.get("only_selected")), this);
    this.showGroups();
    this.showNotes();
    this.showError();
    this.showFocus();
  }

  receive(message, buffers) {
    if (message.kind === "plane") this.slices.planes.receive(message, buffers);
    else if (message.kind === "column") this.store.receiveColumn(message, buffers);
    else if (message.kind === "rows") this.table.receive(message);
    else if (message.kind === "row") this.showCard(message);
    else if (message.kind === "profile") this.profile.receive(message);
    else if (message.kind === "scan") this.cluster.receiveScan(message);
    else if (message.kind === "file" && message.view === this.store.client) saveFile(message.name, buffers[0]);
    else if (message.kind === "found" && message.voxel && message.view === this.store.client) {
      this.slices.goTo(this.slices.axis, message.voxel[this.slices.axis], message.voxel);
    }
  }

  setTool(shape) {
    this.tools.set(shape);
    this.plot.setShape(shape);
    this.sliceTool.shape = shape;
    this.slices.view.element.style.cursor = shape === "pan" ? "grab" : "crosshair";
  }

  slotAt(row, col) {
    return this.slices.view.value("objects", row, col) ?? 0;
  }

  describeSlot(slot) {
    const label = this.store.labels[slot - 1];
    if (slot > this.store.shown) return `object ${label} (no row)`;
    const group = this.store.numbers[slot - 1];
    return `object ${label}${group ? `, group ${group}` : ""}`;
  }

  hoverSlice() {
    const { cursor } = this.slices;
    this.hover(cursor && !this.sliceTool.path ? this.slotAt(...cursor) : 0);
  }

  hover(slot) {
    if (slot === this.hovered) return;
    this.hovered = slot;
    this.outline("hovered", slot, packColor([255, 255, 255]));
    this.plot.view.mark(slot > 0 && slot <= this.store.shown ? slot - 1 : -1, "hover");
    this.root.dataset.hovered = slot ? this.store.labels[slot - 1] : "";
  }

  outline(layer, slot, color) {
    const table = new Uint32Array(slot + 1);
    if (slot) table[slot] = color;
    this.slices.view.setLayer(layer, { table, contour: 2 });
  }

  // Mark an object, and with a key pressed choose it.
  pick(slot, mode) {
    const label = slot ? this.store.labels[slot - 1] : 0;
    if (mode === "replace") {
      this.set({ focus: label });
      if (label) this.seek(label);
    } else if (slot > 0 && slot <= this.store.shown) {
      const chosen = new Uint8Array(this.store.shown);
      chosen[slot - 1] = 1;
      this.plot.tell(chosen, mode, { shape: "objects", objects: [label] });
    }
  }

  seek(label) {
    const { cursor } = this.slices;
    if (cursor && this.slotAt(...cursor) === this.store.slotOf.get(label)) return;
    this.model.send({ kind: "find", label, view: this.store.client });
  }

  chooseInSlice(corners, mode) {
    const { view, axis, index } = this.slices;
    const { x, y, rowScale, colScale } = view.transform;
    const round = (value) => Math.round(value * 100) / 100;
    const plane = corners.map(([px, py]) => [round((py - y) / rowScale), round((px - x) / colScale)]);
    const chosen = new Uint8Array(this.store.shown);
    const raster = view.layers.get("objects").rasters[0];
    if (!raster) return;
    for (const slot of insideRaster(raster, plane)) if (slot <= this.store.shown) chosen[slot - 1] = 1;
    const points = plane.map(([row, col]) => [round(row - 0.5), round(col - 0.5)]);
    this.plot.tell(chosen, mode, { shape: "plane", axis, index, points });
  }

  showColors() {
    const begun = performance.now();
    this.plot.showColors();
    this.slices.view.setLayer("objects", { table: this.store.table });
    this.volume.recolor();
    this.root.dataset.ready = "true";
    this.root.dataset.recolored = (performance.now() - begun).toFixed(2);
  }

  showGroups() {
    const { undo, redo, list } = this.store.groups;
    this.undo.disabled = !undo;
    this.redo.disabled = !redo;
    this.groups.show();
    this.plot.showLegend();
    this.root.dataset.groups = list.map(({ group, size }) => `${group}:${size}`).join(" ");
    if (this.panel === "profile") this.profile.request();
    if (this.panel === "table") this.table.refresh();
  }

  showFocus() {
    const label = this.model.get("focus");
    const slot = this.store.slotOf.get(label) ?? 0;
    this.outline("focus", slot, packColor([255, 235, 59]));
    this.plot.view.mark(slot > 0 && slot <= this.store.shown ? slot - 1 : -1, "focus");
    this.table.mark(label);
    if (this.panel === "table") this.table.find(label);
    if (slot) this.model.send({ kind: "row", label });
    else this.card.replaceChildren();
  }

  showCard({ label, cells }) {
    if (label !== this.model.get("focus")) return;
    const wanted = new Set([this.model.get("x"), this.model.get("y"), this.model.get("color")]);
    const parts = Object.entries(cells).filter(([name]) => wanted.has(name))
      .map(([name, value]) => h("span", {}, `${name} `, h("b", {}, formatValue(value))));
    const mode = this.store.groups.list.length ? "extend" : "replace";
    const add = textButton("Add to group", () => this.pick(this.store.slotOf.get(label), "extend"), { class: "oc-button oc-small", "data-mode": mode });
    this.card.replaceChildren(h("span", {}, "Object ", h("b", {}, String(label))), ...parts, add,
      iconButton("close", "Unmark", () => this.set({ focus: 0 }), { class: "oc-button oc-icon-button oc-small" }));
  }

  showBusy() {
    const busy = this.model.get("busy");
    clearInterval(this.clock);
    this.busy.hidden = !busy.title;
    this.reduce.setBusy(Boolean(busy.title));
    this.cluster.setBusy(Boolean(busy.title));
    if (!busy.title) return;
    const time = h("span", { class: "oc-soft" });
    const tick = () => (time.textContent = `${Math.max(0, Date.now() / 1000 - busy.started).toFixed(0)} s`);
    const bar = h("progress", { max: 1, "aria-label": busy.title });
    if (busy.fraction !== null) bar.value = busy.fraction;
    this.busy.replaceChildren(h("span", {}, busy.title), bar, time,
      textButton("Cancel", () => this.model.send({ kind: "cancel" }), { class: "oc-button oc-small" }));
    tick();
    this.clock = setInterval(tick, 500);
  }

  showError() {
    const text = this.model.get("error");
    this.error.hidden = !text;
    this.error.replaceChildren(h("span", { class: "oc-grow" }, text),
      iconButton("close", "Close", () => this.set({ error: "" }), { class: "oc-button oc-icon-button oc-small" }));
  }

  showNotes() {
    const sampled = this.store.shown < this.store.total;
    this.notes.replaceChildren(...this.model.get("notes").map((text) => h("span", {}, text)));
    if (sampled) this.notes.append(textButton("Draw all as a density", () => this.model.send({ kind: "draw_all" }), { class: "oc-button oc-small" }));
  }

  key(event) {
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "range" && event.target.type !== "checkbox") return;
    const control = event.ctrlKey || event.metaKey;
    const letter = event.key.toLowerCase();
    const tools = { l: "lasso", r: "rectangle", h: "pan" };
    if (control && letter === "z") this.store.act(event.shiftKey ? "redo" : "undo");
    else if (control || event.altKey) return;
    else if (letter in tools) this.setTool(tools[letter]);
    else if (letter === "o") this.set({ only_selected: !this.model.get("only_selected") });
    else if (event.key === "?") this.help.hidden = !this.help.hidden;
    else if (event.key === "Escape") this.escape();
    else if (event.key === " ") this.plot.view.input.spaceHeld = this.slices.view.input.spaceHeld = true;
    else if (!this.viewKey(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  viewKey(event) {
    if (this.slices.view.element.contains(event.target)) return this.slices.key(event);
    if (!this.plot.view.element.contains(event.target)) return false;
    const steps = { ArrowLeft: [30, 0], ArrowRight: [-30, 0], ArrowUp: [0, 30], ArrowDown: [0, -30] };
    if (event.key in steps) this.plot.view.pan(...steps[event.key]);
    else if (event.key === "+" || event.key === "=") this.plot.view.zoom(1.25);
    else if (event.key === "-") this.plot.view.zoom(0.8);
    else if (event.key === "0") this.plot.view.reset();
    else return false;
    return true;
  }

  escape() {
    if (this.plot.tool.path || this.sliceTool.path) {
      this.plot.tool.cancel();
      this.sliceTool.cancel();
    } else {
      this.set({ focus: 0 });
    }
  }

  dispose() {
    clearInterval(this.clock);
    for (const owner of [this, this.store, this.plot, this.volume]) this.model.off(null, null, owner);
    this.slices.dispose();
    this.plot.view.dispose();
  }
}

function render({ model, el }) {
  const explorer = new Explorer(model, el);
  const release = (event) => {
    if (event.key === " ") explorer.plot.view.input.spaceHeld = explorer.slices.view.input.spaceHeld = false;
  };
  window.addEventListener("keyup", release);
  el.explorer = explorer;
  return () => {
    window.removeEventListener("keyup", release);
    explorer.dispose();
  };
}

export default { render };
