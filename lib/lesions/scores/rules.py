"""Two decision rules for every model, so that a comparison does not compare the rules.

A network that is trained on resampled classes believes that all are equally frequent; a baseline
that is fitted on natural ones believes in nature's shares. The most probable class then serves
balanced accuracy with the one and accuracy with the other, however much either knows. By Bayes'
rule each can be asked under both beliefs (`calibration.prior_weights`), without training again.
"""

from collections.abc import Mapping

import pandas as pd

from lesions.scores import calibration, evaluation

SCORES = ("macro_auc", "log_loss", "accuracy", "balanced_accuracy")


def shares(rows: pd.DataFrame, repeats: bool = True) -> pd.Series:
    """The share of each class among the training rows of a split.

    Args:
        rows: image_id, label, split; after resampling an image stands in several.
        repeats: count an image as often as it stands there, as a network sees it; False: once, as
            nature has it.

    Returns:
        shares above 0 by class, for all classes of the split: one that training lacks counts as if
        it had one image.
    """
    train = rows[rows["split"] == "train"]
    if not repeats:
        train = train.drop_duplicates("image_id")
    counts = train["label"].value_counts().reindex(sorted(rows["label"].unique()), fill_value=0)
    counts = counts.clip(lower=1)
    return counts / counts.sum()


def under_both(
    predictions: pd.DataFrame, learnt: Mapping[str, float], natural: Mapping[str, float]
) -> dict[str, float]:
    """A model's scores on a natural test part: two without a rule, then one under each rule.

    Args:
        predictions: test rows, see `evaluation.scores`.
        learnt: the class shares that the model was trained with.
        natural: those of the training part before resampling.

    Returns:
        macro_auc; log_loss of the probabilities turned to the natural shares; accuracy, where the
        most probable class under natural shares is the answer; balanced_accuracy, where that under
        equal shares is.
    """
    equal = pd.Series(1 / len(natural), index=list(natural.keys()))
    as_nature = calibration.with_decision(predictions, calibration.prior_weights(learnt, natural))
    as_equals = calibration.with_decision(predictions, calibration.prior_weights(learnt, equal))
    usual = evaluation.scores(as_nature)
    return {
        "macro_auc": evaluation.scores(predictions)["macro_auc"],
        "log_loss": usual["log_loss"],
        "accuracy": usual["accuracy"],
        "balanced_accuracy": evaluation.scores(as_equals)["balanced_accuracy"],
    }
