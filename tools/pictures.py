"""Draw the pictures of the notebooks, from the phantom.

``python tools/pictures.py`` writes them to notebooks/images, after notebook 07 has run once.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.patches import Ellipse, Polygon, Rectangle
from scipy.stats import mannwhitneyu

import objclass
from objclass.tables.profiles import scan_clusters

REPOSITORY = Path(__file__).resolve().parents[1]
NOTEBOOKS = REPOSITORY / "notebooks" / "images"
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#e69f00", "#009e73", "#9a9a9a"


def save(figure: plt.Figure, name: str) -> None:
    """Write a figure and close it."""
    figure.savefig(NOTEBOOKS / f"{name}.png", dpi=95)
    plt.close(figure)


def bare(axes: plt.Axes, plane: np.ndarray, title: str, **options: object) -> None:
    """Draw a plane without axes."""
    axes.imshow(plane, cmap="gray", **options)
    axes.set(title=title, xticks=[], yticks=[])


def look(image: np.ndarray) -> None:
    """Draw three planes at one contrast, and the histogram."""
    figure, panels = plt.subplots(1, 4, figsize=(9.5, 2.6), layout="constrained")
    high = np.percentile(image, 99.7)
    for axes, z in zip(panels, (6, 20, 34), strict=False):
        bare(axes, image[z], f"z = {z}", vmin=image.min(), vmax=high)
    panels[3].hist(image.ravel(), bins=120, log=True, color=BLUE)
    panels[3].set(title="Histogram", xlabel="value", ylabel="voxels")
    save(figure, "01_look")


def rounds(sample: objclass.samples.Sample) -> None:
    """Draw the scribbles of round 1, and the prediction on a deep plane after each round."""
    image, z, deep = sample.image, 10, 34
    figure, panels = plt.subplots(1, 3, figsize=(9.5, 3.4), layout="constrained")
    bare(panels[0], image[z], f"Round 1: scribbles on z = {z}", vmax=np.percentile(image[z], 99.8))
    scribbles = np.zeros((*image[z].shape, 4))
    scribbles[sample.annotations[0][z] == 1] = mpl.colors.to_rgba(BLUE)
    scribbles[sample.annotations[0][z] == 2] = mpl.colors.to_rgba(ORANGE)
    panels[0].imshow(scribbles)
    for axes, painted, name in zip(
        panels[1:], sample.annotations, ("round 1: blind here", "round 2"), strict=True
    ):
        classifier = objclass.train_object_classifier(image, painted)
        found = objclass.predict_plane(image, classifier, index=deep) == 2
        bare(axes, image[deep], f"z = {deep} after {name}", vmax=np.percentile(image[deep], 99.8))
        axes.contour(found, [0.5], colors=ORANGE, linewidths=1.2)
    save(figure, "02_rounds")


def measures(found: np.ndarray, labels: np.ndarray, table: pd.DataFrame) -> None:
    """Draw the sizes with the limit, and what measures mean on one nucleus."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9.5, 3), layout="constrained")
    sizes = np.bincount(found.ravel())[1:]
    left.hist(sizes, bins=[2**n for n in range(12)], color=BLUE, edgecolor="white")
    left.axvline(20, color=ORANGE, linewidth=2)
    left.set(xscale="log", xlabel="voxels", ylabel="objects", title="Left of the line: too small")
    row = table.loc[(table["elongation"] - 2.3).abs().idxmin()]
    z = int((row["bbox-0"] + row["bbox-3"]) / 2)
    plane = labels[z] == row["label"]
    rows, columns = np.nonzero(plane)
    window = np.s_[rows.min() - 5 : rows.max() + 6, columns.min() - 5 : columns.max() + 6]
    mask = plane[window]
    outline(middle, mask, "box, hull, longest line")
    rows, columns = np.nonzero(mask)
    box = (columns.min() - 0.5, rows.min() - 0.5), np.ptp(columns) + 1, np.ptp(rows) + 1
    middle.add_patch(Rectangle(*box, fill=False, color=BLUE))
    points = np.column_stack([columns, rows])
    from scipy.spatial import ConvexHull

    hull = points[ConvexHull(points).vertices]
    middle.add_patch(Polygon(hull, fill=False, color=ORANGE))
    far = np.linalg.norm(hull[:, None] - hull[None], axis=-1)
    pair = hull[list(np.unravel_index(far.argmax(), far.shape))]
    middle.plot(*pair.T, color=GREEN)
    for text, place, color in (("extent", 0.93, BLUE), ("solidity", 0.85, ORANGE), ("feret", 0.77, GREEN)):
        middle.text(0.03, place, text, transform=middle.transAxes, color=color, weight="bold")
    outline(right, mask, "centroid and axes")
    values, vectors = np.linalg.eigh(np.cov(points.T))
    ellipse = Ellipse(
        points.mean(axis=0),
        *(4 * np.sqrt(values[::-1])),
        angle=float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))),
        fill=False,
        color=ORANGE,
    )
    right.add_patch(ellipse)
    for length, vector in zip(2 * np.sqrt(values), vectors.T, strict=True):
        ends = points.mean(axis=0) + np.outer([-length, length], vector)
        right.plot(*ends.T, color=BLUE)
    save(figure, "03_measures")


def outline(axes: plt.Axes, mask: np.ndarray, title: str) -> None:
    """Draw one object."""
    axes.imshow(mask, cmap="Greys", vmax=3)
    axes.set(title=title, xticks=[], yticks=[])


