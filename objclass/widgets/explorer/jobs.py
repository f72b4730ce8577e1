"""Background steps of the explorer: reduce, cluster, number of clusters, 3D; see `Explorer`."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from objclass._common import checks
from objclass.tables.columns import prepare
from objclass.tables.profiles import scan_clusters
from objclass.tables.selection import GROUP_COLUMN
from objclass.widgets.background import Worker
from objclass.widgets.replay import call
from objclass.widgets.words import counted

if TYPE_CHECKING:
    import pandas as pd

    from objclass.widgets.explorer.object_table import ObjectTable
    from objclass.widgets.view3d.view3d import View3D


def _option(
    name: str, title: str, default: float, low: float, high: float, step: float = 1
) -> dict[str, Any]:
    return {"name": name, "title": title, "default": default, "min": low, "max": high, "step": step}


_MOST_LOOKED_AT = 50_000  # rows that tell which columns are used
_NEIGHBOURS = _option("n_neighbors", "Neighbours", 15, 2, 200)
_CLUSTERS = _option("n_clusters", "Clusters", 3, 2, 100)
METHODS = {
    "reduce": {
        "umap": ("UMAP", [_NEIGHBOURS, _option("min_dist", "Min. distance", 0.1, 0, 1, 0.05)]),
        "tsne": ("t-SNE", [_option("perplexity", "Perplexity", 30, 2, 200)]),
        "pca": ("PCA", []),
        "isomap": ("Isomap", [_option("n_neighbors", "Neighbours", 5, 2, 200)]),
        "mds": ("MDS", []),
    },
    "cluster": {
        "kmeans": ("k-means", [_CLUSTERS]),
        "hdbscan": (
            "HDBSCAN",
            [
                _option("min_cluster_size", "Smallest cluster", 5, 2, 10000),
                _option("min_samples", "Min. samples", 5, 1, 1000),
            ],
        ),
        "leiden": ("Leiden", [_NEIGHBOURS, _option("resolution", "Resolution", 1, 0.05, 5, 0.05)]),
        "gmm": ("Gaussian mixture", [_CLUSTERS]),
        "agglomerative": ("Agglomerative", [_CLUSTERS]),
        "spectral": ("Spectral", [_CLUSTERS]),
        "meanshift": ("Mean shift", []),
    },
}


class StepsMixin(traitlets.HasTraits):
    """Long steps, in a background thread."""

    busy = traitlets.Dict(help="the step under way: title, fraction, started; empty when none").tag(sync=True)
    _methods = traitlets.Dict().tag(sync=True)
    _volume = traitlets.Dict(help="the model of the 3D view and its vertices an object").tag(sync=True)

    objects: ObjectTable
    _lock: threading.RLock
    _shown: int
    _images: list[np.ndarray]
    _mark: Callable[[int], None]

    @traitlets.default("_methods")
    def _describe_methods(self) -> dict[str, Any]:
        return {
            step: [
                {"name": name, "title": title, "options": options} for name, (title, options) in known.items()
            ]
            for step, known in METHODS.items()
        }

    @property
    def _worker(self) -> Worker:
        worker = self.__dict__.get("_one_worker")
        if worker is None:
            worker = self.__dict__["_one_worker"] = Worker(self._report, self._show_failure)  # type: ignore[attr-defined]
        return worker

    def _report(self, state: dict[str, Any]) -> None:
        self.busy = state

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the background step has ended."""
        self._worker.join(timeout)

    def _on_cancel(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        self._worker.cancel()

    def _on_step(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Run `objclass.reduce` or `objclass.cluster` as the panel says; ``step`` tells which."""
        import objclass

        step = checks.check_option("step", content.get("step"), METHODS)
        method = checks.check_option("method", content.get("method"), METHODS[step])
        title, options = METHODS[step][method]
        keywords = _step_keywords(content, options)
        function = getattr(objclass, step)
        table = self._require_objects(step)

        def finish(result: Any) -> None:
            with self._lock:
                added = [name for name in result if name not in table or not result[name].equals(table[name])]
                code = call(f"objclass.{step}", "table", repr(method), keywords=keywords)
                self.objects.take(result, f"table = {code}")
                self._show_result(step, added)

        self._worker.start(
            f"{title} of {counted(len(table), 'object')}",
            lambda _progress: function(table, method, progress=False, **keywords),
            finish,
        )

    def _on_used(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Answer with the line that says which columns a step uses, and which it leaves out and why."""
        step = checks.check_option("step", content.get("step"), METHODS)
        keywords = _step_keywords(content, [])
        table = self.objects.table.iloc[:_MOST_LOOKED_AT]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # the step itself tells of gaps
                text = prepare(
                    table, columns=keywords.get("columns", "auto"), scale=keywords["scale"]
                ).summary()
        except (ValueError, TypeError) as failure:
            text = str(failure)
        answer = {"kind": "used", "step": step, "seq": content.get("seq", 0), "text": text}
        self.send({**answer, "view": content.get("view", "")})  # type: ignore[attr-defined]

    def _require_objects(self, step: str) -> pd.DataFrame:
        """Return the table, after checking that it is not empty."""
        if len(self.objects) == 0:
            raise checks.invalid("table", f"objects to {step}", "a table without rows")
        return self.objects.measured  # classes and names are added to whatever comes of it

    def _show_result(self, step: str, added: list[str]) -> None:
        explorer: Any = self
        with explorer.hold_sync():
            explorer._describe_columns()
            if step == "cluster" and added:
                explorer.color = added[-1]
            if step == "reduce" and added:
                explorer.log_axes = ""
                explorer.x, explorer.y = added[0], added[1] if len(added) > 1 else ""

    def _on_scan(self, content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Try 2 to 10 clusters and send their scores."""
        table, method = self._require_objects("cluster"), content.get("method", "kmeans")
        keywords = _step_keywords(content, [])

        def work(progress: Any) -> Any:
            return scan_clusters(table, method, progress=progress, **keywords)

        def finish(result: Any) -> None:
            rows = result.astype(object).where(result.notna(), None).to_dict("list")
            self.send({"kind": "scan", "method": method, **rows})  # type: ignore[attr-defined]

        self._worker.start("Trying 2 to 10 clusters", work, finish)

    @property
    def volume_view(self) -> View3D | None:
        """The 3D view of the shown image, if it was requested."""
        return self._volumes.get(self._shown)

    @property
    def _volumes(self) -> dict[int, View3D]:
        return self.__dict__.setdefault("_made_volumes", {})

    def _on_volume(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Create the 3D view of the shown image, once, in the background."""
        if self.volume_view is None and not self._worker.busy:
            image, slots = self._shown, self._slots_in(self._shown)

            def finish(view: View3D) -> None:
                self._keep_volume(view, image)

            title = f"Surfaces of {counted(len(slots), 'object')}"
            self._worker.start(title, lambda progress: self._make_volume(image, progress), finish)
        elif self.volume_view is not None:
            self._describe_volume()

    def _slots_in(self, image: int) -> np.ndarray:
        """Return the slots of the objects of an image, ascending."""
        if len(self.objects.images) == 1:
            return np.arange(1, len(self.objects.slot_labels) + 1)
        return 1 + np.flatnonzero(np.isin(self.objects.slot_labels, list(self.objects.images.boxes(image))))

    def _make_volume(self, image: int, progress: Any = True) -> View3D:
        from objclass.widgets.view3d.view3d import View3D

        volume = self.volume  # type: ignore[attr-defined]
        images, pixels = self.objects.images, self._images[image]
        labels = images.labels[image]
        return View3D(
            pixels if labels.ndim == 3 else pixels[:, 0],
            labels,
            slots=self.objects.slot_labels[self._slots_in(image) - 1] - images.offsets[image],
            spacing=volume["spacing"][3 - volume["ndim"] :],
            unit=volume["unit"],
            raw="none",
            progress=progress,
        )

    def _keep_volume(self, view: View3D, image: int) -> None:
        number_of = self.objects.images.number_of
        view.observe(lambda change: self._mark_in_3d(number_of(image, change.new)), "clicked")
        self._volumes[image] = view
        self._describe_volume()

    def _volume_now(self) -> View3D:
        """Return the 3D view of the shown image; create it if necessary."""
        if self.volume_view is None:
            self._keep_volume(self._make_volume(self._shown), self._shown)
        return self._volumes[self._shown]

    def _describe_volume(self) -> None:
        """Send the 3D view of the shown image, if it was requested."""
        view = self.volume_view
        slots = {} if view is None else {"slots": self._slots_in(self._shown).astype("<i4").tobytes()}
        self._volume = {**({} if view is None else view.describe()), **slots, "image": self._shown}

    def _drop_volume(self) -> None:
        """Forget the 3D views, whose surfaces are those of objects before an edit."""
        for view in self._volumes.values():
            view.unobserve_all("clicked")
        self._volumes.clear()
        self._describe_volume()

    def _mark_in_3d(self, label: int) -> None:
        self._mark(label)

    def _on_raw(self, _content: Mapping[str, Any], _buffers: Sequence[Any]) -> None:
        """Add the image to the 3D view."""
        if self.volume_view is not None:
            self.volume_view.show_raw()
            self._describe_volume()

    def save_html(self, path: str | Path) -> None:
        """Write the 3D view in its current colours as a self-contained HTML page.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        explorer: Any = self
        view = self._volume_now()
        places = self.objects.images.places_of(self.objects.row_labels)
        view.set_table(explorer.table[places == self._shown])
        if explorer.color == GROUP_COLUMN:
            groups = explorer.groups
            view.set_groups(dict(zip(groups["group"], groups["color"], strict=True)))
        else:
            view.color = explorer.color
        view.save_html(path)


def _step_keywords(content: Mapping[str, Any], options: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the keyword arguments of a step, each limited to the range of its field."""
    keywords: dict[str, Any] = {}
    given = content.get("options", {})
    if "n_components" in content:
        keywords["n_components"] = checks.check_number(
            "n_components", content["n_components"], low=1, high=100, integer=True
        )
    if content.get("columns"):
        keywords["columns"] = [str(name) for name in content["columns"]]
    keywords["scale"] = bool(content.get("scale", True))
    keywords["random_state"] = int(content.get("random_state", 0))
    for option in options:
        if option["name"] in given:
            whole = float(option["step"]).is_integer()
            keywords[option["name"]] = checks.check_number(
                option["name"], given[option["name"]], low=option["min"], high=option["max"], integer=whole
            )
    return keywords
