"""Pictures that no network here should answer: noise, plain colours, photographs, healthy skin."""

import cv2
import numpy as np
import pandas as pd

from lesions.data.pixel_store import to_square
from lesions.explain.shift import Chosen
from lesions.predict import answers
from lesions.scores.intervals import mean_interval

EACH = 40
SKIN = "healthy skin"
LEAST_LIGHT = 40  # of 255: a darker pixel is the plate's rim
PHOTOGRAPHS = {"a temple": "china.jpg", "a flower": "flower.jpg"}  # that scikit-learn ships
COLUMNS = ("kind", "images", "flagged", "flagged_low", "flagged_high",
           "answered", "answered_low", "answered_high", "mostly")  # fmt: skip


def made(size: int, each: int = EACH, seed: int = 0) -> dict[str, np.ndarray]:
    """Noise, smooth colours, plain colours, and parts of two photographs.

    Args:
        size: height and width in pixels.
        each: how many of a kind.

    Returns:
        uint8 (each, size, size, 3) by kind.
    """
    from sklearn.datasets import load_sample_image

    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (each, 4, 4, 3), dtype=np.uint8)
    found = {
        "noise": rng.integers(0, 256, (each, size, size, 3), dtype=np.uint8),
        "smooth colours": np.stack([cv2.resize(one, (size, size), interpolation=cv2.INTER_CUBIC)
                                    for one in coarse]),
        "plain colours": np.broadcast_to(coarse[:, :1, :1], (each, size, size, 3)).copy(),
    }  # fmt: skip
    for kind, name in PHOTOGRAPHS.items():
        picture = load_sample_image(name)
        found[kind] = np.stack([_part(picture, size, rng) for _ in range(each)])
    return found


def _part(picture: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """A square somewhere in a picture, of the network's size or larger, made as small as that."""
    height, width = picture.shape[:2]
    side = int(rng.integers(min(size, min(height, width) // 2), min(height, width) + 1))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    return to_square(picture[top : top + side, left : left + side], size)


def healthy_patch(
    image: np.ndarray, mask: np.ndarray, size: int, rng: np.random.Generator
) -> np.ndarray | None:
    """A square of skin beside the lesion, at network size; None where there is no room for one.

    Args:
        image: uint8 (height, width, 3), RGB, as it was taken.
        mask: bool (height, width), True in the lesion.
        size: height and width of the result in pixels; the patch is a third of the image's height,
            or as large as that.
    """
    side = max(size, image.shape[0] // 3)
    if side > min(mask.shape):
        return None
    taken = (mask | (image.min(axis=2) < LEAST_LIGHT)).astype(np.uint8)
    sums = cv2.integral(taken)
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    places = np.argwhere(inside == 0)
    if not len(places):
        return None
    top, left = places[rng.integers(len(places))]
    return to_square(image[top : top + side, left : left + side], size)


def judged(
    chosen: Chosen, kinds: dict[str, np.ndarray], lesions: dict[str, np.ndarray], n: int = 500
) -> pd.DataFrame:
    """What the network and its flag make of pictures that have no answer.

    Args:
        kinds: uint8 (n, size, size, 3) by kind.
        lesions: for the kinds cut out of images, the lesion_id of each; intervals are over them,
            else over the pictures.

    Returns:
        one row a kind: kind, images, flagged and answered (shares; low and high of each), and
        `mostly`, the class that is most often the likeliest.
    """
    lines = []
    for kind, pixels in kinds.items():
        if not len(pixels):
            continue
        found = answers.answer(chosen.model, pixels)
        names = [f"p_{name}" for name in chosen.model.classes]
        sure = found[names].max(axis=1) >= chosen.sure
        groups = lesions.get(kind, np.arange(len(found)))
        flagged, given = mean_interval(found["unlike"], groups, n), mean_interval(sure, groups, n)
        if kind in PHOTOGRAPHS:  # parts of one picture are not many
            flagged, given = (flagged[0], np.nan, np.nan), (given[0], np.nan, np.nan)
        mostly = found[names].idxmax(axis=1).mode()[0].removeprefix("p_")
        lines.append((kind, len(found), *flagged, *given, mostly))
    return pd.DataFrame(lines, columns=list(COLUMNS))
