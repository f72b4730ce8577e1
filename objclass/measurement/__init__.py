"""Measurement of region properties of labelled objects."""
