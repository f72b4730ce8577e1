"""A volume larger than the memory: seconds, memory of each process, and how both grow.

``python -m benchmarks.experiment --shape 512 1024 1024 --workers 2 --folder SCRATCH`` makes the volume block
by block from the phantom, then segments it, leaves small objects out, and measures what is left, on processes
of dask. ``--compare`` does the same in memory, in this process. ``--blocks N`` times the making of a graph.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np

import objclass
from objclass import chunked

TILE = (64, 256, 256)
UNIT = 1024  # of ru_maxrss on Linux


def main() -> None:
    """Print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", type=int, nargs=3, default=(256, 512, 512))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("experiment"))
    parser.add_argument("--block-shape", type=int, nargs=3)
    parser.add_argument("--compare", action="store_true", help="in memory instead")
    parser.add_argument("--blocks", type=int, help="only time the graph of so many blocks")
    options = parser.parse_args()
    if options.blocks:
        print(json.dumps(graph(options.blocks)))
        return
    options.folder.mkdir(exist_ok=True)
    path = options.folder / f"image_{'x'.join(map(str, options.shape))}.zarr"
    if not path.exists():
        make(path, tuple(options.shape))
    result = in_memory(path) if options.compare else on_workers(path, options)
    print(json.dumps({"shape": options.shape, **result}), flush=True)


def trained() -> objclass.ObjectClassifier:
    """Return a classifier of the phantom, with the features of the tutorial."""
    sample = objclass.samples.embryo(TILE)
    return objclass.train_object_classifier(sample.image, sample.annotations[1])


def make(path: Path, shape: tuple[int, ...]) -> None:
    """Write a volume of mirrored copies of the phantom, so that objects go on across their borders."""
    import dask.array as da

    tile = objclass.samples.embryo(TILE).image

    def block(block_info: Any = None) -> np.ndarray:
        at = block_info[None]["chunk-location"]
        mirrored = tuple(slice(None, None, -1 if number % 2 else 1) for number in at)
        return tile[mirrored][tuple(slice(0, n) for n in block_info[None]["chunk-shape"])]

    chunks = tuple(
        tuple(min(step, n - start) for start in range(0, n, step))
        for n, step in zip(shape, TILE, strict=True)
    )
    volume = da.map_blocks(block, chunks=chunks, dtype=np.uint16, meta=np.empty((0, 0, 0), np.uint16))
    chunked.imwrite(path, volume, spacing=objclass.samples.embryo((24, 64, 64)).spacing)


def on_workers(path: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Do it on processes of dask."""
    from distributed import Client, LocalCluster

    classifier, out = trained(), path.with_name("labels.zarr")
    with (
        LocalCluster(
            options.workers, threads_per_worker=1, dashboard_address=None, memory_limit="1.9GB"
        ) as cluster,
        Client(cluster) as client,
    ):
        client.run(objclass.segment, np.zeros((4, 4, 4), np.uint16), classifier)  # compiles
        client.run(objclass.measure, np.ones((4, 4, 4), np.int32), np.zeros((4, 4, 4), np.uint16))
        start, used = time.perf_counter(), sum(client.run(time.process_time).values()) + time.process_time()
        image = chunked.imread(path)
        labels = chunked.segment(image, classifier, block_shape=options.block_shape)
        chunked.imwrite(out, chunked.exclude_small(labels, 20), spacing=objclass.read_spacing(path))
        segmented = time.perf_counter()
        table = chunked.measure(chunked.imread(out), image, spacing=objclass.read_spacing(path))
        end = time.perf_counter()
        peaks = client.run(peak).values()
        used = sum(client.run(time.process_time).values()) + time.process_time() - used
    return report(path, segmented - start, end - segmented, table) | {
        "workers": options.workers,
        "cpu_s": round(used, 1),
        "peak_worker_mb": round(max(peaks)),
        "peak_client_mb": round(peak()),
    }


def in_memory(path: Path) -> dict[str, Any]:
    """Do it in this process, with all cores."""
    classifier, spacing = trained(), objclass.read_spacing(path)
    image = objclass.imread(path)
    objclass.measure(objclass.segment(image[:8, :64, :64], classifier), image[:8, :64, :64])  # compiles
    start, used = time.perf_counter(), time.process_time()
    image = objclass.imread(path)
    labels = objclass.exclude_small(objclass.segment(image, classifier, engine="cpu", progress=False), 20)
    objclass.imwrite(path.with_name("whole.zarr"), labels, spacing=spacing)
    segmented = time.perf_counter()
    table = objclass.measure(labels, image, spacing=spacing, progress=False)
    end = time.perf_counter()
    return report(path, segmented - start, end - segmented, table) | {
        "cpu_s": round(time.process_time() - used, 1),
        "peak_mb": round(peak()),
    }


def report(path: Path, to_segment: float, to_measure: float, table: Any) -> dict[str, Any]:
    """Return what to print."""
    voxels = np.prod(chunked.imread(path).shape) / 1e6
    return {
        "segment_s": round(to_segment, 1),
        "measure_s": round(to_measure, 1),
        "mvoxel_per_s": round(float(voxels) / (to_segment + to_measure), 2),
        "objects": len(table),
        "sum_of_areas": float(table["area"].sum()),
    }


def peak() -> float:
    """Return the largest resident memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT / 1e6


def graph(n_blocks: int) -> dict[str, Any]:
    """Time how long it takes to make the graph of a volume of so many blocks out of a file."""
    import zarr

    side = round(n_blocks ** (1 / 3)) + 1
    image = zarr.create_array(
        {}, shape=(side * 256, side * 256, n_blocks // side**2 * 256), chunks=(64,) * 3, dtype="u2"
    )
    classifier = trained()
    start = time.perf_counter()
    labels = chunked.segment(image, classifier, block_shape=(256,) * 3)
    made = time.perf_counter()
    kept = chunked.exclude_small(labels, 20)
    return {
        "blocks": labels.npartitions,
        "segment_s": round(made - start, 2),
        "exclude_small_s": round(time.perf_counter() - made, 2),
        "tasks": len(kept.__dask_graph__()),
    }


if __name__ == "__main__":
    main()
