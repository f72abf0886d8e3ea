"""Ground floor: errors, files written whole or not at all, the one cache, progress, fetching."""
