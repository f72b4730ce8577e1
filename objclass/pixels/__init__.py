"""From an image and annotations to a classifier, and from a classifier to the class of each pixel."""
