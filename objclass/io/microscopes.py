"""Vendor formats, each read by its own package.

The packages are those of the extra ``formats``: pylibCZIrw (by Zeiss), liffile, nd2, h5py, mrcfile and
nibabel. Planes are read lazily where the package allows it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

import numpy as np

from objclass._common.checks import first_few, invalid
from objclass.io.info import (
    Index,
    StoredImage,
    known,
    report_missing_chunks,
    report_unit,
    to_micrometres,
    unnamed,
)


@contextlib.contextmanager
def needs(package: str, extra: str = "formats", *, to: str = "read it") -> Iterator[None]:
    """Raise with the command to install a missing package, which is one of an extra of objclass."""
    try:
        yield
    except ImportError as error:
        hint = f'Install it with: pip install "objclass[{extra}]"'
        raise invalid("path", f"the package {package} to {to}", "none", hint, kind=ImportError) from error


def read_planes(
    axes: str, shape: tuple[int, ...], plane_at: Callable[[dict[str, int]], np.ndarray], n_inner: int = 2
) -> Callable[[Index], np.ndarray]:
    """Return a reader of parts of an image that reads whole planes by their index along the other axes."""
    outer = axes[: len(axes) - n_inner]

    def read(index: Index) -> np.ndarray:
        chosen = [
            range(n)[part] if isinstance(part, slice) else [part]
            for n, part in zip(shape, index[: len(outer)], strict=False)
        ]
        inner = index[len(outer) :]
        planes = [
            plane_at(dict(zip(outer, place, strict=True)))[inner] for place in itertools.product(*chosen)
        ]
        kept = [len(c) for c, part in zip(chosen, index, strict=False) if isinstance(part, slice)]
        return np.stack(planes).reshape(*kept, *planes[0].shape)

    return read


# Zeiss ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def open_czi(path: Path) -> Iterator[list[StoredImage]]:
    """Open the scenes of a CZI file."""
    with needs("pylibCZIrw"):
        from pylibCZIrw import czi

    with czi.open_czi(str(path)) as reader:
        box, scenes = reader.total_bounding_box, reader.scenes_bounding_rectangle
        others = {axis: n for axis, (_, n) in box.items() if axis not in "TCZXY" and n > 1}
        if others:
            raise ValueError(f"it has the axes {others}, which are not supported")
        lengths = {axis: box[axis][1] for axis in "TCZ" if axis in box}
        rectangles = scenes or {None: reader.total_bounding_rectangle}
        spacing, names = _czi_metadata(reader.metadata)
        pixel_types = {*reader.pixel_types.values()}
        if len(pixel_types) > 1:
            raise ValueError(f"its channels have different types, {', '.join(map(str, pixel_types))}")
        is_rgb = str(pixel_types.pop()).startswith("Bgr")
        found = []
        for scene, place in rectangles.items():

            def plane(at: dict[str, int], scene: int | None = scene, place: Any = place) -> np.ndarray:
                where: Any = {"plane": {axis.upper(): n for axis, n in at.items()}, "scene": scene}
                where["roi"] = None if scene is not None else place
                pixels = reader.read(**where)
                if not pixels.any() and reader.read(**where, background_pixel=(1, 1, 1)).all():
                    warnings.warn(
                        f"{path.name}: planes that are not in it are read as 0. Either they were not "
                        "recorded, as those of a channel of one plane, or the acquisition was stopped.",
                        stacklevel=2,
                    )
                return pixels[..., ::-1] if is_rgb else pixels[..., 0]

            axes = "".join(lengths).lower() + ("yxs" if is_rgb else "yx")
            shape = (*lengths.values(), place.h, place.w, *([3] if is_rgb else []))
            first = plane(dict.fromkeys("".join(lengths).lower(), 0))
            found.append(
                StoredImage(
                    axes,
                    shape,
                    first.dtype,
                    read_planes(axes, shape, plane, first.ndim),
                    name="" if len(rectangles) == 1 else f"scene {scene}",
                    spacing=spacing,
                    source="CZI",
                    channel_names=names,
                    is_rgb=is_rgb,
                    files=(path,),
                )
            )
        yield found


def _czi_metadata(metadata: Mapping[str, Any]) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the voxel size in micrometres and the names of the channels."""

    def at(*keys: str) -> list[Any]:
        found: Any = metadata
        for key in ("ImageDocument", "Metadata", *keys):
            found = found.get(key) if isinstance(found, Mapping) else None
        return found if isinstance(found, list) else [] if found is None else [found]

    distances = {d.get("@Id", "").lower(): d.get("Value") for d in at("Scaling", "Items", "Distance")}
    channels = at("Information", "Image", "Dimensions", "Channels", "Channel")
    names = tuple(str(channel.get("@Name") or "") for channel in channels)
    spacing = known({axis: to_micrometres(value, "m") for axis, value in distances.items() if axis in "zyx"})
    return spacing, names if all(names) else ()


