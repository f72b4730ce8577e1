"""
Splitting touching objects
==========================

Two disks that overlap are one component; where they meet it is narrow, and there it is split.
"""

import matplotlib.pyplot as plt
import numpy as np

import objclass

y, x = np.indices((60, 110))
mask = np.hypot(y - 30, x - 35) < 22
mask |= np.hypot(y - 30, x - 72) < 22
parts = objclass.split_touching(mask.astype(np.int32))

figure, panels = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
for axes, objects, title in zip(panels, (mask, parts), ("One component", "Two objects"), strict=True):
    axes.imshow(np.ma.masked_equal(objects, 0), cmap="Set2", vmin=1, vmax=8, interpolation="nearest")
    axes.set_title(title)
    axes.set_axis_off()
