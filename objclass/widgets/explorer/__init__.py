"""A plot of the objects, linked with slices and 3D."""
