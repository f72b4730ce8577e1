"""Measuring in blocks: partial measurements of objects and their merging.

Sums are added. Objects within one block are measured there; the voxels of other objects are collected, and
assembled and measured as whole objects, or in slabs where their box is large.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from objclass._common import checks
from objclass._common.parallel import read_only
from objclass.chunked.fragments import Fragment, pack
from objclass.chunked.slabs import OVERLAPS, count_in_slabs
from objclass.measurement.counting import Counter, Options, Part, Scene, count_objects
from objclass.measurement.kernels.sums import NUMBER, ObjectSums, merge_sums
from objclass.measurement.measuring import check_pixels, encode_labels, sum_records
from objclass.measurement.objects import MeasuredObjects

BATCH = 2**21
"""The number of voxels of bounding boxes to process at a time. An object with more is counted in slabs."""


@dataclass(frozen=True)
class Quantities:
    """The quantities to measure."""

    counters: tuple[Counter, ...]
    """The counters; empty if sums are sufficient."""
    counts_pixels: bool
    """Whether some of them need the image."""
    spacing: tuple[float, ...]
    options: Options


class Measured(NamedTuple):
    """Partial measurements of the objects in one block."""

    records: tuple[np.ndarray, np.ndarray]
    numbers: np.ndarray
    """The counts of objects that are within this block."""
    counts: dict[str, np.ndarray]
    fragments: list[Fragment]


def measure_block(
    labels: np.ndarray,
    pixels: np.ndarray | None = None,
    *,
    quantities: Quantities,
    corner: tuple[int, ...],
    inner_faces: tuple[tuple[int, int], ...],
) -> Measured:
    """Measure the objects of one block.

    Parameters
    ----------
    labels : (z, y, x) or (y, x) integer array
    pixels : array of the same shape, with or without channels first, optional
    quantities : Quantities
    corner : tuple of int
        The start of the block in the image.
    inner_faces : tuple of (axis, side)
        The faces that are inside the image.
    """
    labels, origin = checks.check_labels(labels), (0,) * (3 - labels.ndim) + corner
    faces = [np.unique(labels.take(side, axis)) for axis, side in inner_faces]
    codes, values, numbers = _as_volumes(labels, pixels)
    records = _merge_records(sum_records(Scene(codes, values), origin))
    sums = merge_sums([records])
    if numbers is not None:
        records[0][:, NUMBER] = numbers[records[0][:, NUMBER]]
    if not quantities.counters:
        return Measured(records, np.zeros(0, np.int64), {}, [])
    sums = sums._replace(boxes=sums.boxes - np.tile(origin, 2))
    true_numbers = sums.numbers if numbers is None else numbers[sums.numbers]
    open_ended = np.isin(true_numbers, np.concatenate([labels[:0].ravel(), *faces]))
    counts = _count(quantities, codes, values, _take(sums, ~open_ended))
    fragments = list(_cut_fragments(quantities, codes, values, _take(sums, open_ended), origin, numbers))
    return Measured(records, true_numbers[~open_ended], counts, fragments)


def fragments_of(
    labels: np.ndarray,
    pixels: np.ndarray | None = None,
    *,
    quantities: Quantities,
    corner: tuple[int, ...],
    objects: np.ndarray,
) -> list[Fragment]:
    """Return the fragments of the given objects in a block."""
    codes, values, numbers = _as_volumes(labels, pixels)
    sums = merge_sums([_merge_records(sum_records(Scene(codes, values[:0])))])
    chosen = np.isin(sums.numbers if numbers is None else numbers[sums.numbers], objects)
    origin = (0,) * (3 - labels.ndim) + corner
    return list(_cut_fragments(quantities, codes, values, _take(sums, chosen), origin, numbers))


def _as_volumes(
    labels: np.ndarray, pixels: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    codes, numbers = encode_labels(labels)
    if numbers is not None and numbers.dtype == np.uint64:
        hint = "Relabel the objects with objclass.chunked.relabel."
        raise checks.invalid("labels", "labels below 2**63 in blocks", str(numbers[-1]), hint)
    if pixels is None:
        values = np.empty((0, *codes.shape), np.uint8)
    else:
        values = check_pixels(pixels, labels.shape)[0].reshape(-1, *codes.shape)
    return read_only(codes), values, numbers


def _merge_records(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    spatial, intensity = map(np.concatenate, zip(*parts, strict=True))
    return spatial, intensity


def _take(sums: ObjectSums, chosen: np.ndarray) -> ObjectSums:
    return ObjectSums(*(values[chosen] for values in sums))


def _count(
    quantities: Quantities, codes: np.ndarray, values: np.ndarray, sums: ObjectSums
) -> dict[str, np.ndarray]:
    objects = MeasuredObjects(sums, quantities.spacing, {})
    return count_objects(
        quantities.counters, Part(Scene(codes, values, None, quantities.options), objects, slice(None))
    )


def _cut_fragments(
    quantities: Quantities,
    codes: np.ndarray,
    values: np.ndarray,
    sums: ObjectSums,
    origin: tuple[int, ...],
    numbers: np.ndarray | None,
) -> Iterator[Fragment]:
    for code, box in zip(sums.numbers.tolist(), sums.boxes, strict=True):
        crop = tuple(
            slice(first, stop) for first, stop in zip(box[:3].tolist(), box[3:].tolist(), strict=True)
        )
        mask = codes[crop] == code
        number = code if numbers is None else int(numbers[code])
        pixels = values[(slice(None), *crop)].copy() if quantities.counts_pixels else None
        yield Fragment(number, box[:3] + origin, mask.shape, pack(mask), pixels)


def merge_measured(
    quantities: Quantities, blocks: Sequence[Measured], more: Sequence[Fragment]
) -> MeasuredObjects:
    """Merge the measurements of all blocks of an image.

    Parameters
    ----------
    quantities : Quantities
    blocks : sequence of Measured
    more : sequence of Fragment
        The fragments of the objects from `objects_across_blocks`.
    """
    sums = merge_sums([block.records for block in blocks])
    if not quantities.counters:
        return MeasuredObjects(sums, quantities.spacing, {})
    by_number: dict[int, list[Fragment]] = {}
    for fragment in [*more, *(fragment for block in blocks for fragment in block.fragments)]:
        by_number.setdefault(fragment.number, []).append(fragment)
    found = [(block.numbers, block.counts) for block in blocks]
    for part in _batches(sums, np.fromiter(by_number, np.int64, len(by_number))):
        objects = {int(number): by_number[int(number)] for number in sums.numbers[part]}
        some = _take(sums, part)
        is_large = np.prod(some.boxes[:, 3:] - some.boxes[:, :3], axis=1).max() > BATCH
        count = _count_large if is_large else _count_fragments
        found.append((sums.numbers[part], count(quantities, some, objects)))
    counts = {
        name: np.empty((len(sums.numbers), *one.shape[1:]), one.dtype) for name, one in found[0][1].items()
    }
    for numbers, values in found:  # counts from all fragments come last and take precedence
        at = np.searchsorted(sums.numbers, numbers)
        for name in counts:
            counts[name][at] = values[name]
    return MeasuredObjects(sums, quantities.spacing, counts)


def _batches(sums: ObjectSums, numbers: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rows in `sums` of batches of objects of similar size that fill `BATCH` voxels."""
    at = np.searchsorted(sums.numbers, numbers)
    sizes = sums.boxes[at, 3:] - sums.boxes[at, :3]
    order = np.lexsort((at, sizes[:, 1], sizes[:, 0]))
    batch: list[int] = []
    depth = height = width = 0
    for index in order.tolist():
        size = sizes[index].tolist()
        deeper, higher, wider = max(depth, size[0]), max(height, size[1]), width + size[2]
        if batch and deeper * higher * wider > BATCH:
            yield at[batch]
            batch, (deeper, higher, wider) = [], size
        batch.append(index)
        depth, height, width = deeper, higher, wider
    if batch:
        yield at[batch]


