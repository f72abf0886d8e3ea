"""The one way to a score: from saved predictions to numbers, with intervals."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.scores import scoring
from lesions.scores.scoring import Answers, classes_of

__all__ = [
    "absent_classes",
    "across_folds",
    "bootstrap",
    "classes_of",
    "confusion",
    "looked_at",
    "paired_difference",
    "per_class",
    "scores",
    "sensitivity_at_specificity",
]

Decision = str | Mapping[str, float]
MAIN = ("accuracy", "balanced_accuracy", "macro_f1", "macro_auc")
# Resamples scored at once: enough to be fast, few enough to need only some tens of MB.
BLOCK = 100


def _ones(answers: Answers) -> np.ndarray:
    """Weights of the images as they are, (1, images)."""
    return np.ones((1, len(answers.truth)))


def scores(predictions: pd.DataFrame, decision: Decision = "argmax") -> dict[str, float]:
    """All scores of a set of predictions.

    Args:
        predictions: image_id, lesion_id, split, truth, and `p_<class>` for each class.
        decision: how a class is chosen, see `scoring.read`. It has no effect on macro_auc,
            log_loss, brier and ece.

    Returns:
        n, accuracy, balanced_accuracy, macro_precision, macro_recall, macro_f1,
        weighted_precision, weighted_recall, weighted_f1, macro_auc (each class against the rest),
        log_loss, brier, ece, in this order. Macro averages leave out the classes that are absent
        from the truth; `absent_classes` names them. macro_auc is NaN if only one class is there.

    Raises:
        LesionsError: the predictions are not of this form.
    """
    answers = scoring.read(predictions, decision)
    values = scoring.compute(answers, scoring.SCORES, _ones(answers))
    return {"n": len(predictions)} | {name: float(value[0]) for name, value in values.items()}


def absent_classes(predictions: pd.DataFrame) -> list[str]:
    """The classes that have a column but no image: macro averages leave them out."""
    return [name for name in classes_of(predictions) if not (predictions["truth"] == name).any()]


def looked_at(predictions: pd.DataFrame, cls: str = "mel") -> str:
    """The class to look at closely: `cls`, or the rarest one where the classes are others."""
    classes = classes_of(predictions)
    counts = predictions["truth"].value_counts().reindex(classes, fill_value=0)
    present = counts[counts > 0]
    return cls if cls in classes or present.empty else str(present.idxmin())


def per_class(predictions: pd.DataFrame, decision: Decision = "argmax") -> pd.DataFrame:
    """Each class against the rest.

    Returns:
        one row a class: sensitivity, specificity, precision, auc, support (images of the class).
        Sensitivity and AUC of a class without images are NaN; precision of a class that was never
        chosen is 0.
    """
    answers = scoring.read(predictions, decision)
    kinds = ("sensitivity", "specificity", "precision", "auc")
    rows = {
        name: [scoring.class_score(f"{kind}:{name}", answers, _ones(answers))[0] for kind in kinds]
        for name in answers.classes
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(kinds)).rename_axis("class")
    return table.assign(support=np.bincount(answers.truth, minlength=len(rows)))


def confusion(predictions: pd.DataFrame, decision: Decision = "argmax") -> pd.DataFrame:
    """Counts of images; rows are the true classes, columns the predicted ones."""
    answers = scoring.read(predictions, decision)
    matrix = scoring.confusions(answers, _ones(answers))[0].astype(int)
    index = pd.Index(answers.classes, name="truth")
    return pd.DataFrame(matrix, index=index, columns=index.rename("predicted"))


def sensitivity_at_specificity(
    predictions: pd.DataFrame, cls: str = "mel", specificity: float = 0.95
) -> float:
    """The share of a class that is found when the threshold spares `specificity` of the rest.

    The best threshold is looked up on these very images, so it is a point of the ROC curve, not a
    rule for new images. NaN if there is no image of the class.

    Raises:
        LesionsError: there is no such class, or the specificity is not from 0 to 1.
    """
    answers = scoring.read(predictions)
    if cls not in answers.classes or not 0 <= specificity <= 1:
        raise LesionsError(
            f"sensitivity_at_specificity wants one of {', '.join(answers.classes)} and a "
            f"specificity from 0 to 1; got {cls} and {specificity}."
        )
    c = answers.classes.index(cls)
    found = scoring.sensitivity_at(answers.truth == c, answers.p[:, c], _ones(answers), specificity)
    return float(found[0])


# ---------------------------------------------------------------- uncertainty


def _resamples(predictions: pd.DataFrame, by: str, n: int, seed: int) -> Iterator[np.ndarray]:
    """Blocks of weights (resamples, images): how often each image's group was drawn.

    Groups are drawn with replacement, as many as there are; an image's copies and the other images
    of its lesion come along with it.
    """
    if by not in predictions:
        raise LesionsError(f"There is no column {by} in the predictions to resample by.")
    rng = np.random.default_rng(seed)
    group, names = pd.factorize(predictions[by])
    for start in range(0, n, BLOCK):
        drawn = rng.integers(len(names), size=(min(BLOCK, n - start), len(names)))
        counts = [np.bincount(row, minlength=len(names)) for row in drawn]
        yield np.stack(counts).astype(float)[:, group]


def _bootstrap_values(
    tables: Sequence[Answers], weights: Iterator[np.ndarray], metrics: Sequence[str]
) -> list[dict[str, np.ndarray]]:
    """Each metric's value in each resample, for each set of answers: the same resamples."""
    blocks = [[scoring.compute(answers, metrics, w) for answers in tables] for w in weights]
    none = np.empty(0)  # so that no resamples give no values
    return [
        {name: np.concatenate([none, *(block[i][name] for block in blocks)]) for name in metrics}
        for i in range(len(tables))
    ]


