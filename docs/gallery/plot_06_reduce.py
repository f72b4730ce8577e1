"""
Thirty measurements in two dimensions
=====================================

PCA keeps distances and loses detail, UMAP keeps neighbours and loses distances.
"""

import matplotlib.pyplot as plt

import objclass

embryo = objclass.samples.embryo()
table = objclass.measure(embryo.labels, embryo.image, spacing=embryo.spacing)
for method in ("pca", "umap"):
    table = objclass.reduce(table, method)
table = table.merge(embryo.cell_types, on="label")

figure, panels = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for axes, name in zip(panels, ("PC", "UMAP"), strict=True):
    for cell_type, rows in table.groupby("cell_type"):
        axes.scatter(rows[f"{name}_0"], rows[f"{name}_1"], s=8, label=cell_type)
    axes.set(xlabel=f"{name}_0", ylabel=f"{name}_1", title=name)
panels[1].legend()
