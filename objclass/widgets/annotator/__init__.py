"""Paint scribbles on slices, train and segment."""
