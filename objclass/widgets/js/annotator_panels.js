// The annotator's panels beside the view: brush, training, what is shown, objects.
import { checkbox, choice, countOf, enable, foldOut, h, numberField, slider, textButton } from "./dom.js";

const NOTHING = { task: {}, saved: "" };

// `title` may be a list: the title, and elements beside it.
function section(title, ...children) {
  const [name, ...beside] = [title].flat();
  return h("section", { class: "oc-section" }, h("header", { class: "oc-head" }, h("h4", {}, name), ...beside), ...children);
}

// The brush's size and shape, for the bar above the view. `onChange` after each change.
export function brushControls(brush, onChange) {
  const text = h("output", { class: "oc-soft oc-value" });
  const size = slider("", brush.size, { min: 1, max: 60, step: 1 }, (value) => set(value));
  size.input.setAttribute("aria-label", "Brush size");
  size.input.title = "Brush size ([ and ], or Ctrl + wheel)";
  size.element.append(text);
  size.element.classList.add("oc-brush-size");
  const set = (value) => {
    brush.size = Math.max(1, Math.min(60, value));
    size.input.value = brush.size;
    text.textContent = `${brush.size} px`;
    onChange();
  };
  const ball = checkbox("3D ball", brush.ball, (checked) => {
    brush.ball = checked;
    onChange();
  }, { title: "Annotate neighbouring slices, too, within the radius of the brush (B)" });
  text.textContent = `${brush.size} px`;
  const toggleBall = () => {
    ball.input.checked = brush.ball = !brush.ball;
    onChange();
  };
  return { elements: [size.element, brush.flat ? null : ball.element].filter(Boolean), set, toggleBall };
}

// What the right button and the wheel do: choices that are kept with the brush.
export function mousePanel(brush, ndim, onChange) {
  const put = (name) => (value) => {
    brush[name] = value;
    onChange();
  };
  const row = (text, items, name) => h("div", { class: "oc-field" }, h("span", {}, text), choice(items, brush[name], put(name), text).element);
  const right = row("Right button", [{ value: "pan", text: "pans" }, { value: "erase", text: "erases" }], "right");
  const wheel = ndim === 2 ? null
    : row("Wheel", [{ value: "zoom", text: "zooms", label: "With Shift: slices" }, { value: "slices", text: "slices", label: "With Shift: zooms" }], "wheel");
  return h("section", { class: "oc-section" }, foldOut("Mouse", false, ...[right, wheel].filter(Boolean)));
}

// Where the classifier is kept: in few words, and in full.
function describeFile(state, path) {
  if (!path) return ["Kept in memory only", "Kept in memory only"];
  const name = path.split(/[\\/]/).pop();
  return {
    asked: ["Not saved: choose first", `Not saved: choose what to do with ${path}`],
    saved: [`Saved in ${name}`, `Saved in ${path}`],
    loaded: [`Loaded from ${name}`, `Loaded from ${path}`],
    behind: ["Not saved: press Train", `Train saves it in ${path}`],
  }[state] ?? ["Not saved yet", `Each training is saved in ${path}`];
}

// Which channels the classifier learns from; null where there is one only.
function channelsPanel(model, send) {
  const channels = model.get("channels");
  const choose = () => {
    const chosen = boxes.flatMap(({ input }, which) => (input.checked ? [which] : []));
    if (chosen.length) send(chosen);
    else refresh(); // the last one stays
  };
  const boxes = channels.map(({ name }) => checkbox(name, true, choose, { "aria-label": `Learn from ${name}` }));
  const element = foldOut("", false, ...boxes.map((box) => box.element));
  const summary = element.querySelector("summary");
  element.classList.add("oc-learns");
  element.hidden = channels.length === 1;
  const refresh = () => {
    const chosen = model.get("training_channels");
    boxes.forEach(({ input }, which) => (input.checked = chosen.includes(which)));
    const all = chosen.length === channels.length;
    summary.textContent = `Learns from ${all ? "all channels" : chosen.map((which) => channels[which].name).join(", ")}`;
  };
  return { element, refresh };
}

