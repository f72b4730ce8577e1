"""The full pipeline on one image, from files to a folder of results."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from objclass._common.checks import ObjclassError, counted, invalid
from objclass._common.files import AnyPath, check_exists, replacing
from objclass._common.progress import Progress
from objclass.workflows.classes import count_classes, load_object_classifier, measure_objects
from objclass.workflows.output_folder import OUTPUTS, describe_image, output_folder
from objclass.workflows.parameters import Parameters
from objclass.workflows.reading import Picture
from objclass.workflows.record import RECORD, describe_input, write_record
from objclass.workflows.stages import Report, Stages

if TYPE_CHECKING:
    import pandas as pd

    from objclass.pixels.classifier import ObjectClassifier
    from objclass.tables.table_classifier import TableClassifier


@dataclass
class Run:
    """A run of the pipeline: from an image to objects, measurements and clusters.

    Parameters
    ----------
    picture : Picture
        The image and its metadata.
    parameters : Parameters
        The parameters of the pipeline.
    stage : Stages
        Measures the time of stages and reports it.
    progress : bool or callable
        Show progress bars after two seconds.
    outputs : dict of str to str
        The output files and their descriptions.

    Attributes
    ----------
    found : dict
        The results: numbers of objects and clusters.
    notes : list of str
        Steps that were skipped, and why.
    edits : list of dict
        The manual corrections.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((32, 32), np.uint16)
    >>> image[4:12, 4:12] = image[20:28, 4:12] = image[8:14, 20:30] = 500
    >>> parameters = Parameters.of(reduce="pca", n_clusters=2, n_estimators=10)
    >>> run = Run(Picture(image, ndim=2), parameters)
    >>> classifier = run.train(np.where(image > 0, 2, 1))
    >>> table = run.describe(run.find_objects(classifier))
    >>> run.found["objects"], sorted(run.found["clusters"].values())
    (3, [1, 2])
    """

    picture: Picture
    parameters: Parameters = field(default_factory=Parameters)
    stage: Stages = field(default_factory=Stages)
    progress: Progress = True
    outputs: Mapping[str, str] = field(default_factory=lambda: OUTPUTS)
    found: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    edits: list[dict[str, Any]] = field(default_factory=list)

    def train(self, annotations: np.ndarray, *, name: str = "train") -> ObjectClassifier:
        """Train a classifier from scribbles."""
        with self.stage(name) as say:
            classifier = self.parameters.train([self.picture], [annotations])
            classes, counts = np.unique(annotations[annotations > 0], return_counts=True)
            say(", ".join(f"{n:,} voxels of class {c}" for c, n in zip(classes, counts, strict=True)))
        return classifier

    def find_objects(self, classifier: ObjectClassifier, *, name: str = "segment") -> np.ndarray:
        """Segment, split and filter objects; afterwards no parameter is None."""
        self.notes += self.parameters.compare_with_training(self.picture, classifier)
        with self.stage(name) as say:
            self.parameters = self.parameters.resolved(classifier)
            self.found["engine"] = self.parameters.engine
            labels = self.parameters.find_objects(self.picture, classifier, progress=self.progress)
            self.found["objects"] = int(labels.max(initial=0))
            say(f"engine {self.found['engine']}")
            say(f"{self.found['objects']:,} objects")
        return labels

    def correct(self, labels: np.ndarray, edits: Sequence[Mapping[str, Any]], edited: str) -> np.ndarray:
        """Apply manual corrections to the objects, and keep them for the record."""
        from objclass.objects.editing import edit_objects, fingerprint
        from objclass.objects.runlength import object_sizes

        if edited and edited != fingerprint(labels):
            hint = "Give the image, the classifier and the options of the labels that were corrected."
            raise invalid("edits", "corrections of the objects of this run", "those of other objects", hint)
        with self.stage("edit") as say:
            labels = edit_objects(labels, edits)
            self.edits = [dict(edit) for edit in edits]
            self.found["objects"] = len(object_sizes(labels)[0])
            say(counted(len(edits), "edit"))
            say(f"{self.found['objects']:,} objects")
        return labels

    def describe(self, labels: np.ndarray, classes: TableClassifier | None = None) -> pd.DataFrame:
        """Measure, embed, cluster and classify the objects."""
        from objclass.tables.classification import classify
        from objclass.tables.clustering import METHODS, cluster
        from objclass.tables.reduction import reduce

        parameters = self.parameters
        with self.stage("measure") as say:
            table = measure_objects(labels, self.picture, classes, progress=self.progress)
            table.insert(1, "unit", self.picture.unit)
            say(f"{len(table.columns) - 2} columns")
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
        if classes is not None:
            with self.stage("classify") as say:
                table = classify(table, classes)
                self.found["classes"] = count_classes(table, classes)
                say(", ".join(f"{name}: {count:,} objects" for name, count in self.found["classes"].items()))
        return table

    @contextlib.contextmanager
    def _if_possible(self, step: str, say: Callable[[str], None]) -> Iterator[None]:
        # Parameters were checked before, so that errors here mean too few objects.
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            try:
                yield
            except ObjclassError as error:
                self.notes.append(f"{step} was skipped: {error}")
                say("skipped")
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
        """Write `OUTPUTS`, each atomically, and the record of the run, which starts with `record`."""
        from objclass.io.images import imwrite
        from objclass.pixels.classifier import write_classifier
        from objclass.plots.overview import overview
        from objclass.tables.files import write_table

        picture = self.picture
        with self.stage("write") as say:
            # Without a record, an incomplete folder is never mistaken for a complete run.
            (folder / RECORD).unlink(missing_ok=True)
            imwrite(folder / "labels.tif", labels, spacing=picture.spacing)
            write_table(table, folder / "objects.csv")
            write_classifier(folder / "ObjectSegmenter.cl", classifier)
            color = "CLASS" if "CLASS" in table else None
            figure = overview(
                picture.image, labels, table, spacing=picture.spacing, color=color, is_rgb=picture.is_rgb
            )
            with replacing(folder / "overview.png") as temporary:
                figure.savefig(temporary, format="png", dpi=150)
            say(f"{len(self.outputs) + 1} files")
        content = {
            **record,
            "image": self.picture.describe(),
            "parameters": self.parameters.flat(),
            "edits": self.edits,
            "training": _describe_training(classifier),
            "found": self.found,
            "notes": self.notes,
            "seconds": self.stage.seconds,
        }
        write_record(folder, content, outputs=self.outputs)

    def summary(self) -> list[str]:
        """Return a summary of the results."""
        given = self.parameters.segmentation.min_size
        size = f" of at least {given} voxels" if isinstance(given, int) and given > 1 else ""
        if not self.found["objects"]:
            return [f"No objects{size}: there is nothing to measure. Annotate more, or reduce the size."]
        line = f"{self.found['objects']:,} objects{size}"
        counts = [n for number, n in self.found.get("clusters", {}).items() if int(number) >= 0]
        if counts:
            line += f", in {len(counts)} clusters of {', '.join(map(str, counts))}"
            rest = self.found["objects"] - sum(counts)
            line += f", and {rest} in no cluster" if rest else ""
        lines = [f"{line}."]
        if classes := self.found.get("classes"):
            lines.append(f"Classes: {', '.join(f'{name} {count:,}' for name, count in classes.items())}.")
        return lines


def _describe_training(classifier: ObjectClassifier) -> dict[str, Any] | None:
    """Return the parameters of the training of a classifier, including defaults; None if unknown."""
    from objclass.pixels.features import format_features

    if classifier.random_state is None:
        return None
    parameters = classifier.parameters
    return {
        **dataclasses.asdict(parameters),
        "features": format_features(classifier.features),
        "max_depth": parameters.depth_limit,
    }


def run_image(
    image: AnyPath,
    out: AnyPath,
    *,
    annotations: AnyPath | None = None,
    classifier: AnyPath | None = None,
    object_classifier: AnyPath | None = None,
    edits: Sequence[Mapping[str, Any]] = (),
    edited: str = "",
    parameters: Parameters | None = None,
    overwrite: bool = False,
    report: Report = lambda *_: None,
    progress: Progress = True,
) -> Run:
    """Run the full pipeline on an image file and write a folder of results.

    Parameters
    ----------
    image : str or path
        The image.
    out : str or path
        The folder for `OUTPUTS` and the record ``run.json``; created if it does not exist.
    annotations : str or path, optional
        An annotation image to train a classifier on. Either this or `classifier` is required.
    classifier : str or path, optional
        The .cl file of a trained classifier.
    object_classifier : str or path, optional
        The .json file of a `TableClassifier`, which adds the class of each object.
    edits : sequence of dict
        Manual corrections of the objects, as for `objclass.edit_objects`.
    edited : str
        The fingerprint of the objects that `edits` belong to, see `read_edits`; empty if it is not known.
    parameters : Parameters, optional
        The parameters; by default ``Parameters()``. Training parameters require annotations.
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
    from objclass.io.images import read_annotations
    from objclass.pixels.classifier import load_classifier

    if (annotations is None) == (classifier is None):
        raise invalid(
            "annotations", "either annotations or a classifier", "both" if annotations else "neither"
        )
    parameters, stage = parameters or Parameters(), Stages(report)
    if classifier is not None and parameters.training:
        names = ", ".join(parameters.training)
        hint = "Omit them, or pass annotations instead of the classifier to train a new one."
        raise invalid("training", "no training parameters together with a classifier", names, hint)
    given = {"image": image, "annotations": annotations, "classifier": classifier}
    given["object_classifier"] = object_classifier
    paths = {name: check_exists(path, argument=name) for name, path in given.items() if path is not None}
    parameters.compile_ahead()
    classes = None if object_classifier is None else load_object_classifier(object_classifier)
    with stage("read") as say:
        frame = parameters.reading.frame
        scribbles: Any = None if annotations is None else read_annotations(annotations, frame)
        trained = load_classifier(paths["classifier"]) if scribbles is None else None
        ndim = parameters.segmentation.ndim_of_images(trained) if trained else np.ndim(scribbles)
        fits = (ndim, "the classifier" if trained else "the annotations")
        order = trained.channel_names if trained else ()
        picture = parameters.reading.read(image, *fits, channel_names=order)
        say(describe_image(picture.image, picture.spacing))
    run = Run(picture, parameters, stage, progress)
    with output_folder(out, overwrite=overwrite, inputs=paths.values()) as folder:
        inputs = {name: describe_input(path, folder) for name, path in paths.items()}
        trained = trained or run.train(scribbles)
        labels = run.find_objects(trained)
        if edits:
            labels = run.correct(labels, edits, edited)
        table = run.describe(labels, classes)
        run.write(folder, labels, table, classifier=trained, record={"command": "run", "inputs": inputs})
    return run
