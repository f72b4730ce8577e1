"""The explorer: a plot of objects, linked with slices and 3D."""
