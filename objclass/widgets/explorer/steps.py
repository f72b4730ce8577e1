"""Background steps of the explorer: reduce, cluster, number of clusters."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from objclass._common import checks
from objclass._common.checks import counted
from objclass._common.notices import collect
from objclass.tables.columns import prepare
from objclass.tables.profiles import scan_clusters
from objclass.widgets.background import Worker
from objclass.widgets.explorer.page import Page
from objclass.widgets.explorer.protocol import Method, Option
from objclass.widgets.replay import call

if TYPE_CHECKING:
    import pandas as pd

_MOST_LOOKED_AT = 50_000  # rows that tell which columns are used


def _option(name: str, title: str, default: float, low: float, high: float, step: float = 1) -> Option:
    return {"name": name, "title": title, "default": default, "min": low, "max": high, "step": step}


def _method(name: str, title: str, *options: Option) -> Method:
    return {"name": name, "title": title, "options": list(options)}


_NEIGHBOURS = _option("n_neighbors", "Neighbours", 15, 2, 200)
_CLUSTERS = _option("n_clusters", "Clusters", 3, 2, 100)
METHODS = {
    "reduce": [
        _method("umap", "UMAP", _NEIGHBOURS, _option("min_dist", "Min. distance", 0.1, 0, 1, 0.05)),
        _method("tsne", "t-SNE", _option("perplexity", "Perplexity", 30, 2, 200)),
        _method("pca", "PCA"),
        _method("isomap", "Isomap", _option("n_neighbors", "Neighbours", 5, 2, 200)),
        _method("mds", "MDS"),
    ],
    "cluster": [
        _method("kmeans", "k-means", _CLUSTERS),
        _method(
            "hdbscan",
            "HDBSCAN",
            _option("min_cluster_size", "Smallest cluster", 5, 2, 10000),
            _option("min_samples", "Min. samples", 5, 1, 1000),
        ),
        _method("leiden", "Leiden", _NEIGHBOURS, _option("resolution", "Resolution", 1, 0.05, 5, 0.05)),
        _method("gmm", "Gaussian mixture", _CLUSTERS),
        _method("agglomerative", "Agglomerative", _CLUSTERS),
        _method("spectral", "Spectral", _CLUSTERS),
        _method("meanshift", "Mean shift"),
    ],
}


class Steps:
    """Long steps, in the background thread of the worker."""

    def __init__(self, page: Page, worker: Worker):
        self._page, self._worker = page, worker
        self.handlers = {
            "cancel": lambda _content: worker.cancel(),
            "scan": self._scan,
            "step": self._run,
            "used": self._say_used,
        }

    def _run(self, content: Mapping[str, Any]) -> None:
        """Run `objclass.reduce` or `objclass.cluster` as the panel says; ``step`` tells which."""
        import objclass

        step = checks.check_option("step", content.get("step"), METHODS)
        known = {method["name"]: method for method in METHODS[step]}
        method = checks.check_option("method", content.get("method"), known)
        options = known[method]["options"]
        keywords = _step_keywords(content, options)
        if step == "reduce":  # without options it takes fewer neighbours where there are few objects
            defaults = {option["name"]: option["default"] for option in options}
            keywords = {name: value for name, value in keywords.items() if value != defaults.get(name)}
        function, table, page = getattr(objclass, step), self._measured(step), self._page

        def finish(result: Any) -> None:
            with page.lock:
                added = [name for name in result if name not in table or not result[name].equals(table[name])]
                code = call(f"objclass.{step}", "table", repr(method), keywords=keywords)
                page.objects.take(result, f"table = {code}")
                self._show_result(step, added)

        title = f"{known[method]['title']} of {counted(len(table), 'object')}"
        self._start(
            step, title, lambda _progress: function(table, method, progress=False, **keywords), finish
        )

    def _start(
        self, step: str, title: str, work: Callable[[Any], Any], finish: Callable[[Any], None]
    ) -> None:
        """Run ``work(progress)`` in the background, then ``finish(result)``; show what was warned of."""

        def collecting(progress: Any) -> Any:
            with collect() as notes:
                return work(progress), notes

        def end(found: Any) -> None:
            result, notes = found
            self._show_notes(step, notes)
            finish(result)

        self._worker.start(title, collecting, end)
        self._show_notes(step, [])

    def _show_notes(self, step: str, notes: list[str]) -> None:
        widget = self._page.widget
        widget._step_notes = {**widget._step_notes, step: notes}

    def _measured(self, step: str) -> pd.DataFrame:
        """Return the table, to which classes and names are added later; raise if it is empty."""
        if len(self._page.objects) == 0:
            raise checks.invalid("table", f"objects to {step}", "a table without rows")
        return self._page.objects.measured

    def _show_result(self, step: str, added: list[str]) -> None:
        widget = self._page.widget
        with widget.hold_sync():
            self._page.show_columns()
            if step == "cluster" and added:
                widget.color = added[-1]
            if step == "reduce" and added:
                widget.log_axes = ""
                widget.x, widget.y = added[0], added[1] if len(added) > 1 else ""

    def _say_used(self, content: Mapping[str, Any]) -> None:
        """Answer how many columns a step uses, which ones, and which it leaves out and why."""
        step = checks.check_option("step", content.get("step"), METHODS)
        keywords = _step_keywords(content, [])
        table = self._page.objects.table.iloc[:_MOST_LOOKED_AT]
        wanted = keywords.get("columns", "auto")
        try:
            with collect():  # the step itself tells of gaps
                text, lines = prepare(table, columns=wanted, scale=keywords["scale"]).details()
        except (ValueError, TypeError) as failure:
            text, lines = str(failure), []
        self._page.answer(content, "used", step=step, text=text, lines=lines)

    def _scan(self, content: Mapping[str, Any]) -> None:
        """Try 2 to 10 clusters and send their scores."""
        table, method = self._measured("cluster"), content.get("method", "kmeans")
        keywords = _step_keywords(content, [])

        def finish(result: Any) -> None:
            rows = result.astype(object).where(result.notna(), None).to_dict("list")
            self._page.answer(content, "scan", method=method, **rows)

        scan = functools.partial(scan_clusters, table, method, **keywords)
        self._start("cluster", "Trying 2 to 10 clusters", lambda progress: scan(progress=progress), finish)


def _step_keywords(content: Mapping[str, Any], options: Sequence[Option]) -> dict[str, Any]:
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
