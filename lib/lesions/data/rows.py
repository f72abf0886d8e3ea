"""Read any table that people have as rows of text: separators, encodings, quotes, line breaks."""

import csv
import re
import unicodedata

import pandas as pd

from lesions.data.findings import DataError, Findings, note
from lesions.data.images import read_bytes

# Columns that name an image, and columns that name its class; the best first.
IMAGE_COLUMNS = (
    "image_id", "isic_id", "image", "image_name", "filename", "file_name", "file", "image_path",
    "filepath", "path", "img", "id", "name",
)  # fmt: skip
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MOST_LINES = 200  # in one quoted field; a stray quote must not swallow the rest of a table
csv.field_size_limit(10_000_000)


def text_of(path: str, findings: Findings) -> str:
    """A table's text, whatever its encoding."""
    data = read_bytes(path)
    if data.startswith(b"\xef\xbb\xbf"):
        note(findings, path, "byte order mark", "info", "left out")
        data = data[3:]
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        note(findings, path, "UTF-16", "info", "read as such")
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            note(findings, path, "not UTF-8", "warning", "read as Latin-1")
            text = data.decode("latin-1")
    if "\0" in text:
        note(findings, path, "NUL characters", "warning", "left out")
        text = text.replace("\0", "")
    # Half of a pair that UTF-16 needs stands for no character, and no file can hold it.
    return text.encode("utf-8", "replace").decode("utf-8")


def read_rows(path: str, findings: Findings) -> pd.DataFrame:
    """Read a table separated by commas, semicolons, tabs or bars; all values as text.

    A quoted field may hold separators and line breaks (RFC 4180). A line that does not fit costs
    that one row. A first line such as `sep=;` is a spreadsheet's.

    Returns:
        column names in lower case, unnamed columns left out; the index holds the line numbers;
        `attrs["header"]` maps the names to what the file has.

    Raises:
        DataError: the file is missing, empty, or is not a table.
    """
    text = text_of(path, findings)
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)
    first, separator = 0, ""
    if lines and (said := re.fullmatch(r'"?sep=(.)"?', lines[0].rstrip("\r\n"), re.IGNORECASE)):
        first, separator = 1, said[1]
    if len(lines) <= first or not lines[first].strip():
        raise DataError(
            "unreadable table", f"{path} is empty; it must begin with a line of column names."
        )
    if not separator:
        bare = re.sub(r'"[^"]*"', "", lines[first])
        separator = max(SEPARATORS, key=bare.count)
    if separator != ",":
        name = SEPARATORS.get(separator, repr(separator))
        note(findings, path, f"separated by {name}", "info", "read as such")
    rows: list[list[str]] = []
    numbers: list[int] = []
    at = first
    while at < len(lines):
        if not lines[at].strip("\r\n \t"):
            at += 1
            continue
        row, used = _record(lines, at, separator, len(rows[0]) if rows else 0)
        if rows and len(row) != len(rows[0]):
            note(findings, f"{path}, line {at + 1}", "broken line", "error", "row left out")
        else:
            rows.append(row)
            numbers.append(at + 1)
        at += used
    return _as_table(path, rows, numbers)


def _record(lines: list[str], at: int, separator: str, width: int) -> tuple[list[str], int]:
    """The fields of the record that begins on a line, and how many lines it takes.

    Where a quote is not closed on its line the next ones are taken along; if no record of the right
    width comes of it, the quote was a stray one, and the line stands alone.
    """
    if lines[at].count('"') % 2:
        taken = lines[at]
        for more in range(1, min(MOST_LINES, len(lines) - at)):
            taken += lines[at + more]
            if lines[at + more].count('"') % 2:
                row = _fields(taken, separator)
                if len(row) == width or not width:
                    return row, more + 1
                break
    return _fields(lines[at], separator), 1


def _fields(text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([text.rstrip("\r\n")], delimiter=separator))
    except (csv.Error, StopIteration, TypeError):
        return []


def _as_table(path: str, rows: list[list[str]], numbers: list[int]) -> pd.DataFrame:
    header = [name.strip().strip('"') for name in (rows[0] if rows else [])]
    names = [unicodedata.normalize("NFC", name).lower() for name in header]
    named = [position for position, name in enumerate(names) if name]
    kept = [names[position] for position in named]
    alone = len(kept) == 1 and kept[0] in IMAGE_COLUMNS
    if len(set(kept)) < len(kept) or (len(kept) < 2 and not alone):
        raise DataError(
            "unreadable table",
            f"{path} is not a table that can be read: its first line must name each column once, "
            "separated by commas, semicolons or tabs.",
        )
    values = [[row[position] for position in named] for row in rows[1:]]
    table = pd.DataFrame(values, columns=kept, index=numbers[1:], dtype=str)
    table.attrs["header"] = {names[position]: header[position] for position in named}
    return table
