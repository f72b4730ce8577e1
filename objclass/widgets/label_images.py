"""The label images that a table is of, one or several, and one number for each object over all of them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common import checks
from objclass.objects.runlength import object_sizes
from objclass.tables.columns import check_table
from objclass.widgets.boxes import object_boxes

if TYPE_CHECKING:
    import pandas as pd


class LabelImages:
    """Label images by name or time point.

    Objects have a number that is theirs alone: the label plus the offset of their image. The offset of the
    first image is 0, so that with one image the number is the label.

    Parameters
    ----------
    labels : sequence of (z, y, x) or (y, x) arrays of int
    keys : sequence of tuple, optional
        What stands in `columns` of a table for the objects of each image.
    columns : sequence of str
        ("image",), ("frame",) or ("image", "frame"); none for a single image.

    Attributes
    ----------
    offsets : (n,) int64 array
        Set by `number`, which sees the labels of a table too.
    """

    def __init__(
        self,
        labels: Sequence[np.ndarray],
        keys: Sequence[tuple[Hashable, ...]] = ((),),
        columns: Sequence[str] = (),
    ):
        self.labels = list(labels)
        self.keys = list(keys)
        self.columns = tuple(columns)
        self.present = [present_labels(one) for one in self.labels]
        self.offsets = np.zeros(len(self.labels), np.int64)
        self._boxes: dict[int, dict[int, tuple[slice, ...]]] = {}

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def names(self) -> list[str]:
        """What each image is called."""
        return [", ".join(self._describe(key)) for key in self.keys]

    @property
    def given_keys(self) -> list[Any]:
        """The keys of the mapping that `explore` was given; None for an only image."""
        return [(key if len(key) > 1 else key[0]) if key else None for key in self.keys]

    def describe(self) -> list[dict[str, Any]]:
        """Return name, offset and key of each image for the browser."""
        return [
            {"name": name, "offset": int(offset), **dict(zip(self.columns, map(_plain, key), strict=True))}
            for name, offset, key in zip(self.names, self.offsets, self.keys, strict=True)
        ]

    def _describe(self, key: tuple[Hashable, ...]) -> list[str]:
        return [
            f"frame {value}" if column == "frame" else str(value)
            for column, value in zip(self.columns, key, strict=True)
        ]

    def number(self, table: pd.DataFrame) -> np.ndarray:
        """Set the offsets, and return the number of the object of each row.

        Raises
        ------
        ValueError
            If a key column is missing, or a row is of an image that is not there.
        """
        labels = table["label"].to_numpy().astype(np.int64)
        places = self._places(table)
        if len(places) and (labels < 1).any():
            raise checks.invalid("table", "label numbers of 1 and above", f"a label {labels.min()}")
        highest = [int(found.max(initial=0)) for found in self.present]
        for place in range(len(self) if len(self) > 1 else 0):
            highest[place] = max(highest[place], int(labels[places == place].max(initial=0)))
        self.offsets = np.concatenate([[0], np.cumsum(highest[:-1])]).astype(np.int64)
        numbers = labels + self.offsets[places]
        if len(np.unique(numbers)) < len(numbers):
            hint = "Time points are images too: explore({(name, frame): (image, labels), ...}, table)."
            raise checks.invalid("table", "one row for each label of an image", "several", hint)
        return numbers

    def missing(self, table: pd.DataFrame) -> list[str]:
        """Return the key columns that a table does not have; legal with one image alone.

        Raises
        ------
        ValueError
            If there are several images.
        """
        missing = [column for column in self.columns if column not in table]
        if missing and len(self) > 1:
            hint = "With one table for each image: pandas.concat([a.assign(image='a'), b.assign(image='b')])."
            got = f"the columns {', '.join(map(str, table))}"
            expected = f"{' and '.join(repr(name) for name in missing)}, to tell the image of each row"
            raise checks.invalid("table", f"a column {expected}", got, hint)
        return missing

    def _places(self, table: pd.DataFrame) -> np.ndarray:
        """Return the place of the image of each row."""
        if not self.columns or self.missing(table):
            return np.zeros(len(table), np.intp)
        known = {tuple(map(str, key)): place for place, key in enumerate(self.keys)}
        texts = table[list(self.columns)].astype(str)
        if "frame" in texts:
            texts["frame"] = texts["frame"].str.removesuffix(".0")
        rows = list(texts.itertuples(index=False, name=None))
        unknown = list(dict.fromkeys(row for row in rows if row not in known))
        if unknown:
            given = checks.first_few([repr(", ".join(key)) for key in known])
            got = f"rows of {checks.first_few([repr(', '.join(key)) for key in unknown])}"
            column = self.columns[0]
            hint = f"Give these too, or leave their rows out: table[table[{column!r}].isin(list of names)]."
            raise checks.invalid("table", f"rows of the images that are given ({given})", got, hint)
        return np.array([known[row] for row in rows], np.intp)

    def locate(self, number: int) -> tuple[int, int]:
        """Return the place of the image of an object, and its label there."""
        place = int(self.places_of(np.array([number]))[0])
        return place, int(number - self.offsets[place])

    def places_of(self, numbers: np.ndarray) -> np.ndarray:
        """Return the place of the image of each object."""
        # Images without objects share their offset with the next: the last of them has the object.
        return np.maximum(np.searchsorted(self.offsets, numbers, side="left") - 1, 0)

    def key(self, number: int) -> Any:
        """Return what names an object in a table: its label, or a tuple with the label at the end."""
        place, label = self.locate(number)
        return (*self.keys[place], label) if self.columns else label

    def number_of(self, place: int, label: int) -> int:
        """Return the number of the object with a label in an image."""
        return int(self.offsets[place]) + int(label)

    def renumbered(self, numbers: np.ndarray, offsets: Sequence[int]) -> np.ndarray:
        """Return the numbers that these objects had with other offsets."""
        places = self.places_of(numbers)
        return numbers - self.offsets[places] + np.asarray(offsets, np.int64)[places]

    def all_present(self) -> np.ndarray:
        """Return the numbers of all objects in the images, ascending."""
        return np.concatenate(
            [found + offset for found, offset in zip(self.present, self.offsets, strict=True)]
        )

    def replace(self, labels: np.ndarray) -> None:
        """Go on with another label image in place of the only one."""
        self.labels, self.present = [labels], [present_labels(labels)]
        self._boxes.clear()

    def volume(self, place: int) -> np.ndarray:
        """Return a label image as (z, y, x)."""
        labels = self.labels[place]
        return labels if labels.ndim == 3 else labels[np.newaxis]

    def boxes(self, place: int) -> dict[int, tuple[slice, ...]]:
        """Return the bounding box (z, y, x) of each object of an image, by number; found once."""
        if place not in self._boxes:
            labels, offset = self.present[place], int(self.offsets[place])
            found = object_boxes(self.volume(place), labels)
            self._boxes[place] = {
                offset + label: box
                for label, box in zip(labels.tolist(), found, strict=True)
                if box is not None
            }
        return self._boxes[place]


def read_images(
    images: Mapping[Any, Any],
) -> tuple[list[np.ndarray], list[np.ndarray], list[tuple[Hashable, ...]], tuple[str, ...]]:
    """Return images, label images, keys and key columns of what `explore` was given as a mapping.

    Raises
    ------
    ValueError, TypeError
        If an entry is not a pair, keys are of different kinds, or the images differ in axes or type.
    """
    hint = "Pass {'name': (image, labels), ...}; for time points the key is a number, or ('name', number)."
    if not images:
        raise checks.invalid("image", "at least one image", "an empty mapping", hint)
    columns = {_columns_of(key, hint) for key in images}
    if len(columns) > 1:
        raise checks.invalid(
            "image", "keys of one kind", checks.first_few([repr(key) for key in images]), hint
        )
    pixels, labels = [], []
    for key, pair in images.items():
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise checks.invalid(f"image[{key!r}]", "a pair (image, labels)", checks.describe(pair), hint)
        image = checks.as_array(pair[0], argument=f"image[{key!r}]")
        numbers = checks.check_labels(pair[1], argument=f"image[{key!r}]")
        pixels.append(image)
        labels.append(numbers)
        for what, one, other in (
            ("spatial axes", numbers.ndim, labels[0].ndim),
            ("axes", image.ndim, pixels[0].ndim),
            ("type", image.dtype, pixels[0].dtype),
        ):
            if one != other:
                expected = f"{other} as {what}, as in {next(iter(images))!r}"
                raise checks.invalid(f"image[{key!r}]", expected, str(one), "They are shown at one contrast.")
    keys = [key if isinstance(key, tuple) else (key,) for key in images]
    return pixels, labels, keys, columns.pop()


def _columns_of(key: Any, hint: str) -> tuple[str, ...]:
    if isinstance(key, str):
        return ("image",)
    if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
        return ("frame",)
    if (
        isinstance(key, tuple)
        and len(key) == 2
        and [_columns_of(part, hint) for part in key] == [("image",), ("frame",)]
    ):
        return ("image", "frame")
    raise checks.invalid("image", "names as keys", repr(key), hint, kind=TypeError)


def present_labels(labels: np.ndarray) -> np.ndarray:
    """Return the numbers of the objects in a label image, ascending."""
    return object_sizes(labels)[0].astype(np.int64)


def _plain(value: Hashable) -> Any:
    return int(value) if isinstance(value, np.integer) else value


def check_objects(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` if it can be joined by label: one row for each object of one image, labels from 1."""
    check_table(table)
    labels = table["label"]
    twice = labels[labels.duplicated()].unique()
    if twice.size:
        shown = checks.first_few(list(twice))
        hint = "Take the rows of one image, as in table[table['image'] == name], or explore all of them."
        raise checks.invalid("table", "one row for each label", f"several for {shown}", hint)
    if (labels < 1).any():
        raise checks.invalid("table", "label numbers of 1 and above", f"a label {labels.min()}")
    return table
