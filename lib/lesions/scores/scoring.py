"""The arithmetic of scores, for many weightings of the same images at once.

A bootstrap scores a thousand resamples of one test part. A resample is a weight for each image:
how often it was drawn. So every function here takes weights, float64 (resamples, images), and
returns one value a resample; a single score is the case of one row of ones. scikit-learn scores one
weighting at a time; the tests hold every formula against it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError, shorten

# In the order in which `evaluation.scores` gives them.
FROM_LABELS = (
    "accuracy",
    "balanced_accuracy",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "weighted_precision",
    "weighted_recall",
    "weighted_f1",
)
FROM_PROBABILITIES = ("macro_auc", "log_loss", "brier", "ece")
SCORES = FROM_LABELS + FROM_PROBABILITIES
# Asked for as "sensitivity:mel".
OF_ONE_CLASS = ("sensitivity", "specificity", "precision", "auc", "sensitivity_at_95_specificity")
ECE_BINS = 15


@dataclass(frozen=True)
class Answers:
    """Predictions as arrays."""

    classes: list[str]
    truth: np.ndarray  # int64 (images,), positions in `classes`
    chosen: np.ndarray  # int64 (images,), the class decided for
    p: np.ndarray  # float64 (images, classes)


def classes_of(predictions: pd.DataFrame) -> list[str]:
    """The classes that predictions have a `p_<class>` column for, in the columns' order."""
    return [name[2:] for name in predictions.columns if name.startswith("p_")]


def read(predictions: pd.DataFrame, decision: str | Mapping[str, float] = "argmax") -> Answers:
    """Check predictions and turn them into arrays.

    Args:
        predictions: image_id, lesion_id, split, truth, and a column `p_<class>` for each class.
        decision: "argmax", or a weight for each class: then the class with the largest
            probability times weight is chosen. Equal ones: the first class.

    Raises:
        LesionsError: no rows, fewer than two classes, a truth without a column, or rows that are
            not probabilities.
    """
    classes = classes_of(predictions)
    if "truth" not in predictions or len(classes) < 2:
        raise LesionsError(
            "Predictions need a column truth and at least two columns p_<class>; these have "
            f"{', '.join(map(str, predictions.columns)) or 'no columns'}."
        )
    if predictions.empty:
        raise LesionsError("These predictions have no rows: choose a split that has images.")
    truth = pd.Index(classes).get_indexer(predictions["truth"])
    if (truth < 0).any():
        unknown = predictions.loc[truth < 0, "truth"].astype(str).unique().tolist()
        raise LesionsError(
            f"The truth holds {shorten(unknown)}, but there is no column p_{unknown[0]}: "
            "were the predictions made for another target?"
        )
    p = predictions[[f"p_{name}" for name in classes]].to_numpy(np.float64)
    # Written so that NaN is bad too.
    good = (p >= 0).all(axis=1) & (np.abs(p.sum(axis=1) - 1) < 1e-3)
    if not good.all():
        row = int(np.argmin(good))
        raise LesionsError(
            f"Row {row} of the predictions has the probabilities {p[row].round(4).tolist()}, which "
            "do not sum to 1: give probabilities, not scores or labels."
        )
    chosen = (p * decision_weights(decision, classes)).argmax(axis=1)
    return Answers(classes, truth, chosen, p)


def decision_weights(decision: str | Mapping[str, float], classes: Sequence[str]) -> np.ndarray:
    """A decision rule as one weight a class, float64 (classes,); "argmax" weighs all alike."""
    if isinstance(decision, str):
        if decision != "argmax":
            raise LesionsError(f'A decision is "argmax" or a weight a class; got "{decision}".')
        return np.ones(len(classes))
    weights = np.array([decision.get(name, np.nan) for name in classes], np.float64)
    if not (np.isfinite(weights) & (weights > 0)).all():
        raise LesionsError(
            f"A decision needs a weight above 0 for each of {', '.join(classes)}; "
            f"got {dict(decision)}."
        )
    return weights


