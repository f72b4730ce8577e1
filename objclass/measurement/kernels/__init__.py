"""Compiled loops over voxels for measuring."""
