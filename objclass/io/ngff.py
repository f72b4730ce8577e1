"""OME-Zarr (NGFF 0.1 to 0.5) and plain Zarr arrays: in folders, in zip files and at URLs."""

from __future__ import annotations

import contextlib
import json
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from objclass._common.checks import first_few, invalid
from objclass.io.info import StoredImage, known, report_missing_chunks, report_unit, to_micrometres, unnamed

ZarrFormat = Literal[2, 3]
_NGFF = {2: "0.4", 3: "0.5"}
_MARKS = ("zarr.json", ".zgroup", ".zarray", ".zattrs")


def is_zarr(path: Path) -> bool:
    """Return whether `path` is a Zarr folder or zip file, regardless of its name."""
    if path.is_dir():
        return path.suffix.lower() == ".zarr" or any((path / mark).is_file() for mark in _MARKS)
    return path.name.lower().endswith((".zarr.zip", ".ozx"))


@contextlib.contextmanager
def open_zarr(path: Path | str) -> Iterator[list[StoredImage]]:
    """Open the images of a Zarr group, or one Zarr array."""
    import zarr

    with contextlib.ExitStack() as stack:
        store: Any = path
        if isinstance(path, str):
            store = zarr.storage.FsspecStore.from_url(path, read_only=True)
        elif path.is_file():
            store = stack.enter_context(zarr.storage.ZipStore(path, mode="r", read_only=True))
        node: Any = zarr.open(store, mode="r")
        name = path if isinstance(path, str) else path.name
        missing: list[str] = []
        found = list(_array(node, path) if isinstance(node, zarr.Array) else _images(node, "", name, missing))
        if found and missing:
            warnings.warn(
                f"{name}: {len(missing)} of its images are listed and missing: {first_few(missing)}. If they "
                "should exist, copy it again.",
                stacklevel=2,
            )
        if not found:
            members = sorted(node) if not isinstance(path, str) else "unknown"
            raise ValueError(f"it is a Zarr group without an image; its members are {members}")
        files = () if isinstance(path, str) else (path,)
        yield [replace(stored, read=_Reader(stored.array, name), files=files) for stored in found]


@dataclass(frozen=True)
class _Reader:
    """Read parts of an array, with a warning if chunks are missing."""

    array: Any
    name: str

    def __call__(self, index: Any) -> np.ndarray:
        warn_of_missing_chunks(self.array, self.name)
        return np.asarray(self.array[index])


