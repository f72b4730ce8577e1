// Small parts that controls are made of.

// An element with attributes, `on…` listeners and children.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// "1 object", "1,234 objects".
export function countOf(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

// Listen to events of a widget's model, {name: handler}; returns a function that stops it.
export function listen(model, handlers) {
  const entries = Object.entries(handlers);
  for (const [name, handler] of entries) model.on(name, handler);
  return () => entries.forEach(([name, handler]) => model.off(name, handler));
}

// The notebook's shortcuts stay out of a widget: some of them change cells. Saving the notebook works within it.
export function shieldKeys(root) {
  // Jupyter looks for this mark from the focused element on upwards, and for its shortcuts' selectors as well.
  root.addEventListener("focusin", ({ target }) => (target.dataset.lmSuppressShortcuts = ""));
  root.addEventListener("keydown", (event) => {
    const saves = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
    if (saves && !root.parentElement.dispatchEvent(new KeyboardEvent("keydown", event))) event.preventDefault();
  });
}

const ICONS = {
  brush: "M10.5 2.5 13.5 5.5 7.8 11.2 4.8 8.2zM4.6 9C2.6 9.2 3.6 11.8 1.8 13c2 .9 5.4.6 5.3-1.6",
  eraser: "M9.5 2.5 13.5 6.5 7 13H4.5L2 10.5zM5.5 6.5 9.6 10.6M7 13h6.5",
  fill: "M6.5 1.5 12.5 7.5 7.5 12.5 2 7zM6.5 1.5v4M2 7h10M13.8 9.5c.9 1.4 1.2 2 1.2 2.6a1.2 1.2 0 0 1-2.4 0c0-.6.3-1.2 1.2-2.6z",
  pick: "M13.6 2.4a1.7 1.7 0 0 0-2.4 0L9.2 4.4 8.4 3.6 7.4 4.6 11.4 8.6 12.4 7.6 11.6 6.8 13.6 4.8a1.7 1.7 0 0 0 0-2.4zM9 6.2 3.4 11.8 2.5 13.5 4.2 12.6 9.8 7",
  line: "M3 13 13 3M2 12h2v2H2zM12 2h2v2h-2z",
  polygon: "M8 2 14 6.500 11.500 13.500H4.500L2 6.500z",
  pan: "M8 1.5v13M1.5 8h13M6 3.5l2-2 2 2M6 12.5l2 2 2-2M3.5 6l-2 2 2 2M12.5 6l2 2-2 2",
  undo: "M5.5 3 2.5 6l3 3M2.5 6H10a3.5 3.5 0 0 1 0 7H6",
  redo: "M10.5 3l3 3-3 3M13.5 6H6a3.5 3.5 0 0 0 0 7h4",
  fit: "M2 5.5V2h3.5M10.5 2H14v3.5M14 10.5V14h-3.5M5.5 14H2v-3.5",
  play: "M4.5 2.8v10.4L13 8z",
  pause: "M5 3v10M11 3v10",
  fold: "M3 6l5 5 5-5",
  grow: "M9 7l5-5M10 2h4v4M7 9l-5 5M6 14H2v-4",
  help: "M5.8 6a2.2 2.2 0 1 1 3.3 1.9c-.8.5-1.1.9-1.1 1.9M8 12.2v.3",
  plus: "M8 3v10M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  trash: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5 5 13.5h6l.5-9",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z",
  target: "M8 3.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM8 1v3M8 12v3M1 8h3M12 8h3",
  more: "M6 3l5 5-5 5",
  back: "M10 3l-5 5 5 5",
  copy: "M5.500 5.500v-3h8v8h-3M2.500 5.500h8v8h-8z",
  lasso: "M8 3c3.6 0 6 1.5 6 3.5S11.600 10 8 10 2 8.500 2 6.500 4.400 3 8 3zM4.500 9.500c-1 .8-.8 2.200.500 2.200s1.800 1.200.500 2.300",
  rectangle: "M2.500 3.500h11v9h-11z",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "oc-icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

// A button with an icon; `label` is read aloud and shown as the tip.
export function iconButton(name, label, onclick, attributes = {}) {
  return h("button", {
    type: "button", class: "oc-button oc-icon-button", title: label, "aria-label": label,
    onclick: whileEnabled(onclick), ...attributes,
  }, icon(name));
}

export function textButton(text, onclick, attributes = {}) {
  return h("button", { type: "button", class: "oc-button", onclick: whileEnabled(onclick), ...attributes }, text);
}

// A button that cannot be used for now keeps the focus: with `disabled` the browser would give it to the page,
// and the widget's keys would be dead.
export function enable(button, enabled) {
  button.setAttribute("aria-disabled", String(!enabled));
}

const whileEnabled = (onclick) => (event) => {
  if (event.currentTarget.getAttribute("aria-disabled") !== "true") onclick(event);
};

// Where the element with the focus goes away, `fallback` gets the focus, so that the widget's keys go on working.
// Returns a function that stops it.
export function keepFocus(root, fallback) {
  const abort = new AbortController();
  let last = null;
  const note = ({ target }) => (last = root.contains(target) ? target : null);
  document.addEventListener("focusin", note, { signal: abort.signal });
  document.addEventListener("pointerdown", note, { capture: true, signal: abort.signal });
  const isGone = (element) => !element.isConnected || element.disabled || element.getClientRects().length === 0;
  const observer = new MutationObserver(() => {
    const { activeElement } = document;
    const isFree = !activeElement || activeElement === document.body || activeElement === last;
    if (last && isFree && isGone(last)) fallback.focus({ preventScroll: true });
  });
  observer.observe(root, { childList: true, subtree: true, attributes: true, attributeFilter: ["hidden", "disabled"] });
  return () => {
    abort.abort();
    observer.disconnect();
  };
}

// Call `draw` when the theme of the page changes, for what is drawn on a canvas. Returns a function that stops it.
export function followTheme(draw) {
  const observer = new MutationObserver(() => draw());
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  return () => observer.disconnect();
}

// A button that gives the whole screen to a widget, and back; nothing where the page may not (as in VS Code).
export function fullScreenButton(root) {
  if (!document.fullscreenEnabled) return null;
  const isFull = () => document.fullscreenElement === root;
  const button = iconButton("grow", "Full screen", () => (isFull() ? document.exitFullscreen() : root.requestFullscreen()).catch(() => {}));
  root.addEventListener("fullscreenchange", () => button.setAttribute("aria-pressed", String(isFull())));
  return button;
}

// A switch with its label.
export function checkbox(text, checked, onchange, attributes = {}) {
  const input = h("input", { type: "checkbox", ...attributes, onchange: () => onchange(input.checked) });
  input.checked = checked;
  const element = h("label", { class: "oc-check" }, input, h("span", {}, text));
  return { element, input };
}

// A number with its label; what is not a number in [min, max] is put back. An `optional` one may be empty: null.
export function numberField(text, value, { min, max, step = 1, title = "", optional = false }, onchange) {
  const input = h("input", { type: "number", class: "oc-number", min, max, step, title });
  input.value = value;
  input.addEventListener("change", () => {
    const number = Number(input.value);
    const whole = step !== 1 || Number.isInteger(number);
    const fits = input.value !== "" && whole && !(number < min) && !(number > max);
    if (fits) onchange((value = number));
    else if (optional && input.value === "" && input.validity.valid) onchange((value = null));
    else input.value = value;
  });
  const set = (number) => {
    value = number;
    input.value = number;
  };
  return { element: h("label", { class: "oc-field" }, h("span", {}, text), input), input, set };
}

// The colour of what is called `name`.
export function colorField(color, name, onchange) {
  const input = h("input", { type: "color", class: "oc-swatch", value: color, "aria-label": `Colour of ${name}`, onchange: () => onchange(input.value) });
  return input;
}

// A name that Enter confirms; `label` is read aloud.
export function nameField(name, label, onchange, placeholder = null) {
  const input = h("input", { type: "text", class: "oc-text oc-grow", value: name, placeholder, "aria-label": label, maxlength: 80,
    onchange: () => onchange(input.value), onkeydown: (event) => event.key === "Enter" && input.blur() });
  return input;
}

// A slider with its label.
export function slider(text, value, { min, max, step }, oninput) {
  const input = h("input", { type: "range", class: "oc-range", min, max, step });
  input.value = value;
  input.addEventListener("input", () => oninput(Number(input.value)));
  return { element: h("label", { class: "oc-field" }, h("span", {}, text), input), input };
}

// Buttons of which one is pressed: [{value, text | icon, label}].
export function choice(items, value, onchange, label) {
  const buttons = items.map((item) => {
    const content = item.icon ? icon(item.icon) : item.text;
    return h("button", {
      type: "button", class: `oc-button${item.icon ? " oc-icon-button" : ""}`, title: item.label ?? item.text,
      "aria-label": item.icon ? item.label : null, "data-value": item.value,
      onclick: whileEnabled(() => {
        set(item.value);
        onchange(item.value);
      }),
    }, content);
  });
  const element = h("div", { class: "oc-choice", role: "group", "aria-label": label }, ...buttons);
  const set = (chosen) => buttons.forEach((button, which) =>
    button.setAttribute("aria-pressed", String(items[which].value === chosen)));
  set(value);
  // `why` is the tip of a button that cannot be used for now.
  const allow = (value, allowed, why) => {
    const which = items.findIndex((item) => item.value === value);
    enable(buttons[which], allowed);
    buttons[which].title = allowed ? items[which].label ?? items[which].text : why;
  };
  return { element, set, enable: allow };
}

// A part that folds out.
export function foldOut(title, open, ...children) {
  return h("details", { class: "oc-fold", open }, h("summary", {}, title), h("div", { class: "oc-fold-body" }, ...children));
}
