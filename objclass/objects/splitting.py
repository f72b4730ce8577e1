"""Splitting of touching objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from objclass._common.checks import (
    Images,
    Spacing,
    check_labels,
    check_number,
    check_option,
    check_spacing,
    for_each,
    invalid,
    is_list,
)
from objclass._common.parallel import map_tiles, n_threads
from objclass._common.progress import Progress, progress_bar
from objclass._common.sizes import weighted_median
from objclass.objects.kernels.component_tree import convex_parts
from objclass.objects.kernels.convexity import mean_solidity
from objclass.objects.kernels.depth import (
    difference_of_gaussians,
    distance_transform,
    fill_cavities,
    find_seeds,
)
from objclass.objects.kernels.flooding import flood, merge_small
from objclass.objects.runlength import Runs, object_sizes, raster_order

METHODS = ("distance", "tree", "auto")
LARGEST_DEBRIS = 20  # voxels; objects below this size are usually removed
_LEVELS = np.arange(0.02, 0.98, 0.04).astype(np.float32)  # thresholds of the component tree
_TREE_GAIN, _GAIN = 0.03, 0.02  # the solidity of parts must exceed that of the whole by this


def split_touching(
    labels: Images,
    *,
    method: str = "distance",
    probability: npt.ArrayLike | Sequence[npt.ArrayLike] | None = None,
    min_distance: float | None = None,
    spacing: Spacing = None,
    min_size: int | None = None,
    progress: Progress = True,
) -> Images:
    """Split touching objects, such as nuclei in dense tissue.

    Each object is processed separately. Objects are split and never removed.

    Parameters
    ----------
    labels : integer array, or list of arrays
        (z, y, x) or (y, x); 0 is background. Labels need not be consecutive.
    method : {"distance", "tree", "auto"}
        - ``"distance"``: for round objects. A watershed of the Euclidean distance transform (with cavities
          filled), with seeds at the maxima of its difference of Gaussians, which is robust to noisy
          boundaries. Objects up to about twice as long as wide are not split.
        - ``"tree"``: for objects of any length with a lower probability between them, such as rods or cells
          between walls. The component tree contains the parts of an object at higher thresholds. Parts
          replace their parent if their mean solidity, weighted by size, is higher by more than 0.03. They
          are grown back by a watershed of the probability.
        - ``"auto"``: for each object, the method whose parts have the highest mean solidity. The object is
          not split unless that exceeds its own solidity by 0.02. Without `probability`, only
          ``"distance"`` is used.
    probability : array, or list of arrays, optional
        The probability that a voxel belongs to an object, of the shape of `labels`, from `probability_map`,
        preferably slightly smoothed. ``"tree"`` needs it. With ``"distance"``, splits follow its minima.
    min_distance : float, optional
        The minimum distance between two seeds, in units of `spacing`, or in voxels along x without it. A
        smaller distance splits more. By default twice the mean distance transform of the object, which is
        half the radius of a ball, but at least the weighted median of that value over all objects.
    spacing : float or sequence of float, optional
        Voxel size along each axis. Without it, the size along z is estimated such that objects are equally
        long along all axes on average, and is at least that along y and x.
    min_size : int, optional
        The minimum size of a part in voxels; objects that are smaller before splitting are kept. By default
        20 for ``"tree"``, and for ``"distance"`` the volume of a ball whose diameter is the default
        `min_distance`, at most 20.
    progress : bool or callable
        Show a progress bar after two seconds, or call ``progress(done, total)``.

    Returns
    -------
    ndarray of int32, or list of such
        Objects 1…n in raster order of their first voxels; the shape of `labels`.

    Raises
    ------
    ValueError
        If `labels` are negative or not 2D or 3D, `probability` has another shape or is missing for
        ``"tree"``, or a number is out of range.
    TypeError
        If `labels` are not integers.

    See Also
    --------
    segment : Segment objects; its argument ``split`` includes this step.
    exclude_small : Remove small objects.

    References
    ----------
    .. [1] S. Beucher and F. Meyer, The morphological approach to segmentation: the watershed transformation,
       in: Mathematical Morphology in Image Processing (1993), 433–481
    .. [2] D. Marr and E. Hildreth, Theory of edge detection, Proc. R. Soc. Lond. B 207 (1980), 187–217,
       https://doi.org/10.1098/rspb.1980.0020
    .. [3] R. Jones, Connected filtering and segmentation using component trees, Computer Vision and Image
       Understanding 75 (1999), 215–228, https://doi.org/10.1006/cviu.1999.0777

    Examples
    --------
    >>> import numpy as np, objclass
    >>> y, x = np.indices((20, 36))
    >>> discs = ((y - 10) ** 2 + (x - 10) ** 2 < 64) | ((y - 10) ** 2 + (x - 24) ** 2 < 64)
    >>> objclass.split_touching(discs.astype(int))[10, ::4]
    array([0, 1, 1, 1, 1, 2, 2, 2, 0], dtype=int32)
    """
    check_option("method", method, METHODS)
    if min_distance is not None and check_number("min_distance", min_distance, low=0) == 0:
        raise invalid("min_distance", "a distance above 0", min_distance)
    if min_distance is not None and method == "tree":
        raise invalid("min_distance", 'None with method="tree", which uses no distance', min_distance)
    if min_size is not None:
        check_number("min_size", min_size, low=0, integer=True)
    if method == "tree" and probability is None:
        hint = "Compute it with objclass.probability_map(image, classifier)."
        raise invalid("probability", 'an array with method="tree"', probability, hint)

    def split(one: npt.ArrayLike, weight: Any) -> np.ndarray:
        array: np.ndarray = check_labels(one)
        voxel: Sequence[float] = check_spacing(spacing, array.ndim) or _voxel_proportions(array)
        known = None if weight is None else _check_probability(weight, array.shape)
        scale = _Scale(np.array([*(1.0,) * (3 - array.ndim), *voxel]), array.ndim, min_distance, min_size)
        return _split(array, known, method, scale, progress)

    weights = iter(_one_each(probability, len(labels)) if is_list(labels) else [probability])
    return for_each(labels, lambda one: split(one, next(weights)))


@dataclass(frozen=True)
class _Scale:
    """The voxel size, and the user's distance of seeds and minimum size of parts."""

    voxel: np.ndarray
    """(z, y, x)"""
    ndim: int
    min_distance: float | None
    min_size: int | None

    def of_objects(self, depths: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, int]:
        """Return the minimum distance of seeds of each object and the minimum size of parts.

        The objects have these mean depths and sizes.
        """
        usual = 2 * weighted_median(depths, sizes)
        ball = (np.pi / 6 if self.ndim == 3 else np.pi / 4) * usual**self.ndim
        smallest = min(LARGEST_DEBRIS, int(ball / self.voxel.prod()))
        distances = np.maximum(2 * depths, usual)
        if self.min_distance is not None:
            distances[:] = self.min_distance
        return distances, smallest if self.min_size is None else self.min_size


