"""
From pixels to objects
======================

Connected pixels of the positive class are objects; small ones are removed.
"""

import matplotlib.pyplot as plt
from skimage.color import label2rgb

import objclass

coins = objclass.samples.coins()
classifier = objclass.train_object_classifier(coins.image, coins.annotations[0])
labels = objclass.segment(coins.image, classifier)
large = objclass.exclude_small(labels, 200)

figure, panels = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for axes, objects, title in zip(panels, (labels, large), ("All", "200 pixels or more"), strict=True):
    axes.imshow(label2rgb(objects, coins.image, alpha=0.4, bg_label=0))
    axes.set_title(f"{title}: {objects.max()} objects")
    axes.set_axis_off()
