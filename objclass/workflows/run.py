"""The whole path on one image, from files to a folder of results."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import ObjclassError, check_number, check_option, invalid
from objclass._common.files import AnyPath
from objclass._common.parallel import Progress
from objclass.tables.umap_cache import compile_umap_ahead
from objclass.workflows.record import describe_input, write_record
from objclass.workflows.results import OUTPUTS, describe_image, output_folder, write_results
from objclass.workflows.stages import Report, Stages

if TYPE_CHECKING:
    import pandas as pd

    from objclass.pixels.classifier import ObjectClassifier


@dataclass(frozen=True)
class Parameters:
    """Everything beside the images that decides a result.

    Names and defaults are those of the functions that they go to: `objclass.imread`,
    `objclass.train_object_classifier`, `objclass.segment`, `objclass.exclude_small`, `objclass.reduce` and
    `objclass.cluster`. `spacing` None is the voxel size that the file says; `split` cuts touching objects
    apart with `objclass.split_touching`.
    """

    axes: str | None = None
    frame: int | None = None
    spacing: tuple[float, ...] | None = None
    features: str | None = None
    preset: str | None = None
    positive_class: int = 2
    max_depth: int | None = None
    n_estimators: int = 100
    engine: str = "auto"
    split: bool = False
    min_size: int = 20
    reduce: str = "umap"
    cluster: str = "kmeans"
    n_clusters: int = 3
    random_state: int = 0

    def __post_init__(self) -> None:
        from objclass.pixels import prediction
        from objclass.tables import clustering, reduction

        check_option("engine", self.engine, prediction.ENGINES)
        check_option("reduce", self.reduce, reduction.METHODS)
        check_option("cluster", self.cluster, clustering.METHODS)
        for name in ("positive_class", "n_estimators", "min_size", "n_clusters"):
            check_number(name, getattr(self, name), low=1, integer=True)
        check_number("random_state", self.random_state, low=0, integer=True)

    def compile_ahead(self) -> None:
        """Begin to compile in a second process what the last steps will need."""
        if self.reduce == "umap":
            compile_umap_ahead()


@dataclass
class Run:
    """One image on its way to objects, measurements and clusters.

    Parameters
    ----------
    image : array
        (z, y, x) or (y, x), or with channels first.
    spacing : tuple of float, optional
        The voxel size along the spatial axes, in micrometres.
    parameters : Parameters
        What to do.
    stage : Stages
        Times the stages and tells of them.
    progress : bool or callable
        Bars for what takes more than two seconds.
    outputs : dict of str to str
        The files of the run, and what is in each.

    Attributes
    ----------
    found : dict
        What there was: numbers of objects and clusters.
    notes : list of str
        Steps that were left out, and why.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((32, 32), np.uint16)
    >>> image[4:12, 4:12] = image[20:28, 4:12] = image[8:14, 20:30] = 500
    >>> run = Run(image, parameters=Parameters(reduce="pca", n_clusters=2, n_estimators=10))
    >>> classifier = run.train(np.where(image > 0, 2, 1))
    >>> table = run.describe(run.find_objects(classifier))
    >>> run.found["objects"], sorted(run.found["clusters"].values())
    (3, [1, 2])
    """

    image: np.ndarray
    spacing: tuple[float, ...] | None = None
    parameters: Parameters = field(default_factory=Parameters)
    stage: Stages = field(default_factory=Stages)
    progress: Progress = True
    outputs: Mapping[str, str] = field(default_factory=lambda: OUTPUTS)
    found: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def train(self, annotations: np.ndarray, *, name: str = "train") -> ObjectClassifier:
        """Train a classifier from strokes."""
        from objclass.pixels.classifier import train_object_classifier

        names = ("features", "preset", "positive_class", "max_depth", "n_estimators", "random_state")
        with self.stage(name) as say:
            options = {name: getattr(self.parameters, name) for name in names} | {"spacing": self.spacing}
            classifier = train_object_classifier(self.image, annotations, **options)
            classes, counts = np.unique(annotations[annotations > 0], return_counts=True)
            say(", ".join(f"{n:,} voxels of class {c}" for c, n in zip(classes, counts, strict=True)))
        return classifier

    def find_objects(self, classifier: ObjectClassifier, *, name: str = "segment") -> np.ndarray:
        """Segment, cut touching objects apart if asked to, and leave small ones out."""
        from objclass.objects.filtering import exclude_small
        from objclass.objects.segmentation import segment
        from objclass.objects.splitting import split_touching
        from objclass.pixels.comparison import compare_with_training
        from objclass.pixels.prediction import choose_engine

        parameters = self.parameters
        self.notes += compare_with_training(self.image, classifier, spacing=self.spacing)
        with self.stage(name) as say:
            self.found["engine"] = choose_engine(parameters.engine)
            say(f"engine {self.found['engine']}")
            labels = segment(self.image, classifier, engine=parameters.engine, progress=self.progress)
            self.found["segmented"] = int(labels.max())
            say(f"{self.found['segmented']:,} objects")
            if parameters.split:
                labels = split_touching(labels, spacing=self.spacing, progress=self.progress)
                self.found["split"] = int(labels.max())
                say(f"{self.found['split']:,} after cutting touching ones apart")
            labels = exclude_small(labels, parameters.min_size)
            self.found["objects"] = int(labels.max())
            say(f"{self.found['objects']:,} of at least {parameters.min_size} voxels")
        return labels

    def describe(self, labels: np.ndarray) -> pd.DataFrame:
        """Measure the objects, place them in a plane by their measurements, and group them."""
        from objclass.measurement.region_properties import measure
        from objclass.tables.clustering import METHODS, cluster
        from objclass.tables.reduction import reduce

        parameters = self.parameters
        with self.stage("measure") as say:
            table = measure(labels, self.image, spacing=self.spacing, progress=self.progress)
            say(f"{len(table.columns) - 1} columns")
        with self.stage("reduce") as say, self._if_possible("reduce", say):
            seed = parameters.random_state
            table = reduce(table, parameters.reduce, random_state=seed, progress=False)
            say(parameters.reduce)
        with self.stage("cluster") as say, self._if_possible("cluster", say):
            seed, n_clusters = parameters.random_state, parameters.n_clusters
            table = cluster(
                table, parameters.cluster, n_clusters=n_clusters, random_state=seed, progress=False
            )
            column = METHODS[parameters.cluster].column
            counts = table[column].value_counts().sort_index()
            self.found["clusters"] = {str(number): int(count) for number, count in counts.items()}
            say(f"{column}: {', '.join(map(str, counts))} objects")
        return table

    @contextlib.contextmanager
    def _if_possible(self, step: str, say: Callable[[str], None]) -> Iterator[None]:
        # The parameters are checked already: what is wrong now is that there are too few objects.
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            try:
                yield
            except ObjclassError as error:
                self.notes.append(f"{step} was left out: {error}")
                say("left out")
        self.notes += [str(w.message) for w in caught if issubclass(w.category, UserWarning)]

    def write(
        self,
        folder: Path,
        labels: np.ndarray,
        table: pd.DataFrame,
        *,
        classifier: ObjectClassifier,
        record: Mapping[str, Any],
    ) -> None:
        """Write the results and the record of the run, which begins with what is in `record`."""
        with self.stage("write") as say:
            write_results(
                folder, self.image, labels, table=table, classifier=classifier, spacing=self.spacing
            )
            say(f"{len(self.outputs) + 1} files")
        content = {
            **record,
            "parameters": dataclasses.asdict(self.parameters),
            "found": self.found,
            "notes": self.notes,
            "seconds": self.stage.seconds,
        }
        write_record(folder, content, outputs=self.outputs)

    def summary(self) -> list[str]:
        """Say in a few lines what was found."""
        size = f"of at least {self.parameters.min_size} voxels"
        if not self.found["objects"]:
            return [f"No objects {size}: there is nothing to measure. Annotate more, or lower the size."]
        line = f"{self.found['objects']:,} objects {size}"
        counts = [n for number, n in self.found.get("clusters", {}).items() if int(number) >= 0]
        if counts:
            line += f", in {len(counts)} groups of {', '.join(map(str, counts))}"
            rest = self.found["objects"] - sum(counts)
            line += f", and {rest} in none" if rest else ""
        return [f"{line}."]


def run_image(
    image: AnyPath,
    out: AnyPath,
    *,
    annotations: AnyPath | None = None,
    classifier: AnyPath | None = None,
    parameters: Parameters | None = None,
    overwrite: bool = False,
    report: Report = lambda *_: None,
    progress: Progress = True,
) -> Run:
    """Go the whole path on one image file and write a folder of results.

    Parameters
    ----------
    image : str or path
        The image.
    out : str or path
        The folder to write `OUTPUTS` and the record ``run.json`` into; it is made if it is not there.
    annotations : str or path, optional
        An image of strokes to train a classifier from. Either this or `classifier` is needed.
    classifier : str or path, optional
        The .cl file of a trained classifier.
    parameters : Parameters, optional
        What to do; by default ``Parameters()``.
    overwrite : bool
        Replace the results of another run in `out`.
    report, progress
        See `Run`.

    Raises
    ------
    FileExistsError
        If `out` holds the results of another run and `overwrite` is False.
    FileNotFoundError, PermissionError, ValueError
        If a file cannot be read or written, or does not fit the others.
    """
    from objclass.io.images import read_annotations, read_as
    from objclass.pixels.classifier import load_classifier

    if (annotations is None) == (classifier is None):
        raise invalid(
            "annotations", "either annotations or a classifier", "both" if annotations else "neither"
        )
    given = {"image": image, "annotations": annotations, "classifier": classifier}
    paths = {name: Path(path) for name, path in given.items() if path is not None}
    parameters, stage = parameters or Parameters(), Stages(report)
    parameters.compile_ahead()
    with stage("read") as say:
        strokes: Any = None if annotations is None else read_annotations(annotations)
        trained = load_classifier(paths["classifier"]) if strokes is None else None
        ndim, partner = (trained.ndim, "the classifier") if trained else (strokes.ndim, "the scribbles")
        pixels, info = read_as(image, ndim, partner, axes=parameters.axes, frame=parameters.frame)
        spacing = parameters.spacing or info.spacing
        say(describe_image(pixels, spacing))
    run = Run(pixels, spacing, parameters, stage, progress)
    with output_folder(out, overwrite=overwrite, inputs=paths.values()) as folder:
        inputs = {name: describe_input(path, folder) for name, path in paths.items()}
        trained = trained or run.train(strokes)
        labels = run.find_objects(trained)
        table = run.describe(labels)
        run.write(folder, labels, table, classifier=trained, record={"command": "run", "inputs": inputs})
    return run
