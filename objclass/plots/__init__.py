"""Figures of images, objects and tables, and the colour scheme of all figures."""
