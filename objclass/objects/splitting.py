"""Cut objects apart that touch each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from objclass._common.checks import check_labels, check_number, check_spacing, invalid, is_list
from objclass._common.parallel import Progress, map_tiles
from objclass.objects.runlength import object_sizes, raster_order, renumber

_LARGEST_CRUMB = 20  # voxels; below it objects are commonly left out


def split_touching(
    labels: npt.ArrayLike | Sequence[npt.ArrayLike],
    *,
    probability: npt.ArrayLike | Sequence[npt.ArrayLike] | None = None,
    min_distance: float | None = None,
    spacing: float | Sequence[float] | None = None,
    min_size: int | None = None,
    progress: Progress = True,
) -> Any:
    """Cut objects apart that have grown together, such as nuclei in dense tissue.

    Each object is looked at alone. Its cavities count as filled, and each of its voxels gets its distance to
    the background. A difference of two Gaussians of these distances has its maxima in the middles of bodies,
    even where noise has frayed them; they are the seeds of a watershed. Round bodies stay whole, and so do
    elongated ones to about twice as long as wide. An object with one seed keeps all its voxels.

    Parameters
    ----------
    labels : integer array, or list of arrays
        (z, y, x) or (y, x); 0 is background. Gaps in the numbers are fine.
    probability : array, or list of arrays, optional
        From 0 to 1, of the shape of `labels`: how sure it is that a voxel belongs to an object, as
        `probability_map` gives it. Cuts then follow the places where it is low.
    min_distance : float, optional
        The least distance between two seeds, in units of `spacing`, or in voxels along x without it; smaller
        cuts more. By default twice the mean distance of the object's voxels to the background, which is half
        the radius of a ball; or that value for most objects, the weighted median, where it is larger.
    spacing : float or sequence of float, optional
        Voxel size along each axis. Without it voxels are taken to be as long along z, in voxels of the other
        axes, as makes the objects equally long along all axes on average, and never shorter than those.
    min_size : int, optional
        Pieces never become smaller than this many voxels, and objects that are smaller from the beginning
        have no room for a seed and are left out. By default the volume of a ball whose diameter is the
        default `min_distance`, at most 20 voxels; 0 leaves out nothing.
    progress : bool or callable
        Show a bar where it takes over two seconds; or call ``progress(done, total)``.

    Returns
    -------
    ndarray of int32, or list of such
        Objects 1…n in raster order of their first voxels; the shape of `labels`.

    Raises
    ------
    ValueError
        If `labels` are negative or not of rank 2 or 3, the shape of `probability` differs from theirs, or
        a number is out of range.
    TypeError
        If `labels` are not integers.

    See Also
    --------
    segment : Where the objects come from.
    exclude_small : Leave out small objects.

    References
    ----------
    .. [1] S. Beucher and F. Meyer, The morphological approach to segmentation: the watershed transformation,
       in: Mathematical Morphology in Image Processing (1993), 433–481
    .. [2] D. Marr and E. Hildreth, Theory of edge detection, Proc. R. Soc. Lond. B 207 (1980), 187–217,
       https://doi.org/10.1098/rspb.1980.0020

    Examples
    --------
    >>> import numpy as np, objclass
    >>> y, x = np.indices((20, 36))
    >>> discs = ((y - 10) ** 2 + (x - 10) ** 2 < 64) | ((y - 10) ** 2 + (x - 24) ** 2 < 64)
    >>> objclass.split_touching(discs.astype(int))[10, ::4]
    array([0, 1, 1, 1, 1, 2, 2, 2, 0], dtype=int32)
    """
    if min_distance is not None and check_number("min_distance", min_distance, low=0) == 0:
        raise invalid("min_distance", "a distance above 0", min_distance)
    if min_size is not None:
        check_number("min_size", min_size, low=0, integer=True)

    def split(one: Any, weight: Any) -> np.ndarray:
        array = check_labels(one)
        voxel = np.array(check_spacing(spacing, array.ndim) or _voxel_proportions(array))
        weight = None if weight is None else _check_probability(weight, array.shape)
        return _split(array, weight, _Scale(voxel, min_distance, min_size), progress)

    if is_list(labels):
        return list(map(split, labels, _one_each(probability, len(labels))))
    return split(labels, probability)


@dataclass(frozen=True)
class _Scale:
    """How large things are: a voxel along each axis, and what the user says of seeds and pieces."""

    voxel: np.ndarray
    min_distance: float | None
    min_size: int | None

    def of_objects(self, depths: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, int]:
        """Return the distance between the seeds of each object and the size of the smallest piece.

        The objects have these mean depths and sizes.
        """
        order = np.argsort(depths)
        middle = np.searchsorted(np.cumsum(sizes[order]), sizes.sum() / 2)
        usual = 2 * depths[order[middle]]
        ball = (np.pi / 6 if len(self.voxel) == 3 else np.pi / 4) * usual ** len(self.voxel)
        smallest = min(_LARGEST_CRUMB, int(ball / self.voxel.prod()))
        distances = np.maximum(2 * depths, usual)
        if self.min_distance is not None:
            distances[:] = self.min_distance
        return distances, smallest if self.min_size is None else self.min_size


def _split(array: np.ndarray, weight: np.ndarray | None, scale: _Scale, progress: Progress) -> np.ndarray:
    from scipy.ndimage import find_objects

    numbers, sizes = object_sizes(array)
    labels = renumber(array, numbers, np.arange(1, len(numbers) + 1))
    if not len(numbers):
        return labels
    boxes = [_with_margin(box, labels.shape) for box in find_objects(labels)]

    def measure(index: int) -> np.ndarray:
        return _depth_below_surface(labels[boxes[index]] == index + 1, scale.voxel)

    def cut(index: int) -> np.ndarray | None:
        box, depth = boxes[index], depths[index]
        if sizes[index] < 2 * smallest:
            return None
        body = _Body(labels[box] == index + 1, depth, scale.voxel)
        return _pieces(body, None if weight is None else weight[box], distances[index], smallest)

    depths = map_tiles(measure, range(len(boxes)), description="Measuring objects")
    means = np.array([depth[depth > 0].mean() if depth.any() else 0.0 for depth in depths])
    distances, smallest = scale.of_objects(means, sizes)
    all_pieces = map_tiles(cut, range(len(boxes)), description="Splitting objects", progress=progress)
    n_labels = len(boxes)
    for index, pieces in enumerate(all_pieces):
        if pieces is not None:
            part = labels[boxes[index]]
            others = (part == index + 1) & (pieces > 1)
            part[others] = pieces[others] - 1 + n_labels
            n_labels += int(pieces.max()) - 1
    order = raster_order(labels)
    kept = order[~np.isin(order, np.flatnonzero(sizes < smallest) + 1)]
    new = np.zeros(n_labels + 1, np.int32)
    new[kept] = np.arange(1, len(kept) + 1)
    return new[labels]


def _depth_below_surface(mask: np.ndarray, voxel: np.ndarray) -> np.ndarray:
    """Return the distance of each voxel to the background around the object, 0 outside: float32.

    Cavities count as filled. An object that fills its image has no surface, and no depth.
    """
    from scipy.ndimage import distance_transform_edt, label

    outside, n = label(~mask)
    is_open = np.zeros(n + 1, bool)
    for axis in range(mask.ndim):
        is_open[np.take(outside, 0, axis)] = is_open[np.take(outside, -1, axis)] = True
    is_open[0] = False  # the object itself
    if not is_open.any():
        return np.zeros(mask.shape, np.float32)
    return distance_transform_edt(~is_open[outside], sampling=voxel).astype(np.float32)


@dataclass(frozen=True)
class _Body:
    """One object in its box, the depth of its voxels and of its cavities, and the size of a voxel."""

    mask: np.ndarray
    depth: np.ndarray
    voxel: np.ndarray

    @property
    def filled(self) -> np.ndarray:
        return self.depth > 0


def _pieces(body: _Body, weight: np.ndarray | None, distance: float, smallest: int) -> np.ndarray | None:
    """Return the number, from 1, of the piece that each voxel of the box goes to; None for one piece."""
    from scipy.ndimage import gaussian_filter

    depth = body.depth if weight is None else body.depth * weight
    # Along a coarse axis a Gaussian narrower than a voxel would see single planes as bodies.
    sigma = np.maximum(distance / 2 / body.voxel, 1)
    middles = gaussian_filter(depth, sigma, mode="nearest")
    middles -= gaussian_filter(depth, 1.6 * sigma, mode="nearest")  # 1.6: as good as a Laplacian
    seeds = _find_seeds(middles, body, distance)
    while len(seeds) > 1:
        pieces = _flood(middles, seeds, body)
        sizes = np.bincount(pieces[body.mask], minlength=len(seeds) + 1)[1:]
        if (sizes >= max(smallest, 1)).all():
            return pieces
        seeds = seeds[sizes >= max(smallest, 1)]
    return None


def _find_seeds(middles: np.ndarray, body: _Body, distance: float) -> np.ndarray:
    """Return the maxima of `middles`, (n, ndim), without those near a higher one."""
    from scipy.spatial import cKDTree
    from skimage.feature import peak_local_max

    seeds = peak_local_max(middles, threshold_abs=0, exclude_border=False)
    seeds = seeds[body.filled[tuple(seeds.T)]]
    if len(seeds) < 2:
        return seeds
    keep = np.ones(len(seeds), bool)
    step = np.minimum(body.voxel, distance / 1.5)  # neighbouring planes are near, however far they lie apart
    # Pairs in order: whether the higher seed stays is settled before it removes another one.
    for higher, lower in sorted(cKDTree(seeds * step).query_pairs(distance)):
        if keep[higher]:
            keep[lower] = False
    return seeds[keep]


def _flood(middles: np.ndarray, seeds: np.ndarray, body: _Body) -> np.ndarray:
    """Return the basin of each voxel, 1 for the first seed; 0 outside the object."""
    from scipy.spatial import cKDTree
    from skimage.segmentation import watershed

    markers = np.zeros(middles.shape, np.int32)
    markers[tuple(seeds.T)] = np.arange(1, len(seeds) + 1)
    basins = watershed(-middles, markers, mask=body.filled)
    unreached = np.argwhere(body.mask & (basins == 0))
    if len(unreached):  # a part of its own, without a seed
        nearest = cKDTree(seeds * body.voxel).query(unreached * body.voxel)[1]
        basins[tuple(unreached.T)] = nearest + 1
    return basins


def _voxel_proportions(labels: np.ndarray) -> tuple[float, ...]:
    """Return the voxel size with which the objects are as long along z as along y and x: (z, y, x) or (y, x).

    How long they are is the mean length of the runs of their voxels, which objects that touch do not change
    much. Pixels are square, and planes never closer to each other than pixels.
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
    """Return the box with one voxel around it, where the image goes on."""
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