# Leica ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def open_lif(path: Path) -> Iterator[list[StoredImage]]:
    """Open the images of a LIF file."""
    with needs("liffile"):
        import liffile

    with liffile.LifFile(path) as file:
        flat = [image for image in file.images if {"X", "Y"} <= {*image.dims}]
        others = [f"{image.name} ({', '.join(image.dims)})" for image in file.images if image not in flat]
        if not flat:
            raise ValueError(f"it contains no image with the axes y and x, but {', '.join(others) or 'none'}")
        if others:
            warnings.warn(
                f"{path.name}: {len(others)} of its {len(file.images)} images lack the axis y or x and are "
                f"not read: {first_few(others)}.",
                stacklevel=2,
            )
        yield [_lif_image(image, path) for image in flat]


def _lif_image(image: Any, path: Path) -> StoredImage:
    axes = "".join(a if a in "TCZYXS" else "?" for a in image.dims).lower()
    spectral = [i for i, a in enumerate(image.dims) if a in "λΛ"]
    if "c" not in axes and len(spectral) == 1:
        axes = f"{axes[: spectral[0]]}c{axes[spectral[0] + 1 :]}"
    sizes = {
        a.lower(): abs(float(image.coords[a][-1] - image.coords[a][0])) / (n - 1)
        for a, n in zip(image.dims, image.shape, strict=True)
        if a in "ZYX" and n > 1
    }
    colours = [channel.get("LUTName") for channel in image.xml_element.iterfind(".//ChannelDescription")]
    n_channels = image.shape[axes.index("c")] if "c" in axes else 1
    is_named = len(colours) == n_channels == len({*colours}) and all(colours)

    def read(index: Index) -> np.ndarray:
        return np.array(image.asarray()[index])

    return StoredImage(
        axes,
        tuple(image.shape),
        image.dtype,
        read,
        name=image.path if hasattr(image, "path") else image.name,
        spacing=known({a: to_micrometres(size, "m") for a, size in sizes.items()}),
        source="LIF",
        channel_names=tuple(colours) if is_named and n_channels > 1 else (),
        is_rgb="s" in axes,
        files=(path,),
    )


# Nikon ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def open_nd2(path: Path) -> Iterator[list[StoredImage]]:
    """Open the positions of an ND2 file."""
    with needs("nd2"):
        import nd2

    with nd2.ND2File(path) as file:
        sizes = dict(file.sizes)
        _refuse_missing_frames(file)
        frames = file.to_dask(wrapper=False)  # reads frames lazily
        at = list(sizes).index("P") if "P" in sizes else None
        letters = [axis for axis in sizes if axis != "P"]
        size = file.voxel_size()
        spacing = known({a: to_micrometres(getattr(size, a), "um") for a in "zyx"})
        names = tuple(channel.channel.name for channel in file.metadata.channels or ())
        found = []
        for position in range(sizes.get("P", 1)):

            def read(index: Index, position: int = position) -> np.ndarray:
                full = index if at is None else (*index[:at], position, *index[at:])
                return np.asarray(frames[full])

            found.append(
                StoredImage(
                    "".join(a.lower() if a in "TCZYXS" else "?" for a in letters),
                    tuple(sizes[a] for a in letters),
                    np.dtype(file.dtype),
                    read,
                    name="" if at is None else f"position {position}",
                    spacing=spacing,
                    source="ND2",
                    channel_names=names if len(names) == sizes.get("C", 1) > 1 else (),
                    is_rgb="S" in sizes,
                    files=(path,),
                )
            )
        yield found


