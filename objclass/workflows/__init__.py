"""Pipelines from files to a folder of results."""
