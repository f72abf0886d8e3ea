"""Cheap models that every network must beat, on the same rows."""
