"""Images in blocks: where a block comes from, with the surroundings that it needs, and graphs of tasks.

A block comes from the chunks of a dask array, or straight out of an array in a file (of zarr), of which a
task reads no more than it needs. A step is a task for each block; it bears the name of its function, so that
the dashboard of a cluster shows what goes on.
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

from objclass._common.checks import invalid
from objclass._common.parallel import single_threaded

BLOCK_SHAPES = {2: (8192, 8192), 3: (256, 512, 512)}
"""What is read at once from a file, about: large against the surroundings, small against the memory."""
FAN_IN = 64

Region = tuple[slice, ...]
Index = tuple[int, ...]


@dataclass(frozen=True)
class Grid:
    """How the spatial axes of an image are cut: the lengths of the blocks along each."""

    chunks: tuple[tuple[int, ...], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return tuple(map(sum, self.chunks))

    def blocks(self) -> list[tuple[Index, Region]]:
        """Return the place in the grid and the voxels of each block, in raster order."""
        axes = []
        for lengths in self.chunks:
            stops = np.cumsum(lengths).tolist()
            axes.append([slice(stop - n, stop) for stop, n in zip(stops, lengths, strict=True)])
        places = itertools.product(*(range(len(lengths)) for lengths in self.chunks))
        return list(zip(places, itertools.product(*axes), strict=True))


def regular_grid(shape: Sequence[int], block_shape: Sequence[int]) -> Grid:
    """Cut `shape` into blocks of `block_shape`, the last ones smaller."""
    return Grid(
        tuple(
            tuple(min(step, n - start) for start in range(0, n, step)) or (0,)
            for n, step in zip(shape, block_shape, strict=True)
        )
    )


@dataclass
class Tasks:
    """Tasks of one operation, as dask takes them: what to call, and with the results of which others."""

    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    graph: dict[Any, Any] = field(default_factory=dict)
    collections: list[Any] = field(default_factory=list)
    """What the tasks build upon."""

    def constant(self, name: str, value: Any) -> Any:
        """Enter what many tasks need; it goes to each worker once."""
        key = (f"{name}-{self.token}", len(self.graph))
        self.graph[key] = (_identity, value)
        return key

    def add(self, function: Callable[..., Any], index: Index, *arguments: Any, **fixed: Any) -> Any:
        """Enter a task of the step `function` and return its key; `fixed` arguments hold no keys."""
        key = (f"{function.__name__.strip('_')}-{self.token}", *index)
        self.graph[key] = (partial(_run, function, **fixed), *arguments)
        return key

    def part(self, key: Any, item: int) -> Any:
        """Enter a task that takes one item of the result of another."""
        name, *index = key
        taken = (f"part{item}_of_{name}", *index)
        self.graph[taken] = (operator.getitem, key, item)
        return taken

    def gather(self, function: Callable[[list[Any]], Any], keys: Sequence[Any]) -> Any:
        """Enter a task of `function` on the list of the results `keys`, fetched a few at a time."""
        level = 0
        while len(keys) > FAN_IN or level == 0:
            join = _join if level else list
            name, starts = f"gather-{self.token}", range(0, len(keys), FAN_IN)
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
        """Return the result of a task, computed by dask on whatever it is set to work."""
        from dask.delayed import Delayed
        from dask.highlevelgraph import HighLevelGraph

        graph = HighLevelGraph.from_collections("objclass", self.graph, dependencies=self.collections)
        return Delayed(key, graph, layer="objclass").compute()


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Within this context Python looks for no garbage: among a million tasks that takes most of the time."""
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
    """Call a step: dask works on several blocks side by side, each in one thread."""
    with single_threaded():
        return function(*arguments, **fixed)


def _join(parts: list[list[Any]]) -> list[Any]:
    return list(itertools.chain.from_iterable(parts))


def _call_joined(function: Callable[[list[Any]], Any], parts: list[list[Any]]) -> Any:
    return function(_join(parts))


class Source:
    """An image or labels that blocks are cut from.

    Parameters
    ----------
    array : dask array, zarr array or ndarray
        What else has a shape and a dtype and is read by slices is fine too, if it can be pickled.
    n_leading : int
        How many axes, of channels, come before those that are cut.
    block_shape : sequence of int, optional
        How to cut what has no chunks of its own.
    """

    def __init__(self, array: Any, n_leading: int = 0, block_shape: Sequence[int] | None = None) -> None:
        import dask.array as da

        if isinstance(array, np.ndarray):
            array = da.from_array(array, chunks=(-1,) * n_leading + ("auto",) * (array.ndim - n_leading))
        self.array, self.n_leading = array, n_leading
        self.chunked = isinstance(array, da.Array)
        shape = tuple(array.shape[n_leading:])
        if block_shape is not None and (len(block_shape) != len(shape) or min(block_shape) < 1):
            raise invalid("block_shape", f"{len(shape)} positive integers", block_shape)
        if self.chunked:
            if isinstance(array._meta, np.ma.MaskedArray):
                hint = "Fill the masked pixels first with dask.array.ma.filled(image, value)."
                raise invalid("image", "an array without a mask", "a masked array", hint)
            if np.isnan(array.shape).any():
                raise invalid("image", "an array of known shape", f"one of shape {array.shape}")
            chunks = dict(enumerate(block_shape, n_leading)) if block_shape else {}
            self.array = array.rechunk({**dict.fromkeys(range(n_leading), -1), **chunks})
            self.grid = Grid(self.array.chunks[n_leading:])
        else:
            stored = getattr(array, "chunks", None) or array.shape
            self.grid = regular_grid(shape, block_shape or _whole_chunks(shape, stored[n_leading:]))

    def cutter(self, tasks: Tasks) -> Callable[[Region], Any]:
        """Return a function that takes a region and returns the argument of a task that is its voxels."""
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
    """Return about `BLOCK_SHAPES`, in whole chunks of the file."""
    wanted = BLOCK_SHAPES[len(shape)]
    return tuple(
        min(n, max(chunk, want // chunk * chunk)) or 1
        for n, want, chunk in zip(shape, wanted, stored, strict=True)
    )


def _overlaps(stops: list[list[int]], region: Region) -> Iterator[tuple[Index, Region, Region]]:
    """Yield each chunk that a region meets: its place, what of it is met, and where in the region it lies."""
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


def _read(array: Any, *, region: Region) -> np.ndarray:
    return np.asarray(array[region])


def _assemble(pieces: list[np.ndarray], *, shape: tuple[int, ...], places: list[Region]) -> np.ndarray:
    if len(pieces) == 1:
        return np.asarray(pieces[0])
    whole = np.empty(shape, pieces[0].dtype)
    for piece, place in zip(pieces, places, strict=True):
        whole[place] = piece
    return whole


def with_halo(region: Region, shape: Sequence[int], halo: int | Sequence[int]) -> tuple[Region, Region]:
    """Return a region with its surroundings within the image, and where the region lies in that.

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
