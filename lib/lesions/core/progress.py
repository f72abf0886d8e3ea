"""Progress that a person can read: a bar in a terminal, one changing line in a notebook, plain
lines in a log file. What is finished leaves a line of text or nothing, and no widget that needs a
kernel.
"""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
# In a notebook, work that takes less shows nothing, and a line changes no more often than this.
QUIET, EVERY = 1.0, 0.25


class Line:
    """A line of text under a notebook's cell that can be written anew."""

    def __init__(self):
        self._handle: Any = None

    def write(self, text: str) -> None:
        """Show `text` in place of what the line said before."""
        from IPython.display import display

        shown = {"text/plain": text}
        if self._handle is None:
            self._handle = display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)


class _Last:
    """The line that `say` wrote last: in which run of a cell, and about what."""

    cell: Any = None
    subject = ""
    line = Line()


def _shell() -> Any:
    """The shell of the notebook that we run in; None elsewhere."""
    if "ipykernel" not in sys.modules:
        return None
    from IPython import get_ipython

    shell = get_ipython()
    return shell if hasattr(shell, "kernel") else None


def _log() -> str:
    """The file that LESIONS_PROGRESS names, for a run without a reader; empty: there is one."""
    return os.environ.get("LESIONS_PROGRESS", "")


def say(text: str) -> None:
    """Report one line: to the file that LESIONS_PROGRESS names, else to the reader.

    The file keeps progress out of the outputs that notebooks are stored with. In a notebook a line
    replaces the one before if both are of the same cell and subject: `cnn: epoch 2 …` that of
    `cnn: epoch 1 …`.
    """
    log, shell = _log(), _shell()
    if log:
        with open(log, "a", encoding="utf-8") as lines:
            lines.write(text + "\n")
    elif shell is not None:
        subject, of, _ = text.partition(": ")
        known = (shell.execution_count, subject) == (_Last.cell, _Last.subject)
        if not (of and known):
            _Last.cell, _Last.subject, _Last.line = shell.execution_count, subject, Line()
        _Last.line.write(text)
    else:
        tqdm.write(text, file=sys.stdout)
        sys.stdout.flush()


def track(items: Iterable[Item], label: str, total: int | None = None) -> Iterator[Item]:
    """Yield `items` and show how far we are: a bar in a terminal, a changing line in a notebook,
    else at most ten lines.

    Work of under two seconds leaves no line in a log, and of under one second none in a notebook.
    """
    if total is None and hasattr(items, "__len__"):
        total = len(items)
    if _log():
        yield from _in_a_log(items, label, total)
    elif _shell() is not None:
        yield from _in_a_notebook(items, label, total)
    elif sys.stderr.isatty():
        yield from tqdm(items, desc=label, total=total, leave=False)
    else:
        yield from _in_a_log(items, label, total)


def _said(label: str, count: int, total: int | None, seconds: float) -> str:
    of = f" of {total:,}" if total else ""
    return f"{label}: {count:,}{of}, {seconds:.0f} s"


def _in_a_log(items: Iterable[Item], label: str, total: int | None) -> Iterator[Item]:
    start = last = time.monotonic()
    for count, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        next_tenth = total and count * 10 // total > (count - 1) * 10 // total
        if (next_tenth and now - start > 2) or (not total and now - last > 30):
            last = now
            say(_said(label, count, total, now - start))


def _in_a_notebook(items: Iterable[Item], label: str, total: int | None) -> Iterator[Item]:
    start = last = time.monotonic()
    line, count = None, 0
    for count, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - start >= QUIET and now - last >= EVERY:
            last, line = now, line or Line()
            line.write(_said(label, count, total, now - start))
    if line:
        line.write(_said(label, count, None, time.monotonic() - start))
