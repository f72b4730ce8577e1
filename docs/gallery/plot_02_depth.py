"""
Why to annotate at several depths
=================================

Deep in the tissue the signal is faint. A classifier that saw scribbles near the surface only misses nuclei
there; scribbles at other depths mend it.
"""

import matplotlib.pyplot as plt
import numpy as np

import objclass

embryo = objclass.samples.embryo()
figure, panels = plt.subplots(1, 2, figsize=(9, 4), layout="constrained", sharey=True)
for axes, annotations, title in zip(panels, embryo.annotations, ("one depth", "three depths"), strict=True):
    classifier = objclass.train_object_classifier(embryo.image, annotations)
    found = objclass.segment(embryo.image, classifier, progress=False) > 0
    depth = embryo.spacing[0] * np.arange(len(found))
    axes.plot(depth, (embryo.labels > 0).mean(axis=(1, 2)), color="0.6", label="truth")
    axes.plot(depth, found.mean(axis=(1, 2)), label="found")
    axes.set(title=f"Scribbles at {title}", xlabel="depth (µm)")
panels[0].set_ylabel("share of object pixels")
panels[0].legend()
