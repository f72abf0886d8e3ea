"""How long a study takes on more workers: a plan of its runs, from durations that were measured."""

import heapq
from collections.abc import Sequence

import numpy as np
import pandas as pd

WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


def finish(durations: Sequence[float], workers: int, longest_first: bool = True) -> float:
    """When the last task ends, if each worker takes the next task as soon as it is free.

    Args:
        durations: of the tasks, in any unit; none needs another.
        workers: how many tasks run at a time.
        longest_first: the plan's order; else that of `durations`.
    """
    order = sorted(durations, reverse=True) if longest_first else list(durations)
    free = [0.0] * workers  # when each worker is free again
    for duration in order:
        heapq.heappush(free, heapq.heappop(free) + duration)
    return max(free)


def plan(
    durations: Sequence[float], overhead: float = 0.0, workers: Sequence[int] = WORKERS
) -> pd.DataFrame:
    """Time against the number of workers.

    Args:
        durations: of the tasks, in seconds.
        overhead: seconds that a task costs beside its own work.

    Returns:
        workers, hours (longest task first), hours_as_listed, bound (no plan can be shorter: the
        longest task, or an equal share of all work), speedup, busy (share of the workers' time).
    """
    tasks = np.asarray(durations, float) + overhead
    lines = []
    for count in workers:
        time = finish(tasks, count)
        bound = max(tasks.max(), tasks.sum() / count)
        listed = finish(tasks, count, longest_first=False)
        speedup = tasks.sum() / time
        lines.append((count, time / 3600, listed / 3600, bound / 3600, speedup, speedup / count))
    names = ["workers", "hours", "hours_as_listed", "bound", "speedup", "busy"]
    return pd.DataFrame(lines, columns=names)


def enough(table: pd.DataFrame) -> int:
    """The least number of workers in a plan beyond which more of them save nothing."""
    return int(table.loc[table["hours"] <= table["hours"].min() * 1.0001, "workers"].min())
