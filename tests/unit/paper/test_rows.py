"""The paper's rows beside our runs."""

import pandas as pd

from lesions.paper.rows import beside_ours


def test_rows_are_those_that_both_have():
    index = ["cnn:dx, honest", "cnn:dx, paper", "vgg16:dx, paper", "fcnn_l2:dx, honest"]
    scores = pd.DataFrame({"accuracy": [0.571, 0.432, 0.8, 0.3]}, index=index)
    found = beside_ours(scores, ["paper", "honest"])
    assert found.columns.tolist() == ["model", "target", "accuracy in the paper", "paper", "honest"]
    assert found["model"].tolist() == ["cnn", "vgg16"]
    assert found.loc[0, ["accuracy in the paper", "paper", "honest"]].tolist() == [0.64, 0.43, 0.57]
    assert pd.isna(found.loc[1, "honest"])


def test_without_a_common_run_there_is_an_empty_table():
    found = beside_ours(pd.DataFrame({"accuracy": []}), ["honest"])
    assert found.empty and "honest" in found
