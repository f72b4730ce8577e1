// The linked explorer: plot, slices, 3D and panels around one ObjectStore. See protocol.py for the traits.
import { packColor } from "./colors.js";
import { ClassPanel } from "./class_panel.js";
import { Connection } from "./connection.js";
import { checkbox, choice, enable, fullScreenButton, h, iconButton, keepFocus, shieldKeys, slider } from "./dom.js";
import { EditPanel } from "./edit_panel.js";
import { ExplorerKeys } from "./explorer_keys.js";
import { GalleryPanel } from "./gallery_panel.js";
import { GroupsPanel } from "./groups_panel.js";
import { ImagePanel } from "./image_panel.js";
import { Notices } from "./notices.js";
import { ObjectCard } from "./object_card.js";
import { CLASS_COLUMN, GROUP_COLUMN, ObjectStore, toldOfObjects } from "./object_store.js";
import { PlotPanel } from "./plot_panel.js";
import { PlotTip } from "./plot_tip.js";
import { ProfilePanel } from "./profile_panel.js";
import { hideSavedPicture } from "./saved_picture.js";
import { SavePanel } from "./save_panel.js";
import { StepPanel } from "./steps_panel.js";
import { TableView, saveFile } from "./table_view.js";

const TOOLS = [
  { value: "lasso", icon: "lasso", label: "Lasso (L)" },
  { value: "rectangle", icon: "rectangle", label: "Rectangle (R)" },
  { value: "pan", icon: "pan", label: "Hand (H)" },
];

const MENUS = ".oce-save, .oce-menu, .oce-columns-fold, .oce-legend-more";

class Explorer {
  constructor(source, el) {
    this.root = h("div", { class: "oc oce", "data-ready": "false" });
    this.connection = new Connection(source, this.root);
    const { model } = this.connection;
    this.model = model;
    this.store = new ObjectStore(model);
    shieldKeys(this.root);
    this.root.tabIndex = -1;
    this.releaseFocus = keepFocus(this.root, this.root);
    el.append(this.root);
    this.hovered = 0;
    this.buildBar();
    this.notices = new Notices(model, this.store, this.root);
    this.notices.onBusy = (busy) => [this.reduce, this.cluster].forEach((panel) => panel.setBusy(busy));
    const views = h("div", { class: "oce-views" });
    const [left, right] = [h("section", { class: "oce-pane", "aria-label": "Plot" }), h("section", { class: "oce-pane", "aria-label": "Image" })];
    views.append(left, right);
    this.root.append(views);
    this.plot = new PlotPanel(model, this.store, left);
    this.panelPlace.replaceWith(this.plot.panelField);
    this.image = new ImagePanel(model, this.store, right);
    this.buildPanels();
    this.connect();
    this.plot.showColumns();
    this.store.recolor();
    this.notices.showBusy();
  }

  buildBar() {
    this.tools = choice(TOOLS, "lasso", (shape) => this.setTool(shape), "Tool");
    this.undo = iconButton("undo", "Undo (Ctrl+Z)", () => this.history.act("undo"));
    this.redo = iconButton("redo", "Redo (Ctrl+Shift+Z)", () => this.history.act("redo"));
    this.only = checkbox("Only selected", this.model.get("only_selected"), (value) => this.model.put({ only_selected: value }));
    this.follow = checkbox("Follow", false, () => {}, { title: "Go to the slice of the point under the pointer" });
    const size = slider("Point size", this.model.get("point_size"), { min: 1, max: 20, step: 0.5 }, (value) => this.model.put({ point_size: value }));
    this.keys = new ExplorerKeys(this);
    this.help = this.keys.help;
    this.save = new SavePanel(this.model, this.store);
    const fit = iconButton("fit", "Show all (0)", () => this.plot.view.reset());
    const question = iconButton("help", "Keys", () => (this.help.hidden = !this.help.hidden));
    this.bar = h("div", { class: "oc-bar oce-bar", role: "toolbar", "aria-label": "Explorer" }, this.tools.element,
      h("span", { class: "oc-choice" }, this.undo, this.redo), fit, this.only.element, this.follow.element,
      h("span", { class: "oce-size" }, size.element), this.panelPlace = h("span"), h("span", { class: "oc-grow" }), this.describeFile(), this.save.element, fullScreenButton(this.root) ?? "", question);
    this.root.append(this.bar, this.help);
    this.root.addEventListener("pointerdown", ({ target }) => this.closeMenus(target));
  }

  // A press elsewhere closes an open menu.
  closeMenus(target) {
    for (const menu of this.root.querySelectorAll(MENUS)) menu.open &&= menu.contains(target);
  }

