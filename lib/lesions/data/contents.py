"""What images hold: the SHA-256 of a file, the checksum of a zip's member; the key of caches."""

from collections.abc import Sequence

import pandas as pd

from lesions.core import content
from lesions.core.cache import digest
from lesions.core.content import Content
from lesions.data.findings import DataError
from lesions.data.images import file_state, split_path


def contents_of(paths: Sequence[str]) -> list[Content | None]:
    """The content of images, in their order; None for what cannot be read.

    A zip keeps a CRC-32 and the size of each member, and a member that has other bytes cannot be
    read; so nothing is unpacked to know it.
    """
    plain, found = [], {}
    for path in dict.fromkeys(paths):
        if split_path(path)[1] is None:
            plain.append(path)
            continue
        try:
            found[path] = Content(*file_state(path), "")
        except DataError:
            found[path] = None
    found |= dict(zip(plain, content.contents(plain), strict=True))
    return [found[path] for path in paths]


def same(one: Content | None, other: Content | None) -> bool:
    """True if two files hold the same; what cannot be read is the same as nothing."""
    if one is None or other is None or one[:2] != other[:2]:
        return False
    return not (one.sha256 and other.sha256) or one.sha256 == other.sha256


def fingerprint(table: pd.DataFrame) -> str:
    """A short name for a dataset: it changes with the table, and with the content of an image.

    Meant as a key for caches. The second look at a plain file is quick (see `core.content`).

    Raises:
        DataError: an image is missing.
    """
    paths = table["path"].tolist()
    found = contents_of(paths)
    for path, one in zip(paths, found, strict=True):
        if one is None:
            file_state(path)
            raise DataError("unreadable", f"{path} cannot be read; fetch the file again.")
    about = {name: table[name].tolist() for name in table if name != "path"}
    return digest(list(about), about, found)
