"""Understand whose table it is: this course's, the ISIC Archive's, a challenge's, or one's own."""

import math
from typing import NamedTuple

import pandas as pd

from lesions.core.errors import shorten
from lesions.data.datacard import DATA_CARD
from lesions.data.findings import Findings, note
from lesions.data.rows import IMAGE_COLUMNS

COLUMNS = tuple(DATA_CARD["columns"])
CLASSES = tuple(DATA_CARD["classes"])
# What the columns are called elsewhere; the first that is there is taken.
OTHER_NAMES = {
    "image_id": IMAGE_COLUMNS,
    "dx": ("dx", "label", "class", "target", "diagnosis", "diagnosis_1", "category"),
    "dx_type": ("dx_type", "diagnosis_confirm_type", "diagnosis_confirm"),
    "age": ("age", "age_approx", "age_approximate"),
    "sex": ("sex", "gender"),
    "localization": ("localization", "anatom_site_general", "anatom_site_general_challenge"),
}
NO_CLASS = "unknown"  # stands in dx where there is no label at all


class Understood(NamedTuple):
    """A table with the course's names, and what was made of it."""

    rows: pd.DataFrame
    says: str  # one sentence
    labelled: bool
    renamed: bool  # the table has other names than this course's


def understand(rows: pd.DataFrame, path: str, findings: Findings) -> Understood:
    """Give a table the course's column names; a column a class becomes one column dx.

    Args:
        rows: from `rows.read_rows`.
        path: for the findings.
        findings: takes rows of a challenge's table that name no class, or several.
    """
    taken = {}
    for ours, names in OTHER_NAMES.items():
        found = next((name for name in names if name in rows and name not in taken.values()), None)
        if found:
            taken[ours] = found
    header = rows.attrs.get("header", {})
    renamed = rows.rename(columns={theirs: ours for ours, theirs in taken.items()})
    said = [f"{ours} from {header.get(theirs, theirs)!r}" for ours, theirs in taken.items()]
    if "dx" not in renamed and "image_id" in renamed:
        classes = _class_columns(renamed, set(COLUMNS))
        if classes:
            dx, kept = _from_one_hot(rows, renamed, classes, path, findings)
            renamed = renamed.loc[kept].drop(columns=classes).assign(dx=dx)
            said.append(f"dx from a column a class: {shorten(sorted(set(dx)), 9)}")
    others = [name for name in rows if name.startswith("diagnosis") and name not in taken.values()]
    if taken.get("dx", "").startswith("diagnosis") and others:
        said.append(f"not used: {shorten(others, 5)} (name one of them dx to use it)")
    labelled = "dx" in renamed
    if not labelled:
        said.append("no column with labels")
    same = all(ours == theirs for ours, theirs in taken.items()) and list(renamed) == list(rows)
    return Understood(renamed, "; ".join(said), labelled, not (same and labelled))


def _class_columns(rows: pd.DataFrame, known: set[str]) -> list[str]:
    """The columns that hold nothing but 0 and 1 (or shares), if there are two or more."""
    found = []
    for name in rows:
        if name in known or rows.empty:
            continue
        numbers = pd.to_numeric(rows[name].str.strip(), errors="coerce")
        if numbers.between(0, 1).mean() > 0.9:
            found.append(name)
    return found if len(found) > 1 else []


def _from_one_hot(
    rows: pd.DataFrame, renamed: pd.DataFrame, classes: list[str], path: str, findings: Findings
) -> tuple[pd.Series, pd.Series]:
    """The class of each row in which exactly one column says 1, and which rows these are."""
    numbers = pd.DataFrame(
        {name: pd.to_numeric(renamed[name].str.strip(), errors="coerce") for name in classes}
    )
    ones = (numbers == 1).sum(axis=1)
    clean = (ones == 1) & (numbers.fillna(math.nan).isin([0, 1]).all(axis=1))
    for line in renamed.index[~clean]:
        rule = "several classes" if ones[line] > 1 else "no class"
        where = f"{path}, line {line}: {renamed.loc[line, 'image_id'][:40]}"
        note(findings, where, rule, "error", "row left out")
    header = rows.attrs.get("header", {})
    # The challenge's seven are this course's seven, written large.
    ours = set(classes) >= set(CLASSES)
    names = {name: name if ours else header.get(name, name) for name in classes}
    dx = numbers[clean].idxmax(axis=1).map(names) if clean.any() else pd.Series([], dtype=str)
    return dx.astype(str), clean
