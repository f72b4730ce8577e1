"""From label images to tables of region properties."""
