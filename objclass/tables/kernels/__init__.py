"""Loops over the rows of a table."""
