"""Image and metadata together: a weighted product of two models' answers (late fusion).

A network answers from the image, a baseline from age, sex, place and colours. How much weight each
answer gets must not be learnt on training images, which the two know by heart and are too sure of,
and not on test images; so it is learnt on the validation part.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.metrics import log_loss

from lesions.baselines import baseline_runs
from lesions.core import cache
from lesions.core.errors import LesionsError
from lesions.settings.parameters import Settings
from lesions.training import records, run_records

# What the network is joined with; from `baselines.BASELINES`.
OTHER = "both_boosting"
FLOOR = 1e-4  # a probability of 0 has no logarithm


def pooled(weights: np.ndarray, answers: list[np.ndarray]) -> np.ndarray:
    """Each answer raised to its weight, multiplied, and scaled to sum to 1 again.

    This is the logarithmic opinion pool (Genest and Zidek 1986, Statistical Science 1, 114-135).
    A model that is sure tells more than one that is not, and both have a veto.

    Args:
        weights: one number of 0 or more for each answer.
        answers: float64 (images, classes) each, probabilities.

    Returns:
        float64 (images, classes), probabilities.
    """
    logs = [np.log(np.clip(p, FLOOR, None)) for p in answers]
    return softmax(sum(w * log for w, log in zip(weights, logs, strict=True)), axis=1)


def fuse(image: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Join two models' predictions of the same images, weighted as suits the validation part.

    There are two weights, not some for every class: rare classes have too few validation images
    to learn more from.

    Args:
        image, other: image_id, lesion_id, split, truth and `p_<class>`: validation and test rows.

    Returns:
        the same columns, the rows of `image`; and the two weights.

    Raises:
        LesionsError: the two are not about the same images.
    """
    joined = image[["image_id", "split"]].merge(other, on=["image_id", "split"], how="left")
    if joined["truth"].isna().any() or (joined["truth"] != image["truth"].to_numpy()).any():
        raise LesionsError(
            "The two models to join were not asked about the same images: run 05 again, so that "
            "both have the split rows of today."
        )
    names = [name for name in image if name.startswith("p_")]
    labels = [name.removeprefix("p_") for name in names]
    answers = [table[names].to_numpy(float) for table in (image, joined)]
    known = (image["split"] == "validation").to_numpy()
    truth = image["truth"].astype(str).to_numpy()[known]

    def loss(weights: np.ndarray) -> float:
        return log_loss(truth, pooled(weights, [p[known] for p in answers]), labels=labels)

    weights = minimize(loss, [0.5, 0.5], bounds=[(0, None)] * 2).x
    result = image[["image_id", "lesion_id", "split", "truth"]].reset_index(drop=True)
    result[names] = pooled(weights, answers)
    return result, weights


def fuse_run(network: Path, target: str, settings: Settings) -> Path:
    """Join a run of the `honest` protocol with the baseline of its target, and keep the record.

    Args:
        network: the run's record.
        target: what it predicts.
        settings: all parameters.

    Returns:
        the record's folder: params.json, metrics.json and predictions.parquet.
    """
    started = time.monotonic()
    image = run_records.predictions_of(network, split=None)
    parts = []
    for split in ("validation", "test"):
        found = baseline_runs.baselines_of(settings.folder, settings.SEED, split)
        parts.append(found["honest", target, OTHER])
    joined, shares = fuse(image, pd.concat(parts, ignore_index=True))
    names = [name.removeprefix("p_") for name in joined if name.startswith("p_")]
    about = run_records.About(
        model="fusion",
        target=target,
        protocol="honest",
        init="scratch",
        classes=names,
        weights=len(shares),
        shares=[round(float(share), 4) for share in shares],
        train_rows=int((joined["split"] == "validation").sum()),
        epochs=0,
        seconds=round(time.monotonic() - started, 1),
        settings=records.said_settings(settings),
    )
    folder = run_records.folder_of(settings.folder, "honest", target, "fusion", settings.SEED)
    return run_records.write(folder, cache.key(joined, code=[fuse_run]), about, joined)