def warn_of_missing_chunks(array: Any, name: str) -> None:
    """Warn if chunk files of an array are missing; at a URL they cannot be counted."""
    import zarr

    if isinstance(array.store, zarr.storage.FsspecStore):
        return
    stored = array.shards or array.chunks
    total = math.prod(-(-n // length) for n, length in zip(array.shape, stored, strict=True))
    per_file = math.prod(n // length for n, length in zip(stored, array.chunks, strict=True))
    report_missing_chunks(name, total - array.nchunks_initialized // per_file, total, array.fill_value)


def _images(group: Any, name: str, file: str, missing: list[str]) -> Iterator[StoredImage]:
    """Yield the images of a group: its own, and those of its wells, series or labels; note missing ones."""
    metadata = _attributes(group)
    if metadata.get("multiscales"):
        for image in metadata["multiscales"]:
            yield _image(group, image, metadata, name=name or str(image.get("name") or ""), file=file)
        return
    for path in _members(group, metadata):
        inner = f"{name}/{path}" if name else path
        try:
            yield from _images(group[path], inner, file, missing)
        except KeyError:
            missing.append(inner)


def _members(group: Any, metadata: Mapping[str, Any]) -> list[str]:
    """Return the paths of the subgroups that contain images."""
    if "plate" in metadata:
        return [well["path"] for well in metadata["plate"]["wells"]]
    if "well" in metadata:
        return [image["path"] for image in metadata["well"]["images"]]
    if "labels" in metadata:
        return list(metadata["labels"])
    if "bioformats2raw.layout" in metadata:
        listed = _attributes(group["OME"]).get("series") if "OME" in group else None
        return list(listed or sorted((key for key in group if key.isdigit()), key=int))
    return []


def _image(
    group: Any, image: Mapping[str, Any], metadata: Mapping[str, Any], *, name: str, file: str
) -> StoredImage:
    level = _largest(group, [str(dataset["path"]) for dataset in image["datasets"]], file)
    array = group[image["datasets"][level]["path"]]
    axes, spacing = _axes(image, array, level=level, file=file)
    channels = [channel.get("label") for channel in metadata.get("omero", {}).get("channels", ())]
    is_named = "c" in axes and len(channels) == array.shape[axes.index("c")] and all(channels)
    return _stored(
        array,
        axes,
        name=name,
        spacing=spacing,
        source="OME-Zarr",
        channel_names=tuple(map(str, channels)) if is_named else (),
    )


def _largest(group: Any, paths: Sequence[str], file: str) -> int:
    """Return which resolution level has the most pixels: the first, unless the levels are in disorder."""

    def size(path: str) -> int:
        with contextlib.suppress(KeyError, ValueError):  # a damaged level does not concern the others
            return int(math.prod(group[path].shape))
        return 0

    if len(paths) < 2 or size(paths[-1]) <= size(paths[0]):
        return 0
    level = max(range(len(paths)), key=lambda at: size(paths[at]))
    warnings.warn(
        f"{file}: its resolution levels are not in descending order; the largest, {paths[level]}, is read.",
        stacklevel=2,
    )
    return level


def _axes(image: Mapping[str, Any], array: Any, *, level: int, file: str) -> tuple[str, dict[str, float]]:
    """Return the axes of an array of a multiscale image, and its spacing in micrometres."""
    transforms = [*image["datasets"][level].get("coordinateTransformations", ())]
    systems = image.get("coordinateSystems")
    if systems:  # from NGFF 0.6 on; transformations of the image lead from this system to others
        ends = [step["output"] for step in transforms if "output" in step]
        reached = [end.get("name") if isinstance(end, dict) else end for end in ends]
        axes = next((each["axes"] for each in systems if each.get("name") in reached), systems[0]["axes"])
    else:
        transforms += image.get("coordinateTransformations", ())
        axes = image.get("axes") or list("tczyx"[-array.ndim :])  # NGFF 0.1 and 0.2 have always the same five
    described = [axis if isinstance(axis, dict) else {"name": axis} for axis in axes]
    kinds = {"time": "t", "channel": "c"}
    names = [str(axis["name"]).lower() for axis in described]
    names = [kinds.get(axis.get("type", name), name) for axis, name in zip(described, names, strict=True)]
    if len(names) != array.ndim:
        raise ValueError(f"its metadata name {len(names)} axes, its array has {array.ndim}")
    letters = "".join(name if name in (*"tczyx",) else "?" for name in names)
    scale = _scale(transforms, array.ndim)
    if scale is None:
        if any(axis.get("unit") for a, axis in zip(letters, described, strict=True) if a in "zyx"):
            warnings.warn(
                f"{file}: its coordinate transformations are not those of NGFF 0.4 and 0.5, a scale and a "
                "translation: its voxel size is not known. Pass spacing.",
                stacklevel=2,
            )
        return letters, {}
    sizes = [part for part in zip(letters, scale, described, strict=True) if part[0] in "zyx"]
    spacing = known({a: to_micrometres(size, axis.get("unit")) for a, size, axis in sizes})
    if not spacing and sizes:
        _, size, axis = max(sizes, key=lambda part: abs(np.log(abs(part[1]) or 1)))
        if axis.get("unit") != "pixel":
            report_unit(file, size, axis.get("unit"))
    return letters, spacing


def _scale(transforms: Sequence[Mapping[str, Any]], ndim: int) -> np.ndarray | None:
    """Return the product of scales along each axis; None if there is none, or another transformation."""
    steps = [step for each in transforms for step in each.get("transformations", [each])]  # of a sequence
    scales = [step for step in steps if "scale" in step or step.get("type") == "identity"]
    if not scales or any("translation" not in step for step in steps if step not in scales):
        return None
    product = np.ones(ndim)
    for step in scales:
        factors = np.asarray(step.get("scale", 1.0))
        if factors.shape not in ((), (ndim,)) or factors.dtype.kind not in "iuf":
            raise ValueError(f"its scale is {factors.tolist()}, not {ndim} numbers")
        product = product * factors
    return product


def _array(array: Any, path: Path | str) -> Iterator[StoredImage]:
    """Yield an array, described by the image that it is a resolution level of, or by its own axis names."""
    names = [str(name).lower() for name in getattr(array.metadata, "dimension_names", None) or ()]
    if isinstance(path, Path) and path.is_dir():
        for image, level in _images_around(path):
            axes, spacing = _axes(image, array, level=level, file=path.name)
            yield _stored(array, axes, name=path.name, spacing=spacing, source="OME-Zarr")
            return
    if len(names) == array.ndim and {*"yx"} <= {*names} <= {*"tczyx"}:
        yield _stored(array, "".join(names))
    else:
        yield _stored(array, unnamed(array.ndim))


def _images_around(path: Path) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Yield the image that has the array at `path` as a resolution level, and the index of the level."""
    import zarr

    for parent in path.absolute().parents[:2]:
        if not any((parent / mark).is_file() for mark in _MARKS):
            continue
        group = zarr.open(parent, mode="r")
        for image in [] if isinstance(group, zarr.Array) else _attributes(group).get("multiscales", []):
            levels = [level["path"].strip("/") for level in image["datasets"]]
            inside = path.absolute().relative_to(parent).as_posix()
            if inside in levels:
                yield image, levels.index(inside)


def _stored(array: Any, axes: str, **description: Any) -> StoredImage:
    return StoredImage(
        axes, array.shape, array.dtype, lambda index: np.asarray(array[index]), array=array, **description
    )


def _attributes(group: Any) -> dict[str, Any]:
    attributes = group.attrs.asdict()
    return attributes.get("ome", attributes)  # NGFF 0.5 keeps them under "ome", older versions at the top


def check_replaceable(path: Path) -> None:
    """Raise if `path` is a folder with anything but the levels of one Zarr image, such as its labels."""
    if not path.is_dir() or _is_array(path):
        return
    own = {*_MARKS, ".zmetadata"}
    others = sorted(each.name for each in path.iterdir() if each.name not in own and not _is_array(each))
    if others or not any((path / mark).is_file() for mark in _MARKS):
        got = f"the folder {path} with {', '.join(others[:5]) or 'nothing of Zarr'} in it"
        hint = "Remove it first if it is no longer needed."
        raise invalid("path", "a new name, or an older Zarr image to replace", got, hint)


def _is_array(path: Path) -> bool:
    if (path / ".zarray").is_file():
        return True
    try:
        return json.loads((path / "zarr.json").read_bytes())["node_type"] == "array"
    except (OSError, ValueError, LookupError, TypeError):
        return False


# Writing -------------------------------------------------------------------------------------------------


def write_zarr(
    path: Path,
    array: np.ndarray,
    axes: str,
    *,
    spacing: Mapping[str, float],
    source: str | None = None,
    zarr_format: ZarrFormat = 3,
) -> None:
    """Write `array` as an OME-Zarr image of one level, or as labels of the image at `source`.

    Of the formats of Zarr, 3 goes with NGFF 0.5 and 2 with NGFF 0.4.
    """
    group = create_zarr(path, axes, spacing=spacing, factors=[[1] * array.ndim], zarr_format=zarr_format)
    if source is not None:
        _describe(group, {"image-label": {"version": _NGFF[zarr_format], "source": {"image": source}}})
    stored = create_level(group, 0, shape=array.shape, dtype=array.dtype, axes=axes)
    stored[...] = array


def create_zarr(
    path: Path,
    axes: str,
    *,
    spacing: Mapping[str, float],
    factors: Sequence[Sequence[int]],
    zarr_format: ZarrFormat = 3,
) -> Any:
    """Create an OME-Zarr image without pixels; `factors` are the downsampling of each level."""
    import zarr

    kinds = {"c": {"type": "channel"}}
    unit = {"unit": "micrometer"} if spacing else {}

    def place(level: int, coarse: Sequence[int]) -> dict[str, Any]:
        scale = [spacing.get(a, 1.0) * factor for a, factor in zip(axes, coarse, strict=True)]
        return {"path": str(level), "coordinateTransformations": [{"type": "scale", "scale": scale}]}

    image = {
        "axes": [{"name": a, **kinds.get(a, {"type": "space", **unit})} for a in axes],
        "datasets": [place(*level) for level in enumerate(factors)],
    }
    group = zarr.create_group(path, zarr_format=zarr_format)
    _describe(group, {"multiscales": [image if zarr_format == 3 else {"version": "0.4", **image}]})
    return group


def _describe(group: Any, metadata: Mapping[str, Any]) -> None:
    """Add metadata of NGFF to a group, where its version has them."""
    if group.metadata.zarr_format == 2:
        group.attrs.update(metadata)
    else:
        group.attrs["ome"] = {"version": "0.5", **group.attrs.get("ome", {}), **metadata}


def open_labels(image: Path) -> ZarrFormat:
    """Make the group of labels of an image, if it has none yet; return the format of Zarr."""
    import zarr

    zarr_format = zarr.open_group(image, mode="r").metadata.zarr_format
    labels = zarr.open_group(image / "labels", mode="a", zarr_format=zarr_format)
    if "labels" not in _attributes(labels):
        _describe(labels, {"labels": []})
    return zarr_format


def list_labels(image: Path, name: str) -> None:
    """List `name` among the labels of an image."""
    import zarr

    labels = zarr.open_group(image / "labels", mode="r+")
    listed = _attributes(labels).get("labels", [])
    if name not in listed:
        _describe(labels, {"labels": [*listed, name]})
    consolidated = zarr.open_group(image, mode="r").metadata.consolidated_metadata
    if consolidated is not None:  # the copy of all metadata, which would hide the labels
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Consolidated metadata is currently not part")
            zarr.consolidate_metadata(image, zarr_format=labels.metadata.zarr_format)


def create_level(group: Any, level: int, *, shape: Sequence[int], dtype: np.dtype, axes: str) -> Any:
    """Create the array of a resolution level, with all chunks stored, so that a missing one is an error."""
    is_named = group.metadata.zarr_format == 3
    return group.create_array(
        str(level),
        shape=tuple(shape),
        dtype=dtype,
        chunks=zarr_chunks(shape, axes),
        dimension_names=list(axes) if is_named else None,
        chunk_key_encoding={"name": "default" if is_named else "v2", "separator": "/"},
        config={"write_empty_chunks": True},
    )


def zarr_chunks(shape: Sequence[int], axes: str) -> tuple[int, ...]:
    """Return the chunks in which arrays are stored."""
    return tuple(
        min(n, 1 if a == "c" else 64 if "z" in axes else 1024) for n, a in zip(shape, axes, strict=True)
    )
