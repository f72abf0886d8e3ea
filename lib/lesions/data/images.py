"""Find, read and decode images, in folders and in unopened zip archives alike.

A path may lead through a zip: `/data/HAM10000_images_part_1.zip/ISIC_0027419.jpg`.
"""

import io
import os
import re
import threading
import warnings
import zipfile
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from lesions.data.endings import JPEG_START, PNG_START, is_cut
from lesions.data.findings import DataError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
MASK_ENDING = "_segmentation"
FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "MPO")  # MPO: a JPEG of some cameras
MAX_PIXELS = 50_000_000  # more is no photograph of a lesion, but could fill the memory
SMALLEST = 8  # pixels, of width and height
MAX_BYTES = 200_000_000
DEEPEST = 3  # folders below the one that is given

# Both write what they think of a damaged file to the screen; we raise an error instead.
warnings.filterwarnings("ignore", module=r"PIL\.")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

_reading = threading.Lock()


def list_files(
    folder: Path, damaged: list[str] | None = None, unreadable: list[str] | None = None
) -> list[str]:
    """The paths of all files in `folder`, three levels deep, and in the zips among them.

    Files in folders come before files in zips, so that an unpacked copy goes first.

    Args:
        folder: where to look. Hidden files and folders are left out.
        damaged: takes the paths of zips that cannot be opened.
        unreadable: takes the paths of files whose names are no UTF-8, as text that is.

    Raises:
        DataError: a zip cannot be opened and `damaged` is not given.
    """
    plain: list[str] = []
    packed: list[str] = []
    top = os.fspath(folder)
    for place, folders, names in os.walk(top, followlinks=True):
        depth = 0 if place == top else os.path.relpath(place, top).count(os.sep) + 1
        folders[:] = sorted(f for f in folders if depth < DEEPEST and not _hidden(f))
        base = place.replace(os.sep, "/")
        paths = [f"{base}/{name}" for name in sorted(names) if not _hidden(name)]
        odd = [path for path in paths if not _is_utf8(path)]
        if unreadable is not None:
            unreadable += [path.encode("utf-8", "replace").decode() for path in odd]
        plain += [path for path in paths if path not in odd] if odd else paths
    for path in plain:
        if not path.lower().endswith(".zip"):
            continue
        try:
            members = _archive(path).namelist()
        except DataError:
            if damaged is None:
                raise
            damaged.append(path)
            continue
        packed += [
            f"{path}/{name}"
            for name in sorted(members)
            if not name.endswith("/") and not any(map(_hidden, name.split("/")))
        ]
    return plain + packed


