"""The cover-up as a study: its scores for several learners, what is kept of it, and in words."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lesions.core.numbers import shown
from lesions.explain import covering, short_networks
from lesions.explain.study import KEPT, kept

# A learner, the targets and the covers that it is asked for.
Asked = tuple[covering.Learner, Sequence[str], Sequence[str]]


def cover_scores(answers: pd.DataFrame, n: int = 500) -> pd.DataFrame:
    """Scores of a cover-up, with intervals.

    Args:
        answers: from `covering.cover_up`.

    Returns:
        one row a target, cover, metric and seed, as `covering.score_covers`. For dx there is also
        the AUC of melanoma.
    """
    parts = []
    for target in dict.fromkeys(answers["target"]):
        part = covering.of_target(answers, target)
        metrics = ["macro_auc", *(["auc:mel"] if target == "dx" and "p_mel" in part else [])]
        parts.append(covering.score_covers(part, metrics, n).assign(target=target))
    return pd.concat(parts, ignore_index=True)


def _macro(scores: pd.DataFrame) -> pd.DataFrame:
    """The macro AUC of each learner, target and cover, over the seeds."""
    chosen = scores[scores["metric"] == "macro_auc"]
    return covering.over_seeds(chosen, ["learner", "target", "cover"])


def of_learners(
    asked: Mapping[str, Asked],
    table: pd.DataFrame,
    pixels: np.ndarray,
    masks: np.ndarray,
    seeds: Sequence[int],
    groups: pd.Series,
    n: int = 500,
) -> pd.DataFrame:
    """Cover up for several learners.

    Args:
        asked: by the learner's name.
        table, pixels, masks, seeds, groups: as `covering.cover_up` takes them.
        n: bootstrap samples.

    Returns:
        macro AUC over the seeds: learner, target, cover, value, low, high, lost, lost_low,
        lost_high, seeds.
    """
    parts = []
    for name, (learner, targets, covers) in asked.items():
        answers = covering.cover_up(table, targets, pixels, masks, learner, seeds, groups, covers)
        parts.append(cover_scores(answers, n).assign(learner=name))
    return _macro(pd.concat(parts))


def kept_covers() -> pd.DataFrame:
    """The cover-up of the real images as it is kept, of each learner that it was run for."""
    parts = []
    for learner, name in (("colours", "cover_up"), (short_networks.NAME, "cover_up_network")):
        if (KEPT / f"{name}.csv").exists():
            parts.append(kept(name).assign(learner=learner))
    return _macro(pd.concat(parts))


def without_the_lesion(scores: pd.DataFrame) -> str:
    """In words: what each learner loses when only the skin is left.

    Args:
        scores: from `kept_covers` or `of_learners`.
    """
    said = []
    for learner, part in scores[scores["cover"] == "only the skin"].groupby("learner", sort=False):
        words = [
            f"{line.target} {shown(line.lost)} of {shown(line.value + line.lost)}"
            + (" (its range holds 0)" if line.lost_low <= 0 <= line.lost_high else "")
            for line in part.itertuples()
        ]
        seeds = int(part["seeds"].min())
        of = f"{seeds} seed{'s' if seeds > 1 else ''}"
        said.append(f"{learner}, lost without the lesion ({of}): {'; '.join(words)}.")
    return "\n".join(said)
