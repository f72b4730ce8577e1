// A slice view with what belongs to it: axis, slice slider with marks and play, zoom, readout, contrast.
//
// const panel = new SlicePanel(model, host, {layers: ["image", "labels"], whole: []});
// panel.view, panel.planes                     the SliceView and the PlaneClient
// panel.onPlane = (plane) => ...               hand further layers to panel.view.setLayer; the image is done here
// panel.onRequest = () => ...                  something else is seen: ask for what belongs to it
// panel.describe = (row, col, voxel) => text   more for the readout
// panel.bar                                    an element above the view, for further buttons
// panel.onVolume = () => ...                  another image is shown
// panel.goTo(axis, index, voxel?)              with a voxel the view is centred there if it is out of sight
// panel.setMarks([index, ...])                 ticks on the slider
// panel.key(event) -> bool                     arrows, page up and down, home, end, zoom keys
// panel.contrast                               an element with the channels and their histograms
// The traits volume, channels, axis and position are SliceWidget's (base.py).
import { parseColor } from "./colors.js";
import { choice, h, icon, iconButton, listen } from "./dom.js";
import { ContrastPanel } from "./contrast_panel.js";
import { PLANE_NAMES, clamp, planeShape, planeSpacing, toScreen, voxelAt } from "./geometry.js";
import { typedArray } from "./pixels.js";
import { PlaneClient } from "./plane_client.js";
import { SliceView } from "./slice_view.js";

const SAVE_DELAY = 120;
const PLAY_INTERVAL = 120;
const WAIT_DELAY = 400;

export class SlicePanel {
  constructor(model, host, { layers = ["image"], whole = [] } = {}) {
    this.model = model;
    this.volume = model.get("volume");
    this.axis = model.get("axis");
    this.position = [...model.get("position")];
    model.set("_source", model.get("volume").source);
    this.onPlane = this.onMove = this.onRequest = this.onVolume = () => {};
    this.describe = () => "";
    this.bar = h("div", { class: "oc-bar" });
    this.stage = h("div", { class: "oc-stage" });
    host.append(this.bar, this.stage);
    this.view = new SliceView(this.stage, { unit: this.volume.unit });
    this.planes = new PlaneClient(model, { shape: this.volume.shape, layers, whole });
    this.planes.onPlane = (plane) => this.receivePlane(plane);
    this.planes.onWaiting = (count) => this.showWaiting(count > 0);
    this.view.onTransform = () => this.request();
    this.wheelZooms = true;
    this.view.onWheel = (event) => this.wheel(event);
    this.view.onHover = (row, col, event) => this.hover(row, col, event);
    this.takeFirst();
    this.buildSlider(host);
    this.contrastPanel = new ContrastPanel(model, this.view);
    this.contrast = this.contrastPanel.element;
    this.follow();
    this.setChannels();
    this.showPlane();
  }

  dispose() {
    clearInterval(this.playing);
    clearTimeout(this.saving);
    clearTimeout(this.waiting);
    this.stopListening();
    this.view.dispose();
  }

  // Most answers are there before a sign of waiting would be seen; each change of it costs the browser a frame.
  showWaiting(isWaiting) {
    const { classList } = this.view.element;
    if (isWaiting) {
      this.waiting ??= setTimeout(() => classList.add("oc-waiting"), WAIT_DELAY);
    } else if (this.waiting) {
      clearTimeout(this.waiting);
      this.waiting = null;
      if (classList.contains("oc-waiting")) classList.remove("oc-waiting");
    }
  }

  get index() {
    return this.position[this.axis];
  }

