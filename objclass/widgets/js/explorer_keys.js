// The explorer's keys, and the help that lists them.
import { h } from "./dom.js";

const KEYS = [
  ["drag", "Select group 1 and clear all other groups"],
  ["Shift + drag", "Select the next group"],
  ["Ctrl or ⌘ + drag", "Add to the last group"],
  ["Alt + drag", "Remove from the groups"],
  ["click", "Mark an object; with a key above: select it"],
  ["L, R, H", "Lasso, rectangle, hand"],
  ["wheel", "Zoom to the pointer; over an axis: that axis only"],
  ["Space + drag, right drag", "Move"],
  ["double click, 0", "Show all"],
  ["Ctrl or ⌘ + Z, Shift + Z", "Undo, redo"],
  ["O", "Only selected objects"],
  ["1 to 9, N", "In Classes: the class that a click assigns, the next object"],
  ["S, C, G, M, Delete", "In Edit: select, cut, grow, merge, delete"],
  ["← →, Page, Home, End", "Slices, in the slice view"],
  ["Esc", "Cancel drawing, unmark"],
];
export class ExplorerKeys {
  constructor(explorer) {
    this.explorer = explorer;
    this.help = h("div", { class: "oce-help", hidden: true }, h("dl", { class: "oce-keys" },
      ...KEYS.map(([keys, text]) => h("div", {}, h("dt", {}, keys), h("dd", {}, text)))));
    explorer.root.addEventListener("keydown", (event) => this.key(event));
    this.release = (event) => event.key === " " && this.holdSpace(false);
    window.addEventListener("keyup", this.release);
  }

  dispose() {
    window.removeEventListener("keyup", this.release);
  }

  holdSpace(held) {
    const { plot, image } = this.explorer;
    plot.view.input.spaceHeld = image.slices.view.input.spaceHeld = held;
  }

  key(event) {
    if (/^(BUTTON|SUMMARY)$/.test(event.target.tagName) && /^( |Enter)$/.test(event.key)) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "range" && event.target.type !== "checkbox") return;
    const control = event.ctrlKey || event.metaKey;
    const letter = event.key.toLowerCase();
    if (control && letter === "z") this.explorer.history.act(event.shiftKey ? "redo" : "undo");
    else if (control || event.altKey) return;
    else if (!(this.explorer.edit.isOn && this.explorer.edit.key(event)) && !this.plainKey(event, letter)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Returns whether the key means something.
  plainKey(event, letter) {
    const tools = { l: "lasso", r: "rectangle", h: "pan" };
    if (letter in tools) this.explorer.setTool(tools[letter]);
    else if (this.explorer.classes.isOn && /^[1-9]$/.test(letter)) this.explorer.classes.choose(Number(letter));
    else if (this.explorer.classes.isOn && letter === "n") this.explorer.classes.suggest();
    else if (letter === "o") this.explorer.model.put({ only_selected: !this.explorer.model.get("only_selected") });
    else if (event.key === "?") this.help.hidden = !this.help.hidden;
    else if (event.key === "Escape") this.escape();
    else if (event.key === " ") this.holdSpace(true);
    else return this.viewKey(event);
    return true;
  }

  viewKey(event) {
    if (this.explorer.image.slices.view.element.contains(event.target)) return this.explorer.image.slices.key(event);
    if (!this.explorer.plot.view.element.contains(event.target)) return false;
    const steps = { ArrowLeft: [30, 0], ArrowRight: [-30, 0], ArrowUp: [0, 30], ArrowDown: [0, -30] };
    if (event.key in steps) this.explorer.plot.view.pan(...steps[event.key]);
    else if (event.key === "+" || event.key === "=") this.explorer.plot.view.zoom(1.25);
    else if (event.key === "-") this.explorer.plot.view.zoom(0.8);
    else if (event.key === "0") this.explorer.plot.view.reset();
    else return false;
    return true;
  }

  escape() {
    if (this.explorer.plot.tool.path || this.explorer.image.tool.path) {
      this.explorer.plot.tool.cancel();
      this.explorer.image.tool.cancel();
    } else {
      this.explorer.store.mark(0);
    }
  }
}
