import itertools
import sys
from collections import Counter

import numpy as np
import pytest
import tifffile

import objclass
from objclass.workflows.batch import segment_folder


@pytest.fixture(scope="module")
def client():
    """Two worker processes that note what they open, and never take over the work of another."""
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set({"distributed.scheduler.work-stealing": False}),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        client.run(note_opening)
        yield client


def note_opening():
    import builtins
    import sys

    builtins.opened = opened = []

    def note(event, arguments):
        if event == "open" and isinstance(arguments[0], str):
            opened.append(arguments[0])

    sys.addaudithook(note)


def what_was_opened():
    import builtins

    found = [*builtins.opened]
    builtins.opened.clear()
    return found


def what_is_open():
    import os

    return [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]


def count(client, folder):
    """How often the files below a folder were opened, by all workers together and by each."""
    by_worker = client.run(what_was_opened).values()
    names = [
        [path.rsplit("/", 1)[-1] for path in paths if path.startswith(str(folder))] for paths in by_worker
    ]
    return Counter(itertools.chain(*names)), [Counter(each) for each in names]


@pytest.fixture(scope="module")
def trained():
    image = np.zeros((32, 32), np.uint16)
    image[4:12, 4:12] = image[20:28, 6:14] = 500
    scribbles = np.where(image > 0, 2, 1).astype(np.uint8)
    return image, objclass.train_object_classifier(image, scribbles, n_estimators=5)


def test_each_file_is_opened_once_by_all_workers_together(tmp_path, client, trained):
    image, classifier = trained
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(40):
        objclass.imwrite(folder / f"{number:02}.tif", np.roll(image, number, axis=0))
    client.run(what_was_opened)
    batch = segment_folder(folder, classifier, tmp_path / "out", measure=False, progress=False)
    assert (batch.n_images, batch.failed) == (40, {})
    total, each = count(client, folder)
    assert total == {path.name: 1 for path in folder.iterdir()}
    assert min(len(one) for one in each) == 20
    if sys.platform == "linux":
        assert not [
            path for paths in client.run(what_is_open).values() for path in paths if str(folder) in path
        ]
    (folder / "41.tif").write_bytes((folder / "00.tif").read_bytes())
    again = segment_folder(folder, classifier, tmp_path / "out", measure=False, progress=False)
    assert (again.n_images, again.n_done_before) == (41, 40)
    assert count(client, folder)[0] == {"41.tif": 1}


def test_a_time_series_is_opened_once_by_each_worker(tmp_path, client, trained):
    image, classifier = trained
    frames = np.stack([np.roll(image, shift, axis=0) for shift in range(12)])
    (tmp_path / "images").mkdir()
    path = tmp_path / "images" / "t.ome.tif"
    tifffile.imwrite(path, frames, metadata={"axes": "TYX"}, photometric="minisblack")
    client.run(what_was_opened)
    batch = segment_folder(tmp_path / "images", classifier, tmp_path / "out", measure=False, progress=False)
    assert batch.n_images == 12
    assert count(client, tmp_path / "images")[0] == {"t.ome.tif": 1}


def test_files_of_a_set_are_left_out_on_workers_too(tmp_path, client, trained):
    image, classifier = trained
    folder = tmp_path / "images"
    folder.mkdir()
    objclass.imwrite(folder / "a.tif", image)
    write_set(folder, image, n=12)
    batch = segment_folder(folder, classifier, tmp_path / "out", measure=False, progress=False)
    assert (batch.n_images, batch.failed) == (13, {})
    assert batch.left_out == {"files of a set": 11}


def write_set(folder, image, *, n):
    """An OME-TIFF of one time point a file."""
    planes = "".join(
        f'<TiffData FirstT="{number}" PlaneCount="1">'
        f'<UUID FileName="s{number:02}.ome.tif">urn:uuid:{number:032x}</UUID></TiffData>'
        for number in range(n)
    )
    for number in range(n):
        xml = (
            f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{number:032x}">'
            '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="32" '
            f'SizeY="32" SizeC="1" SizeZ="1" SizeT="{n}">{planes}</Pixels></Image></OME>'
        )
        path = folder / f"s{number:02}.ome.tif"
        tifffile.imwrite(path, image, description=xml, metadata=None, photometric="minisblack")
