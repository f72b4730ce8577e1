"""Compiled loops over pixels: features and forests."""
