"""Fit, stop, resume; frozen features; the record that a run leaves."""
