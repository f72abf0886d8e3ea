"""The table of a dataset: find it, bring it into shape, and say what was wrong with it."""

import math
import re
from collections.abc import Sequence

import pandas as pd

from lesions.core.errors import shorten
from lesions.data.findings import DataError, Findings, note
from lesions.data.forms import CLASSES, COLUMNS, NO_CLASS, Understood, understand
from lesions.data.matching import ids_of
from lesions.data.rows import read_rows

__all__ = ["CLASSES", "COLUMNS", "NO_CLASS", "find_table", "read_rows", "tidy", "understand"]

TEXT_COLUMNS = tuple(name for name in COLUMNS if name != "age")
# Names under which the table is found, without suffix and in lower case; the best first.
NAMES = ("ham10000_metadata", "metadata", r"isic_?20\d\d_.*groundtruth", "labels")
SUFFIXES = ("", ".csv", ".tab", ".tsv", ".txt")
MISSING = ("", "nan", "na", "null", "n/a", "none", NO_CLASS)  # in columns that describe
OLDEST = 120  # years


def find_table(listing: Sequence[str], own: bool = False) -> str | None:
    """The dataset's table among the paths of its files: the one with most of the columns.

    Args:
        own: a dataset of one's own: its table may have any name.

    Raises:
        DataError: several tables might be meant.
    """
    names = NAMES if own else NAMES[:3]
    for name in names:
        wanted = re.compile(f"(?:{name})(?:{'|'.join(map(re.escape, SUFFIXES))})")
        found = [path for path in listing if wanted.fullmatch(path.rpartition("/")[2].lower())]
        scores = {path: _score(path) for path in found}
        if found and (not own or max(scores.values()) > 0):
            return max(found, key=lambda path: scores[path])
    if not own:
        return None
    others = [path for path in listing if path.lower().endswith(SUFFIXES[1:])]
    scores = {path: _score(path) for path in others}
    best = [path for path in others if scores[path] == max(scores.values()) > 1]
    if len(best) > 1:
        raise DataError(
            "several tables",
            f"{shorten(best)} might each be the table of the images: name the right one "
            "metadata.csv.",
        )
    return best[0] if best else None


def is_named(path: str) -> bool:
    """True for a file that has one of the names of a dataset's table."""
    name = path.rpartition("/")[2].lower()
    return bool(
        re.fullmatch(f"(?:{'|'.join(NAMES)})(?:{'|'.join(map(re.escape, SUFFIXES))})", name)
    )


def _score(path: str) -> int:
    """How much of what is needed a table has: 0 for none that names images."""
    try:
        found = understand(read_rows(path, []), path, [])
    except DataError:
        return 0
    if "image_id" not in found.rows:
        return 0
    return 1 + 10 * found.labelled + len(set(found.rows) & set(COLUMNS))


def tidy(
    found: Understood, path: str, classes: tuple[str, ...] | None, findings: Findings
) -> pd.DataFrame:
    """Bring the columns into shape and drop the rows that nothing can be done with.

    Args:
        found: a table that was understood, with a column image_id.
        path: the table's path, for the findings.
        classes: the labels allowed in dx, in lower case; None allows all, as they are written.
        findings: takes what was found.

    Returns:
        the eight columns of the dataset; `age` float64, the others text, "unknown" where empty;
        and `given`, what the table calls the image.
    """
    rows = found.rows
    own = classes is None
    table = pd.DataFrame(index=rows.index)
    table["given"] = rows["image_id"].str.strip()
    for column in TEXT_COLUMNS:
        text = rows[column] if column in rows else pd.Series("", rows.index, dtype=str)
        bare = text.str.strip()
        if own and column == "dx":
            _note_spaces(text, bare, path, findings)
            table[column] = bare
            continue
        lower = bare.str.lower()
        missing = lower.isin(MISSING)
        if column == "sex":  # a word of this course's, and no label that one may call as one likes
            bare = bare.mask(lower.isin(["male", "female"]), lower)
        elif not own and column != "lesion_id":
            bare = lower
        table[column] = bare.mask(missing, "unknown")
    # Some tables name the file, not the image.
    table["image_id"] = pd.Series(ids_of(table["given"].tolist()), table.index, dtype=str)
    alone = table["lesion_id"] == "unknown"  # a lesion not named is taken to be seen once
    taken = set(table.loc[~alone, "lesion_id"])
    own_lesion = table["image_id"].map(lambda name: f"image {name}" if name in taken else name)
    table["lesion_id"] = table["lesion_id"].mask(alone, own_lesion)
    table["age"] = _ages(rows, path, findings)
    nameless = table["image_id"] == ""
    table["image_id"] = table["image_id"].mask(nameless, "unknown")
    repeated = table["given"].duplicated() & ~nameless
    if not own:
        repeated = table["image_id"].str.lower().duplicated() & ~nameless
    if not found.labelled:
        wrong = pd.Series(False, table.index)
        table["dx"] = NO_CLASS
    else:
        wrong = (table["dx"] == "") if classes is None else ~table["dx"].isin(classes)
    for bad, rule, column in (
        (nameless, "no image id", "image_id"),
        (repeated, "duplicate id", "image_id"),
        (wrong & ~nameless & ~repeated, "unknown label", "dx"),
    ):
        for line, value in table.loc[bad, column].items():
            note(findings, f"{path}, line {line}: {value[:40]}", rule, "error", "row left out")
    table = table.loc[~(nameless | repeated | wrong), [*COLUMNS, "given"]]
    if own:
        note_alike(table["dx"], path, findings)
    return table


def _note_spaces(text: pd.Series, bare: pd.Series, path: str, findings: Findings) -> None:
    changed = text[text != bare]
    if len(changed):
        where = f"{path}, line {changed.index[0]}"
        note(findings, where, "spaces around a label", "info", f"left out, {len(changed)} times")


def note_alike(labels: pd.Series, path: str, findings: Findings) -> None:
    """Note labels that may be one class written in two ways; they stay apart."""
    alike: dict[str, list[str]] = {}
    for label in sorted(set(labels)):
        alike.setdefault(" ".join(label.casefold().split()), []).append(label)
    for ways in alike.values():
        if len(ways) > 1:
            where = f"{path}: {shorten([repr(way) for way in ways])}"
            note(findings, where, "labels alike", "warning", "kept apart; write them alike")


def _ages(rows: pd.DataFrame, path: str, findings: Findings) -> list[float]:
    """Ages in years; NaN where missing, and where the text is no possible age."""
    texts = rows["age"].str.strip() if "age" in rows else [""] * len(rows)
    ages = []
    for line, text in zip(rows.index, texts, strict=True):
        try:
            age = float(text.replace(",", "."))
        except ValueError:
            age = math.nan if text.lower() in MISSING else math.inf
        if not math.isnan(age) and not 0 <= age <= OLDEST:
            where = f"{path}, line {line}: {text[:40]}"
            note(findings, where, "impossible age", "warning", "set to missing")
            age = math.nan
        ages.append(age)
    return ages