def _split(
    array: np.ndarray, probability: np.ndarray | None, method: str, scale: _Scale, progress: Progress
) -> np.ndarray:
    from scipy.ndimage import find_objects

    numbers, sizes = object_sizes(array)
    labels = Runs.encode(array).renumber(numbers, np.arange(1, len(numbers) + 1))
    if not len(numbers):
        return labels
    volume = labels.reshape((1,) * (3 - labels.ndim) + labels.shape)
    if probability is not None:
        probability = probability.reshape(volume.shape)
    boxes = [_with_margin(box, volume.shape) for box in find_objects(volume)]
    volumes = np.array([np.prod([side.stop - side.start for side in box]) for box in boxes])
    largest_first = np.argsort(-volumes)

    def measure(index: int) -> np.ndarray:
        return distance_transform(fill_cavities(volume[boxes[index]] == index + 1), scale.voxel)

    def cut(index: int) -> np.ndarray | None:
        box = boxes[index]
        heights = None if probability is None else np.ascontiguousarray(probability[box])
        body = _Body(volume[box] == index + 1, heights, scale.voxel, volume.shape[0] == 1)
        ways: list[Callable[[], np.ndarray | None]] = []
        if method != "distance" and heights is not None and sizes[index] >= 2 * smallest_of_tree:
            ways.append(partial(body.cut_by_tree, smallest_of_tree))
        if method != "tree" and sizes[index] >= 2 * smallest:
            by_distance = partial(body.cut_by_distance, depths[index], distances[index], smallest)
            ways.append(partial(by_distance, guided=method == "distance"))
        cuts = map_tiles(lambda way: way(), ways)  # side by side, if this is the only object
        return body.most_convex(cuts) if method == "auto" else next(iter(cuts), None)

    smallest_of_tree = LARGEST_DEBRIS if scale.min_size is None else scale.min_size
    if method != "tree":
        found = map_tiles(measure, largest_first, description="Measuring objects")
        depths = [found[place] for place in np.argsort(largest_first)]
        means = np.array([depth[depth > 0].mean() if depth.any() else 0.0 for depth in depths])
        distances, smallest = scale.of_objects(means, sizes)
    # One object that all other threads would wait for has its cuts made side by side.
    n_alone = np.count_nonzero(volumes * n_threads() > volumes.sum())
    pieces: list[np.ndarray | None] = []
    with progress_bar(len(numbers), "Splitting objects", progress) as advance:
        for some in (largest_first[:n_alone], largest_first[n_alone:]):
            pieces += map_tiles(cut, some, progress=lambda *_: advance())
    n_labels = _enter_parts(volume, boxes, largest_first, pieces)
    order = raster_order(labels)
    new = np.zeros(n_labels + 1, np.int32)
    new[order] = np.arange(1, len(order) + 1)
    return new[labels]


