"""From probabilities to decisions: choose on the validation part, then apply to the test part."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from lesions.core.errors import LesionsError
from lesions.scores import scoring

# What `choose_decision` tries: powers of the inverse class shares, factors of one class's weight.
POWERS = np.linspace(0, 1.5, 16)
FACTORS = np.geomspace(0.25, 4, 17)


def only_validation(predictions: pd.DataFrame, what: str) -> None:
    """Refuse to choose anything on test images: the test score would no longer be honest."""
    if "split" in predictions and (predictions["split"] == "test").any():
        raise LesionsError(
            f"{what} is chosen on the validation part, but these predictions hold test images: "
            'give predictions[predictions["split"] == "validation"].'
        )


# ---------------------------------------------------------------- decisions


def prior_weights(train: Mapping[str, float], target: Mapping[str, float]) -> pd.Series:
    """Weights that turn probabilities learnt with some class shares into those for other shares.

    By Bayes' rule, p_target(c | x) is proportional to p_train(c | x) * target[c] / train[c]
    (Saerens, Latinne and Decaestecker 2002, equation 4). With `target` equal for all classes, the
    most probable class is the one that maximises balanced accuracy.

    Args:
        train: the share of each class that the model learnt with (after resampling).
        target: the share of each class where it is used.
    """
    train, target = pd.Series(train, dtype=float), pd.Series(target, dtype=float)
    if set(train.index) != set(target.index) or not (train > 0).all() or not (target > 0).all():
        raise LesionsError(
            "Both shares need the same classes, each with a share above 0; got "
            f"{train.to_dict()} and {target.to_dict()}."
        )
    weights = (target / train).reindex(train.index)
    return weights / weights.max()


def with_decision(predictions: pd.DataFrame, weights: Mapping[str, float]) -> pd.DataFrame:
    """Predictions with each class's probability times its weight, made to sum to 1 again.

    Their largest probability is then the decision. For two classes, a threshold t on the
    probability of class b is the weights {a: t, b: 1 - t}. Weights from `choose_decision` serve
    the decision only: the new numbers are no calibrated probabilities.

    Raises:
        LesionsError: a class has no weight above 0.
    """
    answers = scoring.read(predictions)
    p = answers.p * scoring.decision_weights(weights, answers.classes)
    p /= p.sum(axis=1, keepdims=True)
    return predictions.assign(**{f"p_{c}": p[:, i] for i, c in enumerate(answers.classes)})


def choose_decision(
    validation: pd.DataFrame, metric: str = "balanced_accuracy", each_class: bool = False
) -> pd.Series:
    """The class weights that make a score of the validation part largest.

    One number is chosen: the power of the inverse class shares that serve as weights, 0 (argmax) to
    1.5 (beyond treating all classes as equally frequent).

    Args:
        validation: predictions without test images.
        metric: a score in `scoring.FROM_LABELS`.
        each_class: after that, change the weight of one class after another, twice round. On
            HAM10000 this gains on the validation part and loses on the test part: one number
            for each class is too much for a few images a class.

    Returns:
        weights by class, the largest 1, for `evaluation.scores(test, decision)` or
        `with_decision(test, weights)`.

    Raises:
        LesionsError: there are test images among them, or the metric needs no decision.
    """
    only_validation(validation, "A decision rule")
    if metric not in scoring.FROM_LABELS:
        raise LesionsError(
            f"{metric} does not depend on the decision: choose for one of "
            f"{', '.join(scoring.FROM_LABELS)}."
        )
    answers = scoring.read(validation)
    k = len(answers.classes)

    def score(weights: np.ndarray) -> float:
        chosen = (answers.p * weights).argmax(axis=1)
        matrix = np.bincount(answers.truth * k + chosen, minlength=k * k).reshape(k, k)
        return float(scoring.label_scores(matrix)[metric])

    counts = np.maximum(np.bincount(answers.truth, minlength=k), 1.0)
    # max takes the first of equal ones, so the smallest change.
    best = max([counts**-power for power in POWERS], key=score)
    for c in [*range(k)] * 2 if each_class else []:
        candidates = [np.where(np.arange(k) == c, best * factor, best) for factor in FACTORS]
        best = max([best, *candidates], key=score)
    return pd.Series(best / best.max(), index=pd.Index(answers.classes, name="class"))


# ---------------------------------------------------------------- calibration


def calibrate(predictions: pd.DataFrame, temperature: float) -> pd.DataFrame:
    """Soften (temperature above 1) or sharpen (below 1) all probabilities alike.

    p_c becomes proportional to p_c ** (1 / T), which is the softmax of the logits over T (Guo et
    al. 2017, equation 9). The order of the classes within an image, and so the accuracy, stays.
    """
    if not temperature > 0:
        raise LesionsError(f"A temperature is above 0; got {temperature}.")
    answers = scoring.read(predictions)
    logits = np.log(np.clip(answers.p, np.finfo(float).eps, None)) / temperature
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return predictions.assign(**{f"p_{c}": p[:, i] for i, c in enumerate(answers.classes)})


def temperature(validation: pd.DataFrame) -> float:
    """The temperature from 0.05 to 20 with the smallest log loss on the validation part.

    Raises:
        LesionsError: there are test images among the predictions.
    """
    only_validation(validation, "A temperature")
    ones = np.ones((1, len(validation)))

    def loss(log_temperature: float) -> float:
        answers = scoring.read(calibrate(validation, np.exp(log_temperature)))
        return float(scoring.probability_score("log_loss", answers, ones)[0])

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def reliability(predictions: pd.DataFrame, bins: int = scoring.ECE_BINS) -> pd.DataFrame:
    """Is the model right as often as it says? The table behind a reliability diagram.

    Images are put in bins of equal width by their highest probability.

    Returns:
        one row a bin that has images: low, high (its edges), images, confidence (mean highest
        probability), accuracy, gap (confidence - accuracy). The mean of |gap|, weighted by
        images, is the expected calibration error.
    """
    confidence, right, place = scoring.confidence_bins(scoring.read(predictions), bins)
    each = pd.DataFrame({"bin": place, "confidence": confidence, "accuracy": right})
    table = each.groupby("bin").agg(
        images=("bin", "size"), confidence=("confidence", "mean"), accuracy=("accuracy", "mean")
    )
    table.insert(0, "low", table.index / bins)
    table.insert(1, "high", (table.index + 1) / bins)
    return table.assign(gap=table["confidence"] - table["accuracy"]).reset_index(drop=True)