  buildSlider(host) {
    const axes = PLANE_NAMES.map((text, value) => ({ value, text, label: `Show ${text} planes` }));
    this.axisChoice = choice(axes, this.axis, (axis) => this.goTo(axis, this.position[axis]), "Plane");
    const flat = this.volume.ndim === 2;
    this.range = h("input", {
      type: "range", class: "oc-range oc-slice-range", min: 0, step: 1, "aria-label": "Slice",
      oninput: () => this.goTo(this.axis, Number(this.range.value)),
    });
    this.number = h("output", { class: "oc-slice-number" });
    this.marks = h("div", { class: "oc-marks", "aria-hidden": "true" });
    this.playButton = iconButton("play", "Play (P)", () => this.togglePlay());
    this.readout = h("div", { class: "oc-readout", role: "status" });
    const track = h("div", { class: "oc-slice-track" }, this.marks, this.range);
    const row = h("div", { class: "oc-slices", hidden: flat },
      this.axisChoice.element, this.playButton, track, this.number);
    this.slices = row;
    host.append(row, this.readout);
  }

  // The plane that came with the widget.
  takeFirst() {
    const { plane, buffers } = this.model.get("first");
    if (plane) this.planes.offer(plane, buffers);
  }

  follow() {
    const { model } = this;
    const onFirst = () => {
      this.takeFirst();
      this.request();
    };
    const onPosition = () => {
      if (this.readVolume()) return;
      const axis = model.get("axis");
      const position = model.get("position");
      if (axis === this.axis && String(position) === String(this.position)) return;
      if (this.saving) return; // what is on its way to the kernel is newer
      this.axis = axis;
      this.position = [...position];
      this.showPlane();
    };
    this.stopListening = listen(model, {
      "change:axis": onPosition, "change:volume": () => this.readVolume(), "change:position": onPosition, "change:channels": () => this.setChannels(),
      "change:first": onFirst,
    });
  }

  // Another image is shown from now on, where the volume has another source.
  readVolume() {
    const volume = this.model.get("volume");
    if (volume.source === this.volume.source) return false;
    clearTimeout(this.saving);
    this.model.set("_source", volume.source);
    Object.assign(this, { volume, saving: null, axis: this.model.get("axis"), position: [...this.model.get("position")] });
    this.planes.reset(volume.shape, volume.source);
    this.renewContrast();
    this.showPlane();
    this.onVolume();
    return true;
  }

  // The histograms are those of the image.
  renewContrast() {
    const { contrast } = this;
    this.contrastPanel = new ContrastPanel(this.model, this.view);
    this.contrast = this.contrastPanel.element;
    contrast.replaceWith(this.contrast);
    this.setChannels();
  }

  setChannels() {
    const channels = this.model.get("channels");
    const maps = this.model.get("_maps");
    this.view.setChannels(channels.map((channel) => ({
      ...channel, rgb: parseColor(channel.color), shades: channel.map && typedArray(maps[channel.map], "uint8") })));
    this.contrastPanel.update(channels);
  }

