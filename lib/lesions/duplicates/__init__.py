"""Hashes, the search for pairs, groups, descriptors, and the list of images that stay."""
