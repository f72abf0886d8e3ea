"""Draws the sample: patients, lesions, photographs and planted faults, all with their truth."""