  goTo(axis, index, voxel = null) {
    this.axis = axis;
    if (voxel) this.position = [...voxel];
    this.position[axis] = clamp(index, 0, this.volume.shape[axis] - 1);
    this.showPlane();
    if (voxel) this.centre(voxel);
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.savePosition(), SAVE_DELAY);
  }

  savePosition() {
    clearTimeout(this.saving);
    const shown = this.model.get("_shown") ?? this.volume.source;
    if (shown === this.volume.source) { // else another image is on its way
      this.saving = true; // or the change of one trait would bring back the old value of the other
      this.model.put({ axis: this.axis, position: [...this.position] });
    }
    this.saving = null;
  }

  // Another image is asked for: where this one is left. What is still on its way as a trait may come after that.
  leave() {
    clearTimeout(this.saving);
    this.saving = null;
    return { source: this.volume.source, axis: this.axis, position: this.position };
  }

  centre(voxel) {
    const [row, col] = voxel.filter((_, other) => other !== this.axis);
    const { transform, size } = this.view;
    if (!transform || this.view.showsAll()) return;
    const [x, y] = toScreen(transform, row + 0.5, col + 0.5);
    const inside = x > 20 && y > 20 && x < size[0] - 20 && y < size[1] - 20;
    if (!inside) this.view.pan(size[0] / 2 - x, size[1] / 2 - y);
  }

  showPlane() {
    const { shape, spacing } = this.volume;
    this.axisChoice.set(this.axis);
    this.range.max = shape[this.axis] - 1;
    this.range.value = this.index;
    this.range.setAttribute("aria-valuetext", `${PLANE_NAMES[this.axis]} slice ${this.index} of ${shape[this.axis]}`);
    this.number.textContent = `${this.index} / ${shape[this.axis] - 1}`;
    this.view.setPlane({ shape: planeShape(shape, this.axis), spacing: planeSpacing(spacing, this.axis) });
    this.onMove(this.axis, this.index);
    this.request();
  }

  request() {
    if (!this.view.transform) return;
    this.planes.show(this.axis, this.index, this.view.screen());
    this.onRequest();
  }

  receivePlane(plane) {
    this.view.setImage(plane.layers.image);
    this.view.element.dataset.axis = plane.axis;
    this.view.element.dataset.index = plane.index;
    this.view.element.dataset.source = this.volume.source;
    this.onPlane(plane);
  }

  setMarks(indices) {
    const last = Math.max(1, this.volume.shape[this.axis] - 1);
    this.marks.replaceChildren(...indices.map((index) =>
      h("i", { style: `left: ${(100 * index) / last}%` })));
  }

  togglePlay(play = !this.playing) {
    clearInterval(this.playing);
    this.playing = play ? setInterval(() => {
      this.goTo(this.axis, (this.index + 1) % this.volume.shape[this.axis]);
    }, PLAY_INTERVAL) : null;
    const label = play ? "Pause (P)" : "Play (P)";
    this.playButton.replaceChildren(icon(play ? "pause" : "play"));
    this.playButton.title = label;
    this.playButton.setAttribute("aria-label", label);
  }

  // The wheel zooms and with Shift goes through the slices; without wheelZooms the other way round.
  wheel(event) {
    if (this.volume.ndim === 2 || event.shiftKey !== this.wheelZooms) return false;
    this.goTo(this.axis, this.index + Math.sign(event.deltaY || event.deltaX));
    return true;
  }

  hover(row, col, event) {
    const [rows, cols] = this.view.shape;
    const outside = !event || row < 0 || col < 0 || row >= rows || col >= cols;
    this.cursor = outside ? null : [row, col];
    if (outside) this.readout.textContent = "";
    else this.readout.replaceChildren(...this.readoutParts(row, col));
  }

  readoutParts(row, col) {
    const { ndim, spacing, unit } = this.volume;
    const voxel = voxelAt(this.axis, this.index, row, col);
    const axes = [0, 1, 2].slice(3 - ndim);
    const parts = [axes.map((axis) => `${"zyx"[axis]} ${voxel[axis]}`).join("  ")];
    if (unit !== "px") {
      parts.push(`${axes.map((axis) => ((voxel[axis] + 0.5) * spacing[axis]).toFixed(1)).join(", ")} ${unit}`);
    }
    const channels = this.model.get("channels");
    const values = this.view.imageValues(row, col).map((stored, which) =>
      Number((channels[which].offset + stored * channels[which].scale).toPrecision(6)));
    if (values.length) parts.push(`value ${values.join(", ")}`);
    parts.push(this.describe(row, col, voxel));
    return parts.filter(Boolean).map((text) => h("span", {}, text));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const last = this.volume.shape[this.axis] - 1;
    const jump = Math.max(1, Math.round(last / 10));
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -jump, PageDown: jump, Home: -last, End: last };
    if (event.key in moves) this.goTo(this.axis, this.index + moves[event.key]);
    else if (event.key === "+" || event.key === "=" || event.key === "z") this.view.zoom(1.25);
    else if (event.key === "-" || event.key === "Z") this.view.zoom(0.8);
    else if (event.key === "0") this.view.fit();
    else if (event.key === "p" || event.key === "P") this.togglePlay();
    else return false;
    return true;
  }
}
