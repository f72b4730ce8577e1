// Whether a widget's kernel is still there. A widget without one looks alive, and nothing that is done in it counts.
//
// const connection = new Connection(model, root, () => text);   text: more for the message, such as what is kept
// connection.model          the model, whose messages after the end go nowhere instead of raising
// connection.model.put({name: value})                           set traits and tell the kernel
// connection.onLost = () => ...                                 once, before the widget stops to answer
// connection.dispose()
import { h } from "./dom.js";

const ENDED = ["restarting", "autorestarting", "terminating", "dead"];

export class Connection {
  constructor(model, root, describe = () => "") {
    Object.assign(this, { root, describe, source: model, isLost: false });
    this.onLost = () => {};
    this.model = {
      ...model,
      send: (...message) => this.attempt(() => model.send(...message)),
      save_changes: () => this.attempt(() => model.save_changes()),
      put: (values) => {
        model.set(values);
        this.model.save_changes();
      },
    };
    // Not every host lets a widget see the kernel: there, the closing of the channel and a failed message tell.
    this.kernel = model.widget_manager?.kernel;
    this.onStatus = (_, status) => ENDED.includes(status) && this.lose();
    this.kernel?.statusChanged?.connect(this.onStatus);
    this.onChannel = () => queueMicrotask(() => {
      if (root.closest(".jupyter-widgets-disconnected")) this.lose();
    });
    model.on("comm_live_update", this.onChannel);
    model.on("comm:close", this.onChannel);
  }

  attempt(act) {
    if (this.isLost) return;
    try {
      act();
    } catch {
      this.lose();
    }
  }

  lose() {
    if (this.isLost) return;
    this.onLost();
    this.isLost = true;
    const parts = [...this.root.children];
    this.notice = h("div", { class: "oc-lost", role: "alert" });
    this.root.prepend(this.notice);
    for (const part of parts) part.inert = true;
    this.root.classList.add("oc-without-kernel");
    this.refresh();
  }

  refresh() {
    if (this.isLost) this.notice.textContent = ["Not connected: run the cell again.", this.describe()].filter(Boolean).join(" ");
  }

  dispose() {
    this.kernel?.statusChanged?.disconnect(this.onStatus);
    this.source.off("comm_live_update", this.onChannel);
    this.source.off("comm:close", this.onChannel);
  }
}