def _is_utf8(path: str) -> bool:
    """False for a name of other bytes, which no table can hold."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _hidden(name: str) -> bool:
    """Hidden files, and what macOS adds to zips."""
    return name.startswith(".") or name == "__MACOSX"


def is_image(path: str) -> bool:
    """True for the name of an image, False for masks and all else."""
    stem, suffix = os.path.splitext(path)
    return suffix.lower() in IMAGE_SUFFIXES and not stem.endswith(MASK_ENDING)


def name_of(path: str) -> str:
    """The image id that a path stands for: its name without folders and suffix."""
    return os.path.splitext(path.rpartition("/")[2])[0]


def find_images(folder: Path) -> dict[str, str]:
    """Map image_id to path for all images in `folder`, in subfolders and zips.

    Raises:
        DataError: a zip cannot be opened.
    """
    found: dict[str, str] = {}
    for path in filter(is_image, list_files(folder)):
        found.setdefault(name_of(path), path)
    return found


def split_path(path: str) -> tuple[str, str | None]:
    """Split a path through a zip into the zip and the name inside it, None for a plain file."""
    for match in re.finditer(r"\.zip/", path, re.IGNORECASE):
        archive = path[: match.end() - 1]
        if os.path.isfile(archive):
            return archive, path[match.end() :]
    return path, None


@lru_cache(maxsize=16)
def _opened(path: str, state: tuple[int, ...], process: int) -> zipfile.ZipFile:
    # The process is part of the key, because a forked one would share our place in the file.
    return zipfile.ZipFile(path)


def _archive(path: str) -> zipfile.ZipFile:
    """The open zip at `path`; opened again when the file has changed.

    Raises:
        DataError: it is not a readable zip.
    """
    try:
        about = os.stat(path)
        state = about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino
        return _opened(path, state, os.getpid())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DataError(
            "damaged archive",
            f"{path} is no readable zip archive ({error}); fetch it again, with `make data` or "
            "from where you had it.",
        ) from error


def file_state(path: str) -> tuple[int, int]:
    """Size in bytes and, inside a zip, the checksum (0 for a plain file); raises as read_bytes."""
    archive, member = split_path(str(path))
    try:
        if member is None:
            return os.stat(archive).st_size, 0
        info = _archive(archive).getinfo(member)
        return info.file_size, info.CRC
    except (OSError, KeyError) as error:
        raise DataError(
            "missing file", f"{path} is not there any more; put it back or load the data anew."
        ) from error


def read_bytes(path: str) -> bytes:
    """The bytes of a file, also of one inside a zip.

    Raises:
        DataError: the file is missing, damaged inside its zip, or larger than 200 MB.
    """
    archive, member = split_path(str(path))
    size, _ = file_state(path)
    if size > MAX_BYTES:
        raise DataError(
            "too large", f"{path} is too large for an image ({size:,} bytes); remove it."
        )
    try:
        if member is None:
            return Path(archive).read_bytes()
        with _reading:
            return _archive(archive).read(member)
    except Exception as error:  # a damaged or encrypted archive raises many kinds
        raise DataError(
            "unreadable", f"{path} cannot be read ({error}); fetch the file again."
        ) from error


def read_header(data: bytes, path: str) -> Image.Image:
    """Open an image without decoding it: gives format, mode, size and EXIF.

    Raises:
        DataError: empty, not an image, an image of another format, or of absurd size.
    """
    if not data:
        raise DataError("empty file", f"{path} is an empty file; fetch it again.")
    try:
        image = Image.open(io.BytesIO(data))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(
            "absurd dimensions", f"{path} has far too many pixels for a photograph; remove it."
        ) from error
    except Exception as error:  # a damaged header makes Pillow's readers raise anything
        begun = data.startswith((JPEG_START, PNG_START))
        rule = "truncated" if is_cut(data) else "unreadable" if begun else "not an image"
        raise DataError(
            rule, f"{path} is not a readable image ({rule}); fetch the file again."
        ) from error
    width, height = image.size
    if width * height > MAX_PIXELS or min(width, height) < SMALLEST:
        raise DataError(
            "absurd dimensions",
            f"{path} has {width} x {height} pixels, not those of a photograph; remove it.",
        )
    # Integers and floats of TIFF have no agreed white; the 16 bits of PNG do.
    deep = image.format != "PNG" and image.mode[0] in "IF"
    if image.format not in FORMATS or deep:
        raise DataError(
            "wrong format",
            f"{path} is {image.format} with {image.mode} pixels; save it as JPEG or PNG.",
        )
    return image


def decode(data: bytes, path: str) -> np.ndarray:
    """Decode an image's bytes to RGB, uint8, (height, width, 3).

    Grey, palette, 16-bit and CMYK are converted, alpha is dropped, EXIF orientation is applied.

    Raises:
        DataError: as `read_header`, and if the file is cut off or the pixels cannot be decoded.
    """
    image = read_header(data, path)
    rule = "truncated" if is_cut(data) else "unreadable"
    pixels = None
    if rule != "truncated":
        try:
            # OpenCV is the faster; Pillow reads the kinds that are rare here.
            if image.format in ("JPEG", "PNG"):
                pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
            else:
                pixels = np.array(ImageOps.exif_transpose(image).convert("RGB"))
        except Exception:  # both raise many kinds for damaged data; all mean the same here
            pixels = None
    if pixels is None:
        raise DataError(rule, f"{path} cannot be decoded ({rule}); fetch the file again.")
    return pixels


def read_image(path: str) -> np.ndarray:
    """Read an image as RGB, uint8, (height, width, 3); the path may lead through a zip.

    Raises:
        DataError: the file is missing or cannot be decoded; the sentence names it.
    """
    return decode(read_bytes(path), str(path))
