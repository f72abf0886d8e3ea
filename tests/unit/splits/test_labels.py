"""Labels as numbers, and classes of equal size."""

import pandas as pd
import pytest

from lesions.core.errors import LesionsError
from lesions.splits import balance, encoding


def test_labels_become_numbers_and_columns():
    codes = encoding.encode(["nv", "bkl", "nv"], ["bkl", "mel", "nv"])
    assert codes.tolist() == [2, 0, 2]
    assert encoding.one_hot(codes, 3).tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1]]
    with pytest.raises(LesionsError, match="'df' is not among the classes"):
        encoding.encode(["df"], ["bkl", "nv"])


def test_resampling_makes_classes_equal():
    rows = pd.DataFrame({"image_id": list("abcdefg"), "label": ["nv"] * 5 + ["df"] * 2})
    assert balance.resample(rows, "none", 0).equals(rows)
    over = balance.resample(rows, "over", 0)
    assert over["label"].value_counts().to_dict() == {"nv": 5, "df": 5}
    assert set(over["image_id"]) == set(rows["image_id"])
    under = balance.resample(rows, "under", 0)
    assert under["label"].value_counts().to_dict() == {"nv": 2, "df": 2}
    assert under["image_id"].is_unique
    assert balance.resample(rows, "over", 0).equals(over)


def test_class_weights_give_each_class_the_same_total():
    weights = balance.class_weights(["nv"] * 6 + ["df"] * 2, ["df", "mel", "nv"])
    assert weights[0] * 2 == pytest.approx(weights[2] * 6)
    assert weights[1] == 0.0
