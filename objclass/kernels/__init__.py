"""Loops over voxels: arrays in, arrays out. No validation, no pandas."""
