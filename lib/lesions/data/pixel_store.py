"""Every image decoded and made square once, kept as one array on disk."""

import mmap
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from lesions.core import cache, tables
from lesions.core.progress import track
from lesions.data import datasets

IMAGE_IDS = tables.Schema("list of images", text=("image_id",))


def to_square(image: np.ndarray, size: int, geometry: str = "squash") -> np.ndarray:
    """Resize an image to a square.

    Args:
        image: uint8 (height, width, 3), RGB.
        size: height and width of the result, in pixels.
        geometry: "squash" changes the shape of the lesion, as the paper does; "crop" takes the
            central square first and keeps it.

    Returns:
        uint8 (size, size, 3).
    """
    if geometry == "crop":
        height, width = image.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        image = image[top : top + side, left : left + side]
    # Averaging over the pixels that fall together keeps fine texture from turning into noise.
    shrink = image.shape[0] >= size and image.shape[1] >= size
    method = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
    return cv2.resize(image, (size, size), interpolation=method)


def pixel_cache(table: pd.DataFrame, size: int, geometry: str = "squash") -> Path:
    """Decode and resize every image of a table once; later calls find the result.

    Args:
        table: with the columns image_id and path.
        size, geometry: as in `to_square`.

    Returns:
        a folder with `pixels.npy`, uint8 (images, size, size, 3), and `image_ids.csv`.
        `open_pixels` reads it.

    Raises:
        LesionsError: an image cannot be read, or the disk is full.
    """
    key = cache.key(datasets.fingerprint(table), size, geometry, code=[pixel_cache])

    def make(folder: Path) -> None:
        folder.mkdir(parents=True)
        _decode_all(table, size, geometry, folder / "pixels.npy")
        tables.write(table[["image_id"]], folder / "image_ids.csv", IMAGE_IDS)

    return cache.shared("pixels", f"{size}px-{geometry}", key, make)


def _decode_all(table: pd.DataFrame, size: int, geometry: str, target: Path) -> None:
    """Write the pixels of all images, uint8 (images, size, size, 3), as they are decoded."""
    shape = (len(table), size, size, 3)
    pixels = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=shape)
    # Blocks that are never written leave holes in the file, and a full disk would then kill
    # the process instead of raising an error; so ask for all of the space first.
    if hasattr(os, "posix_fallocate"):
        with open(target, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, target.stat().st_size)

    def read(path: str) -> np.ndarray:
        return to_square(datasets.read_image(path), size, geometry)

    # OpenCV lets go of Python's lock while it decodes, so threads do help.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        images = pool.map(read, table["path"])
        for row, image in enumerate(track(images, f"images to {size} px", len(table))):
            pixels[row] = image
    pixels.flush()


def open_pixels(folder: Path) -> tuple[np.ndarray, pd.Index]:
    """Open a pixel cache without reading it into memory.

    Returns:
        pixels, uint8 (images, size, size, 3), memory-mapped; and the image_id of each row.
    """
    pixels = np.load(Path(folder) / "pixels.npy", mmap_mode="r")
    image_ids = tables.read(Path(folder) / "image_ids.csv", IMAGE_IDS)
    return pixels, pd.Index(image_ids["image_id"])


def forget(pixels: np.ndarray) -> None:
    """Give back the pages of a mapped file that were read; the next look fetches them again.

    Otherwise they count as this process's memory until the system needs them: half a gigabyte
    for 10,015 images of 128 pixels. An array that is not mapped stays as it is.
    """
    if isinstance(pixels, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):  # Windows has it not
        pixels._mmap.madvise(mmap.MADV_DONTNEED)
