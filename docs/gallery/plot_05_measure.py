"""
Measuring objects
=================

One row an object; with the voxel size, columns are in micrometres.
"""

import matplotlib.pyplot as plt

import objclass

embryo = objclass.samples.embryo()
table = objclass.measure(embryo.labels, embryo.image, spacing=embryo.spacing)
table = table.merge(embryo.kinds, on="label")

figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
for kind, rows in table.groupby("kind"):
    axes.scatter(rows["area"], rows["intensity_mean"], s=12, label=kind)
axes.set(xlabel="volume (µm³)", ylabel="mean intensity", xscale="log")
axes.legend()
