// The annotator's keys. They work while the focus is within the widget, and reach nothing else there.
import { shieldKeys } from "./dom.js";
import { TOOLS } from "./paint_tool.js";

const TAP = 300;

// Listen to keys of an AnnotatorView; returns a function that stops it.
export function annotatorKey(view) {
  const { root, model } = view;
  const abort = new AbortController();
  const hide = { since: 0, tapped: false };

  const actions = {
    "[": () => view.brushPanel.set(view.brush.size - 1),
    "]": () => view.brushPanel.set(view.brush.size + 1),
    "-": () => view.classes.step(-1),
    "=": () => view.classes.step(1),
    m: () => view.classes.add(),
    b: () => view.brushPanel.toggleBall(),
    t: () => view.train(),
    ",": () => view.strip.step(-1),
    ".": () => view.strip.step(1),
    l: () => model.send({ kind: "set", name: "live", value: !model.get("live") }),
    s: () => model.send({ kind: "suggest" }),
    c: () => view.displayPanel.toggleContour(),
    "?": () => view.help.showModal(),
  };

  // A plain key stays within the widget: the notebook would add or delete cells on some of them.
  function down(event) {
    const plain = event.key.length === 1 && !event.ctrlKey && !event.metaKey;
    const handled = !isTyping(event.target) && !view.help.open && handle(event);
    if (handled) event.preventDefault();
    if (handled || plain || isTyping(event.target)) event.stopPropagation();
  }

  function handle(event) {
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && (key === "z" || key === "y")) {
      model.send({ kind: key === "y" || event.shiftKey ? "redo" : "undo" });
      return true;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const tool = TOOLS.find((item) => item.key === key);
    if (tool) view.setTool(tool.value);
    else if (key === " " && event.target === view.view.element) view.view.input.spaceHeld = true;
    else if (key === "v") startHiding(event);
    else if (view.tool.corners && key === "enter") view.tool.close();
    else if (view.tool.corners && key === "escape") view.tool.cancel();
    else if (actions[key]) actions[key]();
    else if (event.target.matches("input, select, summary, button") && isForControl(event)) return false;
    else return view.panel.key(event);
    return true;
  }

  // Held, V hides the overlays; a tap switches them.
  function startHiding(event) {
    if (event.repeat) return;
    hide.tapped = view.layers.hidden;
    hide.since = performance.now();
    view.layers.hide(true);
  }

  function up(event) {
    if (event.key === " ") view.view.input.spaceHeld = false;
    if (event.key.toLowerCase() !== "v" || !hide.since) return;
    const held = performance.now() - hide.since > TAP;
    hide.since = 0;
    view.layers.hide(!held && !hide.tapped);
  }

  shieldKeys(root);
  root.addEventListener("keydown", down, { signal: abort.signal });
  root.addEventListener("keyup", up, { signal: abort.signal });
  return () => abort.abort();
}

function isTyping(target) {
  return target.matches('input[type="text"], input[type="number"], input:not([type]), textarea');
}

// Arrows, space and the like belong to the slider, list or button that has the focus.
function isForControl(event) {
  return event.key.startsWith("Arrow") || ["Home", "End", "PageUp", "PageDown", " ", "Enter"].includes(event.key);
}
