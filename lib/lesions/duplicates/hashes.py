"""Fingerprints of images: of the file, of the pixels, and of what the picture looks like.

The four perceptual hashes are those of the package imagehash (8 x 8 bits), bit for bit; its
documentation says where each comes from. imagehash works on one image at a time; here the images
are made small one by one and the rest is done for many at once.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
import scipy.fftpack
from PIL import Image

from lesions.core import cache
from lesions.core.errors import LesionsError
from lesions.core.progress import track
from lesions.data import datasets
from lesions.data.images import decode

METHODS = ("average_hash", "phash", "dhash", "whash")
TURNS = (None, *Image.Transpose)  # as it is, mirrored, turned: the eight orientations of an image
BLOCK = 256  # images in memory at a time


def hash_images(table: pd.DataFrame, workers: int | None = None) -> pd.DataFrame:
    """All fingerprints of a table's images. Kept in data/cache, so the second call is quick.

    Args:
        table: with image_id and path.
        workers: threads that read and decode; None: one for each processor.

    Returns:
        a row an image, in the table's order: image_id; `file_hash` (SHA-256 of the bytes);
        `pixel_hash` (SHA-256 of size and RGB values); width, height (pixels); average_hash,
        phash, dhash, whash (uint64, first bit highest); `problem`: why the image could not be
        read, else "". Unreadable images have an empty pixel_hash and zeros.
    """
    return _cached(table, "all", lambda: _hash_images(table, workers))


def orientation_hashes(
    table: pd.DataFrame, method: str = "phash", workers: int | None = None
) -> np.ndarray:
    """One hash of every image in each of its eight orientations; cached like `hash_images`.

    Args:
        table: with image_id and path; every image must be readable.
        method: one of `METHODS`.
        workers: as in `hash_images`.

    Returns:
        uint64 (images, 8): as it is, then mirrored, turned and both, in the order of `TURNS`.

    Raises:
        LesionsError: the method is unknown, or an image cannot be read.
    """
    check_method(method)

    def compute() -> pd.DataFrame:
        def shrink(path: str) -> list[np.ndarray]:
            grey = Image.fromarray(datasets.read_image(path)).convert("L")
            return [
                shrunk(grey if turn is None else grey.transpose(turn), method) for turn in TURNS
            ]

        parts = _in_blocks(
            list(table["path"]),
            shrink,
            lambda found: hash_shrunk([small for eight in found for small in eight], method),
            f"Hashing {len(TURNS)} orientations",
            workers,
        )
        hashes = np.concatenate(parts).reshape(-1, len(TURNS))
        return pd.DataFrame(hashes, columns=[f"turn_{n}" for n in range(len(TURNS))])

    return _cached(table, f"turned-{method}", compute).to_numpy(np.uint64)


def perceptual_hashes(images: Sequence[np.ndarray], method: str) -> np.ndarray:
    """Hash images that are in memory.

    Args:
        images: uint8 (height, width, 3) RGB or (height, width) grey, of any sizes from 8 x 8.
        method: one of `METHODS`.

    Returns:
        uint64 (images,): the bits of `getattr(imagehash, method)`, row by row, first bit highest.

    Raises:
        LesionsError: the method is unknown.
    """
    check_method(method)
    greys = (Image.fromarray(image).convert("L") for image in images)
    return hash_shrunk([shrunk(grey, method) for grey in greys], method)


def check_method(method: str) -> None:
    """Raises LesionsError unless `method` is one of `METHODS`."""
    if method not in METHODS:
        raise LesionsError(f"Unknown hash {method!r}: it must be one of {', '.join(METHODS)}.")


def shrunk(grey: Image.Image, method: str) -> np.ndarray:
    """The small grey picture that a hash is made of, uint8 (height, width)."""
    if method == "whash":
        side = max(8, 2 ** int(np.log2(min(grey.size))))
        size = (side, side)
    else:
        size = {"average_hash": (8, 8), "phash": (32, 32), "dhash": (9, 8)}[method]
    return np.asarray(grey.resize(size, Image.Resampling.LANCZOS))


def hash_shrunk(small: Sequence[np.ndarray], method: str) -> np.ndarray:
    """The hashes of pictures from `shrunk`: uint64 (pictures,)."""
    hashes = np.zeros(len(small), dtype=np.uint64)
    sides = np.array([len(picture) for picture in small])
    for side in np.unique(sides):  # only whash has pictures of several sizes
        same = np.flatnonzero(sides == side)
        bits = _BITS[method](np.stack([small[n] for n in same]))
        packed = np.packbits(bits.reshape(len(same), 64), axis=1)
        hashes[same] = packed.view(">u8").ravel()
    return hashes


def _average_bits(small: np.ndarray) -> np.ndarray:
    """Is a pixel brighter than the mean? Sums of whole numbers, so there is no rounding."""
    return small > small.mean(axis=(1, 2), keepdims=True)


def _difference_bits(small: np.ndarray) -> np.ndarray:
    """Is a pixel brighter than its left neighbour?"""
    return small[:, :, 1:] > small[:, :, :-1]


def _cosine_bits(small: np.ndarray) -> np.ndarray:
    """Is a low frequency of the cosine transform stronger than their median?"""
    waves = scipy.fftpack.dct(scipy.fftpack.dct(small, axis=1), axis=2)[:, :8, :8]
    return waves > np.median(waves, axis=(1, 2), keepdims=True)


def _wavelet_bits(small: np.ndarray) -> np.ndarray:
    """Is a field of an 8 x 8 board brighter than the boards' median?

    This is what imagehash's Haar wavelets come to. It computes them with rounding errors, which
    decide where the two fields in the middle are equally bright; there we ask imagehash itself.
    """
    count, side, _ = small.shape
    fields = small.reshape(count, 8, side // 8, 8, side // 8).sum(axis=(2, 4), dtype=np.int64)
    below, above = np.sort(fields.reshape(count, 64))[:, 31:33].T
    bits = fields >= above[:, None, None]
    for tied in np.flatnonzero(below == above):
        bits[tied] = imagehash.whash(Image.fromarray(small[tied])).hash
    return bits


_BITS = {
    "average_hash": _average_bits,
    "phash": _cosine_bits,
    "dhash": _difference_bits,
    "whash": _wavelet_bits,
}


def _hash_images(table: pd.DataFrame, workers: int | None) -> pd.DataFrame:
    def read(path: str) -> tuple[dict, list[np.ndarray]]:
        facts = {"file_hash": "", "pixel_hash": "", "width": 0, "height": 0, "problem": ""}
        try:
            data = datasets.read_bytes(path)
            facts["file_hash"] = hashlib.sha256(data).hexdigest()
            image = decode(data, path)
        except LesionsError as error:
            return facts | {"problem": str(error)}, []
        pixels = hashlib.sha256(np.array(image.shape).tobytes())
        pixels.update(np.ascontiguousarray(image))
        facts["pixel_hash"] = pixels.hexdigest()
        facts["height"], facts["width"] = image.shape[:2]
        grey = Image.fromarray(image).convert("L")
        return facts, [shrunk(grey, method) for method in METHODS]

    def combine(found: list[tuple[dict, list[np.ndarray]]]) -> pd.DataFrame:
        part = pd.DataFrame([facts for facts, _ in found])
        readable = np.flatnonzero(part["problem"] == "")
        for column, method in enumerate(METHODS):
            values = np.zeros(len(part), dtype=np.uint64)
            values[readable] = hash_shrunk([found[n][1][column] for n in readable], method)
            part.insert(4 + column, method, values)
        return part

    parts = _in_blocks(list(table["path"]), read, combine, "Hashing images", workers)
    hashes = pd.concat(parts, ignore_index=True)
    hashes.insert(0, "image_id", table["image_id"].to_numpy())
    return hashes


def _in_blocks(
    paths: list[str], read: Callable, combine: Callable, label: str, workers: int | None
) -> list:
    """Read images by threads, and combine what came of each block of them."""
    blocks = [paths[start : start + BLOCK] for start in range(0, len(paths), BLOCK)]
    with ThreadPoolExecutor(workers or os.cpu_count()) as threads:
        return [combine(list(threads.map(read, block))) for block in track(blocks, label)]


def _cached(table: pd.DataFrame, what: str, compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """`compute()`, or what it gave the last time for the same data and versions."""
    if table.empty:
        raise LesionsError("The table has no images to hash.")
    try:
        state = datasets.fingerprint(table)
    except LesionsError:  # a file is missing; hashing reports it, but there is nothing to keep
        return compute()
    key = cache.key(state, what, code=[hash_images])

    def make(path: Path) -> None:
        compute().to_parquet(path, index=False)

    return pd.read_parquet(cache.shared("hashes", f"{what}.parquet", key, make))
