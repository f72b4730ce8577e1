"""Several images or time points in one explorer: how they are opened, and which of them is shown."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import traitlets

from objclass._common import checks
from objclass.widgets.base import spatial_image
from objclass.widgets.explorer.label_images import LabelImages, read_images
from objclass.widgets.planes import ImagePlanes
from objclass.widgets.replay import call

if TYPE_CHECKING:
    import pandas as pd

    from objclass.widgets.explorer.object_table import ObjectTable

Images: TypeAlias = Mapping[Any, tuple[npt.ArrayLike, npt.ArrayLike]]


@dataclass(frozen=True)
class Opened:
    """What an explorer is opened with, checked.

    Attributes
    ----------
    pixels : list of (c, z, y, x) arrays
    labels : LabelImages
    table : DataFrame
    opening : list of str
        The lines of code that make the table.
    spacing : tuple of float or None
    """

    pixels: list[np.ndarray]
    labels: LabelImages
    table: pd.DataFrame
    opening: list[str]
    spacing: tuple[float, ...] | None


def open_images(
    image: npt.ArrayLike | Images,
    labels: npt.ArrayLike | pd.DataFrame | None,
    table: pd.DataFrame | None,
    *,
    spacing: Sequence[float] | None,
) -> Opened:
    """Check the arguments of `explore`, and measure where there is no table."""
    if not isinstance(image, Mapping):
        if labels is None:
            hint = "Several images: explore({name: (image, labels), ...}, table)."
            raise checks.invalid("labels", "the label image", "None", hint, kind=TypeError)
        numbers = checks.check_labels(labels)
        sizes = checks.check_spacing(spacing, numbers.ndim)
        channels = spatial_image(image, numbers.ndim, reference=numbers)
        keywords = {} if sizes is None else {"spacing": sizes}
        opening = ["# image, labels and table: those that the explorer was opened with"]
        if table is None:
            from objclass.measurement.region_properties import measure

            table = measure(numbers, np.asarray(image), spacing=sizes)
            opening = ["# image and labels: those that the explorer was opened with"]
            opening.append(f"table = {call('objclass.measure', 'labels', 'image', keywords=keywords)}")
        return Opened([channels], LabelImages([numbers]), table, opening, sizes)
    if labels is not None and table is not None:
        hint = "The labels are in the mapping: explore({name: (image, labels), ...}, table)."
        raise checks.invalid("labels", "nothing beside several images", checks.describe(labels), hint)
    return _open_several(image, labels if table is None else table, spacing)


def _open_several(images: Images, table: Any, spacing: Sequence[float] | None) -> Opened:
    arrays, numbers, keys, columns = read_images(images)
    sizes = checks.check_spacing(spacing, numbers[0].ndim)
    pixels = [
        spatial_image(image, labels.ndim, reference=labels, name=f"labels of {key!r}")
        for key, image, labels in zip(images, arrays, numbers, strict=True)
    ]
    opening = ["# images and table: those that the explorer was opened with"]
    if table is None:
        keywords = {} if sizes is None else {"spacing": sizes}
        table = _measure_all(arrays, numbers, keys, columns, keywords)
        names = ", ".join(columns)
        assign = ", ".join(f"{name}={name}" for name in columns)
        measured = call("objclass.measure", "labels", "image", keywords=keywords)
        opening = [
            "# images: those that the explorer was opened with",
            "import pandas",
            f"table = pandas.concat([{measured}.assign({assign})",
            f"    for {names if len(columns) == 1 else f'({names})'}, (image, labels) in images.items()], "
            "ignore_index=True)",
        ]
        opening[-1] = opening[-1].replace("(image, labels)", "(pixels, labels)")
        opening[2] = opening[2].replace("(labels, image", "(labels, pixels")
    return Opened(pixels, LabelImages(numbers, keys, columns), table, opening, sizes)


def _measure_all(
    images: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    keys: Sequence[tuple[Any, ...]],
    columns: Sequence[str],
    keywords: Mapping[str, Any],
) -> pd.DataFrame:
    import pandas as pd

    from objclass.measurement.region_properties import measure

    tables = [
        measure(numbers, image, **keywords).assign(**dict(zip(columns, key, strict=True)))
        for image, numbers, key in zip(images, labels, keys, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)


class SeriesMixin(traitlets.HasTraits):
    """Which of several images is shown: that of the marked object, or one that was chosen."""

    _shown = traitlets.Int(0, min=0, help="place of the shown image").tag(sync=True)
    _series = traitlets.List(
        traitlets.Dict(), help="name, image and frame of each image, and the offset of its objects"
    ).tag(sync=True)

    objects: ObjectTable
    focus: int
    _images: list[np.ndarray]
    hold_sync: Any
    _show_planes: Any
    _describe_volume: Any
    position: Any

    @property
    def shown(self) -> Any:
        """The key of the shown image, as in the mapping that `explore` was given; None with one image alone.

        Set it to show another image.
        """
        key = self.objects.images.keys[self._shown]
        return (key if len(key) > 1 else key[0]) if key else None

    @shown.setter
    def shown(self, wanted: Any) -> None:
        keys = [key if len(key) > 1 else key[0] for key in self.objects.images.keys if key]
        if wanted not in keys:
            given = ", ".join(map(repr, keys[:10])) or "one image without a name"
            raise checks.invalid("shown", f"one of {given}", repr(wanted))
        self.focus = 0
        self._shown = keys.index(wanted)

    def _mark(self, number: int) -> None:
        """Mark an object, and show its image."""
        place, label = self.objects.images.locate(number) if number else (self._shown, 0)
        with self.hold_sync():
            self._shown = place
            self.focus = label

    def _describe_series(self) -> list[dict[str, Any]]:
        images = self.objects.images
        return [
            {"name": name, "offset": int(offset), **dict(zip(images.columns, map(_plain, key), strict=True))}
            for name, offset, key in zip(images.names, images.offsets, images.keys, strict=True)
        ]

    @traitlets.validate("_shown")
    def _check_shown(self, proposal: Any) -> int:
        high = len(self._images) - 1
        return checks.check_number("image", proposal.value, low=0, high=high, integer=True)

    @traitlets.observe("_shown")
    def _switch(self, change: Any) -> None:
        seen = self.__dict__.setdefault("_seen", {})  # planes and position of the images shown before
        seen[change.old] = seen.get(change.old, (None,))[0], self.position
        planes, position = seen.get(change.new, (None, None))
        planes = planes or ImagePlanes(self._images[change.new])
        seen[change.new] = planes, position
        with self.hold_sync():
            self._show_planes(planes, source=change.new, position=position)
            self._describe_volume()


def _plain(value: Hashable) -> Any:
    return int(value) if isinstance(value, np.integer) else value
