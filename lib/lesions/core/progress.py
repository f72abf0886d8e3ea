"""Progress that a person can read: a bar on a screen, a few lines in a log file."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm.auto import tqdm

Item = TypeVar("Item")


def _on_screen() -> bool:
    """True in a terminal and in JupyterLab; False when a notebook is run without a reader."""
    if "LESIONS_PROGRESS" in os.environ:
        return False
    return sys.stderr.isatty() or "ipykernel" in sys.modules


def say(text: str) -> None:
    """Report one line: on the screen, or to the file that LESIONS_PROGRESS names.

    The file keeps progress out of the outputs that notebooks are stored with.
    """
    log = os.environ.get("LESIONS_PROGRESS")
    if log:
        with open(log, "a", encoding="utf-8") as lines:
            lines.write(text + "\n")
    elif _on_screen():
        tqdm.write(text, file=sys.stderr)
    else:
        print(text, file=sys.stderr, flush=True)


def track(items: Iterable[Item], label: str, total: int | None = None) -> Iterator[Item]:
    """Yield `items` and show how far we are: a bar on a screen, else at most ten lines.

    Work of under two seconds leaves no line.
    """
    if total is None and hasattr(items, "__len__"):
        total = len(items)
    if _on_screen():
        yield from tqdm(items, desc=label, total=total, leave=False)
        return
    start = last = time.monotonic()
    for count, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        next_tenth = total and count * 10 // total > (count - 1) * 10 // total
        if (next_tenth and now - start > 2) or (not total and now - last > 30):
            last = now
            of = f" of {total}" if total else ""
            say(f"{label}: {count}{of}, {now - start:.0f} s")
