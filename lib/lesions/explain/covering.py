"""Before any map: cover parts of the images, train and test again, and see what is lost.

A model that scores as well without the lesion as with it has not learnt it from the lesion.
"""

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
import pandas as pd

from lesions.baselines import baselines, histograms
from lesions.baselines.baselines import CHEAP
from lesions.core.errors import LesionsError
from lesions.core.progress import track
from lesions.scores import evaluation
from lesions.splits import splits

NEUTRAL = 128  # the grey that stands for "nothing to see here"
MARGIN = 0.06  # of the image's width: around a lesion there is lesion that no mask has
THUMBNAIL = 8  # pixels

# From split rows, their target, covered pixels and a seed to predictions of the test rows.
Learner = Callable[[pd.DataFrame, str, np.ndarray, int], pd.DataFrame]


def grown(masks: np.ndarray, margin: float = MARGIN) -> np.ndarray:
    """Masks with a margin around them, bool (images, size, size).

    Args:
        masks: bool (images, size, size).
        margin: its width, as a share of the image's.
    """
    reach = round(margin * masks.shape[-1])
    if reach < 1:
        return masks.copy()
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.stack([cv2.dilate(mask.astype(np.uint8), disc) > 0 for mask in masks])


def _only(pixels: np.ndarray, seen: np.ndarray) -> np.ndarray:
    return np.where(seen[..., None], pixels, np.uint8(NEUTRAL))


def _thumbnails(pixels: np.ndarray) -> np.ndarray:
    size, few = pixels.shape[1], (THUMBNAIL, THUMBNAIL)
    small = [cv2.resize(image, few, interpolation=cv2.INTER_AREA) for image in pixels]
    return np.stack([cv2.resize(i, (size, size), interpolation=cv2.INTER_NEAREST) for i in small])


# What is left of an image. The lesion and the skin both show the outline between them, so the
# outline alone is there to compare with.
COVERS: dict[str, Callable[[np.ndarray, np.ndarray, float], np.ndarray]] = {
    "whole image": lambda pixels, masks, margin: pixels,
    "only the lesion": lambda pixels, masks, margin: _only(pixels, grown(masks, margin)),
    "only the skin": lambda pixels, masks, margin: _only(pixels, ~grown(masks, margin)),
    "only the outline": lambda pixels, masks, margin: np.repeat(
        np.where(masks, np.uint8(0), np.uint8(255))[..., None], 3, axis=3
    ),
    "thumbnail 8 x 8": lambda pixels, masks, margin: _thumbnails(pixels),
}


def cover(pixels: np.ndarray, masks: np.ndarray, what: str, margin: float = MARGIN) -> np.ndarray:
    """Images of which only a part is left; the rest is grey.

    Args:
        pixels: uint8 (images, size, size, 3).
        masks: bool (images, size, size), True in the lesion.
        what: one of `COVERS`.
        margin: how much of the skin around it belongs to the lesion, as a share of the width.

    Returns:
        uint8 (images, size, size, 3).

    Raises:
        LesionsError: the masks do not fit the pixels, or there is no such cover.
    """
    if what not in COVERS:
        raise LesionsError(f"Unknown cover {what!r}; there are {', '.join(COVERS)}.")
    if masks.shape != pixels.shape[:3] or masks.dtype != bool:
        raise LesionsError(
            f"Masks must be bool {pixels.shape[:3]}, as the pixels are; got {masks.dtype} "
            f"{masks.shape}."
        )
    return COVERS[what](pixels, masks, margin)


def share_seen(masks: np.ndarray, margin: float = MARGIN) -> pd.Series:
    """The share of each image's pixels that a cover leaves, the mean over the images."""
    lesion = grown(masks, margin).mean()
    return pd.Series({"only the lesion": lesion, "only the skin": 1 - lesion})


# ---------------------------------------------------------------- the experiment


