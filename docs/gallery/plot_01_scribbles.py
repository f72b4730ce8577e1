"""
Scribbles and what they teach
=============================

A few scribbles of two classes on a slice are enough to tell background from objects in the whole picture.
"""

import matplotlib.pyplot as plt
import numpy as np

import objclass

coins = objclass.samples.coins()
classifier = objclass.train_object_classifier(coins.image, coins.annotations[0])
probability = objclass.probability_map(coins.image, classifier)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
left.imshow(coins.image, cmap="gray")
scribbles = np.ma.masked_equal(coins.annotations[0], 0)
left.imshow(scribbles, cmap="Set1_r", interpolation="nearest")
left.set_title("Image and scribbles")
right.imshow(probability, vmin=0, vmax=1)
right.set_title("Probability of an object")
for axes in (left, right):
    axes.set_axis_off()
