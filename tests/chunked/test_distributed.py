"""On the processes of a cluster: the same results, also when a worker dies in the middle."""

import os
import signal
import subprocess
import sys
import time
import warnings

import dask.array as da
import numpy as np
import pandas as pd
import pytest

import objclass
from objclass import chunked
from objclass.workflows.batch import segment_folder

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals"),
    # Sockets and event loops of dask that Python finds open when it collects its garbage.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed", "ignore::UserWarning:distributed"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A scheduler and two workers, started from the command line as on a cluster of machines."""
    folder = tmp_path_factory.mktemp("cluster")
    file = folder / "scheduler.json"
    start = [sys.executable, "-m", "dask"]
    common = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    scheduler = [
        "scheduler",
        "--scheduler-file",
        file,
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
    ]
    worker = ["worker", "--scheduler-file", file, "--nworkers", "2", "--nthreads", "1", "--no-dashboard"]
    processes = [
        subprocess.Popen([*start, *scheduler], **common),
        subprocess.Popen([*start, *worker], **common),
    ]
    try:
        from distributed import Client

        with Client(scheduler_file=str(file), timeout="60s", set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            address = client.scheduler.address
        yield address  # with a client open here, a warning would come to each
    finally:
        for process in reversed(processes):  # workers that find no scheduler look for it before they end
            process.terminate()
            process.wait(20)


@pytest.fixture
def client(address):
    from distributed import Client

    with Client(address, timeout="60s") as client:
        yield client


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    sample = objclass.samples.embryo((32, 96, 96))
    features = "original gaussian_blur=1 difference_of_gaussian=2"
    classifier = objclass.train_object_classifier(sample.image, sample.annotations[1], features=features)
    folder = tmp_path_factory.mktemp("volume")
    chunked.imwrite(folder / "image.zarr", da.from_array(sample.image, chunks=(32, 64, 64)))
    labels = objclass.exclude_small(objclass.segment(sample.image, classifier, engine="cpu"), 20)
    return folder, sample.image, classifier, labels, objclass.measure(labels, sample.image)


def labels_of(volume):
    folder, _, classifier, *_ = volume
    image = chunked.imread(folder / "image.zarr")
    return chunked.exclude_small(chunked.segment(image, classifier, block_shape=(16, 32, 32)), 20)


def check_table(table, expected):
    pd.testing.assert_frame_equal(table, expected, rtol=1e-9, atol=1e-9)


def test_the_results_are_those_of_one_process(client, volume, tmp_path):
    _, image, _, expected, rows = volume
    chunked.imwrite(tmp_path / "labels.zarr", labels_of(volume))
    stored = chunked.imread(tmp_path / "labels.zarr")
    np.testing.assert_array_equal(stored[:], expected)
    check_table(chunked.measure(stored, image), rows)


@pytest.mark.parametrize("function", [chunked.segment, chunked.classify_pixels])
def test_a_warning_of_several_workers_is_told_once(client, volume, function):
    check_is_told_once(function, volume)


def test_a_worker_that_is_killed_in_the_middle_changes_nothing(client, volume):
    _, image, _, expected, rows = volume
    client.wait_for_workers(2, timeout=60)
    labels = labels_of(volume)
    future = client.compute(labels)
    victim = sorted(client.run(os.getpid).values())[0]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        states = client.run_on_scheduler(
            lambda dask_scheduler: [t.state for t in dask_scheduler.tasks.values()]
        )
        if states.count("memory") >= 5 or future.done():
            break
        time.sleep(0.01)
    assert not future.done()
    os.kill(victim, signal.SIGKILL)
    np.testing.assert_array_equal(future.result(timeout=120), expected)
    client.wait_for_workers(2, timeout=60)
    assert victim not in client.run(os.getpid).values()
    check_table(chunked.measure(da.from_array(expected, chunks=(16, 40, 40)), image), rows)


def test_a_batch_on_the_workers_is_that_of_one_process(address, volume, tmp_path):
    _, image, classifier, *_ = volume
    (tmp_path / "images").mkdir()
    for number in range(4):
        objclass.imwrite(tmp_path / "images" / f"{number}.tif", np.roll(image, 20 * number, axis=1))
    (tmp_path / "images" / "empty.tif").touch()
    far = segment_folder(tmp_path / "images", classifier, tmp_path / "far", scheduler=address)
    near = segment_folder(tmp_path / "images", classifier, tmp_path / "near")
    assert (far.n_images, list(far.failed)) == (near.n_images, list(near.failed)) == (4, ["empty.tif"])
    for name in ("objects.csv", "objects.parquet", "labels/2.tif.ome.tif", "run.json"):
        assert (tmp_path / "far" / name).read_bytes() == (tmp_path / "near" / name).read_bytes()


def test_a_cluster_of_this_machine(volume, capfd):
    from distributed import Client, LocalCluster

    folder, _, _, expected, rows = volume
    with (
        LocalCluster(1, threads_per_worker=2, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        labels = labels_of(volume)
        np.testing.assert_array_equal(labels.compute(), expected)
        table = chunked.measure(labels, chunked.imread(folder / "image.zarr"))
        capfd.readouterr()
        check_is_told_once(chunked.segment, volume)
    assert "99th percentile" not in capfd.readouterr().err  # of the workers, whose terminal is this one
    check_table(table, rows)


def check_is_told_once(function, volume):
    """A bright image on a cluster: the warning comes to the client, some time after the result."""
    _, image, classifier, *_ = volume
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(da.from_array(image * 10, chunks=(32, 48, 48)), classifier).compute()
        deadline = time.monotonic() + 30
        while not caught and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
    assert ["99th percentile" in str(each.message) for each in caught] == [True]
