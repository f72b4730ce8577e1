"""Images and their voxel size, from files and to files."""