def divide(above: np.ndarray, below: np.ndarray, empty: float = np.nan) -> np.ndarray:
    """`above / below`, and `empty` where `below` is 0."""
    above, below = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    return np.divide(above, below, out=np.full(above.shape, float(empty)), where=below != 0)


def mean_of_known(values: np.ndarray) -> np.ndarray:
    """The mean along the last axis of what is not NaN; NaN where nothing is known."""
    known = ~np.isnan(values)
    return divide(np.where(known, values, 0).sum(axis=-1), known.sum(axis=-1))


# ---------------------------------------------------------------- from the classes chosen


def confusions(answers: Answers, weights: np.ndarray) -> np.ndarray:
    """Weighted confusion matrices, float64 (resamples, true class, chosen class)."""
    k = len(answers.classes)
    cells = np.zeros((len(answers.truth), k * k))
    cells[np.arange(len(cells)), answers.truth * k + answers.chosen] = 1
    return (weights @ cells).reshape(-1, k, k)


def label_scores(matrices: np.ndarray) -> dict[str, np.ndarray]:
    """The scores in `FROM_LABELS` of confusion matrices (..., true class, chosen class).

    Averages run over the classes that occur in the truth, so macro recall is balanced accuracy.
    A precision or F1 whose denominator is 0 counts as 0 (scikit-learn's `zero_division=0`).
    """
    hits = np.einsum("...ii->...i", matrices)
    support = matrices.sum(axis=-1)
    answered = matrices.sum(axis=-2)
    total = support.sum(axis=-1)
    of_class = {
        "precision": divide(hits, answered, empty=0),
        "recall": divide(hits, support, empty=0),
        "f1": divide(2 * hits, support + answered, empty=0),
    }
    result = {"accuracy": divide(hits.sum(axis=-1), total)}
    for kind, shares in (("macro", (support > 0).astype(float)), ("weighted", support)):
        for name, values in of_class.items():
            result[f"{kind}_{name}"] = divide((values * shares).sum(axis=-1), shares.sum(axis=-1))
    result["balanced_accuracy"] = result["macro_recall"]
    return {name: result[name] for name in FROM_LABELS}


# ---------------------------------------------------------------- from the probabilities