// Sends "set" for what only the kernel can check; it sends the trait back.
export function trainingPanel(model, onTrain) {
  const send = (name) => (value) => model.send({ kind: "set", name, value });
  const train = textButton("Train", onTrain, { class: "oc-button oc-main", title: "Train (T)" });
  const live = checkbox("Live", model.get("live"), send("live"), { title: "Train after each scribble (L)" });
  const sets = model.get("feature_sets");
  const list = h("select", { class: "oc-select", "aria-label": "Predefined features" },
    ...sets.map((name) => h("option", { value: name }, name)), h("option", { value: "" }, "own specification"));
  const own = h("input", { type: "text", class: "oc-text", "aria-label": "Features", spellcheck: "false" });
  list.addEventListener("change", () => (list.value ? send("features")(list.value) : own.focus()));
  own.addEventListener("change", () => send("features")(own.value));
  const preset = h("select", { class: "oc-select", title: "objclass: extremely randomized trees; objects are smoothed, split and cleaned. "
    + "APOC: the forest and the objects of APOC", onchange: () => send("preset")(preset.value) },
    h("option", { value: "default" }, "objclass"), h("option", { value: "apoc" }, "APOC"));
  const depth = numberField("Depth", model.get("max_depth"), {
    min: 1, max: 20, optional: true, title: "Maximum depth of a tree; empty: the default of the preset" }, send("max_depth"));
  const trees = numberField("Trees", model.get("n_estimators"), { min: 1, max: 1000 }, send("n_estimators"));
  const learns = channelsPanel(model, send("training_channels"));
  const file = h("span", { class: "oc-file oc-soft" });
  const badge = h("span", { class: "oc-badge", role: "status" });
  const bar = h("progress", { class: "oc-progress", "aria-label": "Compiling" });
  const element = section(["Classifier", file],
    h("div", { class: "oc-row" }, train, live.element, h("span", { class: "oc-grow" }), badge), bar, learns.element,
    foldOut("Features and forest", false, h("label", { class: "oc-field" }, h("span", {}, "Preset"), preset), list, own,
      h("div", { class: "oc-two" }, depth.element, trees.element)));
  const refresh = () => {
    const features = model.get("features");
    list.value = sets.includes(features) ? features : "";
    own.value = features;
    depth.set(model.get("max_depth"));
    trees.set(model.get("n_estimators"));
    live.input.checked = model.get("live");
    learns.refresh();
    const state = { ...NOTHING, ...model.get("state") };
    preset.value = state.recipe;
    enable(train, !state.training);
    const current = state.exact ? "up to date" : "preview";
    const busy = state.compiling ? "compiling, once only…" : "training…";
    badge.textContent = state.training ? busy : !state.trained ? "" : state.stale ? "out of date" : current;
    bar.hidden = !(state.training && state.compiling);
    badge.title = state.exact || !state.trained ? "" : "Trained on a part of the scribbles; Train uses all of them";
    badge.classList.toggle("oc-stale", Boolean(state.stale) && !state.training);
    [file.textContent, file.title] = describeFile(state.file, model.get("path"));
    file.classList.toggle("oc-warned", state.file === "asked");
  };
  refresh();
  return { element, refresh };
}

// `display` = {overlay, contour, opacity, annotations}, kept in the trait of that name.
export function displayPanel(model, display, onChange) {
  const save = () => {
    model.put({ display: { ...display } });
    onChange();
  };
  const put = (name) => (value) => {
    display[name] = value;
    save();
  };
  const overlays = choice([
    { value: "none", text: "None", label: "Show the image alone" },
    { value: "prediction", text: "Classes", label: "Show the predicted classes of this slice" },
    { value: "labels", text: "Objects", label: "Show the objects" },
    { value: "uncertainty", text: "Uncertainty", label: "Show the uncertainty of the classifier" },
  ], display.overlay, put("overlay"), "Overlay");
  const contour = choice([
    { value: true, text: "Contours" }, { value: false, text: "Filled" },
  ], display.contour, put("contour"), "How overlays are drawn");
  const opacity = slider("Opacity", display.opacity, { min: 0.1, max: 1, step: 0.05 }, (value) => {
    display.opacity = value;
    onChange();
  });
  opacity.input.addEventListener("change", save);
  const strokes = checkbox("Scribbles", display.annotations, put("annotations"));
  const element = section("Show", overlays.element,
    h("div", { class: "oc-row" }, contour.element, h("span", { class: "oc-grow" }), strokes.element), opacity.element);
  const setOverlay = (value) => {
    display.overlay = value;
    overlays.set(value);
    save();
  };
  const toggleContour = () => {
    display.contour = !display.contour;
    contour.set(display.contour);
    save();
  };
  return { element, setOverlay, toggleContour };
}

// A size as segment takes it, "10%", "4 um3" or 20, times a factor.
function scaleSize(text, factor) {
  const [, number, unit] = /^\s*([\d.]+)\s*(.*)$/.exec(text) ?? [null, "0", ""];
  const scaled = Number((Number(number) * factor || (factor > 1 ? 10 : 0)).toPrecision(3));
  if (!unit) return Math.round(scaled);
  return unit === "%" ? `${Math.min(100, scaled)}%` : `${scaled} ${unit}`;
}

