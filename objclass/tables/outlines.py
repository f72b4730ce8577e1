"""Export of objects: parameter maps, ImageJ ROIs, and GeoJSON for QuPath."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from objclass._common import checks
from objclass._common.files import AnyPath, replacing
from objclass.io.microscopes import needs
from objclass.tables.belonging import check_belongs, of_one_image
from objclass.tables.columns import check_column, measurement_columns
from objclass.tables.spreadsheets import check_no_numbers

if TYPE_CHECKING:
    import pandas as pd

Loop = list[tuple[int, int]]


def map_to_image(labels: npt.ArrayLike, table: pd.DataFrame, column: str) -> np.ndarray:
    """Return a parameter map: an image in which every object has its value of a column.

    Parameters
    ----------
    labels : (z, y, x) or (y, x) integer array
        Objects; 0 is background.
    table : DataFrame
        One row for each object of this image, matched by ``label``.
    column : str
        A column of numbers or classes.

    Returns
    -------
    array of the shape of labels
        For numbers, float64 with NaN for background and missing values. For classes (strings, categories, or
        the results of `cluster` and `explore`), int32 with 0 for background, -1 for objects without a class,
        and classes from 1 in sorted order.

    Raises
    ------
    TypeError, ValueError
        If labels are no integers, the table is none or of several images, or it has no such column.

    Examples
    --------
    >>> import objclass
    >>> labels = np.array([[0, 1, 1], [5, 0, 0]])
    >>> objclass.map_to_image(labels, objclass.measure(labels), "area")
    array([[nan,  2.,  2.],
           [ 1., nan, nan]])
    """
    from pandas.api.types import is_numeric_dtype

    from objclass.tables.columns import column_kind

    labels = checks.check_labels(labels)
    table = of_one_image(table)
    check_column(table, "column", column)
    numbers, places = np.unique(labels, return_inverse=True)
    check_belongs(table, labels, numbers[numbers != 0], stacklevel=2)
    values_by_label = table.set_index("label", drop=False)[column]
    rows = values_by_label.reindex(numbers)
    if is_numeric_dtype(rows) and column_kind(table[column]) != "category":
        values = rows.to_numpy(dtype=float, na_value=np.nan, copy=True)
        values[numbers == 0] = np.nan
    else:
        check_no_numbers(table[column])
        codes = values_by_label.astype("category").cat.codes
        values = codes.reindex(numbers, fill_value=-1).to_numpy(np.int32, copy=True)
        values[values >= 0] += 1
        values[numbers == 0] = 0
    return values[places].reshape(labels.shape)


def write_geojson(
    labels: npt.ArrayLike,
    path: AnyPath,
    *,
    table: pd.DataFrame | None = None,
    column: str | None = None,
) -> None:
    """Write the outlines of objects as GeoJSON, which QuPath opens by *File → Import objects*.

    Outlines follow the edges of pixels, so that QuPath recovers exactly the same pixels. Holes and separate
    parts are kept. A 3D object has an outline in each of its planes.

    Parameters
    ----------
    labels : (z, y, x) or (y, x) integer array
        The label image, 0 for background.
    path : str or path
        The file; written atomically.
    table : DataFrame, optional
        The measurements of the objects, matched by ``label``.
    column : str, optional
        The column of `table` with the classes.

    Raises
    ------
    TypeError, ValueError
        If labels are no integers, the table is none or of several images, or it has no such column.

    Examples
    --------
    >>> import objclass, pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name) / "objects.geojson"
    >>> objclass.write_geojson(np.array([[0, 1, 1]]), path)
    >>> json.loads(path.read_text())["features"][0]["geometry"]["coordinates"]
    [[[1, 0], [3, 0], [3, 1], [1, 1], [1, 0]]]
    >>> folder.cleanup()
    """
    labels = checks.check_labels(labels)
    properties = _qupath_properties(labels, table, column)
    features = []
    for number, plane, parts in _outlines(labels):
        polygons = [[[*map(list, loop), list(loop[0])] for loop in part] for part in parts]
        geometry: dict[str, Any] = {"type": "Polygon", "coordinates": polygons[0]}
        if len(polygons) > 1:
            geometry = {"type": "MultiPolygon", "coordinates": polygons}
        geometry["plane"] = {"c": -1, "z": plane, "t": 0}
        features.append(
            {
                "type": "Feature",
                "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"objclass {number} {plane}")),
                "geometry": geometry,
                "properties": {"objectType": "detection", "name": str(number)} | properties.get(number, {}),
            }
        )
    with replacing(path) as temporary:
        content = {"type": "FeatureCollection", "features": features}
        temporary.write_text(json.dumps(content, allow_nan=False), encoding="utf-8")


def write_rois(labels: npt.ArrayLike, path: AnyPath) -> None:
    """Write the outlines of objects as a .zip file for the ROI Manager of ImageJ and Fiji.

    Outlines follow the edges of pixels. An object with holes or several parts becomes a composite ROI. A 3D
    object has a ROI in each of its planes. ROIs are named by label, or ``label-plane`` in 3D, with planes
    from 1.

    Parameters
    ----------
    labels : (z, y, x) or (y, x) integer array
        The label image, 0 for background.
    path : str or path
        The file, ending in ``.zip``; written atomically.

    Raises
    ------
    ImportError
        If roifile is not installed.
    TypeError, ValueError
        If labels are not integers, or the path does not end in .zip.

    Examples
    --------
    >>> import objclass, pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> objclass.write_rois(np.array([[0, 1, 1]]), pathlib.Path(folder.name) / "rois.zip")
    >>> folder.cleanup()
    """
    with needs("roifile", "export", to="write it"):
        import roifile

    labels = checks.check_labels(labels)
    if not str(path).lower().endswith(".zip"):
        raise checks.invalid("path", "a path that ends in .zip", str(path))
    rois = []
    for number, plane, parts in _outlines(labels):
        is_stack = labels.ndim == 3
        name = f"{number}-{plane + 1}" if is_stack else str(number)
        position = plane if is_stack else None
        if len(parts) == 1 and len(parts[0]) == 1:
            roi = roifile.ImagejRoi.frompoints(np.array(parts[0][0]), name=name, position=position)
            roi.roitype = roifile.ROI_TYPE.POLYGON
        else:
            loops = [loop for part in parts for loop in part]
            moves = [[0.0, *loop[0]] + [v for at in loop[1:] for v in (1.0, *at)] + [4.0] for loop in loops]
            corners = np.array([at for loop in loops for at in loop])
            roi = roifile.ImagejRoi.frompoints(corners, name=name, position=position)
            roi.roitype = roifile.ROI_TYPE.RECT
            roi.integer_coordinates = roi.subpixel_coordinates = None
            roi.n_coordinates = 0
            roi.multi_coordinates = np.array([value for move in moves for value in move], np.float32)
            roi.shape_roi_size = len(roi.multi_coordinates)
        rois.append(roi)
    with replacing(path) as temporary:
        roifile.roiwrite(temporary, rois, mode="w")


def _qupath_properties(
    labels: np.ndarray, table: pd.DataFrame | None, column: str | None
) -> dict[int, dict[str, Any]]:
    """Return the measurements and the class of each object in QuPath's format."""
    if table is None:
        if column is not None:
            raise checks.invalid("table", f"the table with the column {column!r}", "none")
        return {}
    table = of_one_image(table)
    check_belongs(table, labels, np.unique(labels[labels != 0]), stacklevel=3)
    kinds = [None] * len(table)
    if column is not None:
        check_column(table, "column", column)
        kinds = table[column].astype(object).where(table[column].notna(), None).tolist()
    names = measurement_columns(table.drop(columns=column or []))
    values = table[names].to_numpy(dtype=float, na_value=np.nan)
    result: dict[int, dict[str, Any]] = {}
    for row, number in enumerate(table["label"].tolist()):
        known = {n: v for n, v in zip(names, values[row].tolist(), strict=True) if np.isfinite(v)}
        result[number] = {"measurements": known}
        if (kind := kinds[row]) is not None:
            whole = isinstance(kind, float) and kind.is_integer()  # of classes where some are missing
            result[number]["classification"] = {"name": str(int(kind) if whole else kind)}
    return result


