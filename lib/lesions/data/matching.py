"""Which file is meant: by the path that was given, then by the name, never by the name alone.

A name is not an identity: `benign/1.jpg` and `malignant/1.jpg` are two images. Where a table has
only a name and several files bear it, their content decides whether they are one image.
"""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from lesions.data.contents import contents_of, same
from lesions.data.findings import Findings, note
from lesions.data.images import IMAGE_SUFFIXES, is_image, name_of


def steps(text: str) -> list[str]:
    """The folders and the file of a path as people write it, also on Windows: no drive, no dots."""
    parts = re.sub(r"^[A-Za-z]:", "", text.strip().replace("\\", "/")).split("/")
    return [part for part in parts if part not in ("", ".", "..", "~")]


def folded(text: str) -> str:
    """A name as it is compared: case and Unicode form make no difference."""
    return unicodedata.normalize("NFC", text).casefold()


def stem(name: str) -> str:
    """A file's name without the suffix of an image; other dots belong to the name."""
    base, suffix = os.path.splitext(name)
    return base if suffix.lower() in IMAGE_SUFFIXES else name


def ids_of(given: Sequence[str]) -> list[str]:
    """An id for each image from what a table calls it: the name, or as much as tells them apart.

    Where two different paths end in one name, ids are the paths: `benign/1` and `malignant/1`.
    """
    paths = [steps(text) for text in given]
    plain = ["/".join(parts) for parts in paths]
    choices = (
        [stem(parts[-1]) if parts else "" for parts in paths],
        ["/".join([*parts[:-1], stem(parts[-1])]) if parts else "" for parts in paths],
        plain,
    )
    different = len(set(plain))
    return next((ids for ids in choices if len(set(ids)) == different), plain)


def match(
    given: Sequence[str], listing: Sequence[str], findings: Findings, others: Sequence[str] = ()
) -> list[str]:
    """The path of the image that each text of a table means; empty where there is none.

    Args:
        given: ids, names or paths, with or without suffix, with either kind of slash.
        listing: the paths of all files of the dataset.
        findings: takes what is missing and what cannot be told.
        others: folders of other datasets, with tables of their own; their images come last.
    """
    by_name: dict[str, list[str]] = defaultdict(list)
    below = tuple(f"{folder}/" for folder in others)
    for path in filter(is_image, listing):
        by_name[folded(name_of(path))].append(path)
    wanted = [steps(text) for text in given]
    rows_of_name: dict[str, int] = defaultdict(int)
    for parts in {"/".join(parts) for parts in wanted if parts}:
        rows_of_name[folded(stem(parts.rpartition("/")[2]))] += 1
    found = []
    for text, parts in zip(given, wanted, strict=True):
        path = _outside(text)
        if not path and parts:
            name = folded(stem(parts[-1]))
            candidates = by_name.get(name, [])
            ours = [path for path in candidates if not path.startswith(below)]
            path = _one_of(parts, ours or candidates, rows_of_name[name], findings)
        if path == "":
            shown = text if is_image(text) else f"{text}.jpg"
            note(findings, shown, "missing file", "error", "row left out")
        found.append(path or "")
    return found


def _outside(text: str) -> str:
    """An image that is given by its whole path on this machine, and is there."""
    path = os.path.expanduser(text.strip())
    whole = os.path.isabs(path) and is_image(path) and os.path.isfile(path)
    return path.replace(os.sep, "/") if whole else ""


def _one_of(parts: list[str], candidates: list[str], rows: int, findings: Findings) -> str | None:
    """The file that is meant among those of one name; "" if none is, None if it cannot be told."""
    if len(parts) > 1 and candidates:
        shared = [_shared_end(parts, path) for path in candidates]
        most = max(shared)
        if most == 1 and rows > 1:
            return ""  # folders may have been moved; but then the name must tell by itself
        candidates = [path for path, n in zip(candidates, shared, strict=True) if n == most]
    for exact in (_same_suffix, _same_case):
        candidates = [path for path in candidates if exact(parts[-1], path)] or candidates
    if len(candidates) < 2:
        return candidates[0] if candidates else ""
    first, *others = contents_of(candidates)
    if all(same(first, other) for other in others):
        where = f"{'/'.join(parts)} ({len(candidates)} files)"
        note(findings, where, "several copies", "info", "the first is read; they are the same")
        return candidates[0]
    where = f"{'/'.join(parts)} ({len(candidates)} files, such as {candidates[1]})"
    note(findings, where, "several images of one name", "error", "row left out; give their paths")
    return None


def _shared_end(parts: list[str], path: str) -> int:
    """How many steps two paths have in common, from the file on upwards."""
    theirs = [folded(step) for step in steps(path)]
    theirs[-1] = stem(theirs[-1])
    ours = [folded(step) for step in parts]
    ours[-1] = stem(ours[-1])
    count = 0
    while count < min(len(ours), len(theirs)) and ours[-1 - count] == theirs[-1 - count]:
        count += 1
    return count


def _same_suffix(given: str, path: str) -> bool:
    suffix = os.path.splitext(given)[1].lower()
    return suffix in IMAGE_SUFFIXES and path.lower().endswith(suffix)


def _same_case(given: str, path: str) -> bool:
    return unicodedata.normalize("NFC", stem(given)) == unicodedata.normalize("NFC", name_of(path))
