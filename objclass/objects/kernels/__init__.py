"""Compiled loops over the voxels of an object in its bounding box, (z, y, x)."""
