"""Objects in 3D."""
