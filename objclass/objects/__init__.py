"""From classes of pixels to label images, and which objects to keep."""