  describeFile() {
    const path = this.model.get("_save_to");
    return path && h("span", { class: "oc-soft", title: `Every change is saved in ${path}` }, `Saved in ${path.split(/[\\/]/).pop()}`);
  }

  buildPanels() {
    const names = { groups: "Groups", classes: "Classes", edit: "Edit", reduce: "Reduce", cluster: "Cluster", profile: "Profile", table: "Table", gallery: "Gallery" };
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
    bar.append(h("span", { class: "oc-grow" }), this.notices.busy);
    this.card = new ObjectCard(this, bar);
    this.fold = iconButton("fold", "Hide the panels", () => this.foldPanels(!this.root.classList.contains("oce-folded")));
    this.fold.classList.add("oce-fold");
    bar.append(this.fold);
    this.root.append(bar, bodies);
    this.groups = new GroupsPanel(this.store, this.panels.groups);
    this.classes = new ClassPanel(this, this.panels.classes);
    this.edit = new EditPanel(this, this.panels.edit);
    this.reduce = new StepPanel(this.model, this.store, this.panels.reduce, "reduce");
    this.cluster = new StepPanel(this.model, this.store, this.panels.cluster, "cluster");
    this.profile = new ProfilePanel(this.store, this.panels.profile);
    this.table = new TableView(this.model, this.store, this.panels.table, this.model.get("_formats"));
    this.gallery = new GalleryPanel(this, this.panels.gallery);
    this.tip = new PlotTip(this.model, this.store, this.plot.stage);
    this.table.onRow = (label) => this.pick(this.store.slotOf.get(label) ?? 0, "replace");
    this.table.onHover = (label) => this.hover(this.store.slotOf.get(label) ?? 0);
  }

  // In full screen the views have the room of panels that are folded away.
  foldPanels(folded) {
    this.root.classList.toggle("oce-folded", folded);
    this.fold.setAttribute("aria-pressed", String(folded));
  }

  openPanel(name) {
    this.panel = name;
    this.foldPanels(false);
    if (name === "classes") this.classes.open();
    if (name === "groups" || name === "edit") this.classes.leave();
    if (name === "edit") this.edit.open();
    else if (name !== "table") this.edit.leave();
    for (const [other, body] of Object.entries(this.panels)) {
      body.hidden = other !== name;
      this.tabs[other].setAttribute("aria-selected", String(other === name));
    }
    if (name === "profile") this.profile.request(this.groupingColumn());
    if (name === "table") this.table.open(this.store.labels[this.store.focusSlot - 1]);
    if (name === "gallery") this.gallery.refresh();
    this[name]?.ask?.();
  }

  groupingColumn() {
    const color = this.model.get("color");
    return this.store.describe(color)?.kind === "category" ? color : GROUP_COLUMN;
  }

  connect() {
    const { model, store } = this;
    store.onColors = () => this.showColors();
    store.onGroups = () => this.showGroups();
    store.onClasses = () => this.showClasses();
    model.on("change:giving", () => this.showUndo(), this);
    this.plot.onGive = (chosen, mode) => {
      this.mode?.give([...this.store.labels].filter((_, row) => chosen[row]), mode);
      return this.mode !== null;
    };
    store.onObjects = () => {
      this.image.replaceObjects();
      store.recolor();
    };
    store.onColumns = () => {
      this.plot.showColumns();
      this.reduce.showColumns();
      this.cluster.showColumns();
      this.profile.showColumns();
      store.recolor();
      this.card.ask();
      if (this.panel === "table") this.table.refresh();
      this.gallery.refresh();
    };
    this.plot.onPick = this.image.onPick = (slot, mode) => this.pick(slot, mode);
    this.image.onHover = (slot) => this.hover(slot);
    this.image.onChoose = (chosen, mode, gesture) => this.plot.tell(chosen, mode, gesture);
    this.plot.view.onRow = (row) => {
      this.hover(row + 1);
      this.tip.point(row + 1);
      if (row >= 0 && this.follow.input.checked) this.seek(this.store.labels[row]);
    };
    this.reduce.showColumns();
    this.cluster.showColumns();
    this.profile.showColumns();
    model.on("msg:custom", (message, buffers) => this.receive(message, buffers), this);
    model.on("change:focus change:_shown", () => this.showFocus(), this);
    model.on("change:x change:y change:color", () => this.card.ask(), this);
    model.on("change:only_selected", () => (this.only.input.checked = model.get("only_selected")), this);
    this.showGroups();
    this.showFocus();
  }

