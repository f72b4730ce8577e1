"""
Which features the forest uses
==============================

The importance of each filter and scale, as the forest that was trained has it.
"""

import matplotlib.pyplot as plt

import objclass

embryo = objclass.samples.embryo()
classifier = objclass.train_object_classifier(embryo.image, embryo.annotations[-1], spacing=embryo.spacing)
importances = classifier.feature_importances()

figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
axes.barh(importances["feature"], importances["importance"])
axes.set(xlabel="importance")
axes.tick_params(axis="y", labelsize=7)
axes.invert_yaxis()
