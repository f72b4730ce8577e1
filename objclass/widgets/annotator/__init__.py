"""Annotation of slices with scribbles, training and segmentation."""