  receive(message, buffers) {
    if (message.kind === "plane") return this.image.slices.planes.receive(message, buffers);
    if (message.view && message.view !== this.store.client) return; // another page has asked
    if (message.kind === "column") this.store.receiveColumn(message, buffers);
    else if (message.kind === "rows") this.table.receive(message);
    else if (message.kind === "row") this.card.show(message);
    else if (message.kind === "gallery") this.gallery.receive(message, buffers);
    else if (message.kind === "tip") this.tip.receive(message, buffers);
    else if (message.kind === "code") this.save.receive(message);
    else if (message.kind === "profile") this.profile.receive(message);
    else if (message.kind === "used") this[message.step].receiveUsed(message);
    else if (message.kind === "scan") this.cluster.receiveScan(message);
    else if (message.kind === "file") saveFile(message.name, buffers[0]);
    else if (message.kind === "found" && message.voxel) this.image.goTo(message.voxel, message.image);
  }

  setTool(shape) {
    this.tools.set(shape);
    for (const taker of [this.plot, this.image, this.edit]) taker.setShape(shape);
  }

  hover(slot) {
    if (slot === this.hovered) return;
    this.hovered = slot;
    this.image.outline("hovered", slot, packColor([255, 255, 255]));
    this.plot.view.mark(slot > 0 && slot <= this.store.shown ? slot - 1 : -1, "hover");
    this.root.dataset.hovered = slot ? this.store.labels[slot - 1] : "";
  }

  // Mark an object, and with a key pressed choose it.
  pick(slot, mode) {
    const label = slot ? this.store.labels[slot - 1] : 0;
    if (this.mode) {
      this.store.mark(slot);
      this.mode.pick(label, mode);
    } else if (mode === "replace") {
      this.store.mark(slot);
    } else if (slot > 0 && slot <= this.store.shown) {
      const chosen = new Uint8Array(this.store.shown);
      chosen[slot - 1] = 1;
      this.plot.tell(chosen, mode, { shape: "objects", objects: [label] });
    }
  }

  seek(label) {
    if (this.image.pointed() === this.store.slotOf.get(label)) return;
    this.store.ask({ kind: "find", label });
  }

  showColors() {
    this.plot.showColors();
    this.image.showColors();
    this.gallery.paint();
    this.root.dataset.ready = "true";
  }

  showGroups() {
    const { list } = this.store.groups;
    this.showUndo();
    this.groups.show();
    this.classes.show();
    this.plot.showLegend();
    this.root.dataset.groups = list.map(({ group, size }) => `${group}:${size}`).join(" ");
    if (this.panel === "profile") this.profile.request();
    if (this.panel === "table") this.table.refresh();
    this.gallery.refresh();
  }

  showClasses() {
    this.classes.show();
    this.showUndo();
    if (this.model.get("color") === CLASS_COLUMN) this.plot.showLegend();
    if (this.panel === "table") this.table.refresh();
    this.gallery.refresh();
    this.card.ask();
  }

  // Undo and redo are those of what clicks give: edits, classes or groups.
  get history() { return this.mode ?? this.store; }

  // What takes clicks and shapes: a mode, or null where they mark and make groups.
  get mode() {
    return [this.edit, this.classes].find(({ isOn }) => isOn) ?? null;
  }

  showUndo() {
    const { undo, redo } = this.edit.isOn ? this.model.get("_edits") : this.classes.isOn ? this.store.classes : this.store.groups;
    enable(this.undo, undo);
    enable(this.redo, Boolean(redo));
  }

  showFocus() {
    const slot = this.store.focusSlot;
    const label = slot ? this.store.labels[slot - 1] : 0;
    this.image.outline("focus", slot, packColor([255, 235, 59]));
    this.plot.view.mark(slot > 0 && slot <= this.store.shown ? slot - 1 : -1, "focus");
    this.table.mark(label);
    if (this.panel === "table") this.table.find(label);
    this.gallery.mark();
    if (slot) this.seek(label);
    this.card.ask();
  }

  dispose() {
    this.releaseFocus();
    this.connection.dispose();
    this.keys.dispose();
    for (const owner of [this, this.classes, this.edit, this.gallery, this.image, this.image.series, this.image.volume, this.notices, this.plot, this.store]) this.model.off(null, null, owner);
    this.reduce.dispose();
    this.cluster.dispose();
    this.notices.dispose();
    this.tip.dispose();
    this.image.dispose();
    this.plot.view.dispose();
  }
}

async function render({ model, el }) {
  await toldOfObjects(model);
  const explorer = new Explorer(model, el);
  el.explorer = explorer;
  const forget = hideSavedPicture(el);
  return () => {
    forget();
    explorer.dispose();
  };
}

export default { render };
