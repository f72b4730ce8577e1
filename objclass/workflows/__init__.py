"""Whole runs, from files to a folder of results."""
