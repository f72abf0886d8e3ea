"""Is the end of an image file there? What comes after it, such as padding, does no harm."""

import re

JPEG_START, PNG_START = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
# Inside a scan, 0xFF is followed by 0 (a stuffed byte), by a restart marker, or it begins a marker.
MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]", re.DOTALL)
SCAN, END = 0xDA, 0xD9


def is_cut(data: bytes) -> bool:
    """True for a JPEG or PNG whose end is not there.

    The file is walked from its start: the small preview within a photograph has an end of its own.
    """
    if data.startswith(JPEG_START):
        return not _jpeg_ends(data)
    return data.startswith(PNG_START) and not _png_ends(data)


def _jpeg_ends(data: bytes) -> bool:
    at = 2
    while at + 4 <= len(data):
        found = MARKER.match(data, at) or MARKER.search(data, at)
        if not found:
            return False
        kind = data[found.start() + 1]
        if kind == END:
            return True
        length = int.from_bytes(data[found.end() : found.end() + 2], "big")
        at = found.end() + max(length, 2)
        if kind == SCAN:
            found = MARKER.search(data, at)
            if not found:
                return False
            at = found.start()
    return data[at : at + 2] == b"\xff\xd9"


def _png_ends(data: bytes) -> bool:
    at = len(PNG_START)
    while at + 12 <= len(data):
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return False
