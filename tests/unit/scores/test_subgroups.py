"""Each subgroup is scored on its own images, and too few lesions get no interval."""

import numpy as np
import pandas as pd
import pytest

from lesions.core.errors import LesionsError
from lesions.scores import evaluation, subgroups


def random_predictions(n, images_per_lesion=1, seed=0):
    rng = np.random.default_rng(seed)
    male = rng.random(n)
    lesions = np.arange(n) // images_per_lesion
    return pd.DataFrame(
        {
            "image_id": [f"I{i}" for i in range(n)],
            "lesion_id": [f"L{i}" for i in lesions],
            "split": "test",
            "truth": np.where(rng.random(n) < male, "nv", "mel"),
            "p_mel": 1 - male,
            "p_nv": male,
        }
    )


def test_age_bands():
    ages = pd.Series([0, 29, 30, 44.9, 45, 60, 75, 85, np.nan])
    assert subgroups.age_band(ages).tolist() == [
        "under 30", "under 30", "30 to 44", "30 to 44", "45 to 59", "60 to 74", "75 and over",
        "75 and over", "unknown",
    ]  # fmt: skip


def test_subgroups_are_scored_on_their_own_images():
    predictions = random_predictions(n=120, images_per_lesion=2)
    table = predictions[["image_id"]].assign(sex=["male"] * 80 + ["female"] * 36 + ["unknown"] * 4)
    result = subgroups.by_subgroup(predictions, table.sample(frac=1), "sex", ["accuracy"], n=50)
    assert result["group"].tolist() == ["male", "female", "unknown"]
    assert result["images"].tolist() == [80, 36, 4]
    assert result["lesions"].tolist() == [40, 18, 2]
    by_hand = evaluation.scores(predictions.iloc[80:116])["accuracy"]
    assert result.loc[1, "value"] == by_hand
    assert result.loc[1, "low"] < by_hand < result.loc[1, "high"]
    assert np.isnan(result.loc[2, ["low", "high"]].astype(float)).all()


def test_subgroups_by_age_come_in_order():
    predictions = random_predictions(n=90)
    table = predictions[["image_id"]].assign(age=[80.0, 20.0, np.nan] * 30)
    result = subgroups.by_subgroup(predictions, table, "age", "accuracy", n=20)
    assert result["group"].tolist() == ["under 30", "75 and over", "unknown"]


def test_unusable_tables_are_refused():
    predictions = random_predictions(20)
    with pytest.raises(LesionsError, match="no column sex"):
        subgroups.by_subgroup(predictions, predictions[["image_id"]], "sex")
    with pytest.raises(LesionsError, match="1 predicted images, such as I0,"):
        table = predictions[["image_id"]].assign(sex="male").iloc[1:]
        subgroups.by_subgroup(predictions, table, "sex")