def _enter_parts(
    volume: np.ndarray,
    boxes: Sequence[tuple[slice, ...]],
    indices: np.ndarray,
    pieces: Sequence[np.ndarray | None],
) -> int:
    """Assign new labels to all but the first part of each object; return the highest label."""
    n_labels = len(boxes)
    for index, parts in zip(indices.tolist(), pieces, strict=True):
        if parts is not None:
            np.copyto(volume[boxes[index]], parts - 1 + n_labels, where=parts > 1)
            n_labels += int(parts.max()) - 1
    return n_labels


@dataclass(frozen=True)
class _Body:
    """An object in its bounding box, (z, y, x)."""

    mask: np.ndarray
    probability: np.ndarray | None
    voxel: np.ndarray
    flat: bool

    def cut_by_distance(
        self, depth: np.ndarray, distance: float, min_size: int, *, guided: bool
    ) -> np.ndarray | None:
        """Return the part of each voxel, from 1, with one part per seed; None if there is one part."""
        filled = depth > 0
        if guided and self.probability is not None:
            depth = depth * self.probability
        # Along a coarse axis, a Gaussian narrower than a voxel would give seeds in single planes.
        sigma = np.where(np.array(depth.shape) > 1, np.maximum(distance / 2 / self.voxel, 1), 0.1)
        response = difference_of_gaussians(depth, sigma)
        seeds = find_seeds(response, filled, self.voxel, distance)
        if len(seeds) < 2:
            return None
        parts = np.zeros(self.mask.shape, np.int32)
        parts[tuple(seeds.T)] = np.arange(1, len(seeds) + 1)
        flood(response, filled, parts)
        if merge_small(response, filled, self.mask, parts, len(seeds), max(min_size, 1)) < 2:
            return None
        return self._to_nearest(parts)

    def cut_by_tree(self, min_size: int) -> np.ndarray | None:
        """Return the part of each voxel, from 1, from the component tree; None if there is one part."""
        parts = np.zeros(self.mask.shape, np.int32)
        options = {"min_size": max(min_size, 1), "gain": _TREE_GAIN, "flat": self.flat}
        if convex_parts(self.probability, self.mask, _LEVELS, *options.values(), parts) < 2:
            return None
        flood(self.probability, self.mask, parts)
        return self._to_nearest(parts)

    def most_convex(self, cuts: Sequence[np.ndarray | None]) -> np.ndarray | None:
        """Return the split with the most convex parts, or None if the whole is about as convex."""
        if all(parts is None for parts in cuts):
            return None
        chosen, highest = None, mean_solidity(self.mask.astype(np.int32), 1, self.flat) + _GAIN
        for parts in cuts:
            if parts is not None and highest < 1:
                convexity = mean_solidity(parts, int(parts.max()), self.flat)
                if convexity > highest:
                    chosen, highest = parts, convexity
        return chosen

    def _to_nearest(self, parts: np.ndarray) -> np.ndarray:
        """Assign disconnected voxels without a part to the nearest part; set the background to 0."""
        from scipy.ndimage import distance_transform_edt

        if (self.mask & (parts == 0)).any():
            nearest = distance_transform_edt(
                parts == 0, sampling=self.voxel, return_distances=False, return_indices=True
            )
            parts = parts[tuple(nearest)]
        return np.where(self.mask, parts, 0)


def _voxel_proportions(labels: np.ndarray) -> tuple[float, ...]:
    """Estimate the voxel size from the assumption that objects are isotropic: (z, y, x) or (y, x).

    Lengths are estimated by the mean length of runs of voxels, which touching objects change little. Pixels
    are assumed to be square, and the distance of planes to be at least that of pixels.
    """
    if labels.ndim == 2 or not labels.any():
        return (1.0,) * labels.ndim
    n_runs = np.empty(3)
    for axis in range(3):
        along = np.moveaxis(labels, axis, 0)
        n_runs[axis] = np.count_nonzero(along[0]) + np.count_nonzero(
            (along[1:] != along[:-1]) & (along[1:] > 0)
        )
    return max(1.0, n_runs[0] / float(np.sqrt(n_runs[1] * n_runs[2]))), 1.0, 1.0


def _with_margin(box: tuple[slice, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the box with a margin of one voxel, clipped to the image."""
    return tuple(slice(max(s.start - 1, 0), min(s.stop + 1, n)) for s, n in zip(box, shape, strict=True))


def _check_probability(probability: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(probability)
    if array.shape != shape:
        raise invalid("probability", f"the shape of labels, {shape}", array)
    if array.dtype.kind not in "iufb" or not ((array >= 0) & (array <= 1)).all():
        hint = "Compute it with objclass.probability_map(image, classifier)."
        raise invalid("probability", "numbers from 0 to 1", array, hint)
    return array.astype(np.float32, copy=False)


def _one_each(probability: Any, n: int) -> Sequence[npt.ArrayLike | None]:
    """Return the probability of each of `n` images."""
    if probability is None:
        return [None] * n
    if not is_list(probability) or len(probability) != n:
        raise invalid("probability", f"a list of {n} arrays, one for each of labels", probability)
    return probability
