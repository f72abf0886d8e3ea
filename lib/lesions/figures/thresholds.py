"""What moves when a threshold moves: of a hash that calls two images one, of a probability."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure


def hash_threshold(marks: list[dict[str, Any]], method: str, bits: int | None = None) -> Figure:
    """Precision and recall of a hash at each threshold.

    Args:
        marks: of `dedup.score_pairs`, for 0, 1, 2 ... bits.
        method: the hash's name.
        bits: the threshold to mark, with its counts as the title; None: no mark.
    """
    figure, axis = plt.subplots(figsize=(6.5, 3.4))
    for name, style in (("precision", "o-"), ("recall", "s--")):
        axis.plot([100 * mark[name] for mark in marks], style, ms=4, label=name)
    axis.set(xlabel=f"threshold of {method} (bits of 64)", ylabel="%", ylim=(0, 103))
    if bits is not None:
        axis.axvline(bits, color="black", lw=1)
        mark = marks[bits]
        axis.set_title(f"{bits} bits: {mark['found']:,} pairs found, {mark['right']:,} of them "
                       f"of one lesion; {mark['true']:,} there are", fontsize=9)  # fmt: skip
    axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    figure.tight_layout()
    return figure


def decision(
    truth: np.ndarray, score: np.ndarray, cls: str, threshold: float | None = None
) -> Figure:
    """Sensitivity and specificity for one class at each threshold of its probability.

    Args:
        truth: bool (n,), True for the class.
        score: float (n,), its probabilities.
        cls: the class's name.
        threshold: the one to mark, with its counts as the title; None: no mark.
    """
    steps = np.linspace(0, 1, 101)
    called = score[None, :] >= steps[:, None]
    figure, axis = plt.subplots(figsize=(6.5, 3.4))
    # A part without one of the two kinds has no line for it.
    for name, share, style in (
        ("sensitivity", called[:, truth], "-"),
        ("specificity", ~called[:, ~truth], "--"),
    ):
        if share.shape[1]:
            axis.plot(steps, 100 * share.mean(axis=1), style, label=name)
    axis.set(xlabel=f"called {cls} from this probability on", ylabel="%", ylim=(-2, 103))
    if threshold is not None:
        axis.axvline(threshold, color="black", lw=1)
        now = score >= threshold
        axis.set_title(f"{(now & truth).sum()} of {truth.sum()} {cls} found; "
                       f"false alarms: {(now & ~truth).sum()} of {(~truth).sum()} others",
                       fontsize=9)  # fmt: skip
    axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    figure.tight_layout()
    return figure
