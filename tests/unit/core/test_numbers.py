"""Rounded numbers: no minus nought, ties by name."""

import numpy as np
import pandas as pd
import pytest

from lesions.core.numbers import ranked, rounded, shown


def test_nothing_is_called_minus_nought():
    table = pd.DataFrame({"name": ["a", "b"], "lost": [-0.0004, 0.0126], "n": [1, 2],
                          "low": [-0.0, np.nan]})  # fmt: skip
    found = rounded(table, 3)
    assert "-0" not in found.to_string() and "-0" not in found.to_csv()
    assert found["lost"].tolist() == [0.0, 0.013] and found["n"].dtype == table["n"].dtype
    assert np.isnan(found.loc[1, "low"]) and list(found["name"]) == ["a", "b"]
    assert str(rounded(-0.0001, 2)) == "0.0" and rounded(-0.06, 1) == -0.1
    assert str(rounded(table["lost"], 2).iloc[0]) == "0.0"


@pytest.mark.parametrize("value, sign, said", [
    (-0.0004, False, "0.000"), (-0.0004, True, "+0.000"), (-0.01, True, "-0.010"),
    (0.01, True, "+0.010"),
])  # fmt: skip
def test_so_it_is_in_sentences(value, sign, said):
    assert shown(value, 3, sign) == said


def test_scores_that_read_the_same_stand_by_name():
    table = pd.DataFrame({"target": ["sex", "dx", "dx", "dx"], "name": ["z", "b", "a", "c"],
                          "auc": [0.9, 0.50001, 0.5, 0.7]})  # fmt: skip
    found = ranked(table, "auc")
    assert list(found["name"]) == ["c", "a", "b", "z"]
    assert found["auc"].tolist() == [0.7, 0.5, 0.50001, 0.9]
