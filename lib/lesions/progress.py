"""Progress that a person can read: a bar on a screen, a few lines in a log file."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm.auto import tqdm

Item = TypeVar("Item")


def on_screen() -> bool:
    """True in a terminal. Executed notebooks and log files get lines instead of a moving bar."""
    return sys.stderr.isatty()


def track(items: Iterable[Item], label: str, total: int | None = None) -> Iterator[Item]:
    """Yield `items` and show how far we are: a bar in a terminal, else at most ten lines.

    The lines go to standard error and only when the work takes longer than two seconds, so that
    quick steps leave nothing behind in a notebook's output.
    """
    if total is None and hasattr(items, "__len__"):
        total = len(items)
    if on_screen():
        yield from tqdm(items, desc=label, total=total, leave=False)
        return
    start = last = time.monotonic()
    for count, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        seconds = now - start
        # A line after at least two seconds, and then only each tenth of the way.
        if total and seconds > 2 and (count * 10 // total) > ((count - 1) * 10 // total):
            print(f"{label}: {count} of {total}, {seconds:.0f} s", file=sys.stderr, flush=True)
        elif not total and now - last > 30:
            last = now
            print(f"{label}: {count}, {seconds:.0f} s", file=sys.stderr, flush=True)
