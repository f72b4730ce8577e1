"""An explorer of files: it reads them as the functions do, and its code says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import objclass

IMAGE = np.random.default_rng(0).integers(50, 60, (3, 20, 24)).astype(np.uint16)
LABELS = np.zeros(IMAGE.shape, np.int32)
LABELS[:, 2:8, 2:8], LABELS[1, 12:18, 10:20] = 1, 4


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, Path]:
    objclass.imwrite(tmp_path / "image.tif", IMAGE, spacing=(2, 0.5, 0.5))
    objclass.imwrite(tmp_path / "labels.tif", LABELS)
    return str(tmp_path / "image.tif"), tmp_path / "labels.tif"


def test_files_are_read_with_their_voxel_size(files: tuple[str, Path]) -> None:
    explorer = objclass.explore(*files)
    expected = objclass.measure(LABELS, IMAGE, spacing=(2, 0.5, 0.5))
    pd.testing.assert_frame_equal(explorer.table[expected.columns], expected)
    names: dict[str, object] = {}
    exec(explorer.code(), names)
    pd.testing.assert_frame_equal(names["table"][expected.columns], expected)
    np.testing.assert_array_equal(explorer.labels, LABELS)
    given = objclass.explore(files[0], LABELS, spacing=(1, 1, 1))
    pd.testing.assert_frame_equal(given.table[expected.columns], objclass.measure(LABELS, IMAGE))


def test_several_files(files: tuple[str, Path], tmp_path: Path) -> None:
    explorer = objclass.explore({"a": files, "b": (IMAGE, files[1])}, spacing=(2, 0.5, 0.5))
    assert explorer.table["image"].value_counts().to_dict() == {"a": 2, "b": 2}
    with pytest.raises(ValueError, match=r"image: expected images with the same voxel size.*Pass spacing"):
        objclass.explore({"a": files, "b": (IMAGE, files[1])})
    with pytest.raises(FileNotFoundError, match=r"none\.tif"):
        objclass.explore(tmp_path / "none.tif", files[1])
