"""Find photographs of one lesion, which hashes cannot: describe, look up neighbours, confirm.

Three steps. Each image is described by its colours, its texture and its most striking points
(SIFT). Its nearest neighbours in these descriptions are candidates. A candidate is confirmed by
geometry: if both show one lesion, the points of one lie on those of the other after a shift, turn
and zoom.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler, normalize
from threadpoolctl import threadpool_limits

from lesions import datasets, files
from lesions.dedup import same_lesion_pairs, score_pairs
from lesions.errors import LesionsError
from lesions.progress import track

WIDTH, HEIGHT = 200, 150  # images are compared at this size
POINTS = 200  # an image, the most striking
WORDS = 64  # kinds of points
COLOUR_WEIGHT = 0.15  # of colour and texture, against 1 for the points


class Description(NamedTuple):
    """What is kept of each image."""

    looks: np.ndarray  # float32 (images, features): colours and texture
    places: list[np.ndarray]  # float32 (points, 2): x, y in pixels
    points: list[np.ndarray]  # uint8 (points, 128): SIFT, the most striking first


def descriptor_pairs(
    table: pd.DataFrame, neighbours: int = 5, seed: int = 0, workers: int | None = None
) -> pd.DataFrame:
    """Pairs of images that look alike, and how well one can be laid over the other.

    Knows no lesion_id. Takes some minutes for 10,000 images; kept in data/cache.

    Args:
        table: readable images.
        neighbours: candidates for each image.
        seed: fixes which points the kinds of points are learnt from.
        workers: threads; None: one for each processor.

    Returns:
        image_a, image_b (image_a before image_b in the table), similarity (cosine of their
        descriptors), matches: how many points of one lie on the same points of the other.
        `score_descriptor` chooses a threshold for it.

    Raises:
        LesionsError: there are too few images, or one cannot be read.
    """
    if not 1 <= neighbours < len(table):
        raise LesionsError(
            f"{len(table)} images cannot have {neighbours} neighbours each; ask for fewer."
        )
    key = files.digest(datasets.fingerprint(table), neighbours, seed, cv2.__version__)
    path = Path(files.CACHE) / "descriptors" / f"{key}.parquet"
    if path.exists():
        return pd.read_parquet(path)
    described = describe(table, workers)
    i, j, similarity = nearest(vectors(described, seed), neighbours)

    def confirm(n: int) -> int:
        a, b = i[n], j[n]
        return matches(
            described.places[a], described.points[a], described.places[b], described.points[b]
        )

    # Our threads share out the pairs; without the limit each would start threads of its own.
    with threadpool_limits(1), ThreadPoolExecutor(workers) as threads:
        found = threads.map(confirm, range(len(i)))
        count = np.fromiter(track(found, "Confirming candidates", len(i)), int, len(i))
    names = table["image_id"].to_numpy()
    pairs = pd.DataFrame(
        {"image_a": names[i], "image_b": names[j], "similarity": similarity, "matches": count}
    )
    with files.atomic(path) as partial:
        pairs.to_parquet(partial, index=False)
    return pairs


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
        order = np.argsort([-point.response for point in found], kind="stable")[:POINTS].astype(int)
        places = np.array([point.pt for point in found], np.float32).reshape(-1, 2)
        return look(image, grey), places[order], points[order].astype(np.uint8)

    with ThreadPoolExecutor(workers) as threads:
        measured = list(track(threads.map(measure, table["path"]), "Describing images", len(table)))
    looks, places, points = zip(*measured, strict=True)
    return Description(np.stack(looks), list(places), list(points))


def look(image: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """Colours and texture of an image.

    Args:
        image: uint8 (height, width, 3), RGB.
        grey: uint8 (height, width).

    Returns:
        float32 (1032,): square roots of the shares of lightness, red-green and yellow-blue values
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
    strongest = [_rooted(points[: POINTS // 2]) for points in described.points]
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


def _rooted(points: np.ndarray) -> np.ndarray:
    """RootSIFT (Arandjelović and Zisserman, CVPR 2012): distances fit histograms better."""
    points = points.astype(np.float32)
    return np.sqrt(points / (points.sum(axis=1, keepdims=True) + 1e-9))


def nearest(vectors: np.ndarray, neighbours: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each image with its nearest neighbours, every pair once: i < j, similarity; sorted."""
    found = []
    for start in range(0, len(vectors), 1024):
        similarity = vectors[start : start + 1024] @ vectors.T
        rows = np.arange(len(similarity))
        similarity[rows, start + rows] = -np.inf
        near = np.argpartition(-similarity, neighbours - 1, axis=1)[:, :neighbours]
        found.append(
            pd.DataFrame(
                {
                    "a": np.repeat(start + rows, neighbours),
                    "b": near.ravel(),
                    "s": np.take_along_axis(similarity, near, axis=1).ravel(),
                }
            )
        )
    pairs = pd.concat(found)
    pairs["i"], pairs["j"] = pairs[["a", "b"]].min(axis=1), pairs[["a", "b"]].max(axis=1)
    pairs = pairs.groupby(["i", "j"])["s"].max().reset_index()
    return pairs["i"].to_numpy(), pairs["j"].to_numpy(), pairs["s"].to_numpy()


def matches(
    places_a: np.ndarray, points_a: np.ndarray, places_b: np.ndarray, points_b: np.ndarray
) -> int:
    """How many points of image a lie on the same points of b after one shift, turn and zoom.

    A point's partner must be much nearer than the second best (Lowe, IJCV 60:91, 2004); RANSAC
    finds the movement that most partners agree on.

    Args:
        places_a, places_b: float32 (points, 2).
        points_a, points_b: uint8 (points, 128), SIFT.
    """
    if len(points_a) < 4 or len(points_b) < 4:
        return 0
    alike = _rooted(points_a) @ _rooted(points_b).T
    best = alike.argmax(axis=1)
    second = np.partition(alike, -2, axis=1)[:, -2]
    first = alike[np.arange(len(best)), best]
    clear = 2 - 2 * first < 0.85**2 * (2 - 2 * second)  # squared distances
    if clear.sum() < 4:
        return 0
    movement, agree = cv2.estimateAffinePartial2D(
        places_a[clear],
        places_b[best[clear]],
        method=cv2.RANSAC,
        ransacReprojThreshold=4,  # pixels
        maxIters=500,
    )
    if movement is None or not 1 / 3 < np.hypot(*movement[:, 0]) < 3:  # zoom
        return 0
    return len(np.unique(best[clear][agree.ravel() > 0]))


def score_descriptor(
    pairs: pd.DataFrame,
    table: pd.DataFrame,
    known: pd.DataFrame | None = None,
    precision: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Choose how many matches confirm a pair on half of the lesions; report it on the other half.

    On the lesions that a threshold was chosen on it looks better than it is. A pair belongs to
    the half of its first image.

    Args:
        pairs: from `descriptor_pairs`.
        table: with image_id and lesion_id.
        known: pairs that show two lesion_ids to be one lesion. The threshold is chosen without
            them; the scores count them as right.
        precision: wanted on the first half; the smallest threshold that has it is taken.
        seed: fixes the halves.

    Returns:
        a row for "chosen on", "reported on" and "all": lesions, threshold (matches), then found,
        right, precision, true, recall as in `dedup.score_pairs`, and known_found (of `known`).

    Raises:
        LesionsError: no threshold is so precise.
    """
    lesion = table.set_index("image_id")["lesion_id"]
    names = np.sort(lesion.unique())
    first_half = set(names[np.random.default_rng(seed).random(len(names)) < 0.5])
    threshold = _smallest(pairs, lesion, first_half, precision)
    found = pairs[pairs["matches"] >= threshold]
    truth = same_lesion_pairs(table, known)
    lines = []
    for lesions, half in (
        ("chosen on", first_half),
        ("reported on", set(names) - first_half),
        ("all", set(names)),
    ):
        here, true = (some[some["image_a"].map(lesion).isin(half)] for some in (found, truth))
        of_known = score_pairs(here, known)["right"] if known is not None else pd.NA
        line = {"lesions": lesions, "threshold": threshold, **score_pairs(here, true)}
        lines.append(line | {"known_found": of_known})
    return pd.DataFrame(lines)


def across_lesions(pairs: pd.DataFrame, table: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Confirmed pairs whose images have two lesion_ids, the most matches first.

    The scores count them as wrong. Look at them before you agree.

    Returns:
        the rows of `pairs` with at least `threshold` matches, and lesion_a, lesion_b.
    """
    lesion = table.set_index("image_id")["lesion_id"]
    named = pairs.assign(
        lesion_a=pairs["image_a"].map(lesion), lesion_b=pairs["image_b"].map(lesion)
    )
    found = named[(named["matches"] >= threshold) & (named["lesion_a"] != named["lesion_b"])]
    return found.sort_values("matches", ascending=False, kind="stable", ignore_index=True)


def _smallest(pairs: pd.DataFrame, lesion: pd.Series, half: set[str], precision: float) -> int:
    """The smallest number of matches that is right often enough among the pairs of `half`."""
    a, b = pairs["image_a"].map(lesion), pairs["image_b"].map(lesion)
    here = a.isin(half)
    right, count = (a == b)[here], pairs.loc[here, "matches"]
    for threshold in range(1, int(count.max()) + 1 if len(count) else 0):
        if right[count >= threshold].mean() >= precision:
            return threshold
    raise LesionsError(f"No number of matches gives a precision of {precision:g} on these images.")
