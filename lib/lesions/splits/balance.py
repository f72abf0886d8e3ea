"""Classes of unequal size: repeat or drop images, or weight the loss."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from sklearn.utils.class_weight import compute_class_weight


def resample(rows: pd.DataFrame, method: str, seed: int) -> pd.DataFrame:
    """Make all classes of `rows["label"]` equally large.

    Args:
        rows: one row an image, with a column `label`.
        method: "over" repeats images of small classes (RandomOverSampler), "under" drops images
            of large ones (RandomUnderSampler), "none" changes nothing.
        seed: fixes which images.

    Returns:
        the rows chosen, numbered anew. With "over" an image may stand in several rows.
    """
    if method == "none":
        return rows.reset_index(drop=True)
    sampler = {"over": RandomOverSampler, "under": RandomUnderSampler}[method]
    numbers = np.arange(len(rows)).reshape(-1, 1)
    chosen, _ = sampler(random_state=seed).fit_resample(numbers, rows["label"])
    return rows.iloc[chosen.ravel()].reset_index(drop=True)


def class_weights(labels: Sequence[str], classes: Sequence[str]) -> dict[int, float]:
    """Weights that give every class the same total: n / (number of classes x n of the class)."""
    present = sorted(set(labels))
    weights = compute_class_weight("balanced", classes=np.array(present), y=list(labels))
    by_label = dict(zip(present, weights, strict=True))
    return {code: float(by_label.get(label, 0.0)) for code, label in enumerate(classes)}
