"""Cheap models that every network must beat: fitted in seconds, on the same split rows.

A baseline is fitted on the training rows only; what there is to choose (how strongly to regularise,
when to stop) is chosen by the log loss on the validation rows. The test rows are only predicted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder
from threadpoolctl import threadpool_limits

from lesions.baselines import classifiers as fit
from lesions.core import seeds
from lesions.core.errors import LesionsError, shorten
from lesions.scores import evaluation

# The one that stands beside every network: colours only, fitted in a second.
CHEAP = "histogram_logistic"
# What a physician knows of a patient before looking. The diagnosis and its way of confirmation
# come later, and the source cohort is about the camera, so it is a baseline of its own.
METADATA = ("age", "sex", "localization")


@dataclass(frozen=True)
class Baseline:
    """What a baseline looks at, and how it answers."""

    about: str
    sees: tuple[str, ...]  # of "histogram", "metadata", "cohort"
    fit: Callable


BASELINES = {
    "majority": Baseline("always the largest class", (), fit.majority),
    "stratified": Baseline("a class at random, by its share", (), fit.stratified),
    "cohort": Baseline("source cohort only", ("cohort",), fit.logistic),
    "metadata": Baseline("age, sex, localization", ("metadata",), fit.logistic),
    "histogram_nearest": Baseline("histogram, nearest image", ("histogram",), fit.nearest),
    "histogram_logistic": Baseline("histogram, logistic regression", ("histogram",), fit.logistic),
    "histogram_boosting": Baseline("histogram, gradient boosting", ("histogram",), fit.boosting),
    "both_boosting": Baseline(
        "metadata + histogram, gradient boosting", ("metadata", "histogram"), fit.boosting
    ),
    "both_balanced": Baseline(
        "metadata + histogram, balanced logistic regression",
        ("metadata", "histogram"),
        fit.balanced_logistic,
    ),
    "permuted": Baseline("histogram, shuffled training labels", ("histogram",), fit.permuted),
}


# ---------------------------------------------------------------- predictions


def metadata_columns(target: str) -> list[str]:
    """The columns that the metadata baselines see: `METADATA` without the target itself."""
    return [column for column in METADATA if column != target]


def about(name: str, target: str) -> str:
    """What a baseline looks at, in words, without the target, which it is never shown."""
    words = BASELINES[name].about
    seen = ", ".join(metadata_columns(target))
    return words.replace(", ".join(METADATA), seen)


def _inputs(
    sees: Sequence[str], ids: pd.Series, table: pd.DataFrame, histograms: pd.DataFrame | None,
    target: str,
) -> pd.DataFrame:  # fmt: skip
    """One row an image, with the columns that a baseline sees."""
    about = table.set_index("image_id")
    columns = metadata_columns(target) if "metadata" in sees else []
    columns = columns + (["dataset"] if "cohort" in sees else [])
    parts = [about.reindex(columns=columns).loc[ids.to_numpy()]]
    if "histogram" in sees:
        parts.append(histograms.loc[ids.to_numpy()].rename(columns=str))
    return pd.concat(parts, axis=1)


def _as_numbers(train: pd.DataFrame):
    """The transformer that makes numbers of columns, fitted on training rows only."""
    words = [column for column in train if not pd.api.types.is_numeric_dtype(train[column])]
    age = [column for column in train if column == "age"]
    return make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), words),
        (SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), age),
        remainder="passthrough",
    ).fit(train)


def _check(
    name: str, rows: pd.DataFrame, table: pd.DataFrame, histograms: pd.DataFrame | None, target: str
) -> None:
    if name not in BASELINES:
        raise LesionsError(f"Unknown baseline {name}; there are {', '.join(BASELINES)}.")
    for part in ("train", "validation", "test"):
        if not (rows["split"] == part).any():
            raise LesionsError(
                f"The split has no {part} rows; a baseline is fitted on train, chosen on "
                "validation and scored on test."
            )
    sees = BASELINES[name].sees
    if "histogram" in sees and histograms is None:
        raise LesionsError(
            f"The baseline {name} looks at colours: pass histograms=histogram_table(pixels, "
            "image_ids), from lesions.baselines.histograms."
        )
    known = table["image_id"] if "histogram" not in sees else histograms.index
    missing = sorted(set(rows["image_id"]) - set(known))
    if missing:
        where = "table" if "histogram" not in sees else "histograms"
        raise LesionsError(
            f"{len(missing)} images of the split are not in the {where}: {shorten(missing)}."
        )
    if target == "dataset" and "cohort" in sees:
        raise LesionsError("The cohort baseline would be told its target, dataset; leave it out.")
    if rows.loc[rows["split"] == "train", "label"].nunique() < 2:
        raise LesionsError("The training rows have only one class, so there is nothing to learn.")


def predict(
    name: str,
    rows: pd.DataFrame,
    table: pd.DataFrame,
    target: str,
    histograms: pd.DataFrame | None = None,
    seed: int = 0,
    repeats: bool = False,
) -> pd.DataFrame:
    """Fit one baseline on the training rows and predict the validation and test rows.

    Args:
        name: one of `BASELINES`.
        rows: image_id, lesion_id, label, split; after resampling an image may stand in several.
        table: the dataset's table, for the metadata.
        target: the column that `rows["label"]` holds; the metadata baselines do not see it.
        histograms: from `histograms.histogram_table`, for the baselines that look at colours.
        repeats: whether an image that stands in several training rows counts that often. False:
            once, so the baseline sees the class shares of nature. True: as networks see it.

    Returns:
        image_id, lesion_id, split, truth, and `p_<class>` for each class in the rows, in
        alphabetical order; the validation and test rows in their order.

    Raises:
        LesionsError: the name is unknown, a part of the split is empty, an image has no features,
            or the training rows have one class only.
    """
    _check(name, rows, table, histograms, target)
    baseline = BASELINES[name]
    # An image that stands in many rows is computed once and weighted.
    keys = ["image_id", "label", "split"]
    unique = rows.groupby(keys, sort=False).size().rename("weight").reset_index()
    x = _inputs(baseline.sees, unique["image_id"], table, histograms, target)
    if x.shape[1] == 0:
        x = x.assign(nothing=0.0)  # scikit-learn wants a column also of models that look at none
    is_train = (unique["split"] == "train").to_numpy()
    prepare = _as_numbers(x[is_train])

    def part(chosen: np.ndarray, weighted: bool) -> fit.Part:
        weight = unique["weight"].to_numpy(float)[chosen]
        labels = unique["label"].to_numpy(dtype=object)[chosen]
        numbers = prepare.transform(x[chosen])
        return fit.Part(numbers, labels, weight if weighted else np.ones_like(weight))

    train = part(is_train, repeats)
    # A class that training never saw cannot be learnt, so it cannot guide a choice either.
    seen = unique["label"].isin(set(train.y)).to_numpy()
    validation = part((unique["split"] == "validation").to_numpy() & seen, repeats)
    # One thread: several get in each other's way on a busy machine, up to twenty times slower.
    with threadpool_limits(1):
        model = baseline.fit(train, validation, seed)
        found = model.predict_proba(prepare.transform(x[~is_train]))

    asked = rows[rows["split"] != "train"].reset_index(drop=True)
    each = unique[~is_train].reset_index(drop=True)
    classes = sorted(rows["label"].unique())
    p = pd.DataFrame(found, columns=model.classes_)
    p = p.reindex(columns=classes, fill_value=0.0).add_prefix("p_")
    answers = asked[keys].merge(pd.concat([each, p], axis=1), on=keys, how="left")
    about = asked[["image_id", "lesion_id", "split"]].assign(truth=asked["label"])
    return pd.concat([about, answers[list(p)]], axis=1)


def predict_all(
    rows: pd.DataFrame,
    table: pd.DataFrame,
    target: str,
    histograms: pd.DataFrame,
    seed: int = 0,
    repeats: bool = False,
    names: Sequence[str] = tuple(BASELINES),
) -> dict[str, pd.DataFrame]:
    """The predictions of several baselines, by name; see `predict`.

    The cohort baseline is left out where the table does not know the cohorts.
    """
    if (table["dataset"] == "unknown").all():
        names = [name for name in names if name != "cohort"]
    return {name: predict(name, rows, table, target, histograms, seed, repeats) for name in names}


def score_table(
    predictions: dict[str, pd.DataFrame],
    metrics: Sequence[str] = evaluation.MAIN,
    n: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Scores of several baselines (or models) on their test rows, with 95 % intervals.

    Returns:
        one row a name: about, and for each metric its value, `<metric>_low` and `<metric>_high`.
    """
    lines = []
    for name, answers in predictions.items():
        interval = evaluation.bootstrap(
            answers[answers["split"] == "test"], metrics, n=n, seed=seed
        )
        line = {"name": name, "about": BASELINES[name].about if name in BASELINES else ""}
        for metric, row in interval.iterrows():
            line |= {metric: row["value"], f"{metric}_low": row["low"]}
            line |= {f"{metric}_high": row["high"]}
        lines.append(line)
    return pd.DataFrame(lines).set_index("name")


def permute_labels(table: pd.DataFrame, target: str, seed: int = 0) -> pd.DataFrame:
    """The table with one column shuffled over the images: a world with nothing to learn.

    A split that is honest leaves every model at chance here. One that puts copies of an image in
    training and test does not: a model that remembers images scores far above it.
    """
    shuffled = seeds.stream(seed, "permuted column").permutation(table[target].to_numpy())
    return table.assign(**{target: shuffled})
