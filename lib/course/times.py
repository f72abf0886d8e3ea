"""The line *Time* at the head of a notebook, written by the run that stores its outputs."""

import os
import re
from pathlib import Path

import nbformat

LINE = re.compile(
    r"(?P<start>\*\*Time\*\*: )about (?P<run>\d+ (?:second|minute)s?)(?P<note> \([^)]*\))?"
    r" to run \(profile `sample`, (?P<machine>[^)]*)\)"
)
SAME = 1.5  # times that differ by less than this factor are the same


def words(seconds: float) -> str:
    """A time as a person says it: `25 seconds`, `2 minutes`."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} seconds"
    return f"{round(seconds / 60)} minutes"


def seconds_of(text: str) -> float:
    """The seconds that such words stand for."""
    number, unit = text.split()
    return float(number) * (60 if unit.startswith("minute") else 1)


def worked() -> float:
    """Processor seconds of the kernels that have ended; 0 where the system does not tell."""
    spent = os.times()
    return spent.children_user + spent.children_system


def machine() -> str:
    """This machine's cores and processor, such as `2 cores of an AMD EPYC processor`."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    cores = f"{os.cpu_count()} cores"
    if not names:
        return cores
    name = " ".join(re.sub(r"\([A-Za-z]+\)", "", names[0]).split()[:2])
    return f"{cores} of {'an' if name[:1] in 'AEIOU' else 'a'} {name} processor"


def note(notebook: nbformat.NotebookNode, seconds: float) -> bool:
    """Write how long a notebook ran into its line, where it says something else.

    A time that differs by less than half is left: else every run would change the file.

    Returns:
        whether it changed.
    """
    for cell in notebook.cells:
        found = LINE.search(cell.source) if cell.cell_type == "markdown" else None
        if found:
            old = seconds_of(found["run"])
            if max(seconds, old) < SAME * min(max(seconds, 1), old):
                return False
            new = f"{found['start']}about {words(seconds)}{found['note'] or ''} to run "
            new += f"(profile `sample`, {machine()})"
            cell.source = cell.source.replace(found[0], new)
            return True
    return False
