// The slice annotator in the browser: puts view, tools, panels and messages together.
import { choice, countOf, enable, fullScreenButton, h, iconButton, keepFocus, listen } from "./dom.js";
import { SlicePanel } from "./slice_panel.js";
import { helpDialog, hintFor } from "./annotator_help.js";
import { annotatorKey } from "./annotator_keys.js";
import { AnnotatorLayers } from "./annotator_layers.js";
import { AnnotatorMessages } from "./annotator_messages.js";
import {
  brushControls, displayPanel, mousePanel, objectsPanel, suggestButton, trainingPanel,
} from "./annotator_panels.js";
import { ClassList } from "./class_list.js";
import { Connection } from "./connection.js";
import { ImageStrip } from "./image_strip.js";
import { NextStep } from "./next_step.js";
import { Objects3D } from "./objects_3d.js";
import { TOOLS } from "./paint_tool.js";
import { hideSavedPicture } from "./saved_picture.js";
import { Scribbles } from "./scribbles.js";
import { Suggestion } from "./suggestion.js";

const BRUSH_DELAY = 200;
const DEFAULT_DISPLAY = { overlay: "prediction", contour: true, opacity: 0.8, annotations: true };

class AnnotatorView {
  constructor(source, root) {
    this.connection = new Connection(source, root, () => this.describeKept());
    this.connection.onLost = () => {
      this.tool.up(); // what is painted so far counts
      this.panel.togglePlay(false);
    };
    const { model } = this.connection;
    Object.assign(this, { model, root });
    this.display = { ...DEFAULT_DISPLAY, ...model.get("display") };
    this.brush = { tool: "brush", ball: false, right: "pan", wheel: "zoom", ...model.get("brush"), flat: model.get("volume").ndim === 2 };
    this.main = h("div", { class: "oc-main-column" });
    this.side = h("div", { class: "oc-side" });
    this.messages = new AnnotatorMessages(model);
    this.strip = new ImageStrip(model, (image) => this.showImage(image));
    root.classList.toggle("oc-several", this.strip.count > 1);
    root.append(this.strip.element, h("div", { class: "oc-columns" }, this.main, this.side));
    this.panel = new SlicePanel(model, this.main, {
      layers: ["image", "annotations", "labels"], whole: ["annotations"] });
    this.view = this.panel.view;
    this.layers = new AnnotatorLayers(model, this.panel, this.display);
    this.buildSide();
    this.buildBar();
    this.connect();
  }

  buildSide() {
    const { model } = this;
    this.classes = new ClassList(model, this.brush.value, (value) => {
      this.brush.value = value;
      this.brushChanged();
    });
    this.brush.value = this.classes.value;
    this.brush.color = () => this.classes.color();
    this.brushPanel = brushControls(this.brush, () => this.brushChanged());
    this.training = trainingPanel(model, () => this.train());
    this.displayPanel = displayPanel(model, this.display, () => {
      this.layers.request();
      this.layers.show();
    });
    this.objects = objectsPanel(model);
    this.suggestion = new Suggestion(this.panel);
    this.suggestButton = suggestButton(model);
    this.panel.slices.append(this.suggestButton.element);
    const contrast = h("section", { class: "oc-section" }, this.panel.contrast);
    this.side.append(this.classes.element, this.training.element, this.objects.element,
      this.displayPanel.element, contrast, mousePanel(this.brush, this.panel.volume.ndim, () => this.brushChanged()));
  }

  buildBar() {
    const { model } = this;
    const send = (kind) => () => model.send({ kind });
    this.toolChoice = choice(TOOLS, this.brush.tool, (tool) => this.setTool(tool), "Tool");
    this.undoButton = iconButton("undo", "Undo (ctrl Z)", send("undo"));
    this.redoButton = iconButton("redo", "Redo (ctrl shift Z)", send("redo"));
    const clear = iconButton("trash", "Erase this slice", () =>
      model.send({ kind: "clear_plane", axis: this.panel.axis, index: this.panel.index }));
    this.help = helpDialog();
    this.objects3d = new Objects3D(model, this.root, this.panel.stage);
    this.panel.bar.append(
      this.objects3d.tabs.element, this.toolChoice.element, ...this.brushPanel.elements, this.undoButton, this.redoButton, clear, this.messages.status,
      iconButton("fit", "Fit (0)", () => this.view.fit()), fullScreenButton(this.root) ?? "", iconButton("help", "Shortcuts (?)", () => this.help.showModal()));
    this.panel.stage.append(this.messages.said);
    this.hint = h("div", { class: "oc-hint oc-soft" });
    const foot = h("div", { class: "oc-foot" });
    this.panel.readout.replaceWith(foot);
    foot.append(this.panel.readout, this.hint);
    // Below the view: over it they would take scribbles, above it they would move it.
    foot.after(h("div", { class: "oc-below" }, this.messages.notices, this.messages.error.element));
    this.next = new NextStep(model);
    this.root.append(this.next.element, this.help);
  }

