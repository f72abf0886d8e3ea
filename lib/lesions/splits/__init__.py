"""Labels, splits, protocols, resampling, and what a split leaks."""
