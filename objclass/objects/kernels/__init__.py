"""Compiled loops over the voxels of one object in its box, (z, y, x)."""
