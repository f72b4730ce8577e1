// The last error of a widget, until it is dismissed.
import { h, iconButton } from "./dom.js";

// `show()` when the trait has changed.
export function errorBox(model, className) {
  const element = h("div", { class: className, role: "alert" });
  const dismiss = () => model.put({ error: "" });
  const show = () => {
    const text = model.get("error");
    element.hidden = !text;
    element.replaceChildren(h("span", { class: "oc-grow" }, text),
      iconButton("close", "Dismiss", dismiss, { class: "oc-button oc-icon-button oc-small oc-quiet" }));
  };
  show();
  return { element, show };
}
