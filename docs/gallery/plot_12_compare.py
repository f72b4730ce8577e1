"""
Two conditions, honestly
========================

Cells of one image are alike. `compare` tests the means of images, not cells as if they were independent.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import objclass

rng = np.random.default_rng(0)
tables = []
for number in range(8):
    condition = "drug" if number % 2 else "control"
    values = rng.normal(rng.normal(110 if condition == "drug" else 100, 4), 15, 60)
    table = pd.DataFrame({"label": range(1, 61), "intensity": values})
    tables.append(table.assign(image=number, condition=condition))
table = pd.concat(tables, ignore_index=True)
result = objclass.compare(table, "intensity").iloc[0]

figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
for place, (_, rows) in enumerate(table.groupby("condition")):
    axes.scatter(place + rng.uniform(-0.25, 0.25, len(rows)), rows["intensity"], s=4, color="0.8")
    means = rows.groupby("image")["intensity"].mean()
    axes.scatter(np.full(len(means), place), means, s=60)
axes.set_xticks([0, 1], ["control", "drug"])
axes.set(ylabel="intensity", title=f"p = {result['p_value']:.3f}, {result['n_images']} images")
