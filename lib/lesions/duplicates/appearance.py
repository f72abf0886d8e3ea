"""Describe what an image looks like: its colours, its texture, and its most striking points."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler, normalize

from lesions.core.errors import LesionsError
from lesions.core.progress import track
from lesions.data import datasets

WIDTH, HEIGHT = 200, 150  # images are compared at this size
POINTS = 200  # an image, the most striking
WORDS = 64  # kinds of points
COLOUR_WEIGHT = 0.15  # of colour and texture, against 1 for the points


class Description(NamedTuple):
    """What is kept of each image."""

    looks: np.ndarray  # float32 (images, features): colours and texture
    places: list[np.ndarray]  # float32 (points, 2): x, y in pixels
    points: list[np.ndarray]  # uint8 (points, 128): SIFT, the most striking first


def describe(table: pd.DataFrame, workers: int | None = None) -> Description:
    """Measure colours and texture, and find the striking points, of every image."""
    own = threading.local()

    def measure(path: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if not hasattr(own, "sift"):  # a detector may not be shared between threads
            own.sift = cv2.SIFT_create(nfeatures=POINTS, contrastThreshold=0.01)
        image = datasets.read_image(path)
        image = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        found, points = own.sift.detectAndCompute(grey, None)
        if points is None:
            found, points = (), np.zeros((0, 128))
        order = np.argsort([-point.response for point in found], kind="stable")[:POINTS]
        places = np.array([point.pt for point in found], np.float32).reshape(-1, 2)
        return look(image, grey), places[order], points[order].astype(np.uint8)

    with ThreadPoolExecutor(workers or os.cpu_count()) as threads:
        measured = list(track(threads.map(measure, table["path"]), "Describing images", len(table)))
    looks, places, points = zip(*measured, strict=True)
    return Description(np.stack(looks), list(places), list(points))


def look(image: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """Colours and texture of an image.

    Args:
        image: uint8 (height, width, 3), RGB.
        grey: uint8 (height, width).

    Returns:
        float32 (1000,): square roots of the shares of lightness, red-green and yellow-blue values
        (CIE Lab), and of the local binary patterns at three sizes (Ojala et al., IEEE TPAMI
        24:971, 2002); then an 8 x 6 miniature in Lab and the colours of four rings around the
        centre.
    """
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    ranges = (16, 0, 100), (24, -20, 60), (24, -40, 50)
    shares = [
        np.histogram(lab[..., channel], bins, (low, high))[0]
        for channel, (bins, low, high) in enumerate(ranges)
    ]
    for shrink in (1, 2, 4):
        size = (grey.shape[1] // shrink, grey.shape[0] // shrink)
        shares.append(binary_patterns(cv2.resize(grey, size, interpolation=cv2.INTER_AREA)))
    parts = [np.sqrt(counts / max(counts.sum(), 1)) for counts in shares]
    parts.append(cv2.resize(lab, (8, 6), interpolation=cv2.INTER_AREA).ravel())
    y, x = np.mgrid[-1 : 1 : image.shape[0] * 1j, -1 : 1 : image.shape[1] * 1j]
    ring = np.digitize(np.hypot(x, y), (0.3, 0.6, 0.9))
    for number in range(4):
        inside = lab[ring == number]
        parts += [inside.mean(axis=0), inside.std(axis=0)]
    return np.concatenate(parts).astype(np.float32)


def binary_patterns(grey: np.ndarray) -> np.ndarray:
    """Count, over all pixels, which of the eight neighbours are brighter: int (256,)."""
    height, width = grey.shape
    pattern = np.zeros((height - 2, width - 2), dtype=np.uint8)
    around = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    for bit, (y, x) in enumerate(around):
        brighter = grey[y : y + height - 2, x : x + width - 2] > grey[1:-1, 1:-1]
        pattern |= brighter.astype(np.uint8) << np.uint8(bit)
    return np.bincount(pattern.ravel(), minlength=256)


def vectors(described: Description, seed: int = 0) -> np.ndarray:
    """One vector of length 1 an image; alike images point the same way.

    The points of an image are sorted into WORDS kinds, and for each kind it is noted how they
    differ from the typical one: VLAD (Jégou et al., CVPR 2010). To this come the looks, after a
    principal component analysis that weighs all 50 components alike.

    Returns:
        float32 (images, WORDS * 64 + up to 50).
    """
    rng = np.random.default_rng(seed)
    strongest = [rooted(points[: POINTS // 2]) for points in described.points]
    some = rng.choice(len(strongest), min(1000, len(strongest)), replace=False)
    sample = np.concatenate([strongest[n] for n in some])
    sample = sample[rng.permutation(len(sample))[:30_000]]
    if len(sample) < WORDS:
        raise LesionsError("The images have too few striking points to be compared.")
    turn = PCA(64, svd_solver="covariance_eigh").fit(sample)
    words = MiniBatchKMeans(WORDS, random_state=seed, n_init=1, batch_size=4096)
    words.fit(turn.transform(sample))
    centres = words.cluster_centers_.astype(np.float32)
    kinds = np.zeros((len(strongest), WORDS, 64), dtype=np.float32)
    for kind, points in zip(kinds, strongest, strict=True):
        if len(points):
            points = turn.transform(points)
            word = ((centres**2).sum(axis=1) - 2 * points @ centres.T).argmin(axis=1)
            np.add.at(kind, word, points - centres[word])
    kinds /= np.linalg.norm(kinds, axis=2, keepdims=True) + 1e-9
    kinds = kinds.reshape(len(kinds), -1)
    kinds = normalize(np.sign(kinds) * np.sqrt(np.abs(kinds)))
    size = min(50, len(kinds) - 1)
    looks = StandardScaler().fit_transform(described.looks.astype(np.float64))
    looks = PCA(size, whiten=True, svd_solver="covariance_eigh").fit_transform(looks)
    return normalize(np.hstack([kinds, COLOUR_WEIGHT**0.5 * normalize(looks)])).astype(np.float32)


def rooted(points: np.ndarray) -> np.ndarray:
    """RootSIFT (Arandjelović and Zisserman, CVPR 2012): distances fit histograms better."""
    points = points.astype(np.float32)
    return np.sqrt(points / (points.sum(axis=1, keepdims=True) + 1e-9))
