"""Compiled loops over voxels: what objects measure."""
