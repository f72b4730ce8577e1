"""Compiled loops that several folders share."""
