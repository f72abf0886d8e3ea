"""What is not skin, pasted onto test images: does a ruler or a hair change the answer?"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import pandas as pd

from lesions.explain.localisation import FEWEST, mean_interval
from lesions.explain.maps import probabilities
from lesions.networks.backend import keras

DARK = (40, 32, 38)  # of a ruler's ticks, and of a hair


def ruler(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A millimetre scale along one side: ticks, every fifth of them longer."""
    drawn, size = image.copy(), image.shape[0]
    gap, start = max(3, size // 16), int(rng.integers(0, 3))
    for number, place in enumerate(range(start, size, gap)):
        length = size // 8 if number % 5 == 0 else size // 14
        cv2.line(drawn, (place, size - 1), (place, size - 1 - length), DARK, 1, cv2.LINE_AA)
    return drawn


def hairs(image: np.ndarray, rng: np.random.Generator, number: int = 5) -> np.ndarray:
    """Some bent dark hairs across the image, mostly one way."""
    drawn, size = image.copy(), image.shape[0]
    way = rng.uniform(0, np.pi)
    for _ in range(number):
        along = np.linspace(-0.7, 0.7, 24)
        turn = way + rng.normal(0, 0.25) + rng.normal(0, 0.4) * along
        x = size * (rng.uniform(0.2, 0.8) + np.cumsum(np.cos(turn)) * 1.4 / 24 - 0.7 * np.cos(way))
        y = size * (rng.uniform(0.2, 0.8) + np.cumsum(np.sin(turn)) * 1.4 / 24 - 0.7 * np.sin(way))
        points = np.stack([x, y], axis=1).round().astype(np.int32)
        cv2.polylines(drawn, [points], False, DARK, max(1, size // 96), cv2.LINE_AA)
    return drawn


def dark_corners(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The round field of view of a contact plate: black outside of a circle."""
    size = image.shape[0]
    y, x = np.indices((size, size))
    centre = (size - 1) / 2 + rng.normal(0, 0.01 * size, 2)
    distance = np.hypot(x - centre[0], y - centre[1]) / (size / 2)
    edge = rng.uniform(1.0, 1.1)
    light = np.clip((edge - distance) / 0.06, 0.04, 1)
    return (image * light[..., None]).astype(np.uint8)


def bubbles(image: np.ndarray, rng: np.random.Generator, number: int = 6) -> np.ndarray:
    """Air in the immersion gel: rings, bright on one side and dark on the other."""
    drawn, size = image.copy(), image.shape[0]
    for _ in range(number):
        place = tuple(int(v) for v in rng.integers(0, size, 2))
        radius, turn = int(rng.integers(2, max(3, size // 12))), rng.uniform(0, 360)
        for start, colour in ((0, (240, 235, 236)), (180, (130, 95, 100))):
            cv2.ellipse(drawn, place, (radius, radius), turn, start, start + 170, colour, 1,
                        cv2.LINE_AA)  # fmt: skip
    return drawn


def brighter(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A twentieth brighter or darker: a change that no artefact is needed for, to compare with."""
    gain = 1.05 if rng.random() < 0.5 else 0.95
    return np.clip(image * gain, 0, 255).astype(np.uint8)


ARTEFACTS: Mapping[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "ruler": ruler,
    "hairs": hairs,
    "dark corners": dark_corners,
    "gel bubbles": bubbles,
    "5 % brighter or darker": brighter,
}


def paste(pixels: np.ndarray, what: str, seed: int = 0) -> np.ndarray:
    """Images with an artefact on each, uint8 (n, size, size, 3); the same for the same seed."""
    drawing = ARTEFACTS[what]
    return np.stack([drawing(np.ascontiguousarray(image), np.random.default_rng([seed, number]))
                     for number, image in enumerate(pixels)])  # fmt: skip


def flips(
    model: keras.Model, pixels: np.ndarray, about: pd.DataFrame, classes: list[str], seed: int = 0
) -> pd.DataFrame:
    """For each image and artefact: is the answer another one with it than without?

    Args:
        model: from `opened.with_scores`.
        pixels: uint8 (n, size, size, 3).
        about: n rows, with lesion_id and truth.
        classes: their names, in the network's order.

    Returns:
        `about` repeated, with artefact, before, after (the answers), flipped (bool), and shift,
        how far the probability of the first answer moved.
    """
    first = probabilities(model, np.float32(pixels) / 255)
    answer, rows, parts = first.argmax(axis=1), np.arange(len(pixels)), []
    names = np.array(classes, dtype=object)
    for what in ARTEFACTS:
        then = probabilities(model, np.float32(paste(pixels, what, seed)) / 255)
        moved = (then - first)[rows, answer]
        line = about.assign(artefact=what, before=names[answer], after=names[then.argmax(axis=1)])
        parts.append(line.assign(flipped=answer != then.argmax(axis=1), shift=moved))
    return pd.concat(parts, ignore_index=True)


def flip_table(flipped: pd.DataFrame, by: str = "truth", n: int = 1000) -> pd.DataFrame:
    """The share of flipped answers by artefact and class, with intervals over lesions.

    Returns:
        artefact, `by` ("all" first), images, flipped (how many), share, low, high; no interval
        for fewer lesions than `localisation.FEWEST`.
    """
    lines = []
    for what, of in flipped.groupby("artefact", sort=False):
        parts = {"all": of} | dict(list(of.groupby(by)))
        for name, part in parts.items():
            share = mean_interval(part["flipped"], part["lesion_id"], n)
            if part["lesion_id"].nunique() < FEWEST:
                share = (share[0], np.nan, np.nan)
            lines.append((what, name, len(part), int(part["flipped"].sum()), *share))
    return pd.DataFrame(
        lines, columns=["artefact", by, "images", "flipped", "share", "low", "high"]
    )
