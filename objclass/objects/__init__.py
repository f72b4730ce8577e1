"""From pixel probabilities to label images: segmentation, splitting, filtering, matching and editing."""