def select(labels: np.ndarray, table: pd.DataFrame) -> None:
    """Draw two lassos in the plot, and the objects in their colours."""
    lassos = (
        [(1.55, 95), (1.75, 170), (2.6, 190), (3.0, 150), (2.9, 95), (2.2, 85)],
        [(1.2, 40), (1.3, 80), (2.2, 82), (2.7, 60), (2.4, 30), (1.5, 28)],
    )
    for group, corners in enumerate(lassos, 1):
        table = objclass.select(table, "elongation", "area", polygon=corners, group=group, mode="add")
    colors = {0: GREY, 1: ORANGE, 2: BLUE}
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
    left.scatter(table["elongation"], table["area"], s=14, c=table["MANUAL_CLUSTER_ID"].map(colors))
    for group, corners in enumerate(lassos, 1):
        left.add_patch(Polygon(corners, fill=False, color=colors[group], linestyle="--"))
    left.set(xlabel="elongation", ylabel="area (µm³)", title="Lasso, then shift and lasso")
    paint(right, labels, dict(zip(table["label"], table["MANUAL_CLUSTER_ID"].map(colors), strict=True)))
    right.set(title="The same objects, seen along z")
    save(figure, "04_select")


def paint(axes: plt.Axes, labels: np.ndarray, colors: dict[int, str]) -> None:
    """Draw the objects along z in their colours."""
    lookup = np.ones((labels.max() + 1, 3))
    for label, color in colors.items():
        lookup[label] = mpl.colors.to_rgb(color)
    seen = labels[0].copy()
    for plane in labels[1:]:
        np.copyto(seen, plane, where=seen == 0)
    axes.imshow(lookup[seen])
    axes.set(xticks=[], yticks=[])


def reduced(table: pd.DataFrame) -> None:
    """Draw UMAP, t-SNE and PCA of the same objects."""
    figure, panels = plt.subplots(1, 3, figsize=(9.5, 2.9), layout="constrained")
    for axes, name, method in zip(panels, ("UMAP", "t-SNE", "PC"), ("umap", "tsne", "pca"), strict=True):
        table = objclass.reduce(table, method)
        dots = axes.scatter(table[f"{name}_0"], table[f"{name}_1"], s=10, c=table["elongation"], vmax=3)
        axes.set(title="PCA" if name == "PC" else name, xlabel=f"{name}_0", ylabel=f"{name}_1")
    figure.colorbar(dots, ax=panels, label="elongation")
    save(figure, "05_reduce")


def clustered(labels: np.ndarray, table: pd.DataFrame) -> None:
    """Draw the clusters on the map, in the embryo, and how many there are."""
    colors = table["KMEANS_CLUSTER_ID"].map({0: GREEN, 1: ORANGE, 2: BLUE})
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9.5, 3), layout="constrained")
    left.scatter(table["UMAP_0"], table["UMAP_1"], s=12, c=colors)
    left.set(title="k-means, 3 clusters", xlabel="UMAP_0", ylabel="UMAP_1")
    paint(middle, labels, dict(zip(table["label"], colors, strict=True)))
    middle.set(title="The same, seen along z")
    scan = scan_clusters(table, "kmeans", most=8)
    right.plot(scan["n_clusters"], scan["silhouette"], marker="o", color=BLUE)
    right.set(title="How many?", xlabel="clusters", ylabel="silhouette")
    save(figure, "06_cluster")


def conditions() -> None:
    """Draw the share of elongated nuclei by image, as notebook 07 finds it; drawn from what it wrote."""
    shares = pd.read_csv(REPOSITORY / "notebooks" / "results" / "shares.csv")
    figure, axes = plt.subplots(figsize=(4.6, 3), layout="constrained")
    parts = [part["share"] for _, part in shares.groupby("condition")]
    for place, (part, color) in enumerate(zip(parts, (BLUE, ORANGE), strict=True)):
        axes.scatter([place] * len(part), part, s=45, color=color)
        axes.hlines(part.mean(), place - 0.2, place + 0.2, color="black")
    axes.set(
        xticks=[0, 1],
        xticklabels=["control", "treated"],
        xlim=(-0.5, 1.5),
        ylabel="share of elongated nuclei",
    )
    axes.set(title=f"4 and 4 images, p = {mannwhitneyu(*parts).pvalue:.3f}", ylim=(0, 0.36))
    save(figure, "07_conditions")


def main() -> None:
    """Draw them all."""
    NOTEBOOKS.mkdir(exist_ok=True)
    sample = objclass.samples.embryo((40, 160, 160))
    classifier = objclass.train_object_classifier(sample.image, sample.annotations[-1])
    found = objclass.segment(sample.image, classifier, progress=False)
    labels = objclass.exclude_small(found, 20)
    table = objclass.measure(labels, sample.image, spacing=sample.spacing, progress=False)
    table = table.assign(elongation=table["axis_major_length"] / table["axis_minor_length"])
    look(sample.image)
    rounds(sample)
    measures(found, labels, table)
    select(labels, table)
    reduced(table)
    table = objclass.cluster(objclass.reduce(table, "umap"), "kmeans", n_clusters=3)
    clustered(labels, table)
    conditions()
    picture = objclass.overview(sample.image, labels, table, spacing=sample.spacing)
    picture.savefig(NOTEBOOKS / "00_overview.png", dpi=75)


if __name__ == "__main__":
    main()