def roc(
    positive: np.ndarray, score: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """True and false positives at every threshold, from the strictest (none) to the laxest (all).

    Args:
        positive: bool (images,).
        score: float64 (images,), larger means more likely positive.
        weights: float64 (resamples, images).

    Returns:
        two arrays, float64 (resamples, thresholds + 1): weighted counts, beginning with 0.
    """
    order = np.argsort(-score, kind="stable")
    # Images with the same score pass a threshold together, so only the last of them is a point.
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    weights = weights[:, order]
    counts = []
    for part in (positive[order], ~positive[order]):
        running = np.cumsum(weights * part, axis=1)[:, ends]
        counts.append(np.hstack([np.zeros((len(weights), 1)), running]))
    return counts[0], counts[1]


def auc(positive: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve, (resamples,); NaN without positives or without negatives."""
    hits, alarms = roc(positive, score, weights)
    area = (np.diff(alarms, axis=1) * (hits[:, 1:] + hits[:, :-1]) / 2).sum(axis=1)
    return divide(area, hits[:, -1] * alarms[:, -1])


def sensitivity_at(
    positive: np.ndarray, score: np.ndarray, weights: np.ndarray, specificity: float
) -> np.ndarray:
    """The largest sensitivity of any threshold with at least this specificity, (resamples,)."""
    hits, alarms = roc(positive, score, weights)
    # A hair of room, because 1 - 0.95 is not 0.05 in floating point.
    allowed = alarms <= (1 - specificity) * alarms[:, -1:] + 1e-9
    return divide(np.where(allowed, hits, 0).max(axis=1), hits[:, -1])


def macro_auc(answers: Answers, weights: np.ndarray) -> np.ndarray:
    """Mean over the classes in the truth of the AUC of each class against the rest.

    With two classes both AUCs are the same, so only the second is computed.
    """
    k = len(answers.classes)
    values = [
        auc(answers.truth == c, answers.p[:, c], weights) for c in ([1] if k == 2 else range(k))
    ]
    return mean_of_known(np.stack(values, axis=-1))


def confidence_bins(answers: Answers, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each image's highest probability, whether that class is true, and the bin it falls in.

    The bins have equal widths and hold their upper edge (Guo et al. 2017, section 2).
    """
    confidence = answers.p.max(axis=1)
    right = answers.p.argmax(axis=1) == answers.truth
    return confidence, right, np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)


def probability_score(name: str, answers: Answers, weights: np.ndarray) -> np.ndarray:
    """One of the scores in `FROM_PROBABILITIES`, (resamples,).

    log_loss: mean of -ln p(true class), with p at least 2.2e-16.
    brier: mean squared distance of p to the truth, summed over the classes: 0 to 2 (Brier 1950).
    ece: expected calibration error in `ECE_BINS` bins (Guo et al. 2017, equation 3).
    """
    if name == "macro_auc":
        return macro_auc(answers, weights)
    total = weights.sum(axis=1)
    if name == "log_loss":
        of_truth = answers.p[np.arange(len(answers.truth)), answers.truth]
        return weights @ -np.log(np.clip(of_truth, np.finfo(float).eps, 1)) / total
    if name == "brier":
        return (
            weights
            @ ((answers.p - np.eye(len(answers.classes))[answers.truth]) ** 2).sum(axis=1)
            / total
        )
    confidence, right, place = confidence_bins(answers, ECE_BINS)
    gaps = np.zeros((len(place), ECE_BINS))
    gaps[np.arange(len(place)), place] = confidence - right
    return np.abs(weights @ gaps).sum(axis=1) / total


# ---------------------------------------------------------------- any score by its name


def class_score(name: str, answers: Answers, weights: np.ndarray) -> np.ndarray:
    """A score of one class against the rest, named such as "sensitivity:mel", (resamples,)."""
    kind, _, of = name.partition(":")
    if kind not in OF_ONE_CLASS or of not in answers.classes:
        raise LesionsError(
            f"Unknown metric {name}: use one of {', '.join(SCORES)}; or one of "
            f"{', '.join(OF_ONE_CLASS)} with a class, such as {OF_ONE_CLASS[0]}:"
            f"{answers.classes[0]}."
        )
    c = answers.classes.index(of)
    positive = answers.truth == c
    if kind == "auc":
        return auc(positive, answers.p[:, c], weights)
    if kind == "sensitivity_at_95_specificity":
        return sensitivity_at(positive, answers.p[:, c], weights, 0.95)
    matrices = confusions(answers, weights)
    hits, support = matrices[:, c, c], matrices[:, c, :].sum(axis=1)
    answered, total = matrices[:, :, c].sum(axis=1), matrices.sum(axis=(1, 2))
    if kind == "sensitivity":
        return divide(hits, support)
    if kind == "precision":
        return divide(hits, answered, empty=0)
    return divide(total - support - answered + hits, total - support)


def compute(answers: Answers, metrics: Sequence[str], weights: np.ndarray) -> dict[str, np.ndarray]:
    """Scores by name, each float64 (resamples,).

    Raises:
        LesionsError: a name is neither in `SCORES` nor one of `OF_ONE_CLASS` with a known class.
    """
    result = {}
    if any(name in FROM_LABELS for name in metrics):
        result = label_scores(confusions(answers, weights))
    for name in metrics:
        if name in FROM_PROBABILITIES:
            result[name] = probability_score(name, answers, weights)
        elif name not in FROM_LABELS:
            result[name] = class_score(name, answers, weights)
    return {name: result[name] for name in metrics}