def _outlines(labels: np.ndarray) -> Iterator[tuple[int, int, list[list[Loop]]]]:
    """Yield the label, the plane and the parts of each object: outer loop (x, y) first, then its holes."""
    from scipy import ndimage

    planes = labels if labels.ndim == 3 else labels[np.newaxis]
    for z, plane in enumerate(planes):
        if plane.size == 0:
            continue
        numbers, codes = np.unique(plane, return_inverse=True)
        codes = codes.reshape(plane.shape) + int(numbers[0] != 0)
        objects = numbers[numbers != 0].tolist()
        for index, box in enumerate(ndimage.find_objects(codes.astype(np.int32))):
            mask = codes[box] == index + 1
            shift = box[1].start, box[0].start
            parts = []
            separate, n_parts = ndimage.label(mask)
            for part in range(1, n_parts + 1):
                loops = _loops(separate == part)
                loops.sort(key=lambda loop: -abs(_signed_area(loop)))
                parts.append([[(x + shift[0], y + shift[1]) for x, y in loop] for loop in loops])
            yield objects[index], z, parts


def _signed_area(loop: Loop) -> float:
    x, y = np.array(loop, float).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def _loops(mask: np.ndarray) -> list[Loop]:
    """Return the closed paths along the pixel edges of one part, with corner points only.

    The part is on the right of each edge, with y pointing down. Where four edges meet, a path turns right,
    since the part is 4-connected: pixels that touch at a corner belong to different loops.
    """
    padded = np.pad(mask, 1)
    following: dict[tuple[int, int], list[tuple[int, int]]] = {}
    edges = (
        (padded[1:, 1:-1] & ~padded[:-1, 1:-1], (0, 0), (1, 0)),
        (padded[:-1, 1:-1] & ~padded[1:, 1:-1], (1, 0), (0, 0)),
        (padded[1:-1, :-1] & ~padded[1:-1, 1:], (0, 0), (0, 1)),
        (padded[1:-1, 1:] & ~padded[1:-1, :-1], (0, 1), (0, 0)),
    )
    for found, start, stop in edges:
        for y, x in np.argwhere(found).tolist():
            following.setdefault((x + start[0], y + start[1]), []).append((x + stop[0], y + stop[1]))
    loops: list[Loop] = []
    while following:
        place = next(iter(following))
        path, direction = [], (0, 0)
        while place in following:
            ways = following[place]
            right = (place[0] - direction[1], place[1] + direction[0])
            way = right if len(ways) > 1 and right in ways else ways[0]
            ways.remove(way)
            if not ways:
                del following[place]
            turned = (way[0] - place[0], way[1] - place[1])
            if turned != direction:
                path.append(place)
            place, direction = way, turned
        first = (path[1][0] - path[0][0], path[1][1] - path[0][1])
        if (np.sign(first) == direction).all():
            path.pop(0)
        loops += _simple(path)
    return loops


def _simple(path: Loop) -> Iterator[Loop]:
    """Yield the loops of a closed path that meets itself at corners: a polygon is valid without."""
    places: dict[tuple[int, int], int] = {}
    corners: Loop = []
    for corner in path:
        if corner in places:
            start = places[corner]
            yield corners[start:]
            for each in corners[start:]:
                del places[each]
            del corners[start:]
        places[corner] = len(corners)
        corners.append(corner)
    yield corners
