"""Colour histograms: what an image is painted with, without where, shape or texture."""

from collections.abc import Sequence

import cv2
import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError

# OpenCV's hue runs from 0 to 179, its other channels from 0 to 255.
SPACES = ((cv2.COLOR_RGB2HSV, (180, 256, 256)), (cv2.COLOR_RGB2LAB, (256, 256, 256)))


def colour_histograms(pixels: np.ndarray, bins: int = 16) -> np.ndarray:
    """Which colours each image has in its middle, and which along its border.

    The middle is half the width by half the height: mostly lesion; the rest is mostly skin. For
    both parts and each channel of HSV and CIELAB, the share of pixels in each of `bins` equal bins;
    then the square root, which makes small shares count (Hellinger distance).

    Args:
        pixels: uint8 (n, h, w, 3), RGB, at least 4 x 4 pixels.
        bins: bins a channel, 2 to 256.

    Returns:
        float32 (n, 12 * bins): middle, then border; in each H, S, V, L, a, b.

    Raises:
        LesionsError: the pixels are not of this form, or there are too few or too many bins.
    """
    if pixels.ndim != 4 or pixels.shape[3] != 3 or pixels.dtype != np.uint8:
        raise LesionsError(
            "colour_histograms wants uint8 pixels (n, h, w, 3); got "
            f"{pixels.dtype} {pixels.shape}: use the pixel cache, before it is scaled to [0, 1]."
        )
    height, width = pixels.shape[1:3]
    if min(height, width) < 4 or not 2 <= bins <= 256:
        raise LesionsError(
            "colour_histograms wants at least 4 x 4 pixels and from 2 to 256 bins; got "
            f"{width} x {height} and {bins}."
        )
    middle = np.zeros((height, width), bool)
    middle[height // 4 : height - height // 4, width // 4 : width - width // 4] = True
    shares = [_shares(np.ascontiguousarray(image), middle, bins) for image in pixels]
    return np.sqrt(np.reshape(shares, (len(pixels), 12 * bins))).astype(np.float32)


def _shares(image: np.ndarray, middle: np.ndarray, bins: int) -> np.ndarray:
    """Shares of an image's pixels in each bin of each channel, float64 (12 * bins,)."""
    codes = []
    for space, tops in SPACES:
        converted = cv2.cvtColor(image, space).astype(np.int64)
        codes += [converted[..., channel] * bins // top for channel, top in enumerate(tops)]
    return np.concatenate(
        [
            np.bincount(code[part], minlength=bins) / part.sum()
            for part in (middle, ~middle)
            for code in codes
        ]
    )


def histogram_table(pixels: np.ndarray, image_ids: Sequence[str], bins: int = 16) -> pd.DataFrame:
    """`colour_histograms` as a table: one row an image_id. The baselines take this form."""
    if len(pixels) != len(image_ids):
        raise LesionsError(
            f"There are {len(pixels)} images but {len(image_ids)} image_ids; they must match."
        )
    index = pd.Index(image_ids, name="image_id")
    return pd.DataFrame(colour_histograms(pixels, bins), index=index)
