"""Read the table of a dataset as people have it, and say what was wrong with it."""

import csv
import math
import re

import pandas as pd

from lesions.data.datacard import DATA_CARD
from lesions.data.findings import DataError, Findings, note
from lesions.data.images import is_image, name_of, read_bytes

COLUMNS = tuple(DATA_CARD["columns"])
CLASSES = tuple(DATA_CARD["classes"])
TEXT_COLUMNS = tuple(name for name in COLUMNS if name != "age")
# Names under which the table is found, without suffix and in lower case; the best first.
NAMES = ("ham10000_metadata", "metadata", "isic2018_task3_test_groundtruth")
SUFFIXES = ("", ".csv", ".tab", ".tsv", ".txt")
OLDEST = 120  # years


def find_table(listing: list[str]) -> str | None:
    """The dataset's table among the paths of its files: the one with most of the columns."""
    for name in NAMES:
        wanted = {name + suffix for suffix in SUFFIXES}
        found = [path for path in listing if path.rpartition("/")[2].lower() in wanted]
        if found:
            return max(found, key=lambda path: len(set(_columns(path)) & set(COLUMNS)))
    return None


def _columns(path: str) -> list[str]:
    """The column names of a table; none when it cannot be read."""
    try:
        return list(read_rows(path, []).columns)
    except DataError:
        return []


def _text(path: str, findings: Findings) -> str:
    """The table's text, whatever its encoding."""
    data = read_bytes(path)
    if data.startswith(b"\xef\xbb\xbf"):
        note(findings, path, "byte order mark", "info", "left out")
        data = data[3:]
    elif data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        note(findings, path, "UTF-16", "info", "read as such")
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        note(findings, path, "not UTF-8", "warning", "read as Latin-1")
        return data.decode("latin-1")


def read_rows(path: str, findings: Findings) -> pd.DataFrame:
    """Read a table separated by commas, semicolons or tabs; all values as text.

    Each line is read by itself, so that one broken line costs one row. Column names come in lower
    case; the index holds the line numbers.

    Raises:
        DataError: the file is missing, empty, or is not a table.
    """
    lines = re.split("\r\n|\r|\n", _text(path, findings))
    if not lines[0].strip():
        raise DataError(
            "unreadable table", f"{path} is empty; it must begin with a line of column names."
        )
    separator = max(",;\t", key=lines[0].count)
    if separator != ",":
        name = {";": "semicolons", "\t": "tabs"}[separator]
        note(findings, path, f"separated by {name}", "info", "read as such")
    rows, numbers = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = next(csv.reader([line], delimiter=separator))
        except (csv.Error, StopIteration):
            row = []
        if rows and len(row) != len(rows[0]):
            note(findings, f"{path}, line {number}", "broken line", "error", "row left out")
            continue
        rows.append(row)
        numbers.append(number)
    names = [name.strip().strip('"').lower() for name in rows[0]]
    if len(set(names)) < len(names) or len(names) < 2:
        raise DataError(
            "unreadable table",
            f"{path} is not a table that can be read: its first line must name each column once, "
            "separated by commas, semicolons or tabs.",
        )
    return pd.DataFrame(rows[1:], columns=names, index=numbers[1:], dtype=str)


def from_one_hot(rows: pd.DataFrame) -> pd.DataFrame:
    """Turn the table of the ISIC 2018 challenge (a column a class) into image_id and dx."""
    classes = [name for name in CLASSES if name in rows.columns]
    if "image" not in rows.columns or len(classes) < len(CLASSES):
        return rows
    scores = rows[classes].apply(pd.to_numeric, errors="coerce").fillna(0.0)
    return pd.DataFrame({"image_id": rows["image"], "dx": scores.idxmax(axis=1)}, dtype=str)


def tidy(
    rows: pd.DataFrame, path: str, classes: tuple[str, ...] | None, findings: Findings
) -> pd.DataFrame:
    """Bring the columns into shape and drop the rows that nothing can be done with.

    Args:
        rows: from `read_rows`; needs at least the columns image_id and dx.
        path: the table's path, for the findings.
        classes: the labels allowed in dx; None allows all.
        findings: takes what was found.

    Returns:
        the eight columns of the dataset; `age` float64, the others text, "unknown" where empty.
    """
    table = pd.DataFrame(index=rows.index)
    for column in TEXT_COLUMNS:
        text = rows[column].str.strip() if column in rows else pd.Series("", rows.index, dtype=str)
        if column not in ("image_id", "lesion_id"):
            text = text.str.lower()
        table[column] = text.mask(text.str.lower().isin(["", "nan", "na", "null"]), "unknown")
    # Some tables name the file, not the image.
    stems = [name_of(name) if is_image(name) else name for name in table["image_id"]]
    table["image_id"] = pd.Series(stems, table.index, dtype=str)
    alone = table["lesion_id"] == "unknown"  # a lesion not named is taken to be seen once
    table["lesion_id"] = table["lesion_id"].mask(alone, table["image_id"])
    table["age"] = _ages(rows, path, findings)

    nameless = table["image_id"] == "unknown"
    repeated = table["image_id"].str.lower().duplicated() & ~nameless
    wrong = (table["dx"] == "unknown") if classes is None else ~table["dx"].isin(classes)
    for bad, rule, column in (
        (nameless, "no image id", "image_id"),
        (repeated, "duplicate id", "image_id"),
        (wrong & ~nameless & ~repeated, "unknown label", "dx"),
    ):
        for line, value in table.loc[bad, column].items():
            note(findings, f"{path}, line {line}: {value[:40]}", rule, "error", "row left out")
    return table.loc[~(nameless | repeated | wrong), list(COLUMNS)]


def _ages(rows: pd.DataFrame, path: str, findings: Findings) -> list[float]:
    """Ages in years; NaN where missing, and where the text is no possible age."""
    texts = rows["age"].str.strip() if "age" in rows else [""] * len(rows)
    ages = []
    for line, text in zip(rows.index, texts, strict=True):
        try:
            age = float(text.replace(",", "."))
        except ValueError:
            age = math.nan if text.lower() in ("", "unknown", "na", "null") else math.inf
        if not math.isnan(age) and not 0 <= age <= OLDEST:
            where = f"{path}, line {line}: {text[:40]}"
            note(findings, where, "impossible age", "warning", "set to missing")
            age = math.nan
        ages.append(age)
    return ages