def _limits(values: np.ndarray, level: float) -> tuple[float, float]:
    """The middle `level` of the values; resamples in which the score is undefined are left out."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.nan, np.nan
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _names(metrics: str | Sequence[str]) -> list[str]:
    return [metrics] if isinstance(metrics, str) else list(metrics)


def bootstrap(
    predictions: pd.DataFrame,
    metrics: str | Sequence[str] = MAIN,
    by: str = "lesion_id",
    n: int = 1000,
    seed: int = 0,
    decision: Decision = "argmax",
    level: float = 0.95,
) -> pd.DataFrame:
    """Percentile intervals from resampling lesions (Efron and Tibshirani 1993, chapter 13).

    Images of one lesion are alike; resampling images as if they were independent would make the
    intervals too narrow. The interval covers the choice of test lesions, not that of the training
    images, nor the seed.

    Args:
        predictions: see `scores`.
        metrics: one name or several: any score of `scores`, or a score of one class such as
            "sensitivity:mel" or "sensitivity_at_95_specificity:mel" (see `scoring.OF_ONE_CLASS`).
        by: the column whose values are drawn.
        n: how many resamples.

    Returns:
        one row a metric: value, low, high.

    Raises:
        LesionsError: a metric is unknown, or the predictions are not of this form.
    """
    names = _names(metrics)
    answers = scoring.read(predictions, decision)
    point = scoring.compute(answers, names, _ones(answers))
    (values,) = _bootstrap_values([answers], _resamples(predictions, by, n, seed), names)
    rows = {name: (float(point[name][0]), *_limits(values[name], level)) for name in names}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])
    return table.rename_axis("metric")


def paired_difference(
    a: pd.DataFrame,
    b: pd.DataFrame,
    metrics: str | Sequence[str] = MAIN,
    by: str = "lesion_id",
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Two models on the same test images: how much better `a` is than `b`, and how surely.

    Both are scored on the same resamples, so what makes a resample hard for both cancels out. An
    interval without 0 means that other test lesions would hardly turn the order round.

    Returns:
        one row a metric: a, b, difference (a - b), low, high, and a_larger, the share of resamples
        in which a's score is the larger (half of those in which both are the same).

    Raises:
        LesionsError: the two do not have the same images with the same truths.
    """
    names = _names(metrics)
    a = a.sort_values("image_id", kind="stable", ignore_index=True)
    b = b.sort_values("image_id", kind="stable", ignore_index=True)
    keys = ["image_id", "truth"]
    if len(a) != len(b) or (a[keys].to_numpy() != b[keys].to_numpy()).any():
        raise LesionsError(
            f"A paired comparison needs the same images with the same truths: one has {len(a)} "
            f"rows, the other {len(b)}, and {len(set(a['image_id']) ^ set(b['image_id']))} images "
            "stand in only one of them."
        )
    both = [scoring.read(a), scoring.read(b)]
    points = [scoring.compute(answers, names, _ones(answers)) for answers in both]
    of_a, of_b = _bootstrap_values(both, _resamples(a, by, n, seed), names)
    rows = {}
    for name in names:
        first, second = float(points[0][name][0]), float(points[1][name][0])
        gaps = of_a[name] - of_b[name]
        larger = np.mean(gaps > 0) + np.mean(gaps == 0) / 2
        rows[name] = (first, second, first - second, *_limits(gaps, level), float(larger))
    columns = ["a", "b", "difference", "low", "high", "a_larger"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("metric")


def across_folds(
    folds: Sequence[pd.DataFrame], metrics: str | Sequence[str] = MAIN
) -> pd.DataFrame:
    """Scores of a cross-validation: one model a fold, each scored on its own test fold.

    The spread shows how much the choice of training and test lesions matters; divided by the root
    of the number of folds it is no standard error, because the training parts overlap.

    Args:
        folds: the predictions of each fold's model; of these the test rows are used.

    Returns:
        one row a metric: mean, sd, then a column for each fold, fold_0 and so on.
    """
    names = _names(metrics)
    columns = {}
    for number, predictions in enumerate(folds):
        answers = scoring.read(predictions[predictions["split"] == "test"])
        values = scoring.compute(answers, names, _ones(answers))
        columns[f"fold_{number}"] = [float(values[name][0]) for name in names]
    table = pd.DataFrame(columns, index=pd.Index(names, name="metric"))
    table.insert(0, "mean", table[list(columns)].mean(axis=1))
    table.insert(1, "sd", table[list(columns)].std(axis=1))
    return table
