"""Measure and print, and write ``benchmarks.json`` and ``benchmarks.md`` where ``--out`` says so."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
from pathlib import Path

from objclass._common.parallel import n_threads
from objclass.workflows.record import versions

from .common import Row

MODULES = (
    "reading",
    "predict",
    "measure",
    "labelling",
    "umap_start",
    "waiting",
    "large",
    "vigra",
    "opencl",
    "corrections",
    "annotator",
    "explorer",
    "classes",
    "tricks",
)


def main() -> None:
    """Run the measurements that are asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "modules", nargs="*", metavar="MODULE", help=f"among {', '.join(MODULES)}; all by default"
    )
    parser.add_argument("--out", type=Path, help="the folder to write to")
    arguments = parser.parse_args()
    rows = []
    for name in arguments.modules or MODULES:
        for row in importlib.import_module(f"benchmarks.{name}").run():
            print(as_markdown(row), flush=True)
            rows.append(row)
    if arguments.out:
        write(rows, arguments.out)


def write(rows: list[Row], folder: Path) -> None:
    """Write the rows with what they were measured on."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = {"platform": platform.platform(), "processor": platform.machine(), "threads": n_threads()}
    content = {"machine": machine, "versions": versions(), "rows": [row.as_json() for row in rows]}
    (folder / "benchmarks.json").write_text(json.dumps(content, indent=2), encoding="utf-8")
    table = "\n".join([HEAD, *map(as_markdown, rows), ""])
    (folder / "benchmarks.md").write_text(table, encoding="utf-8")


HEAD = "| what | objclass | peer | the peer's | ratio | note |\n|---|---|---|---|---|---|"


def as_markdown(row: Row) -> str:
    """Return one line of the table."""
    ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
    return f"| {row.what} | {row.ours} | {row.peer} | {row.theirs} | {ratio} | {row.note} |"


if __name__ == "__main__":
    main()
