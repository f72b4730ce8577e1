"""
Measuring objects
=================

One row an object; with the voxel size, columns are in micrometres.
"""

import matplotlib.pyplot as plt

import objclass

embryo = objclass.samples.embryo()
table = objclass.measure(embryo.labels, embryo.image, spacing=embryo.spacing)
table = table.merge(embryo.cell_types, on="label")

figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
for cell_type, rows in table.groupby("cell_type"):
    axes.scatter(rows["area"], rows["intensity_mean"], s=12, label=cell_type)
axes.set(xlabel="volume (µm³)", ylabel="mean intensity", xscale="log")
axes.legend()
