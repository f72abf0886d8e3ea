"""The exercises, a module for each notebook: what counts as right, and what is said of the rest."""