def _refuse_missing_frames(file: Any) -> None:
    """Make the reader raise if a frame is not in the file, instead of returning zeros."""

    def refuse(index: int = 0) -> NoReturn:
        n_frames = math.prod(n for axis, n in file.sizes.items() if axis in "TPZ")
        raise EOFError(f"frame {index + 1} of its {n_frames} is missing, as if the acquisition was stopped")

    file._rdr._missing_frame = refuse


# HDF5: Imaris and ilastik --------------------------------------------------------------------------------


@contextlib.contextmanager
def open_ims(path: Path) -> Iterator[list[StoredImage]]:
    """Open the image of an Imaris file at its full resolution."""
    with needs("h5py"):
        import h5py

    with h5py.File(path) as file:
        top = file["DataSet/ResolutionLevel 0"]
        about = file["DataSetInfo/Image"].attrs
        n_frames, n_channels = len(top), len(top["TimePoint 0"])

        def text(name: str, attributes: Any = about) -> str:
            value = attributes.get(name, b"")
            return b"".join(np.ravel(value).tolist()).decode() if not isinstance(value, str) else value

        lengths = [int(text(axis)) for axis in "ZYX"]
        extents = {a: abs(float(text(f"ExtMax{i}")) - float(text(f"ExtMin{i}"))) for i, a in enumerate("xyz")}
        sizes = {a: extents[a] / n for a, n in zip("zyx", lengths, strict=True)}
        names = [
            text("Name", file[f"DataSetInfo/Channel {c}"].attrs)
            for c in range(n_channels)
            if f"DataSetInfo/Channel {c}" in file
        ]

        def volume(at: dict[str, int]) -> np.ndarray:
            data = top[f"TimePoint {at['t']}/Channel {at['c']}/Data"]
            _warn_of_missing_chunks(data, path)
            return data[: lengths[0], : lengths[1], : lengths[2]]  # stored with padding to whole blocks

        shape = (n_frames, n_channels, *lengths)
        yield [
            StoredImage(
                "tczyx",
                shape,
                top["TimePoint 0/Channel 0/Data"].dtype,
                read_planes("tczyx", shape, volume, 3),
                spacing=known({a: to_micrometres(n, text("Unit") or "um") for a, n in sizes.items()}),
                source="Imaris",
                channel_names=tuple(names) if len(names) == n_channels > 1 and all(names) else (),
                files=(path,),
            )
        ]


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[list[StoredImage]]:
    """Open the datasets of an HDF5 file, with the axes from ilastik's attributes."""
    with needs("h5py"):
        import h5py

    with h5py.File(path) as file:
        found = _bdv_images(file, path)
        if found:
            yield found
            return

        def visit(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and item.ndim >= 2 and item.dtype.kind in "biuf":
                found.append(_hdf5_image(name, item, path))

        file.visititems(visit)
        if not found:
            raise ValueError("it contains no dataset with two or more axes")
        yield found


def _warn_of_missing_chunks(data: Any, path: Path) -> None:
    """Warn if chunks of a dataset were never written, as where an acquisition or a copy was stopped."""
    if data.is_virtual or data.external:  # whose pixels are in other files
        return
    lengths = data.chunks or data.shape
    total = math.prod(-(-n // length) for n, length in zip(data.shape, lengths, strict=True))
    there = data.id.get_num_chunks() if data.chunks else int(data.id.get_storage_size() > 0)
    report_missing_chunks(path.name, total - there, total, data.fillvalue)


def _hdf5_image(name: str, data: Any, path: Path) -> StoredImage:
    axes, spacing = unnamed(data.ndim), {}
    try:  # ilastik's, as vigra writes them
        tags = json.loads(data.attrs["axistags"])["axes"]
        axes = "".join(tag["key"] if tag["key"] in "tczyx" else "?" for tag in tags)
    except (KeyError, ValueError, TypeError):
        pass

    def read(index: Index) -> np.ndarray:
        _warn_of_missing_chunks(data, path)
        return np.asarray(data[index])

    sizes = data.attrs.get("element_size_um")  # as ilastik, h5j and PlantSeg write it
    if sizes is not None and len(sizes) == 3:
        spacing = known({a: to_micrometres(n, "um") for a, n in zip("zyx", sizes, strict=True)})
    return StoredImage(
        axes,
        data.shape,
        data.dtype,
        read,
        name=name,
        spacing=spacing,
        source="HDF5",
        files=(path,),
    )


def _bdv_images(file: Any, path: Path) -> list[StoredImage]:
    """Return the images of BigDataViewer and BigStitcher at full resolution, one for each view setup."""
    groups = {name for name in file if isinstance(file.get(name), Mapping)}
    times = sorted(name for name in groups if re.fullmatch(r"t\d{5,}", name))
    views = [(time, name) for time in times for name in file[time] if re.fullmatch(r"s\d{2,}", name)]
    found = []
    for setup in sorted({name for time, name in views if f"{time}/{name}/0/cells" in file}):
        first = file[f"{times[0]}/{setup}/0/cells"]
        # Without a word on the type, they are numbers without a sign in the bytes of numbers with one.
        is_unsigned = first.dtype == np.int16 and "dataType" not in file[setup].attrs
        dtype = np.dtype(np.uint16) if is_unsigned else first.dtype

        def volume(at: dict[str, int], setup: str = setup, dtype: np.dtype = dtype) -> np.ndarray:
            data = file[f"{times[at['t']]}/{setup}/0/cells"]
            _warn_of_missing_chunks(data, path)
            return data[()].view(dtype)

        shape = (len(times), *first.shape)
        name, spacing = _bdv_metadata(path.with_suffix(".xml"), int(setup[1:]))
        found.append(
            StoredImage(
                "tzyx",
                shape,
                dtype,
                read_planes("tzyx", shape, volume, 3),
                name=name or setup,
                spacing=spacing,
                source="BigDataViewer",
                files=(path,),
            )
        )
    return found


def _bdv_metadata(path: Path, setup: int) -> tuple[str, dict[str, float]]:
    """Return the name and the voxel size of a view setup from the XML file beside the pixels."""
    views = ElementTree.parse(path).iterfind(".//ViewSetup") if path.is_file() else ()
    for view in views:
        if view.findtext("id") == str(setup):
            sizes, unit = (view.findtext(f"voxelSize/{name}") or "" for name in ("size", "unit"))
            named = zip("xyz", sizes.split(), strict=False)
            return view.findtext("name") or "", known({a: to_micrometres(n, unit) for a, n in named})
    return "", {}


# Electron microscopes and tomographs ---------------------------------------------------------------------


@contextlib.contextmanager
def open_mrc(path: Path) -> Iterator[list[StoredImage]]:
    """Open the image or volume of an MRC file."""
    with needs("mrcfile"):
        import mrcfile

    is_packed = path.suffix.lower() in (".gz", ".bz2")
    with mrcfile.open(path) if is_packed else mrcfile.mmap(path) as file:
        data, size = file.data, file.voxel_size
        axes = {2: "yx", 3: "zyx", 4: "?zyx"}[data.ndim]
        if data.ndim == 3 and file.is_image_stack():
            axes = "?yx"
        sizes = {a: to_micrometres(float(size[a]), "angstrom") for a in "zyx" if a in axes}
        yield [
            StoredImage(
                axes,
                data.shape,
                data.dtype,
                lambda index: np.array(data[index]),
                spacing=known(sizes),
                source="MRC",
                files=(path,),
                is_in_memory=is_packed,
            )
        ]


@contextlib.contextmanager
def open_nifti(path: Path) -> Iterator[list[StoredImage]]:
    """Open the image of a NIfTI file, whose axes are (x, y, z, t, c)."""
    with needs("nibabel"):
        import nibabel

    image: Any = nibabel.load(path)
    if not isinstance(image, nibabel.Nifti1Image):
        raise ValueError(f"it is not a NIfTI image but {type(image).__name__}")
    unit = {"micron": "um", "mm": "mm", "meter": "m"}.get(image.header.get_xyzt_units()[0], "")
    sizes = image.header.get_zooms()
    report_unit(path.name, sizes[0], unit or None)
    axes = "xyztc"[: len(image.shape)]
    if not 2 <= len(image.shape) <= 5:
        raise ValueError(f"it has {len(image.shape)} axes")
    data: Any = image.dataobj
    is_scaled = (data.slope, data.inter) != (1.0, 0.0)
    yield [
        StoredImage(
            axes,
            tuple(image.shape),
            np.dtype(np.float64) if is_scaled else image.get_data_dtype(),
            lambda index: np.asarray(data[index]),
            spacing=known({a: to_micrometres(n, unit) for a, n in zip("xyz", sizes, strict=False)}),
            source="NIfTI",
            files=(path,),
        )
    ]
