// Panels of a plot side by side, one for each value of a column, all on the same axes.

const GAP = 16;
const HEAD = 18; // for the title of a panel
const SHAPE = 1.35; // the width of a good panel over its height

// The boxes of `count` panels within a frame {left, top, width, height}, row by row.
export function layoutPanels({ left, top, width, height }, count) {
  let best = null;
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const [across, down] = [(width - (columns - 1) * GAP) / columns, (height - (rows - 1) * GAP) / rows - HEAD];
    const size = Math.min(across, down * SHAPE);
    if (!best || size > best.size) best = { columns, rows, across, down, size };
  }
  return Array.from({ length: count }, (_, place) => {
    const [row, column] = [Math.floor(place / best.columns), place % best.columns];
    return { left: left + column * (best.across + GAP), top: top + row * (best.down + HEAD + GAP) + HEAD,
      width: Math.max(10, best.across), height: Math.max(10, best.down),
      isFirst: column === 0, isLast: place + best.columns >= count };
  });
}

// The panel in which a point lies, or the nearest one.
export function panelAt(boxes, [x, y]) {
  const away = ({ left, top, width, height }) =>
    Math.hypot(Math.max(left - x, 0, x - left - width), Math.max(top - y, 0, y - top - height));
  return boxes.reduce((best, box) => (away(box) < away(best) ? box : best), boxes[0]);
}

// The rows of each panel, of the places of their panels; those in none (-1) are left out.
export function rowsOfPanels(of, count) {
  const rows = Array.from({ length: count }, () => []);
  for (let row = 0; row < of.length; row++) if (of[row] >= 0) rows[of[row]].push(row);
  return rows.map((list) => Int32Array.from(list));
}
