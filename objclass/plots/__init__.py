"""Figures of images, objects and tables, and the colours that all pictures share."""
