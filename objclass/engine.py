"""The pixel engine: which blurs a list of features needs, and the way of an image through the kernels.

The image is cut into bands of rows, and a band into slabs of planes. The planes of a slab are blurred side
by side, then its voxels are classified side by side; two planes are handed from slab to slab, so nothing is
computed twice. Neither the cut nor the number of threads changes a single voxel.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from ._parallel import Progress, map_tiles, progress_bar
from .kernels.filters import WIDTH
from .kernels.gaussian import LANES, ROWS, TAPS, blur_planes
from .kernels.pixels import Tile
from .planning import Plan, gaussian

SOURCE_BYTES = 192 * 2**20
BLUR_BYTES = 96 * 2**20
TASK_VOXELS = 2**16

Region = tuple[slice, slice, slice]
"""The planes, rows and columns that are wanted."""
Consume = Callable[["Band", int, int, int], None]


def run(
    image: np.ndarray,
    plan: Plan,
    region: Region,
    consume: Consume,
    *,
    description: str = "",
    progress: Progress = False,
) -> None:
    """Blur what `plan` asks for, and hand the voxels of `region` to `consume`, tile by tile.

    Parameters
    ----------
    image : ndarray, (c, z, y, x)
        A single plane is a 2D image.
    plan : Plan
    region : tuple of slice
        Which voxels are wanted; the result there is that of the whole image.
    consume : callable
        Called as ``consume(band, z, first_row, last_row)``, from several threads, for the rows of the band
        from the first to before the last one.
    description, progress
        As in `map_tiles`.
    """
    bands = list(_cut_bands(image, plan, region))
    with progress_bar(sum(band.n_slabs for band in bands), description, progress) as advance:
        for band in bands:
            band.load()
            for planes_to_blur, planes_ready in band.slabs():
                map_tiles(band.blur, planes_to_blur)
                map_tiles(partial(_consume_task, band, consume), band.tasks(planes_ready))
                advance()
            band.free()


def as_volume(image: np.ndarray, ndim: int) -> np.ndarray:
    """Return (c, z, y, x), with one plane where the image has two spatial axes."""
    return image if ndim == 3 else image[:, np.newaxis]


def whole(shape: Sequence[int]) -> Region:
    """Return the region that is all of a volume of shape (z, y, x)."""
    n_planes, n_rows, n_columns = shape
    return slice(0, n_planes), slice(0, n_rows), slice(0, n_columns)


def _consume_task(band: Band, consume: Consume, task: tuple[int, int, int]) -> None:
    consume(band, *task)


def _cut_bands(image: np.ndarray, plan: Plan, region: Region) -> Iterator[Band]:
    zs, ys, xs = region
    probe = Band(image, plan, (zs, slice(ys.start, ys.start + 1), xs))
    halo = 2 * (plan.radius + 1)
    n_rows = min(
        SOURCE_BYTES // probe.source_bytes_per_row - halo,
        BLUR_BYTES // max(1, probe.blur_bytes_per_row),
    )
    n_rows = max(4 * ROWS, n_rows)
    n_bands = math.ceil((ys.stop - ys.start) / n_rows)
    edges = np.linspace(ys.start, ys.stop, n_bands + 1).astype(int).tolist()
    for first, last in pairwise(edges):
        yield Band(image, plan, (zs, slice(first, last), xs))


class Band:
    """Some rows of the wanted region with all its planes, and the memory for its way through the kernels.

    The image around it is held as float32 in strips of LANES columns, in which the planes of a column of
    voxels follow each other: (channel, strip, row, depth, lane). Blurred planes stand in a ring of slots.
    """

    def __init__(self, image: np.ndarray, plan: Plan, region: Region) -> None:
        self.image, self.plan, self.region = image, plan, region
        n_channels, n_planes, n_rows, n_columns = image.shape
        zs, ys, xs = region
        self.flat = plan.ndim == 2
        self.radius = plan.radius
        reach = self.radius + 1
        self.planes = range(max(zs.start - 1, 0), min(zs.stop + 1, n_planes))
        self.source_rows = slice(max(ys.start - reach, 0), min(ys.stop + reach, n_rows))
        self.source_columns = slice(max(xs.start - reach, 0), min(xs.stop + reach, n_columns))
        self.columns = range(max(xs.start - 1, 0), min(xs.stop + 1, n_columns))
        self.n_rows_wanted = math.ceil((ys.stop - ys.start + 2) / ROWS) * ROWS
        self.n_strips = math.ceil((xs.stop - xs.start) / LANES)
        self.lead = 0 if self.flat else self.radius
        self.group = 1 if self.flat else ROWS
        depth = 1 if self.flat else _round_up(len(self.planes), ROWS) + 2 * self.radius + TAPS
        n_source_strips = math.ceil((self.source_columns.stop - self.source_columns.start) / LANES)
        n_source_rows = self.source_rows.stop - self.source_rows.start
        self.source_shape = (n_channels, n_source_strips, n_source_rows, depth, LANES)
        bytes_per_plane = 4 * max(1, len(plan.blurs)) * self.n_strips * self.n_rows_wanted * WIDTH
        fitting = BLUR_BYTES // bytes_per_plane - self.group
        self.slab = max(
            self.group, min(_round_up(len(self.planes), self.group), fitting) // self.group * self.group
        )
        self.n_slots = 1 if self.flat else min(self.slab + ROWS, _round_up(len(self.planes), ROWS))
        self.borders = (
            int(ys.start == 0),
            int(ys.stop == n_rows),
            int(xs.start == 0),
            int(xs.stop == n_columns),
            ys.stop - ys.start + 1,
        )

    @property
    def source_bytes_per_row(self) -> int:
        """The memory that one row of the image takes."""
        n_channels, n_strips, _, depth, lanes = self.source_shape
        return 4 * n_channels * n_strips * depth * lanes

    @property
    def blur_bytes_per_row(self) -> int:
        """The memory that one row of the blurred planes takes, with the fewest planes that will do."""
        return 4 * len(self.plan.blurs) * self.n_strips * WIDTH * (1 if self.flat else 2 * ROWS)

    @property
    def n_slabs(self) -> int:
        """How many slabs the band is cut into."""
        return math.ceil(len(self.planes) / self.slab)

    def load(self) -> None:
        """Take the image in, and repeat its outer planes as far as the blurs reach."""
        n_rows, depth = self.source_shape[2:4]
        self.source = np.empty(self.source_shape, np.float32)
        first = self.planes[0] - self.lead
        wanted = np.clip(np.arange(first, first + depth), 0, self.image.shape[1] - 1)
        real = slice(int(wanted[0]), int(wanted[-1]) + 1)
        lead, tail = real.start - first, first + depth - real.stop

        def load_rows(start: int) -> None:
            rows = slice(start, min(start + ROWS, n_rows))
            image_rows = slice(self.source_rows.start + rows.start, self.source_rows.start + rows.stop)
            pixels = self.image[:, real, image_rows, self.source_columns]
            for strip in range(self.source_shape[1]):
                part = pixels[..., strip * LANES : (strip + 1) * LANES]
                target = self.source[:, strip, rows]
                inner = target[:, :, lead : depth - tail, : part.shape[-1]]
                inner[...] = part.swapaxes(1, 2)
                target[:, :, lead : depth - tail, part.shape[-1] :] = 0
                target[:, :, :lead] = target[:, :, lead : lead + 1]
                target[:, :, depth - tail :] = target[:, :, depth - tail - 1 : depth - tail]

        map_tiles(load_rows, range(0, n_rows, ROWS))
        shape = (len(self.plan.blurs), self.n_slots, self.n_strips, self.n_rows_wanted, WIDTH)
        self.blurs = np.empty(shape, np.float32)
        self.tile = Tile(self.source, self.blurs, self.n_strips, self.plan.kinds, self.plan.inputs, self.flat)

    def free(self) -> None:
        """Give the memory back."""
        del self.source, self.blurs, self.tile

    def slabs(self) -> Iterator[tuple[list[tuple[int, int]], range]]:
        """Yield what to blur next, as (blur, first plane), and the planes that are ready after that."""
        ready = self.region[0].start
        for first in range(0, len(self.planes), self.slab):
            planes = self.planes[first : first + self.slab]
            groups = planes[:: self.group]
            to_blur = [(blur, plane) for plane in groups for blur in range(len(self.plan.blurs))]
            is_last = planes[-1] == self.planes[-1]
            stop = self.region[0].stop if is_last else planes[-1]
            yield to_blur, range(ready, stop)
            ready = stop

    def tasks(self, planes: range) -> list[tuple[int, int, int]]:
        """Cut the planes that are ready into tasks (plane, first row, last row) of a few milliseconds."""
        n_rows = self.region[1].stop - self.region[1].start
        step = max(1, TASK_VOXELS // (self.n_strips * LANES))
        return [(z, row, min(row + step, n_rows)) for z in planes for row in range(0, n_rows, step)]

    def slot(self, plane: int) -> int:
        """Return where a blurred plane stands; outside the image its nearest plane stands for it."""
        return (min(max(plane, self.planes[0]), self.planes[-1]) - self.planes[0]) % self.n_slots

    def slots(self, plane: int) -> tuple[int, int, int]:
        """Return where the planes before, at and behind `plane` stand."""
        return self.slot(plane - 1), self.slot(plane), self.slot(plane + 1)

    def source_at(self, plane: int) -> tuple[int, int, int]:
        """Return where in the source the first wanted voxel of a plane stands."""
        _, ys, xs = self.region
        depth = plane - self.planes[0] + self.lead
        return depth, ys.start - self.source_rows.start, xs.start - self.source_columns.start

    def blur(self, task: tuple[int, int]) -> None:
        """Compute one blur of a group of planes."""
        number, plane = task
        blur = self.plan.blurs[number]
        n_planes = min(self.group, self.planes[-1] + 1 - plane)
        at = self.slot(plane)
        target = self.blurs[number, at : at + self.group]
        self._blur(blur.channel, blur.sigmas[0], plane, n_planes, target)
        if len(blur.sigmas) == 2:
            second = _scratch("second", target.shape)
            self._blur(blur.channel, blur.sigmas[1], plane, n_planes, second)
            np.subtract(target[:n_planes], second[:n_planes], out=target[:n_planes])

    def _blur(self, channel: int, sigma: float, plane: int, n_planes: int, target: np.ndarray) -> None:
        kernel = gaussian(sigma)
        source = self.source[channel]
        depth = -1 if self.flat else plane - self.planes[0] + self.lead - kernel.radius
        row = self.region[1].start - 1 - kernel.radius - self.source_rows.start
        column = self.columns[0] - kernel.radius - self.source_columns.start
        n_columns = self.source_columns.stop - self.source_columns.start
        reach = self.radius + 1
        line_length = 2 * reach + source.shape[0] * LANES + 2 * LANES
        planes = _scratch("planes", (self.group, self.n_rows_wanted + kernel.weights.size, LANES))
        lines = _scratch("lines", (self.group, self.n_rows_wanted, line_length))
        blur_planes(
            source,
            n_columns,
            (depth, row, column),
            reach,
            n_planes,
            len(self.columns),
            kernel.weights,
            kernel.divisor,
            self.borders,
            planes,
            lines,
            target,
        )


_local = threading.local()


def _scratch(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return memory that this thread has used before: fresh pages cost more than filling them."""
    size = math.prod(shape)
    buffer = getattr(_local, name, None)
    if buffer is None or buffer.size < size:
        buffer = np.zeros(size, np.float32)
        setattr(_local, name, buffer)
    return buffer[:size].reshape(shape)


def _round_up(number: int, step: int) -> int:
    return math.ceil(number / step) * step
