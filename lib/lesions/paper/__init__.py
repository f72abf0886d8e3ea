"""The paper: its table, its claims, the arithmetic of score tables, the verdicts."""
