"""For whom does a model work? Scores by sex, age band, localization and source cohort."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.scores.evaluation import bootstrap

AGE_BANDS = ("under 30", "30 to 44", "45 to 59", "60 to 74", "75 and over")


def age_band(ages: pd.Series) -> pd.Series:
    """Ages in years as one of `AGE_BANDS`, or "unknown" where the age is missing."""
    bands = pd.cut(ages, [-np.inf, 30, 45, 60, 75, np.inf], right=False, labels=list(AGE_BANDS))
    return bands.astype(object).where(ages.notna(), "unknown").astype(str)


def by_subgroup(
    predictions: pd.DataFrame,
    table: pd.DataFrame,
    column: str,
    metrics: str | Sequence[str] = ("accuracy", "balanced_accuracy"),
    n: int = 1000,
    seed: int = 0,
    least: int = 10,
) -> pd.DataFrame:
    """Scores within each value of a column of the table, such as sex, age, localization, dataset.

    Balanced accuracy within a subgroup averages over the diagnoses that occur there, so compare
    subgroups by it with care; accuracy depends on how many of its images are harmless.

    Args:
        predictions: see `scores`.
        table: one row an image, with image_id and `column`. Ages become bands (`age_band`).
        least: subgroups with fewer lesions get no interval.

    Returns:
        tidy: group, images, lesions, metric, value, low, high; the largest subgroup first, ages in
        their order.

    Raises:
        LesionsError: the table lacks the column or an image.
    """
    if column not in table:
        raise LesionsError(f"The table has no column {column} to form subgroups by.")
    groups = table.set_index("image_id")[column]
    groups = age_band(groups) if column == "age" else groups.astype(str)
    missing = predictions.loc[~predictions["image_id"].isin(groups.index), "image_id"]
    if len(missing):
        raise LesionsError(
            f"{len(missing)} predicted images, such as {missing.iloc[0]}, are not in the table: "
            "give the table that the predictions were made from."
        )
    group = predictions["image_id"].map(groups)
    order = [*AGE_BANDS, "unknown"] if column == "age" else group.value_counts().index
    rows = []
    for name in order:
        part = predictions[group == name]
        if part.empty:
            continue
        lesions = part["lesion_id"].nunique()
        interval = bootstrap(part, metrics, n=n if lesions >= least else 0, seed=seed)
        about = {"group": name, "images": len(part), "lesions": lesions}
        rows += [about | row for row in interval.reset_index().to_dict("records")]
    return pd.DataFrame(rows)