export function objectsPanel(model) {
  const segment = textButton("Segment", () => model.send({ kind: "segment" }),
    { class: "oc-button oc-main", title: "Segment the objects in the whole image" });
  const all = textButton("All", () => model.send({ kind: "segment", all: true }),
    { title: "Segment the objects in all images" });
  all.hidden = model.get("image_list").length < 2;
  const cancel = textButton("Cancel", () => model.send({ kind: "cancel" }));
  const count = h("span", { class: "oc-badge oc-objects", role: "status" });
  const bar = h("progress", { class: "oc-progress", max: 1, "aria-label": "Progress" });
  const send = (name) => (value) => model.send({ kind: "option", name, value });
  const size = h("input", {
    type: "text", "aria-label": "Minimum size", class: "oc-number", title: 'Smaller objects are removed: voxels ("20"), a size ("4 um3") or a percentage of the typical size ("10%")',
    onchange: () => send("min_size")(isNaN(size.value) ? size.value : Number(size.value)) });
  const times = (factor) => () => send("min_size")(scaleSize(size.value, factor));
  const smaller = textButton("÷2", times(0.5), { class: "oc-button oc-small", "aria-label": "Smaller minimum size" });
  const larger = textButton("×2", times(2), { class: "oc-button oc-small", "aria-label": "Larger minimum size" });
  const split = h("select", { class: "oc-select", title: "How touching objects are split", onchange: () => send("split")(split.value) },
    ...[["none", "no"], ["auto", "automatic"], ["distance", "by shape"], ["tree", "by probability"]]
      .map(([value, text]) => h("option", { value }, text)));
  const smooth = numberField("Smooth", 0, { min: 0, max: 20, step: 0.1, title: "Sigma of the Gaussian over the probability, in voxels" }, send("smooth"));
  const threshold = numberField("Threshold", 0.5, { min: 0, max: 1, step: 0.05, title: "Pixels with a higher probability are foreground" }, send("threshold"));
  const certainty = numberField("Certainty", 0, { min: 0, max: 1, step: 0.05, title: "Objects less certain than this fraction of the typical certainty are removed" }, send("min_certainty"));
  const holes = checkbox("Fill holes", false, send("fill_holes"));
  const field = (text, input) => h("label", { class: "oc-field" }, h("span", {}, text), input);
  const next = textButton("Measure and explore", () => model.send({ kind: "explore" }), {
    title: `Measure the objects${all.hidden ? "" : " of all segmented images"} and show them in the explorer, below` });
  const element = section("Objects",
    h("div", { class: "oc-row" }, segment, all, cancel, h("span", { class: "oc-grow" }), count), bar,
    foldOut("Size, splitting, threshold", false, h("div", { class: "oc-row" }, h("span", { class: "oc-grow" }, "Minimum size"), smaller, larger, size), field("Split touching", split),
      h("div", { class: "oc-two" }, smooth.element, threshold.element),
      h("div", { class: "oc-two" }, certainty.element, holes.element)), next);
  const refresh = () => {
    const { task, objects, objects_stale: stale, stale: outdated, trained, compiling } = { ...NOTHING, ...model.get("state") };
    const running = Boolean(task.title);
    enable(segment, !running);
    enable(all, !running);
    enable(next, !running && objects > 0);
    cancel.hidden = !running;
    bar.classList.toggle("oc-away", !running);
    if (running && task.fraction !== null && !compiling) bar.value = task.fraction;
    else bar.removeAttribute("value");
    const trains = !trained || outdated ? "trains first" : "";
    count.textContent = running ? `${compiling ? "Compiling on first use" : task.title}…` : [(objects ?? null) === null ? "" : countOf(objects, "object"), trains]
      .filter(Boolean).join(" · ");
    count.classList.toggle("oc-stale", Boolean(stale));
    count.title = stale ? "Made before the last change: segment again" : "";
    const options = model.get("state").segmentation;
    if (!options) return;
    size.value = options.min_size;
    split.value = options.split;
    holes.input.checked = options.fill_holes;
    smooth.set(options.smooth);
    threshold.set(options.threshold);
    certainty.set(options.min_certainty);
  };
  refresh();
  return { element, refresh };
}

// For the row of the slices: where the next scribbles help most.
export function suggestButton(model) {
  const element = textButton("Suggest a slice", () => model.send({ kind: "suggest" }),
    { title: "Go to the most uncertain slice (S)", class: "oc-button oc-small oc-suggest" });
  const refresh = () => {
    const { suggesting } = model.get("state");
    enable(element, !suggesting);
    element.textContent = suggesting ? "Looking…" : "Suggest a slice";
  };
  return { element, refresh };
}
