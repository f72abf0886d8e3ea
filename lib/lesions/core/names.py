"""Text from a table as the name of a file, as HTML, as a cell: never a path, markup or formula."""

import hashlib
import html
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from lesions.core.errors import LesionsError

LONGEST = 120  # bytes of UTF-8; file systems take 255, and suffixes and partial names come on top
# What Windows keeps for devices, with any suffix.
RESERVED = {"CON", "PRN", "AUX", "NUL", "CONIN", "CONOUT", "CLOCK"} | {
    f"{device}{number}" for device in ("COM", "LPT") for number in range(10)
}
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")  # a spreadsheet computes what begins so


def safe_name(text: str) -> str:
    """A name for a file or folder, on every system, made of any text.

    A text that is a fit name stays as it is. Of any other the fit characters stay, and a digest of
    the whole text keeps two texts apart. Names that differ in case alone are one file on some
    systems: where several texts stand side by side use `safe_names`.

    Returns:
        at most `LONGEST` bytes; no separators, no control characters; never empty, hidden,
        reserved by Windows, or with a dot or a space at an end.
    """
    whole = unicodedata.normalize("NFC", text)
    kept = "".join(sign if _fits(sign) else "_" for sign in whole)
    kept = _cut(kept, LONGEST).strip(" .-")
    device = unicodedata.normalize("NFKC", kept).split(".")[0].strip(" _$").upper()
    # No name of ours begins so but a hidden or half-written one.
    if kept == text and kept and device not in RESERVED:
        return kept
    return _marked(kept, text)


def safe_names(texts: Iterable[str]) -> dict[str, str]:
    """A name for each of several texts, all different, also where case or Unicode form is lost.

    Returns:
        text -> name; the table that leads back from a name to its text.
    """
    unique = list(dict.fromkeys(texts))
    names = {text: safe_name(text) for text in unique}
    counts: dict[str, int] = {}
    for name in names.values():
        counts[_folded(name)] = counts.get(_folded(name), 0) + 1
    names = {
        text: name if counts[_folded(name)] == 1 else _marked(name, text)
        for text, name in names.items()
    }
    taken: set[str] = set()
    for text in unique:  # a text may look like another one's name with its digest
        length = 8
        while _folded(names[text]) in taken:
            length += 8
            names[text] = _marked(names[text], text, length)
        taken.add(_folded(names[text]))
    return names


def _folded(name: str) -> str:
    """What a file system that ignores case and Unicode form takes a name for."""
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())


def _fits(sign: str) -> bool:
    return sign in " ._-" or unicodedata.category(sign)[0] in "LNM"


def _cut(text: str, most: int) -> str:
    """The start of a text, of at most so many bytes, no character cut in two."""
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


def _marked(name: str, text: str, length: int = 8) -> str:
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]
    stem = _cut(name, LONGEST - length - 1).strip(" .-_")
    device = unicodedata.normalize("NFKC", stem).split(".")[0].strip(" _$").upper()
    if not stem or device in RESERVED:
        stem = f"x{stem}"
    return f"{stem}-{mark}"


def inside(folder: Path, path: Path) -> Path:
    """`path` if it lies in `folder`, whatever links and dots it goes through.

    Raises:
        LesionsError: it leads out of the folder.
    """
    if not Path(path).resolve().is_relative_to(Path(folder).resolve()):
        raise LesionsError(
            f"{path} leads out of {folder}, so nothing was written there; give it another name."
        )
    return Path(path)


def as_html(text: str) -> str:
    """Text to stand in HTML, also within quotes: `<` becomes `&lt;`."""
    return html.escape(str(text), quote=True)


def as_cell(text: str) -> str:
    """Text to stand in a CSV file that a spreadsheet may open; `from_cell` gives it back.

    A cell that would be computed gets an apostrophe in front, which spreadsheets take for "text".
    """
    return f"'{text}" if text.startswith(FORMULA) else text


def from_cell(text: str) -> str:
    """The text that `as_cell` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
