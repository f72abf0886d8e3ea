"""Text and tables as Markdown in which every character means itself."""

import re
from collections.abc import Iterable, Sequence
from typing import Any


def text(value: Any) -> str:
    """A value as Markdown shows it letter by letter, on one line; numbers to three digits."""
    if value is None or value != value:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    line = " ".join(str(value).split())
    return re.sub(r"([\\`*_{}\[\]<>#!|~&$])", r"\\\1", line)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; the head is ours and stands as it is, the cells are escaped."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(text(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def interval(value: Sequence[float]) -> str:
    """A score and its limits, `0.59 (0.48 to 0.74)`; the score alone where it has none."""
    shown = ["-" if one is None else f"{one:.2f}" for one in value]
    return shown[0] if shown[1:] == ["-", "-"] else f"{shown[0]} ({shown[1]} to {shown[2]})"
