"""
Classes from ten examples
=========================

Three cell types that clustering does not find are learnt from ten examples of each.
"""

import matplotlib.pyplot as plt

import objclass

cells = objclass.samples.cells()
groups = ["basic", "texture", "neighbors"]
table = objclass.measure(cells.labels, cells.image, properties=groups, spacing=cells.spacing)
truth = cells.cell_types.set_index("label")["cell_type"]
examples = truth.groupby(truth).sample(10, random_state=0).to_dict()
classifier = objclass.train_table_classifier(table, examples)
table = objclass.classify(table, classifier)
table["right"] = table["CLASS"].to_numpy() == truth.reindex(table["label"]).to_numpy()

figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
for name, rows in table.groupby("CLASS"):
    axes.hist(rows["CLASS_PROBABILITY"].astype(float), bins=20, range=(0.4, 1), alpha=0.6, label=name)
axes.set(
    xlabel="probability of the predicted class", ylabel="objects", title=f"{table['right'].mean():.0%} right"
)
axes.legend()
