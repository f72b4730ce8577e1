"""
A lasso in code
===============

What `explore` does by mouse, `select` repeats: the objects within a polygon of a plot.
"""

import matplotlib.pyplot as plt
import numpy as np

import objclass

embryo = objclass.samples.embryo()
table = objclass.measure(embryo.labels, embryo.image, spacing=embryo.spacing)
small_and_bright = [(0, 450), (130, 450), (130, 5000), (0, 5000)]
table = objclass.select(table, "area", "intensity_max", polygon=small_and_bright)
chosen = table.loc[table["MANUAL_CLUSTER_ID"] == 1, "label"]

figure, (plot, picture) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
plot.scatter(table["area"], table["intensity_max"], c=table["MANUAL_CLUSTER_ID"], s=10, cmap="coolwarm")
plot.set(xlabel="volume (µm³)", ylabel="maximum intensity", title=f"{len(chosen)} objects selected")
picture.imshow(embryo.image.max(axis=0), cmap="gray")
picture.imshow(np.isin(embryo.labels, chosen).max(axis=0), alpha=0.5, cmap="Reds")
picture.set_axis_off()
