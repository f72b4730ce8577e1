"""Blocks of images with a halo, and graphs of dask tasks.

A block is assembled from the chunks of a dask array, or read directly from an array in a file (zarr), from
which a task reads no more than it needs. A step is one task for each block, named after its function for the
dashboard of a cluster.
"""

from __future__ import annotations

import bisect
import contextlib
import gc
import itertools
import operator
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from objclass._common.checks import ArrayLike, invalid, refuse_masked, refuse_other_axes
from objclass._common.parallel import single_threaded

BLOCK_SHAPES = {2: (8192, 8192), 3: (256, 512, 512)}
"""The approximate shape of a block read from a file: large relative to the halo, small relative to memory."""
FAN_IN = 64

Region = tuple[slice, ...]
Index = tuple[int, ...]


@dataclass(frozen=True)
class Grid:
    """The division of the spatial axes into blocks: the lengths of the blocks along each axis."""

    chunks: tuple[tuple[int, ...], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return tuple(map(sum, self.chunks))

    def blocks(self) -> list[tuple[Index, Region]]:
        """Return the grid index and the region of each block, in raster order."""
        axes = []
        for lengths in self.chunks:
            stops = np.cumsum(lengths).tolist()
            axes.append([slice(stop - n, stop) for stop, n in zip(stops, lengths, strict=True)])
        places = itertools.product(*(range(len(lengths)) for lengths in self.chunks))
        return list(zip(places, itertools.product(*axes), strict=True))


def regular_grid(shape: Sequence[int], block_shape: Sequence[int]) -> Grid:
    """Divide `shape` into blocks of `block_shape`; the last ones may be smaller."""
    return Grid(
        tuple(
            tuple(min(step, n - start) for start in range(0, n, step)) or (0,)
            for n, step in zip(shape, block_shape, strict=True)
        )
    )


@dataclass
class Tasks:
    """The dask graph of an operation: tasks and their dependencies."""

    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    graph: dict[Any, Any] = field(default_factory=dict)
    collections: list[Any] = field(default_factory=list)
    """The graphs that the tasks depend on."""

    def constant(self, name: str, value: Any) -> Any:
        """Add a value that many tasks need; it is sent to each worker once."""
        key = (f"{name}-{self.token}", len(self.graph))
        self.graph[key] = (_identity, value)
        return key

    def add(self, function: Callable[..., Any], index: Index, *arguments: Any, **fixed: Any) -> Any:
        """Add a task of the step `function` and return its key; `fixed` arguments contain no keys."""
        key = (f"{function.__name__.strip('_')}-{self.token}", *index)
        self.graph[key] = (partial(_run, function, **fixed), *arguments)
        return key

    def part(self, key: Any, item: int) -> Any:
        """Add a task that extracts one item of the result of another."""
        name, *index = key
        taken = (f"part{item}_of_{name}", *index)
        self.graph[taken] = (operator.getitem, key, item)
        return taken

    def gather(self, function: Callable[[list[Any]], Any], keys: Sequence[Any]) -> Any:
        """Add a task that calls `function` on the list of the results `keys`, gathered in a tree."""
        level = 0
        while len(keys) > FAN_IN or level == 0:
            join = _join if level else list
            name, starts = f"gather_{function.__name__}-{self.token}", range(0, len(keys), FAN_IN)
            for number, start in enumerate(starts):
                self.graph[name, level, number] = (join, list(keys[start : start + FAN_IN]))
            keys, level = [(name, level, number) for number in range(len(starts))], level + 1
        key = (f"{function.__name__}-{self.token}", 0)
        self.graph[key] = (partial(_call_joined, function), list(keys))
        return key

    def array(self, name: str, grid: Grid, dtype: Any) -> Any:
        """Return the dask array whose blocks are the results of the step `name`."""
        import dask.array as da
        from dask.highlevelgraph import HighLevelGraph

        full = f"{name}-{self.token}"
        graph = HighLevelGraph.from_collections(full, self.graph, dependencies=self.collections)
        return da.Array(graph, full, grid.chunks, dtype=dtype)

    def compute(self, key: Any) -> Any:
        """Compute the result of a task with the current dask scheduler."""
        from dask.delayed import Delayed
        from dask.highlevelgraph import HighLevelGraph

        graph = HighLevelGraph.from_collections("objclass", self.graph, dependencies=self.collections)
        return Delayed(key, graph, layer="objclass").compute()


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Disable the garbage collector within this context: it dominates the time for a million tasks."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _identity(value: Any) -> Any:
    return value


def _run(function: Callable[..., Any], *arguments: Any, **fixed: Any) -> Any:
    """Run a step in one thread, as dask processes several blocks in parallel."""
    with single_threaded():
        return function(*arguments, **fixed)


def _join(parts: list[list[Any]]) -> list[Any]:
    return list(itertools.chain.from_iterable(parts))


def _call_joined(function: Callable[[list[Any]], Any], parts: list[list[Any]]) -> Any:
    return function(_join(parts))


class Source:
    """An image or label image that is read in blocks.

    Parameters
    ----------
    array : dask array, zarr array or ndarray
        Or any picklable object with shape and dtype that supports slicing.
    n_leading : int
        The number of leading (channel) axes, which are not divided.
    block_shape : sequence of int, optional
        The block shape for arrays without chunks.
    """

    def __init__(
        self, array: ArrayLike, n_leading: int = 0, block_shape: Sequence[int] | None = None
    ) -> None:
        import dask.array as da

        refuse_other_axes(array)
        if isinstance(array, np.ndarray):
            array = da.from_array(array, chunks=(-1,) * n_leading + ("auto",) * (array.ndim - n_leading))
        self.array: Any = array
        self.n_leading, self.chunked = n_leading, isinstance(array, da.Array)
        shape = tuple(array.shape[n_leading:])
        if block_shape is not None and (
            len(block_shape) != len(shape)
            or not all(isinstance(n, (int, np.integer)) and n >= 1 for n in block_shape)
        ):
            raise invalid("block_shape", f"{len(shape)} positive integers", block_shape)
        if isinstance(array, da.Array):
            refuse_masked(array)
            if np.isnan(array.shape).any():
                raise invalid("image", "an array of known shape", f"one of shape {array.shape}")
            chunks = dict(enumerate(block_shape, n_leading)) if block_shape else {}
            self.array = array.rechunk({**dict.fromkeys(range(n_leading), -1), **chunks})
            self.grid = Grid(self.array.chunks[n_leading:])
        else:
            stored = getattr(array, "chunks", None) or array.shape
            self.grid = regular_grid(shape, block_shape or _whole_chunks(shape, stored[n_leading:]))

    def cutter(self, tasks: Tasks) -> Callable[[Region], Any]:
        """Return a function that maps a region to the task argument with its voxels."""
        if not self.chunked:
            key = tasks.constant("source", self.array)
            return lambda region: (partial(_read, region=(slice(None),) * self.n_leading + region), key)
        tasks.collections.append(self.array)
        stops = [list(itertools.accumulate(lengths)) for lengths in self.grid.chunks]
        cut = f"cut-{uuid.uuid4().hex}"
        return lambda region: self._cut(tasks, stops, cut, region)

    def _cut(self, tasks: Tasks, stops: list[list[int]], cut: str, region: Region) -> Any:
        leading = (slice(None),) * self.n_leading
        keys, places = [], []
        for index, inside, place in _overlaps(stops, region):
            chunk = (self.array.name, *(0,) * self.n_leading, *index)
            if all(part.stop - part.start == n for part, n in zip(inside, self._lengths(index), strict=True)):
                keys.append(chunk)
            else:
                keys.append((cut, *index, *((part.start, part.stop) for part in inside)))
                tasks.graph.setdefault(keys[-1], (operator.getitem, chunk, (*leading, *inside)))
            places.append((*leading, *place))
        shape = (*self.array.shape[: self.n_leading], *(part.stop - part.start for part in region))
        return (partial(_assemble, shape=shape, places=places), keys)

    def _lengths(self, index: Index) -> list[int]:
        return [lengths[at] for lengths, at in zip(self.grid.chunks, index, strict=True)]


def _whole_chunks(shape: Sequence[int], stored: Sequence[int]) -> tuple[int, ...]:
    """Return a shape near `BLOCK_SHAPES` in multiples of the chunks of the file."""
    target = BLOCK_SHAPES[len(shape)]
    return tuple(
        min(n, max(chunk, want // chunk * chunk)) or 1
        for n, want, chunk in zip(shape, target, stored, strict=True)
    )


def _overlaps(stops: list[list[int]], region: Region) -> Iterator[tuple[Index, Region, Region]]:
    """Yield each chunk that overlaps a region: its index, and the overlap in the chunk and in the region."""
    axes = []
    for ends, part in zip(stops, region, strict=True):
        found = []
        for at in range(bisect.bisect_right(ends, part.start), len(ends)):
            begin, end = ends[at - 1] if at else 0, ends[at]
            if begin >= part.stop:
                break
            low, high = max(begin, part.start), min(end, part.stop)
            if low < high:
                place = slice(low - part.start, high - part.start)
                found.append((at, slice(low - begin, high - begin), place))
        axes.append(found)
    for combination in itertools.product(*axes):
        index, inside, place = zip(*combination, strict=True)
        yield index, inside, place


def _read(array: ArrayLike, *, region: Region) -> np.ndarray:
    return np.asarray(array[region])


def _assemble(pieces: list[np.ndarray], *, shape: tuple[int, ...], places: list[Region]) -> np.ndarray:
    if len(pieces) == 1:
        return np.asarray(pieces[0])
    whole = np.empty(shape, pieces[0].dtype)
    for piece, place in zip(pieces, places, strict=True):
        whole[place] = piece
    return whole


def with_halo(region: Region, shape: Sequence[int], halo: int | Sequence[int]) -> tuple[Region, Region]:
    """Return a region with its halo, clipped to the image, and the position of the region in it.

    `halo` is in voxels along each axis, or along all of them.
    """
    halo = (halo,) * len(region) if isinstance(halo, int) else halo
    wide = tuple(
        slice(max(part.start - around, 0), min(part.stop + around, n))
        for part, n, around in zip(region, shape, halo, strict=True)
    )
    inner = tuple(
        slice(part.start - around.start, part.stop - around.start)
        for part, around in zip(region, wide, strict=True)
    )
    return wide, inner
