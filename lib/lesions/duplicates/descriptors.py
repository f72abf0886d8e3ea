"""Find photographs of one lesion, which hashes cannot: describe, look up neighbours, confirm.

Three steps. Each image is described by its colours, its texture and its most striking points
(`appearance`). Its nearest neighbours in these descriptions are candidates. A candidate is
confirmed by geometry: if both show one lesion, the points of one lie on those of the other after a
shift, turn and zoom.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from lesions.core import cache
from lesions.core.errors import LesionsError
from lesions.core.progress import track
from lesions.data import datasets
from lesions.duplicates.appearance import describe, rooted, vectors
from lesions.duplicates.dedup import same_lesion_pairs, score_pairs

# Matches that confirm a pair where there are too few images to choose a number; on HAM10000 so many
# are right in 95 % of the pairs.
USUAL = 6


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
    key = cache.key(datasets.fingerprint(table), neighbours, seed, code=[descriptor_pairs])

    def make(path: Path) -> None:
        _find_pairs(table, neighbours, seed, workers).to_parquet(path, index=False)

    return pd.read_parquet(cache.shared("descriptors", "pairs.parquet", key, make))


def _find_pairs(
    table: pd.DataFrame, neighbours: int, seed: int, workers: int | None
) -> pd.DataFrame:
    """What `descriptor_pairs` gives, computed."""
    described = describe(table, workers)
    i, j, similarity = nearest(vectors(described, seed), neighbours)

    def confirm(n: int) -> int:
        a, b = i[n], j[n]
        return matches(
            described.places[a], described.points[a], described.places[b], described.points[b]
        )

    # Our threads share out the pairs; without the limit each would start threads of its own.
    with threadpool_limits(1), ThreadPoolExecutor(workers or os.cpu_count()) as threads:
        found = threads.map(confirm, range(len(i)))
        count = np.fromiter(track(found, "Confirming candidates", len(i)), int, len(i))
    names = table["image_id"].to_numpy()
    return pd.DataFrame(
        {"image_a": names[i], "image_b": names[j], "similarity": similarity, "matches": count}
    )


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
    alike = rooted(points_a) @ rooted(points_b).T
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
    otherwise: int | None = None,
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
        otherwise: the threshold where none is so precise, as among very few images.

    Returns:
        a row for "chosen on", "reported on" and "all": lesions, threshold (matches), then found,
        right, precision, true, recall as in `dedup.score_pairs`, and known_found (of `known`).

    Raises:
        LesionsError: no threshold is so precise, and there is no `otherwise`.
    """
    lesion = table.set_index("image_id")["lesion_id"]
    names = np.sort(lesion.unique())
    first_half = set(names[np.random.default_rng(seed).random(len(names)) < 0.5])
    threshold = _smallest(pairs, lesion, first_half, precision) or otherwise
    if threshold is None:
        raise LesionsError(
            f"No number of matches gives a precision of {precision:g} on these images."
        )
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


def _smallest(
    pairs: pd.DataFrame, lesion: pd.Series, half: set[str], precision: float
) -> int | None:
    """The smallest number of matches that is right often enough among the pairs of `half`."""
    a, b = pairs["image_a"].map(lesion), pairs["image_b"].map(lesion)
    here = a.isin(half)
    right, count = (a == b)[here], pairs.loc[here, "matches"]
    for threshold in range(1, int(count.max()) + 1 if len(count) else 0):
        if right[count >= threshold].mean() >= precision:
            return threshold
    return None
