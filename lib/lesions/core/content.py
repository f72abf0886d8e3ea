"""What a file holds, as a short text: the same only for the same bytes. Looked at once, then kept.

A file's SHA-256 is kept with its path, size, times and inode; as long as these stay, the file is
not read again. The time of change (ctime) cannot be set back by a program that restores the time of
modification, so a file replaced in place is seen.
"""

import hashlib
import json
import os
import time
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lesions.core import files
from lesions.core.cache import digest
from lesions.core.progress import track

# A file that changed just now may change again within the same tick of the clock.
FRESH = 3.0  # seconds; FAT counts in twos
CHUNK = 1 << 20
Stat = tuple[int, int, int, int]


class Content(NamedTuple):
    """What tells one file's bytes from another's."""

    size: int  # bytes
    crc: int  # CRC-32, which zips keep too
    sha256: str  # hexadecimal


def contents(paths: Sequence[str]) -> list[Content | None]:
    """The content of plain files, in their order; None for one that cannot be read.

    Those that are known are not read; what is new is kept in data/cache/content, a file a folder.
    """
    if not paths:
        return []
    known = {place: _load(place) for place in {os.path.dirname(path) for path in paths}}
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        jobs = threads.map(lambda path: _look(path, known[os.path.dirname(path)]), paths)
        found = list(track(jobs, "reading files", len(paths)))
    fresh: dict[str, dict[str, list]] = {}
    for path, (content, state, was_known) in zip(paths, found, strict=True):
        if content and state and not was_known:
            place, name = os.path.split(path)
            fresh.setdefault(place, {})[name] = [*state, *content]
    for place, lines in fresh.items():
        _keep(place, known[place] | lines)
    return [content for content, _, _ in found]


def _look(path: str, known: dict[str, list]) -> tuple[Content | None, Stat | None, bool]:
    """A file's content, what it may be kept under (None: not yet), and whether it was known."""
    try:
        about = os.stat(path)
        state = (about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)
        line = known.get(os.path.basename(path))
        if line and tuple(line[:4]) == state:
            return Content(*line[4:]), state, True
        content = _read(path)
    except OSError:
        return None, None, False
    settled = max(about.st_mtime_ns, about.st_ctime_ns) / 1e9 < time.time() - FRESH
    return content, state if settled and content.size == about.st_size else None, False


def _read(path: str) -> Content:
    digest, crc, size = hashlib.sha256(), 0, 0
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
    return Content(size, crc, digest.hexdigest())


def _file(place: str) -> Path:
    return Path(files.CACHE) / "content" / f"{digest(os.path.abspath(place))}.json"


def _load(place: str) -> dict[str, list]:
    """What is known of a folder's files; nothing if it was never kept, or is damaged."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        lines = json.loads(_file(place).read_text(encoding="utf-8"))["files"]
        return {name: line for name, line in lines.items() if len(line) == 7}
    return {}


def _keep(place: str, lines: dict[str, list]) -> None:
    # Another notebook may write it too: the last one wins, and what is lost is looked at again.
    with suppress(OSError, ValueError):  # a read-only or full disk only costs the next look
        value = {"folder": os.path.abspath(place), "files": lines}
        with files.atomic(_file(place)) as partial:
            partial.write_text(json.dumps(value), encoding="utf-8")
