"""Experiments beside the models: the leak dial, cohorts, fusion, the official test set."""
