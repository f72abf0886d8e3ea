"""What is chosen on the validation part before a network may answer: calibration and decision."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lesions.scores import calibration, evaluation

SMALLEST = 1e-7  # a probability below has no digits in float32
AS_LEARNT, NATURAL = "as learnt", "natural"


@dataclass(frozen=True)
class Calibration:
    """p becomes proportional to (p * weight) ** (1 / temperature)."""

    temperature: float
    prior: str  # AS_LEARNT, or NATURAL: turned to the shares before resampling
    weights: dict[str, float]  # of each class
    log_loss_before: float  # on the validation part
    log_loss_after: float

    def apply(self, predictions: pd.DataFrame) -> pd.DataFrame:
        """Predictions with their probabilities calibrated."""
        turned = calibration.with_decision(_clipped(predictions), self.weights)
        return calibration.calibrate(turned, self.temperature)


def _clipped(predictions: pd.DataFrame) -> pd.DataFrame:
    names = [f"p_{name}" for name in evaluation.classes_of(predictions)]
    p = np.maximum(predictions[names].to_numpy(float), SMALLEST)
    p /= p.sum(axis=1, keepdims=True)
    return predictions.assign(**{name: p[:, n] for n, name in enumerate(names)})


def choose(
    validation: pd.DataFrame, learnt: Mapping[str, float], natural: Mapping[str, float]
) -> Calibration:
    """The temperature, and the class shares, with the smallest log loss on the validation part.

    A network trained on resampled classes says what would be true if all were equally frequent. So
    both are tried: its probabilities as they are, and turned to nature's shares by Bayes' rule.

    Args:
        validation: predictions without test images.
        learnt, natural: shares of the classes in training, with and without repeated images, as
            `rules.shares` gives them.

    Raises:
        LesionsError: there are test images among the predictions.
    """
    classes = evaluation.classes_of(validation)
    before = evaluation.scores(validation)["log_loss"]
    tried = {AS_LEARNT: pd.Series(1.0, index=classes)}
    turned = calibration.prior_weights(learnt, natural).reindex(classes)
    if not np.allclose(turned, turned.iloc[0]):
        tried[NATURAL] = turned
    found = []
    for prior, weights in tried.items():
        given = calibration.with_decision(_clipped(validation), weights)
        heat = calibration.temperature(given)
        after = evaluation.scores(calibration.calibrate(given, heat))["log_loss"]
        found.append(Calibration(heat, prior, weights.to_dict(), before, after))
    return min(found, key=lambda one: one.log_loss_after)


def most_sure(
    answers: pd.DataFrame, accuracy: float = 0.9, decision: Mapping[str, float] | None = None
) -> float:
    """The least confidence with which answers are right in this share of cases; validation only.

    Args:
        answers: calibrated predictions of the validation part.
        accuracy: what is wanted of those that are given.
        decision: weights of the classes; None: the most probable class is the answer.

    Returns:
        a probability of the most probable class; above 1 where not even the surest ones do.
    """
    calibration.only_validation(answers, "When to be silent")
    confidence, right = confident(answers, decision)
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    ends = np.append(np.diff(confidence[order]) < 0, True)  # of those that are equally sure
    good = np.flatnonzero((share >= accuracy) & ends)
    return float(confidence[order][good[-1]]) if len(good) else 1.01


def confident(
    answers: pd.DataFrame, decision: Mapping[str, float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """How sure each answer is, the largest probability, and whether it is right."""
    classes = evaluation.classes_of(answers)
    p = answers[[f"p_{name}" for name in classes]].to_numpy(float)
    weights = np.array([1.0 if decision is None else decision[name] for name in classes])
    chosen = np.array(classes, dtype=object)[(p * weights).argmax(axis=1)]
    return p.max(axis=1), chosen == answers["truth"].to_numpy()
