"""The full pipeline on a synthetic embryo with ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from objclass._common.files import AnyPath
from objclass._common.progress import Progress
from objclass.objects.matching import match_objects
from objclass.tables.columns import CLUSTERS
from objclass.workflows.output_folder import OUTPUTS, describe_image, output_folder
from objclass.workflows.parameters import Parameters
from objclass.workflows.reading import Picture
from objclass.workflows.run import Run
from objclass.workflows.stages import Report, Stages

if TYPE_CHECKING:
    import pandas as pd

    from objclass.samples.datasets import Sample

SHAPE = (64, 256, 256)
INPUTS = {"image.tif": "the stack", "annotations.tif": "the scribbles of the last round"}


def run_demo(
    out: AnyPath,
    *,
    shape: Sequence[int] = SHAPE,
    parameters: Parameters | None = None,
    overwrite: bool = False,
    report: Report = lambda *_: None,
    progress: Progress = True,
) -> Run:
    """Run the full pipeline on `objclass.samples.embryo`: two rounds of scribbles, objects and clusters.

    Parameters
    ----------
    out : str or path
        The folder for the results, the image and the scribbles.
    shape : three int
        The shape of the stack (z, y, x).
    parameters : Parameters, optional
        The parameters. Their `random_state` is also the seed of the stack.
    overwrite, report, progress
        See `objclass.workflows.run.run_image`.

    Returns
    -------
    Run
        Its `found` also contains the comparison with the ground truth: ``true`` (the number of nuclei),
        ``rounds`` (the number of objects after each round), ``recovered`` (the fraction of true nuclei
        found after the last round, see `match_objects`) and ``adjusted_rand_index`` (of the clusters of
        these against the true classes).
    """
    from objclass import samples
    from objclass.io.images import imwrite

    parameters, stage, outputs = parameters or Parameters(), Stages(report), {**INPUTS, **OUTPUTS}
    with output_folder(out, overwrite=overwrite, outputs=outputs) as folder:
        parameters.compile_ahead()
        with stage("draw") as say:
            sample = samples.embryo(shape, random_state=parameters.random_state)
            say(describe_image(sample.image, sample.spacing))
        picture = Picture(sample.image, sample.image.ndim, sample.spacing, "objclass.samples")
        run = Run(picture, parameters, stage, progress, outputs)
        rounds = []
        for number, annotations in enumerate(sample.annotations, 1):
            classifier = run.train(annotations, name=f"train {number}")
            labels = run.find_objects(classifier, name=f"segment {number}")
            rounds.append(run.found["objects"])
        table = run.describe(labels)
        run.found |= {"rounds": rounds, **compare_with_truth(labels, table, sample)}
        for name, array in zip(INPUTS, (sample.image, annotations), strict=True):
            imwrite(folder / name, array, spacing=sample.spacing)
        record = {"command": "demo", "inputs": {}, "phantom": {"shape": list(shape)}}
        run.write(folder, labels, table, classifier=classifier, record=record)
    return run


def compare_with_truth(labels: np.ndarray, table: pd.DataFrame, sample: Sample) -> dict[str, float]:
    """Return the fraction of true objects found, and the agreement of clusters with the true classes."""
    from sklearn.metrics import adjusted_rand_score

    assert sample.labels is not None
    assert sample.cell_types is not None
    pairs = match_objects(labels, sample.labels)
    found = {"true": len(sample.cell_types), "recovered": round(len(pairs) / len(sample.cell_types), 4)}
    groups = [name for name in table.columns if name.endswith(CLUSTERS)]
    if groups and pairs:
        matched = table[table["label"].isin(list(pairs))]
        cell_types = sample.cell_types.set_index("label")["cell_type"].loc[matched["label"].map(pairs)]
        found["adjusted_rand_index"] = round(float(adjusted_rand_score(cell_types, matched[groups[-1]])), 4)
    return found
