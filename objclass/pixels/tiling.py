"""The pixel engine: which blurs a list of features needs, and the way of an image through the kernels.

The image is cut into bands of rows, and a band into slabs of planes. A slab is blurred into a ring of planes
while the one before it is being classified; neighbours stay in the ring, so nothing is computed twice. The
bands of a single plane are small, and each is one thread's. Neither the cut nor the number of threads changes
a single voxel.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from objclass._common.parallel import map_tiles, n_threads
from objclass._common.progress import Progress, progress_bar
from objclass.pixels.filter_bank import Blur, Plan, Tensor, pack_kernels
from objclass.pixels.kernels.convolution import FIRST_TAPS, ROWS, TAPS
from objclass.pixels.kernels.filters import N_WEIGHTS, Tile, gradient_products, tensor_eigenvalues
from objclass.pixels.kernels.gaussian import CHUNK, blur_planes

SOURCE_BYTES = 192 * 2**20
BLUR_BYTES = 192 * 2**20
FLAT_BYTES = 16 * 2**20
TENSOR_BYTES = 192 * 2**20
FEWEST_LENGTHS = (8, 8, 64)
MOST_COLUMNS = 1024
"""Wider images are cut, so that the rows that a filter reads at once stay in the cache."""
FEWEST_SLOTS = 4 * ROWS
TASKS_PER_THREAD = 4
TASK_VOXELS = 2**16

Region = tuple[slice, slice, slice]
"""The planes, rows and columns to compute."""
Consume = Callable[["Band", int, int, int], None]
Step = Callable[[], None]


def run(
    image: np.ndarray,
    plan: Plan,
    region: Region,
    consume: Consume,
    *,
    description: str = "",
    progress: Progress = False,
) -> None:
    """Compute the Gaussians of `plan`, and call `consume` for tiles of `region`.

    Parameters
    ----------
    image : ndarray, (c, z, y, x)
        A single plane is a 2D image.
    plan : Plan
    region : tuple of slice
        The voxels to compute; the result is the same as for the whole image.
    consume : callable
        Called as ``consume(band, z, first_row, last_row)``, from several threads, for the rows of the band
        from the first to before the last one.
    description, progress
        As in `map_tiles`.
    """
    if not plan.tensors:
        nothing = np.empty((0, 1, 1, 1), np.float32)
        _run_bands(image, plan, region, nothing, consume, description=description, progress=progress)
        return
    blocks = list(_cut_blocks(image, plan, region))
    with progress_bar(len(blocks), description, progress) as advance:
        for block in blocks:
            eigenvalues = np.empty(
                (3 * len(plan.tensors), *(part.stop - part.start for part in block)), np.float32
            )
            for number, tensor in enumerate(plan.tensors):
                _fill_eigenvalues(image, plan.ndim, tensor, block, eigenvalues[3 * number : 3 * number + 3])
            _run_bands(image, plan, block, eigenvalues, consume)
            advance()


def _run_bands(
    image: np.ndarray,
    plan: Plan,
    region: Region,
    eigenvalues: np.ndarray,
    consume: Consume,
    *,
    description: str = "",
    progress: Progress = False,
) -> None:
    """Do what `run` does; the `eigenvalues` of tensors, (3 · n_tensors, z, y, x), are those of the region."""
    bands = list(_cut_bands(image, plan, region, eigenvalues))
    if plan.ndim == 2:
        map_tiles(lambda band: band.run(consume), bands, description=description, progress=progress)
        return
    n_steps = sum(len(band.schedule(consume)[0]) for band in bands)
    with progress_bar(n_steps, description, progress) as advance:
        for band in bands:
            band.run(consume, advance)


def as_volume(image: np.ndarray, ndim: int) -> np.ndarray:
    """Return (c, z, y, x), with one plane if the image is 2D."""
    return image if ndim == 3 else image[:, np.newaxis]


def corner_in(region: Region, band: Band) -> tuple[int, int]:
    """Return the first row and column of a band, counted from the first ones of a region."""
    return band.region[1].start - region[1].start, band.region[2].start - region[2].start


def whole(shape: Sequence[int]) -> Region:
    """Return the region of a whole volume of shape (z, y, x)."""
    n_planes, n_rows, n_columns = shape
    return slice(0, n_planes), slice(0, n_rows), slice(0, n_columns)


def _cut_blocks(image: np.ndarray, plan: Plan, region: Region) -> Iterator[Region]:
    """Cut a region so that the eigenvalues of a block and the products around it are small enough."""
    lengths: Sequence[int] = [part.stop - part.start for part in region]
    halo = _halo(plan.ndim, np.max([plan.radii, *(tensor.radii for tensor in plan.tensors)], axis=0).tolist())

    def around(lengths: Sequence[int]) -> int:
        """Return the number of voxels of a block and its surroundings."""
        return math.prod(
            min(n + 2 * r, most) for n, r, most in zip(lengths, halo, image.shape[1:], strict=True)
        )

    def size(lengths: Sequence[int]) -> int:
        return 4 * (3 * len(plan.tensors) * math.prod(lengths) + _n_products(plan.ndim) * around(lengths))

    def work(lengths: Sequence[int]) -> int:
        n_blocks = (math.ceil((part.stop - part.start) / n) for part, n in zip(region, lengths, strict=True))
        return math.prod(n_blocks) * around(lengths)

    halvings = [_halvings(n, fewest) for n, fewest in zip(lengths, FEWEST_LENGTHS, strict=True)]
    shapes = list(itertools.product(*halvings))
    fitting = [shape for shape in shapes if size(shape) <= TENSOR_BYTES]
    lengths = min(fitting, key=work) if fitting else min(shapes, key=size)
    starts = [range(part.start, part.stop, n) for part, n in zip(region, lengths, strict=True)]
    for z, y, x in itertools.product(*starts):
        stops = [min(at + n, part.stop) for at, n, part in zip((z, y, x), lengths, region, strict=True)]
        yield slice(z, stops[0]), slice(y, stops[1]), slice(x, stops[2])


def _halvings(length: int, fewest: int) -> list[int]:
    """Return a length and its half, quarter and so on, down to about the fewest."""
    found = [length]
    while found[-1] > fewest:
        found.append(math.ceil(found[-1] / 2))
    return found


def _fill_eigenvalues(
    image: np.ndarray, ndim: int, tensor: Tensor, region: Region, eigenvalues: np.ndarray
) -> None:
    """Write the eigenvalues of a structure tensor in a region, (3, z, y, x)."""
    around = _around(region, _halo(ndim, tensor.radii), image.shape[1:])
    products = np.empty((_n_products(ndim), *(part.stop - part.start for part in around)), np.float32)
    inverse = np.array(tensor.inverse, np.float32)

    def multiply(band: Band, z: int, first: int, last: int) -> None:
        target = products[:, z - around[0].start]
        gradient_products(band.tile, band.slots(z), (first, last), inverse, corner_in(around, band), target)

    run(image, _only_blurs([tensor.blur], ndim, len(image)), around, multiply)
    z, y, x = (slice(a.start - b.start, a.stop - b.start) for a, b in zip(region, around, strict=True))

    def solve(band: Band, plane: int, first: int, last: int) -> None:
        target = eigenvalues[:, plane - z.start]
        tensor_eigenvalues(band.tile, band.slots(plane), (first, last), corner_in((z, y, x), band), target)

    windows = [Blur(product, (tensor.window,)) for product in range(len(products))]
    run(products, _only_blurs(windows, ndim, len(products)), (z, y, x), solve)


def _only_blurs(blurs: Sequence[Blur], ndim: int, n_channels: int) -> Plan:
    nothing = np.zeros(0, np.int64)
    weights, features = np.zeros((0, N_WEIGHTS), np.float32), np.zeros((0, 3), np.int64)
    return Plan(tuple(blurs), nothing, nothing, weights, features, 0, ndim, n_channels)


def _n_products(ndim: int) -> int:
    """Return how many products the derivatives along all axes have."""
    return ndim * (ndim + 1) // 2


def _halo(ndim: int, radii: Sequence[int]) -> tuple[int, int, int]:
    """Return how far voxels with filters of some radii, and of the neighbours, reach along z, y and x."""
    z, y, x = (radius + 1 for radius in radii)
    return (0 if ndim == 2 else z), y, x


def _around(region: Region, halo: Sequence[int], shape: Sequence[int]) -> Region:
    """Return a region with its surroundings, as far as the image goes."""
    z, y, x = (
        slice(max(part.start - around, 0), min(part.stop + around, n))
        for part, around, n in zip(region, halo, shape, strict=True)
    )
    return z, y, x


def _cut_bands(image: np.ndarray, plan: Plan, region: Region, eigenvalues: np.ndarray) -> Iterator[Band]:
    zs, ys, xs = region
    corner = zs.start, ys.start, xs.start
    for columns in _cut(xs, MOST_COLUMNS):
        probe = Band(image, plan, (zs, slice(ys.start, ys.start + 1), columns), eigenvalues, corner)
        halo = 2 * (plan.radii[1] + 1)
        blur_bytes = FLAT_BYTES if plan.ndim == 2 else BLUR_BYTES // FEWEST_SLOTS
        n_rows = min(
            SOURCE_BYTES // probe.source_bytes_per_row - halo,
            blur_bytes // max(1, probe.blur_bytes_per_row),
        )
        for rows in _cut(ys, max(4 * ROWS, n_rows)):
            yield Band(image, plan, (zs, rows, columns), eigenvalues, corner)


def _cut(part: slice, most: int) -> Iterator[slice]:
    """Cut rows or columns into equal parts of at most `most`."""
    n_parts = math.ceil((part.stop - part.start) / most)
    for first, last in pairwise(np.linspace(part.start, part.stop, n_parts + 1).astype(int).tolist()):
        yield slice(first, last)


class Band:
    """A chunk of rows of the region with all its planes, and its buffers for the kernels.

    The image around it is stored as float32, (channel, row, depth, column), so that the z pass of a row reads
    neighbours in memory. Filtered planes are stored in a ring buffer. The `eigenvalues` of tensors,
    (3 · n_tensors, z, y, x), begin at the voxel `corner` of the image.
    """

    def __init__(
        self,
        image: np.ndarray,
        plan: Plan,
        region: Region,
        eigenvalues: np.ndarray,
        corner: tuple[int, int, int],
    ) -> None:
        self.image, self.plan, self.region = image, plan, region
        self.eigenvalues, self.corner = eigenvalues, corner
        n_channels, n_planes, n_rows, n_columns = image.shape
        zs, ys, xs = region
        self.flat = plan.ndim == 2
        self.radii = plan.radii
        row_reach, self.column_reach = self.radii[1] + 1, self.radii[2] + 1
        self.planes = range(max(zs.start - 1, 0), min(zs.stop + 1, n_planes))
        self.source_rows = slice(max(ys.start - row_reach, 0), min(ys.stop + row_reach, n_rows))
        self.source_columns = slice(
            max(xs.start - self.column_reach, 0), min(xs.stop + self.column_reach, n_columns)
        )
        self.n_rows_wanted = math.ceil((ys.stop - ys.start + 2) / ROWS) * ROWS
        self.width = xs.stop - xs.start + 2
        self.lead = 0 if self.flat else self.radii[0]
        self.group = 1 if self.flat else ROWS
        depth = 1 if self.flat else self.lead + _round_up(len(self.planes), ROWS) + self._tail()
        n_source_columns = self.source_columns.stop - self.source_columns.start
        n_source_rows = self.source_rows.stop - self.source_rows.start
        self.source_shape = (n_channels, n_source_rows, depth, n_source_columns)
        n_groups = math.ceil(TASKS_PER_THREAD * n_threads() / max(1, len(plan.blurs)))
        bytes_per_group = self.group * max(1, self.n_rows_wanted * self.blur_bytes_per_row)
        fitting = (BLUR_BYTES // bytes_per_group - 1) // 3
        self.slab = self.group * max(1, min(n_groups, fitting))
        self.n_slots = 1 if self.flat else min(3 * self.slab + ROWS, _round_up(len(self.planes), ROWS))
        self.borders = (
            int(ys.start == 0),
            int(ys.stop == n_rows),
            int(xs.start == 0),
            int(xs.stop == n_columns),
            ys.stop - ys.start + 1,
        )

    @property
    def source_bytes_per_row(self) -> int:
        """The memory of one row of the image."""
        n_channels, _, depth, n_columns = self.source_shape
        return 4 * n_channels * depth * n_columns

    @property
    def blur_bytes_per_row(self) -> int:
        """The memory of one row of one plane of all filtered images."""
        return 4 * len(self.plan.blurs) * self.width

    def _tail(self) -> int:
        """Return the number of planes after the last one that the weights along z cover, including zeros."""
        kernels = [pack_kernels(blur.sigmas) for blur in self.plan.blurs]
        return max((int((one.sizes - 1 - one.radii)[:, 0].max()) for one in kernels), default=0)

    def schedule(self, consume: Consume) -> tuple[list[Step], list[int]]:
        """Return the steps in order, and the number of first steps that must be done before each.

        Planes are filtered in tiles of planes, into a ring buffer of three tiles and a group. While one tile
        is classified, the next is filtered, so that threads rarely wait.
        """
        slabs = [self.planes[first : first + self.slab] for first in range(0, len(self.planes), self.slab)]
        steps: list[Step] = []
        needs: list[int] = []
        blurred: list[int] = []
        consumed = [0, 0, 0]
        ready = self.region[0].start
        for number in range(len(slabs) + 1):
            if number < len(slabs):
                steps += [partial(self.blur, *task) for task in self._blur_tasks(slabs[number])]
                needs += [consumed[number]] * (len(steps) - len(needs))
                blurred.append(len(steps))
            if number > 0:
                stop = slabs[number - 1][-1] if number < len(slabs) else self.region[0].stop
                steps += [partial(consume, self, *task) for task in self._tiles(range(ready, stop))]
                needs += [blurred[number - 1]] * (len(steps) - len(needs))
                consumed.append(len(steps))
                ready = stop
        return steps, needs

    def run(self, consume: Consume, advance: Callable[[], None] | None = None) -> None:
        """Load the image and run all steps; call `advance` after each."""
        self.load()
        steps, needs = self.schedule(consume)
        progress = (lambda *_: advance()) if advance else False
        map_tiles(lambda step: step(), steps, needs=needs, progress=progress)
        del self.source, self.blurs, self.tile

    def load(self) -> None:
        """Load the image, and pad it by repeating the outer planes."""
        n_rows, depth = self.source_shape[1:3]
        self.source = np.empty(self.source_shape, np.float32)
        first = self.planes[0] - self.lead
        wanted = np.clip(np.arange(first, first + depth), 0, self.image.shape[1] - 1)
        real = slice(int(wanted[0]), int(wanted[-1]) + 1)
        lead, tail = real.start - first, first + depth - real.stop

        def load_rows(start: int) -> None:
            rows = slice(start, min(start + CHUNK, n_rows))
            image_rows = slice(self.source_rows.start + rows.start, self.source_rows.start + rows.stop)
            pixels = self.image[:, real, image_rows, self.source_columns]
            target = self.source[:, rows]
            target[:, :, lead : depth - tail] = pixels.swapaxes(1, 2)
            target[:, :, :lead] = target[:, :, lead : lead + 1]
            target[:, :, depth - tail :] = target[:, :, depth - tail - 1 : depth - tail]

        map_tiles(load_rows, range(0, n_rows, CHUNK))
        shape = (len(self.plan.blurs), self.n_slots, self.n_rows_wanted, self.width)
        self.blurs = np.empty(shape, np.float32)
        self.tile: Tile = Tile(
            self.source.ravel(),
            self.source_shape,
            self.blurs.ravel(),
            shape,
            self.plan.kinds,
            self.plan.inputs,
            self.plan.weights,
            self.plan.features,
            self.plan.n_features,
            self.eigenvalues.reshape(-1),
            self.eigenvalues.shape,
            self._in_source(*self.corner),
            self.flat,
        )

    def _blur_tasks(self, planes: range) -> list[tuple[int, int]]:
        """Return (filter, first plane) for each group of planes, the widest filter first."""
        widths = [pack_kernels(blur.sigmas).sizes.sum() for blur in self.plan.blurs]
        numbers = sorted(range(len(widths)), key=lambda number: -widths[number])
        return [(number, plane) for plane in planes[:: self.group] for number in numbers]

    def _tiles(self, planes: range) -> list[tuple[int, int, int]]:
        """Divide planes into tiles (plane, first row, last row) that take a few milliseconds each."""
        n_rows = self.region[1].stop - self.region[1].start
        step = max(1, TASK_VOXELS // (self.width - 2))
        return [(z, row, min(row + step, n_rows)) for z in planes for row in range(0, n_rows, step)]

    def slot(self, plane: int) -> int:
        """Return the slot of a filtered plane; planes outside the image are replaced by the nearest one."""
        return (min(max(plane, self.planes[0]), self.planes[-1]) - self.planes[0]) % self.n_slots

    def slots(self, plane: int) -> tuple[int, int, int]:
        """Return the slots of the previous, current and next plane."""
        return self.slot(plane - 1), self.slot(plane), self.slot(plane + 1)

    def source_at(self, plane: int) -> tuple[int, int, int]:
        """Return the index in the source of the first voxel of a plane."""
        return self._in_source(plane, self.region[1].start, self.region[2].start)

    def _in_source(self, plane: int, row: int, column: int) -> tuple[int, int, int]:
        depth = plane - self.planes[0] + self.lead
        return depth, row - self.source_rows.start, column - self.source_columns.start

    def blur(self, number: int, plane: int) -> None:
        """Compute one filter of a group of planes."""
        blur = self.plan.blurs[number]
        at = self.slot(plane)
        kernels = pack_kernels(blur.sigmas)
        n_kernels, _, length = kernels.weights.shape
        n_columns, reach = self.source_shape[3], self.column_reach
        centre = (
            0 if self.flat else plane - self.planes[0] + self.lead,
            self.region[1].start - 1 - self.source_rows.start,
            self.region[2].start - 1 - self.source_columns.start,
        )
        blur_planes(
            self.source[blur.channel],
            centre,
            reach,
            min(self.group, self.planes[-1] + 1 - plane),
            kernels,
            self.borders,
            _scratch("planes", (n_kernels, self.group, CHUNK + length - 1, n_columns)),
            _scratch("lines", (n_kernels, self.group, CHUNK, 2 * reach + n_columns + FIRST_TAPS + TAPS)),
            self.blurs[number, at : at + self.group],
        )


_local = threading.local()


def _scratch(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a reusable buffer of this thread, since allocating pages is slower than filling them."""
    size = math.prod(shape)
    buffer = getattr(_local, name, None)
    if buffer is None or buffer.size < size:
        buffer = np.zeros(size, np.float32)
        setattr(_local, name, buffer)
    return buffer[:size].reshape(shape)


def _round_up(number: int, step: int) -> int:
    return math.ceil(number / step) * step