def objects_across_blocks(blocks: Sequence[Measured]) -> list[np.ndarray]:
    """Return, for each block, the objects that it considered complete but that extend to other blocks."""
    everywhere = np.concatenate([block.records[0][:, NUMBER] for block in blocks])
    places = np.repeat(np.arange(len(blocks)), [len(block.records[0]) for block in blocks])
    owners = np.unique(np.stack([everywhere, places], axis=1), axis=0)[:, 0]
    numbers, n_blocks = np.unique(owners, return_counts=True)
    return [block.numbers[np.isin(block.numbers, numbers[n_blocks > 1])] for block in blocks]


def _count_fragments(
    quantities: Quantities, sums: ObjectSums, objects: Mapping[int, list[Fragment]]
) -> dict[str, np.ndarray]:
    """Count objects from all their fragments, assembled in one volume."""
    sizes = sums.boxes[:, 3:] - sums.boxes[:, :3]
    starts = np.cumsum(sizes[:, 2]) - sizes[:, 2]
    depth, height = sizes[:, :2].max(axis=0).tolist()
    labels = np.zeros((depth, height, int(sizes[:, 2].sum())), np.int32)
    some = next(iter(objects.values()))[0].pixels
    n_channels, dtype = (0, np.dtype(np.uint8)) if some is None else (len(some), some.dtype)
    pixels = np.zeros((n_channels, *labels.shape), dtype)
    for code, (box, start, fragments) in enumerate(zip(sums.boxes, starts, objects.values(), strict=True), 1):
        for fragment in fragments:
            low = fragment.corner - box[:3] + [0, 0, start]
            place = tuple(slice(a, a + n) for a, n in zip(low.tolist(), fragment.shape, strict=True))
            mask = fragment.mask
            labels[place][mask] = code
            if fragment.pixels is not None:
                pixels[(slice(None), *place)][:, mask] = fragment.pixels[:, mask]
    corners = np.stack([np.zeros_like(starts), np.zeros_like(starts), starts], axis=1)
    moved = sums._replace(
        numbers=np.arange(1, len(objects) + 1, dtype=np.int64), boxes=np.hstack([corners, corners + sizes])
    )
    return _count(quantities, read_only(labels), pixels, moved)


def _count_large(
    quantities: Quantities, sums: ObjectSums, objects: Mapping[int, list[Fragment]]
) -> dict[str, np.ndarray]:
    """Count one object in slabs, and what needs its pixels from all of them."""
    (fragments,) = objects.values()
    in_slabs = [counter for counter in quantities.counters if counter in OVERLAPS]
    others = tuple(counter for counter in quantities.counters if counter not in OVERLAPS)
    counts: dict[str, np.ndarray] = {}
    if in_slabs:
        counts |= count_in_slabs(in_slabs, MeasuredObjects(sums, quantities.spacing, {}), fragments)
    if others:
        counts |= _count_fragments(replace(quantities, counters=others), sums, objects)
    return counts
