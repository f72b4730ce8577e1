"""The explorer's gallery: crops of objects at one scale and one contrast, packed into one sheet."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common import checks
from objclass._common.notices import collect
from objclass.tables.profiles import distances_from_mean
from objclass.widgets import snapshot
from objclass.widgets.explorer.page import Page
from objclass.widgets.explorer.table_view import arrange_rows, sorted_places
from objclass.widgets.planes import PlaneServer

if TYPE_CHECKING:
    import pandas as pd

TILE = 80
_MOST_TILES = 200
_SAMPLE = 2000
_CROSS = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]])
_ROOM = 1.3  # a crop is so many times as wide as the objects


class Gallery:
    """Crops for the panel "Gallery" and for the tip at a point of the plot.

    `pixels` are the images (c, z, y, x); `planes` know the contrast of the shown one, at which all crops are.
    """

    def __init__(self, page: Page, pixels: Sequence[np.ndarray], planes: PlaneServer):
        self._page, self._objects, self._pixels, self._planes = page, page.objects, pixels, planes
        self.handlers = {"gallery": self._send_sheet, "tip": self._send_tip}

    def _send_sheet(self, content: Mapping[str, Any]) -> None:
        """Answer with the crops of some objects, in order, as one sheet of RGB and a mask of the boundary.

        ``show`` is "all", "selected", "filtered" (those that fit ``query``) or "category" (those with the
        ``value`` in the column ``by``); ``order`` is "typical", "unusual" or the name of a column, then
        with ``descending``; ``start`` and ``count`` say which of them.
        """
        table = self._objects.table
        rows = chosen_rows(table, content)
        rows = order_rows(table, rows, str(content.get("order", "")), bool(content.get("descending")))
        start = max(0, int(content.get("start", 0)))
        count = max(0, min(_MOST_TILES, int(content.get("count", 100))))
        labels = self._objects.row_labels[rows[start : start + count]]
        sheet = self._crops(labels.tolist()).tobytes()
        told = {"labels": labels.tolist(), "start": start, "total": len(rows), "tile": TILE}
        self._page.answer(content, "gallery", [sheet], **told)

    def _send_tip(self, content: Mapping[str, Any]) -> None:
        """Answer with the values of one object and its crop."""
        label = int(content["label"])
        crop, cells = self._crops([label]).tobytes(), self._page.cells(label)
        self._page.answer(content, "tip", [crop], label=label, cells=cells, tile=TILE)

    def _crops(self, labels: Sequence[int]) -> np.ndarray:
        """Return the crops (n, TILE, TILE, 4) in the plane that shows most of each object, bytes.

        The first three bytes of a pixel are its colour at the present contrast, the fourth is 1 on the
        boundary of the object.
        """
        from scipy.ndimage import binary_erosion

        sheet = np.zeros((len(labels), TILE, TILE, 4), np.uint8)
        stored, inside = [], np.zeros((len(labels), TILE, TILE), bool)
        for place, label in enumerate(labels):
            window, seen, part = self._crop(label)
            stored.append(window)
            sheet[place, ..., 3] = seen
            inside[place] = part
        if stored:
            planes = np.concatenate(stored, axis=1)
            colors = snapshot.compose_channels(planes, self._page.widget.channels).reshape(-1, TILE, TILE, 3)
            sheet[..., :3] = colors * sheet[..., 3:]
        sheet[..., 3] = inside & ~binary_erosion(inside, _CROSS, border_value=1)
        return sheet

    def _crop(self, label: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the stored values around one object, which pixels lie in the image, which in the object."""
        encode = self._planes.image.encode  # of whichever image: at the contrast of the shown one
        images, (where, number) = self._objects.images, self._objects.images.locate(label)
        image, box, place = self._pixels[where], self._objects.box(label), self._objects.find(label)
        seen = np.zeros((TILE, TILE), bool)
        if box is None or place is None:
            return np.zeros((len(image), TILE, TILE), self._planes.image.dtype), seen, seen
        _, height, width = image.shape[1:]
        rows, cols = (
            np.floor((part.start + part.stop - side) / 2 + (np.arange(TILE) + 0.5) * side / TILE).astype(int)
            for part, side in zip(box[1:], self._sides, strict=True)
        )
        seen = ((rows >= 0) & (rows < height))[:, None] & ((cols >= 0) & (cols < width))
        at = np.ix_(rows.clip(0, height - 1), cols.clip(0, width - 1))
        plane = images.volume(where)[place[0]]
        return encode(image[:, place[0]][:, *at]), seen, seen & (plane[at] == number)

    @functools.cached_property
    def _sides(self) -> tuple[float, float]:
        """Height and width of all crops in pixels: square in space, wide enough for most objects."""
        images = self._objects.images
        boxes = [box for place in range(min(len(images), 4)) for box in images.boxes(place).values()]
        boxes = boxes[:: max(1, len(boxes) // _SAMPLE)]
        sizes = np.array([[part.stop - part.start for part in box[1:]] for box in boxes], float)
        spacing = np.array(self._page.widget.volume["spacing"][1:])
        widest = (sizes * spacing).max(axis=1) if len(sizes) else np.array([1.0])
        side = float(np.percentile(widest, 95)) * _ROOM + 4 * spacing.min()
        height, width = side / spacing
        return height, width


def chosen_rows(table: pd.DataFrame, wish: Mapping[str, Any]) -> np.ndarray:
    """Return the places of the rows that a gallery is of, in the order of the table; see `Gallery`."""
    show = checks.check_option("show", wish.get("show"), ("all", "selected", "filtered", "category"))
    if show == "category":
        by = checks.check_option("by", wish.get("by"), map(str, table))
        return np.flatnonzero((table[by].astype(str) == str(wish.get("value"))).to_numpy(bool))
    query = str(wish.get("query", "")) if show == "filtered" else ""
    return arrange_rows(table, query=query, selected=show == "selected")


def order_rows(table: pd.DataFrame, rows: np.ndarray, order: str, descending: bool) -> np.ndarray:
    """Return `rows` with the most ("typical") or the least typical ("unusual") first, or by a column.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": [1, 2, 3, 4], "area": [7.0, 9.0, 8.5, 2.0]})
    >>> order_rows(table, np.array([0, 1, 2]), "typical", False).tolist()
    [2, 1, 0]
    """
    import pandas as pd

    if not order or not len(rows):
        return rows
    if order in ("typical", "unusual"):
        with collect():  # objects without a value come last
            values = pd.Series(distances_from_mean(table, rows))
        descending = order == "unusual"
    else:
        name = checks.check_option("order", order, ("typical", "unusual", *map(str, table)))
        values = table[name].iloc[rows]
    return rows[sorted_places(values, descending=descending)]
