"""The course's own tables: one declaration of the columns for writing, reading and checking.

Text is text: `01`, `1e3`, `TRUE` and `N/A` come back as they were. pandas alone would guess.
"""

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lesions.core.errors import LesionsError, shorten
from lesions.core.files import atomic
from lesions.core.names import as_cell, from_cell

csv.field_size_limit(10_000_000)


@dataclass(frozen=True)
class Schema:
    """The columns of one kind of table, by what they hold."""

    name: str  # such as "keep-list"
    text: tuple[str, ...]
    numbers: tuple[str, ...] = ()  # float64, NaN where missing
    whole: tuple[str, ...] = ()  # int64
    truths: tuple[str, ...] = ()  # bool
    optional: tuple[str, ...] = ()  # those of them that may be absent

    def columns(self) -> tuple[str, ...]:
        return self.text + self.numbers + self.whole + self.truths

    def fits(self, names: Sequence[str]) -> bool:
        """True if these are the columns: each once, none missing, none too many."""
        needed = set(self.columns()) - set(self.optional)
        return needed <= set(names) <= set(self.columns()) and len(set(names)) == len(names)


def write(table: pd.DataFrame, path: Path, schema: Schema) -> None:
    """Write a table of this kind as CSV, whole or not at all; the columns stay in their order.

    Raises:
        LesionsError: a column is missing, one too many, or holds something else than declared.
    """
    check(table, schema, f"The {schema.name} to be kept as {path}")
    columns = []
    for column in table:
        values = table[column].tolist()
        if column in schema.text:
            values = [as_cell(value) for value in values]
        elif column in schema.numbers:
            values = ["" if math.isnan(value) else float(value) for value in values]
        columns.append(values)
    with atomic(path) as partial, open(partial, "w", encoding="utf-8", newline="") as file:
        # All text in quotes: a bare carriage return would be taken for the end of a line.
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerow(list(table))
        writer.writerows(zip(*columns, strict=True))


def read(path: Path, schema: Schema, again: str = "make it anew") -> pd.DataFrame:
    """Read a table that `write` wrote, each column of its declared type.

    Args:
        again: what makes the file anew, for the messages.

    Raises:
        LesionsError: it is not there, cannot be read, or its columns are not those declared.
    """
    where = f"The {schema.name} {path}"
    if not Path(path).is_file():
        raise LesionsError(f"There is no {schema.name} {path}: {again}.")
    try:
        with open(path, encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LesionsError(f"{where} cannot be read ({error}): {again}.") from error
    names = lines[0] if lines else []
    rows = [line for line in lines[1:] if line]
    broken = [line for line in rows if len(line) != len(names)]
    if broken or not schema.fits(names):
        fault = f"{len(broken)} broken lines" if broken else f"the columns {shorten(names, 12)}"
        raise LesionsError(
            f"{where} has {fault}, and not whole lines of "
            f"{shorten(list(schema.columns()), 12)}: {again}."
        )
    kinds: list[tuple[Sequence[str], Callable[[str], Any], Any]] = [
        (schema.text, from_cell, str),
        (schema.numbers, lambda value: float(value) if value else math.nan, float),
        (schema.whole, int, "int64"),
        (schema.truths, {"True": True, "False": False}.__getitem__, bool),
    ]
    found = {}
    for position, name in enumerate(names):
        _, convert, dtype = next(kind for kind in kinds if name in kind[0])
        try:
            values = [convert(line[position]) for line in rows]
        except (ValueError, KeyError) as error:
            raise LesionsError(
                f"{where} holds {error} in the column {name}, which cannot be: {again}."
            ) from error
        found[name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(found, columns=names)


def check(table: pd.DataFrame, schema: Schema, where: str) -> None:
    """Raise a LesionsError unless a table has the columns of a schema, with their types."""
    if not schema.fits(list(table)):
        raise LesionsError(
            f"{where} must have the columns {shorten(list(schema.columns()), 12)}; it has "
            f"{shorten(list(table), 12)}."
        )
    for name in (name for name in schema.text if name in table):
        strange = [value for value in table[name] if not isinstance(value, str)]
        if strange:
            raise LesionsError(
                f"{where} must have text in the column {name}; it holds {strange[0]!r}."
            )
    kinds = {"f": schema.numbers, "i": schema.whole, "b": schema.truths}
    for kind, columns in kinds.items():
        for name in (name for name in columns if name in table):
            right = kind + "iu" if kind == "f" else "iu" if kind == "i" else kind
            if table[name].dtype.kind not in right:
                raise LesionsError(
                    f"{where} must not have {table[name].dtype} in the column {name}."
                )


def write_for_people(table: pd.DataFrame, path: Path) -> None:
    """Write a table that is only to be looked at as CSV: no cell is a formula to a spreadsheet."""
    shown = table.rename(columns=lambda name: as_cell(str(name)))
    shown = shown.map(lambda value: as_cell(value) if isinstance(value, str) else value)
    with atomic(path) as partial:
        shown.to_csv(partial, index=False, encoding="utf-8")
