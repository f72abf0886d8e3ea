"""The mean of a number an image has, with an interval over lesions."""

import numpy as np
import pandas as pd


def mean_interval(
    values: np.ndarray, lesions: np.ndarray, n: int = 1000, seed: int = 0, level: float = 0.95
) -> tuple[float, float, float]:
    """The mean over images, and its interval when lesions are drawn again: value, low, high."""
    values = np.asarray(values, float)
    known = ~np.isnan(values)
    group, names = pd.factorize(np.asarray(lesions)[known])
    if not len(names):
        return np.nan, np.nan, np.nan
    total = np.bincount(group, values[known])
    count = np.bincount(group)
    drawn = np.random.default_rng(seed).integers(len(names), size=(n, len(names)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(values[known].mean()), float(low), float(high)
