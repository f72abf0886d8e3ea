"""Lesion masks at the size that a network sees: the same geometry as its images, checked."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.progress import track
from lesions.data import datasets
from lesions.data.images import read_bytes
from lesions.data.pixel_store import to_square

# Between black and white: a mask that was made smaller has grey along its border.
HALF = 127
# How far the shape of a mask may be from its image's, as a share.
SHAPE_TOLERANCE = 0.02


def read_mask(path: str) -> np.ndarray:
    """A mask file as grey levels, uint8 (height, width); the path may lead through a zip.

    Raises:
        LesionsError: it cannot be decoded.
    """
    grey = cv2.imdecode(np.frombuffer(read_bytes(path), np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise LesionsError(f"The mask {path} cannot be decoded; fetch it again.")
    return grey


def square_mask(grey: np.ndarray, size: int, geometry: str = "squash") -> np.ndarray:
    """A mask at network size: a pixel is lesion if at least half of what falls on it is.

    Args:
        grey: uint8 (height, width), 0 outside, 255 in the lesion, grey where it was made smaller.
        size, geometry: as the images were made square by.

    Returns:
        bool (size, size). A lesion that is smaller than half a pixel keeps its brightest one.
    """
    small = to_square(grey, size, geometry)
    lesion = small > HALF
    if not lesion.any() and (grey > HALF).any() and small.any():
        lesion = small == small.max()
    return lesion


def fault_of(grey: np.ndarray, image_shape: tuple[int, int] | None = None) -> str:
    """What is wrong with a mask, or an empty text.

    Args:
        grey: uint8 (height, width).
        image_shape: height and width of its image, where they are known.
    """
    share = (grey > HALF).mean()
    if share in (0, 1):
        return "empty" if share == 0 else "covers the whole image"
    if image_shape is not None:
        wanted, found = image_shape[1] / image_shape[0], grey.shape[1] / grey.shape[0]
        if abs(found / wanted - 1) > SHAPE_TOLERANCE:
            return "another shape than its image"
    return ""


def load_masks(
    table: pd.DataFrame, folder: Path, size: int, geometry: str = "squash"
) -> tuple[np.ndarray, pd.DataFrame]:
    """The lesion masks of a table's images, in its order.

    Args:
        table: with image_id; where it has a path, the shape of the image is compared, too.
        folder: holds the masks, in folders or zips, as `datasets.mask_paths` finds them.
        size, geometry: as the images were made square by.

    Returns:
        bool (images, size, size); all False where there is no usable mask. And the faults:
        image_id, fault ("missing", or what `fault_of` says).

    Raises:
        LesionsError: there is not one usable mask.
    """
    paths = datasets.mask_paths(folder, table)
    places = table["path"] if "path" in table else [None] * len(table)

    def read(named: tuple[str, str | None]) -> tuple[np.ndarray | None, str]:
        image_id, place = named
        if image_id not in paths:
            return None, "missing"
        grey = read_mask(paths[image_id])
        shape = datasets.read_image(place).shape[:2] if place is not None else None
        fault = fault_of(grey, shape)
        usable = fault in ("", "covers the whole image")
        return (square_mask(grey, size, geometry) if usable else None), fault

    masks = np.zeros((len(table), size, size), bool)
    faults = []
    named = list(zip(table["image_id"], places, strict=True))
    with ThreadPoolExecutor() as pool:
        found = track(pool.map(read, named), f"masks to {size} px", len(named))
        for row, (mask, fault) in enumerate(found):
            if mask is not None:
                masks[row] = mask
            if fault:
                faults.append((named[row][0], fault))
    if not masks.any():
        raise LesionsError(
            f"There is no lesion mask in {folder} for these images: fetch them with "
            '`make data P="--masks"`, or put <image_id>_segmentation.png files there.'
        )
    return masks, pd.DataFrame(faults, columns=["image_id", "fault"])
