// Where the next scribbles help most: a frame on the slice that the kernel suggests.
import { toScreen } from "./geometry.js";

export class Suggestion {
  constructor(panel) {
    Object.assign(this, { panel, found: null });
    panel.view.painters.push((context) => this.paint(context));
  }

  // Go to what a message of kind "suggestion" says; a slice that is too dark to be seen gets its own contrast.
  show({ index, region }) {
    this.found = { index, region };
    const voxel = [index, (region[0] + region[2]) >> 1, (region[1] + region[3]) >> 1];
    this.isNew = true; // before the slice comes, at once where it is known
    this.panel.goTo(0, index, voxel);
  }

  clear() {
    this.found = null;
  }

  receivePlane(index) {
    if (!this.isNew || this.found?.index !== index) return;
    this.isNew = false;
    this.panel.contrastPanel.ensureVisible();
  }

  paint(context) {
    const { found, panel } = this;
    if (!found || panel.axis !== 0 || panel.index !== found.index) return;
    const [row0, col0, row1, col1] = found.region;
    const [x0, y0] = toScreen(panel.view.transform, row0, col0);
    const [x1, y1] = toScreen(panel.view.transform, row1, col1);
    for (const [style, width] of [["rgba(0, 0, 0, 0.6)", 4], ["#fff", 1.5]]) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.setLineDash(width > 2 ? [] : [6, 4]);
      context.strokeRect(x0, y0, x1 - x0, y1 - y0);
    }
  }
}
