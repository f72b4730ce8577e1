"""
Neighbors
=========

Crowded or alone: the distance of each nucleus to its nearest neighbor, from surface to surface.
"""

import matplotlib.pyplot as plt
import numpy as np

import objclass

embryo = objclass.samples.embryo()
table = objclass.measure(embryo.labels, properties="neighbors", spacing=embryo.spacing)
column = "neighbors_distance_surface"
picture = objclass.map_to_image(embryo.labels, table, column)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
left.hist(table[column].dropna(), bins=30)
left.set(xlabel=f"{column} (µm)", ylabel="objects")
highest = np.where(embryo.labels > 0, picture, -1).max(axis=0)
shown = right.imshow(np.ma.masked_less(highest, 0))
figure.colorbar(shown, ax=right, label=f"{column} (µm)")
right.set_axis_off()
