"""Every parameter once: its type, its limits, its help; and the refusal of all else."""