def colours_learner(table: pd.DataFrame) -> Learner:
    """Logistic regression on colour histograms, of whatever is left of the images.

    Args:
        table: the images in the order of the pixels.
    """
    last: list = [None, None]  # the histograms of one cover serve all targets and seeds

    def learn(rows: pd.DataFrame, target: str, pixels: np.ndarray, seed: int) -> pd.DataFrame:
        if last[0] is not pixels:
            last[:] = pixels, histograms.histogram_table(pixels, table["image_id"])
        answers = baselines.predict(CHEAP, rows, table, target, last[1], seed)
        return answers[answers["split"] == "test"]

    return learn


def cover_up(
    table: pd.DataFrame,
    targets: Sequence[str],
    pixels: np.ndarray,
    masks: np.ndarray,
    learner: Learner,
    seeds: Sequence[int],
    groups: pd.Series | None = None,
    covers: Sequence[str] = tuple(COVERS),
    margin: float = MARGIN,
) -> pd.DataFrame:
    """Train and test one learner on the same images with different parts of them left.

    A seed has its own split; within a seed all covers share it, so they can be compared.

    Args:
        table: the images in the order of `pixels`: image_id, lesion_id and the targets' columns.
        targets: the columns to predict; images whose value is "unknown" are left out.
        pixels: uint8 (images, size, size, 3).
        masks: bool (images, size, size); images without a mask are left out.
        learner: such as `colours_learner`.
        groups: indexed by image_id: duplicates, which a split never parts.

    Returns:
        the test rows' predictions (image_id, lesion_id, split, truth, `p_<class>`; NaN for classes
        of other targets) with three more columns: target, cover and seed.
    """
    parts = {}
    for target in targets:
        usable = masks.any(axis=(1, 2)) & (table[target] != "unknown").to_numpy()
        for seed in seeds:
            images = table[usable].reset_index(drop=True)
            rows = splits.split_by_lesion(images, target, seed=seed, groups=groups)
            parts[target, seed] = rows
    found = []
    for what in track(covers, "covers"):
        seen = cover(np.asarray(pixels), masks, what, margin)
        for (target, seed), rows in parts.items():
            answers = learner(rows, target, seen, seed)
            found.append(answers.assign(target=target, cover=what, seed=seed))
    return pd.concat(found, ignore_index=True)


def of_target(answers: pd.DataFrame, target: str) -> pd.DataFrame:
    """The lines of one target, with the columns of its own classes alone."""
    part = answers[answers["target"] == target].dropna(axis=1, how="all")
    return part.fillna(0.0)


def score_covers(
    answers: pd.DataFrame, metrics: Sequence[str] = ("macro_auc",), n: int = 500
) -> pd.DataFrame:
    """The score of each cover, and what it lost against the whole image.

    AUCs need no decision rule, so covers with other class shares in their answers stay comparable.

    Args:
        answers: from `of_target`.
        metrics: names for `evaluation.bootstrap`.
        n: bootstrap samples.

    Returns:
        one row a cover, metric and seed: value, low, high (over test lesions), and lost,
        lost_low, lost_high: the whole image's score minus this one's, on the same resamples.
    """
    lines = []
    for seed, of_seed in answers.groupby("seed"):
        whole = of_seed[of_seed["cover"] == "whole image"]
        for what, part in of_seed.groupby("cover", sort=False):
            own = evaluation.bootstrap(part, metrics, n=n, seed=0)
            lost = evaluation.paired_difference(whole, part, metrics, n=n, seed=0)
            for metric in metrics:
                line = {"cover": what, "metric": metric, "seed": seed, "images": len(part)}
                line |= own.loc[metric].to_dict() | {"lost": lost.loc[metric, "difference"]}
                lines.append(line | {f"lost_{k}": lost.loc[metric, k] for k in ("low", "high")})
    return pd.DataFrame(lines)


def over_seeds(scores: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The mean over the seeds, with the outermost of their limits.

    So low and high cover the test lesions, the split and the seed.

    Args:
        scores: from `score_covers`, perhaps with more columns.
        by: the columns that name a line.
    """
    how: Mapping = {
        "value": ("value", "mean"), "low": ("low", "min"), "high": ("high", "max"),
        "lost": ("lost", "mean"), "lost_low": ("lost_low", "min"),
        "lost_high": ("lost_high", "max"), "seeds": ("seed", "nunique"),
    }  # fmt: skip
    return scores.groupby(list(by), sort=False).agg(**how).reset_index()
