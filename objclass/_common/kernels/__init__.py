"""Compiled loops used by several folders."""
