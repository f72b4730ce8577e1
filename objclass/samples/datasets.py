"""Sample images: a synthetic embryo, coins, and a published light-sheet stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from objclass._common.checks import check_number, invalid
from objclass._common.files import replacing
from objclass.io.images import imread
from objclass.samples import synthetic

if TYPE_CHECKING:
    import pandas as pd

LUND_DOI = "10.5281/zenodo.17986091"

_BACKGROUND_ON_COINS = [
    ((5, 10), (12, 290)),
    ((88, 15), (85, 290)),
    ((152, 15), (154, 240)),
    ((225, 105), (225, 300)),
    ((100, 8), (215, 8)),
    ((40, 124), (140, 128)),
]
_OBJECT_ON_COINS = [
    ((55, 32), (55, 57)),
    ((125, 33), (125, 57)),
    ((50, 143), (50, 168)),
    ((120, 257), (120, 283)),
    ((190, 327), (190, 365)),
    ((195, 90), (195, 114)),
    ((262, 30), (262, 65)),
    ((262, 152), (262, 192)),
    ((262, 287), (262, 316)),
]


@dataclass(frozen=True, eq=False, repr=False)
class Sample:
    """A sample image with its annotations and ground truth.

    Attributes
    ----------
    name : str
        The name of the sample.
    image : array
        (z, y, x) or (y, x).
    spacing : tuple of float or None
        The voxel size in micrometres along these axes; None if unknown.
    annotations : tuple of array
        Rounds of sparse scribbles, each of the shape of the image and including the previous round: 1 is
        background, 2 object.
    labels : int32 array or None
        The true objects; None if unknown.
    cell_types : DataFrame or None
        The true class of each object: columns ``label`` and ``cell_type``.

    Examples
    --------
    >>> sample = coins()
    >>> sample.name, sample.image.shape, len(sample.annotations), sample.spacing
    ('coins', (303, 384), 1, None)
    """

    name: str
    image: np.ndarray
    spacing: tuple[float, ...] | None
    annotations: tuple[np.ndarray, ...] = ()
    labels: np.ndarray | None = None
    cell_types: pd.DataFrame | None = None

    def __repr__(self) -> str:
        objects = "" if self.cell_types is None else f", {len(self.cell_types)} true objects"
        size = f"{self.image.shape} {self.image.dtype}"
        return f"<Sample {self.name}: {size}{objects}, rounds of annotations: {len(self.annotations)}>"


def embryo(shape: Sequence[int] = (64, 256, 256), *, random_state: int = 0) -> Sample:
    """Generate a synthetic light-sheet stack of an embryo, with scribbles and ground truth.

    Nuclei of three classes lie on the surface of an ellipsoid: interphase (60 %; large and round), mitotic
    (22 %; small, bright, elongated) and apoptotic (18 %; small, dim, fragmented). The image has a faint
    tissue background, a signal that decays with depth to a third, blur, photon and camera noise, and debris
    of fewer than 20 voxels. The first round of scribbles lies on one plane near the surface, where the signal
    is strong: a classifier trained on it alone misses deep nuclei. The second adds two deeper planes.

    Parameters
    ----------
    shape : three int
        The shape of the stack (z, y, x), at least (24, 64, 64). A smaller stack has fewer nuclei of the
        same size.
    random_state : int
        The seed. The same seed gives the same sample.

    Returns
    -------
    Sample
        A uint16 image; about 340 nuclei at the default shape.

    Examples
    --------
    >>> sample = embryo((24, 64, 64))
    >>> sample
    <Sample embryo: (24, 64, 64) uint16, 14 true objects, rounds of annotations: 2>
    >>> sorted(sample.cell_types["cell_type"].unique())
    ['apoptotic', 'interphase', 'mitotic']
    """
    import pandas as pd

    depth, height, width = _check_shape(shape)
    seed = check_number("random_state", random_state, low=0, integer=True)
    to_draw, to_image, to_paint = np.random.default_rng(seed).spawn(3)
    drawing = synthetic.draw((depth, height, width), to_draw)
    first = synthetic.paint(drawing, (0.25,), to_paint, cell_types=("interphase", "mitotic"))
    second = np.maximum(first, synthetic.paint(drawing, (0.55, 0.85), to_paint))
    numbers = np.arange(1, len(drawing.cell_types) + 1)
    return Sample(
        name="embryo",
        image=synthetic.image_of(drawing.light, to_image),
        spacing=synthetic.SPACING,
        annotations=(first, second),
        labels=drawing.labels,
        cell_types=pd.DataFrame({"label": numbers, "cell_type": drawing.cell_types}),
    )


def _check_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    smallest = (24, 64, 64)
    values = tuple(shape) if isinstance(shape, (tuple, list)) else ()
    if len(values) != 3 or any(type(n) is not int or n < m for n, m in zip(values, smallest, strict=True)):
        raise invalid("shape", f"three integers (z, y, x) of at least {smallest}", shape)
    return values


def coins() -> Sample:
    """Return a real 2D image that needs no network: ancient coins, with one round of scribbles.

    The image is `skimage.data.coins`, with an uneven background.

    Returns
    -------
    Sample
        Image (303, 384) uint8.

    Examples
    --------
    >>> coins()
    <Sample coins: (303, 384) uint8, rounds of annotations: 1>
    """
    from skimage import data

    image = data.coins()
    annotations = np.zeros(image.shape, np.uint8)
    for number, segments in ((1, _BACKGROUND_ON_COINS), (2, _OBJECT_ON_COINS)):
        for start, stop in segments:
            annotations[synthetic.brush(image.shape, np.array(start), np.array(stop), 2)] = number
    return Sample("coins", image, None, (annotations,))


def lund() -> Sample:
    """Download a real stack, a *Tribolium* embryo imaged by light-sheet microscopy, and cache it.

    Pooch verifies the file against the checksum from its Zenodo record and caches both (in the folder named
    by ``OBJCLASS_DATA_DIR`` if set), so that later calls need no network.

    Returns
    -------
    Sample
        Image (100, 256, 256) uint16, voxel size unknown, without annotations.

    Raises
    ------
    ConnectionError
        If it is not in the cache and cannot be downloaded. `embryo` needs no network.

    References
    ----------
    https://doi.org/10.5281/zenodo.17986091

    Examples
    --------
    >>> lund()  # doctest: +SKIP
    <Sample lund: (100, 256, 256) uint16, rounds of annotations: 0>
    """
    import pooch

    store = pooch.create(
        path=pooch.os_cache("objclass"), base_url=f"doi:{LUND_DOI}/", registry=None, env="OBJCLASS_DATA_DIR"
    )
    checksums = Path(store.abspath) / "lund-checksums.txt"
    try:
        if checksums.exists():
            store.load_registry(checksums)
            file = store.fetch("Lund.tif")
        else:
            store.load_registry_from_doi()
            file = store.fetch("Lund.tif")
            with replacing(checksums) as temporary:
                temporary.write_text(f"Lund.tif {store.registry['Lund.tif']}\n")
    except (OSError, ValueError) as error:
        hint = "Without a network, use objclass.samples.embryo(), a similar synthetic stack."
        got = f"none in {store.abspath}, and the download failed ({type(error).__name__}: {error})"
        raise invalid("lund", "a copy of Lund.tif", got, hint, kind=ConnectionError) from error
    return Sample("lund", imread(file, axes="zyx"), None)
