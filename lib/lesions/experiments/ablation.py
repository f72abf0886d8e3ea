"""What age, sex and place add to a network: each of them left out of the fusion in turn."""

import pandas as pd

from lesions.baselines import baselines
from lesions.experiments import fusion
from lesions.scores import calibration, evaluation

METADATA = "metadata"  # the baseline that sees age, sex and place, and no image
IMAGE, EVERYTHING = "image alone", "with age, sex, place"


def blanked(table: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """The table with the same value in every row of some columns, so that they tell nothing."""
    return table.assign(**{c: 50.0 if c == "age" else "unknown" for c in columns})


def fused(
    image: pd.DataFrame, rows: pd.DataFrame, table: pd.DataFrame, target: str, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """A network's answers joined with those of a logistic regression on the metadata.

    Args:
        image: the network's predictions: image_id, lesion_id, split, truth and `p_<class>`;
            validation and test rows.
        rows: the split that it was trained on.
        table: the dataset, with age, sex and localization.
        target: what is predicted; it is never among the metadata.

    Returns:
        predictions of validation and test rows by name: the image alone, with all metadata, and
        with all but one.
    """
    columns = baselines.metadata_columns(target)
    left_out = {EVERYTHING: ()} | {f"without {column}": (column,) for column in columns}
    found = {IMAGE: image}
    for name, gone in left_out.items():
        other = baselines.predict(METADATA, rows, blanked(table, gone), target, seed=seed)
        # An image may stand in several rows of another protocol; an answer of it is enough.
        other = other.drop_duplicates(["image_id", "split"])
        found[name] = fusion.fuse(image, other)[0]
    return found


def _parts(predictions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Validation and test rows."""
    return tuple(predictions[predictions["split"] == split] for split in ("validation", "test"))


def scores(answers: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Test scores of each way to join; decisions as most probable, and as chosen on validation.

    Args:
        answers: from `fused`.

    Returns:
        one row a way: accuracy (most probable class), balanced_accuracy (under the rule chosen on
        validation for it), macro_auc (needs no rule), log_loss.
    """
    lines = {}
    for name, predictions in answers.items():
        validation, test = _parts(predictions)
        plain = evaluation.scores(test)
        rule = calibration.choose_decision(validation).to_dict()
        lines[name] = {
            "accuracy": plain["accuracy"],
            "balanced_accuracy": evaluation.scores(test, rule)["balanced_accuracy"],
            "macro_auc": plain["macro_auc"],
            "log_loss": plain["log_loss"],
        }
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis("answers")


def differences(answers: dict[str, pd.DataFrame], n: int = 1000) -> pd.DataFrame:
    """What is lost where one thing is left out, with paired 95 % intervals over test lesions.

    Returns:
        one row a thing left out and metric: left_out, metric, a (with all), b (without it),
        difference, low, high, a_larger; see `evaluation.paired_difference`.
    """
    metrics = ["accuracy", "macro_auc"]
    everything = _parts(answers[EVERYTHING])[1]
    tables = [
        evaluation.paired_difference(everything, _parts(other)[1], metrics, n=n)
        .reset_index()
        .assign(left_out="all three" if name == IMAGE else name.removeprefix("without "))
        for name, other in answers.items()
        if name != EVERYTHING
    ]
    table = pd.concat(tables, ignore_index=True)
    return table[["left_out", *table.columns.drop("left_out")]]


def by_class(answers: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The AUC of each class against the others, in the test part: a row a class, a column a way."""
    columns = {
        name: evaluation.per_class(_parts(predictions)[1])["auc"]
        for name, predictions in answers.items()
    }
    return pd.DataFrame(columns)