  connect() {
    const { model, panel } = this;
    this.scribbles = new Scribbles(model, panel, this.brush, {
      classes: this.classes, setSize: (size) => this.brushPanel.set(size), onChange: () => this.showStatus() });
    this.tool = this.scribbles.tool;
    panel.onPlane = (plane) => this.receivePlane(plane);
    panel.onMove = () => this.move();
    panel.describe = (row, col) => this.layers.describe(row, col, (value) => this.classes.name(value));
    panel.onVolume = () => this.reload();
    panel.onRequest = () => this.layers.request();
    const state = () => this.showState();
    const classes = () => {
      this.classes.render();
      this.layers.show();
    };
    this.stopListening = listen(model, {
      "msg:custom": (message, buffers) => this.receive(message, buffers),
      "change:state": state, "change:features": state, "change:max_depth": state, "change:n_estimators": state,
      "change:live": state, "change:training_channels": state, "change:segmentation": state, "change:path": state,
      "change:error": () => this.messages.error.show(), "change:notices": () => this.messages.showNotices(),
      "change:explorer_id": () => this.next.show(),
      "change:first": () => {
        this.layers.takeFirst();
        this.layers.request();
      },
      "change:marks": () => this.showMarks(), "change:classes": classes, "change:positive_class": classes,
    });
    this.release = annotatorKey(this);
    this.root.addEventListener("pointerover", ({ target }) => this.showHint(target));
    this.view.element.addEventListener("focus", () => this.showHint(this.view.element));
    this.releaseFocus = keepFocus(this.root, this.view.element);
    this.showState();
    this.move();
    panel.request();
    this.scribbles.recover();
  }

  dispose() {
    clearTimeout(this.savingBrush);
    this.connection.dispose();
    this.messages.dispose();
    this.release();
    this.releaseFocus();
    this.stopListening();
    this.objects3d.dispose();
    this.strip.dispose();
    this.layers.stop();
    this.panel.dispose();
  }

  // Messages

  receive(message, buffers) {
    // What comes late from an image that is no longer shown.
    if ((message.image ?? this.image) !== this.image) return;
    if (message.kind === "plane") this.panel.planes.receive(message, buffers);
    if (message.kind === "overlay") this.layers.planes.receive(message, buffers);
    if (message.kind === "trained") this.showTrained(message);
    if (message.kind === "kept") this.scribbles.acknowledge(message);
    if (message.kind === "painted") {
      if (message.jump !== null) this.suggestion.clear();
      this.scribbles.receive(message, buffers);
    }
    if (message.kind === "suggestion") this.suggestion.show(message);
    if (message.kind === "say") this.messages.say(message.text);
  }

  // Objects of an earlier training would hide what this one has changed.
  showTrained({ settles }) {
    this.layers.planes.forget();
    const { overlay } = this.display;
    if (!settles && (overlay === "labels" || (overlay === "none" && this.asked))) {
      this.displayPanel.setOverlay("prediction");
    }
    this.asked = false;
  }

  train() {
    this.asked = true;
    this.model.send({ kind: "train" });
  }

  // Several images

  get image() {
    return this.panel.volume.source;
  }

  showImage(image) {
    this.tool.up();
    this.model.send({ kind: "show", image, ...this.panel.leave() });
  }

  reload() {
    this.suggestion.clear();
    this.scribbles.reload(this.image);
    this.layers.reload();
    this.showState();
  }

  // The view

  receivePlane({ layers, axis, index }) {
    const [annotations] = layers.annotations;
    this.scribbles.setPlane(axis, index, annotations);
    this.layers.setPlane(layers);
    this.view.element.dataset.image = this.image;
    this.suggestion.receivePlane(index);
  }

  move() {
    this.scribbles.leavePlane();
    this.showMarks();
    this.layers.clear();
  }

  // Tools and panels

  setTool(tool) {
    this.tool?.leave();
    this.brush.tool = tool;
    this.toolChoice.set(tool);
    this.brushChanged();
  }

  // The brush is kept in a trait: a page that is loaded again finds it as it was.
  brushChanged() {
    this.view?.drawTop();
    this.panel.wheelZooms = this.brush.wheel !== "slices";
    clearTimeout(this.savingBrush);
    this.savingBrush = setTimeout(() => {
      const { size, ball, value, right, wheel } = this.brush;
      this.model.put({ brush: { size, ball, value, right, wheel } });
    }, BRUSH_DELAY);
  }

  // What the keys do here, while the pointer is here.
  showHint(target) {
    const inView = this.view.element.contains(target);
    const hasFocus = this.view.element.contains(document.activeElement);
    this.hint.textContent = inView ? hintFor(this.brush, this.panel.volume.ndim, hasFocus) : "";
  }

  showMarks() {
    this.panel.setMarks(this.model.get("marks")[this.panel.axis] ?? []);
  }

  showState() {
    const state = this.model.get("state");
    enable(this.undoButton, state.undo);
    enable(this.redoButton, state.redo);
    for (const panel of [this.training, this.objects, this.suggestButton, this.objects3d]) panel.refresh();
    this.classes.setCounts(state.painted ?? {}, state.used ?? []);
    if (state.objects_version !== this.objectsVersion) {
      this.objectsVersion = state.objects_version;
      this.panel.planes.invalidate("labels");
      if (this.objectsShown) this.displayPanel.setOverlay("labels");
    }
    this.objectsShown = true;
    this.showStatus();
    this.layers.show();
  }

  // What becomes of the scribbles when the kernel is gone.
  describeKept() {
    const { waiting } = this.scribbles;
    if (!this.model.get("save_to")) return "Scribbles were kept in the memory of the kernel only: use save_to to save them in a file.";
    if (!waiting) return "All scribbles are in the file.";
    return `${countOf(waiting, "scribble")} not in the file yet: kept in this browser and sent then.`;
  }

  showStatus() {
    const { waiting } = this.scribbles;
    this.connection.refresh();
    this.messages.showStatus(waiting);
    this.root.dataset.pending = waiting;
  }
}

export default {
  render({ model, el }) {
    const root = h("div", { class: "oc oc-annotator" });
    el.append(root);
    const view = new AnnotatorView(model, root);
    el.annotator = view;
    const forget = hideSavedPicture(el);
    return () => {
      forget();
      view.dispose();
    };
  },
};
