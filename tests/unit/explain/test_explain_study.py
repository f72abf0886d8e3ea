"""The table in which methods are held against the network, with what shuffled labels change."""

import pandas as pd

from lesions.explain import study


def test_a_method_fails_by_the_weights_or_by_the_labels():
    faithful = pd.DataFrame({
        "map": ["a", "b", "c", "random order"], "deletion": 0.4, "insertion": 0.5,
        "sensitivity": 0.1, "likeness": [0.9, 0.1, -0.0001, None],
        "verdict": ["fails: weights", "changes", "changes", None],
    })  # fmt: skip
    alike = pd.DataFrame({
        "map": ["a", "b", "c"], "likeness": [0.1, 0.8, 0.2], "again": [0.3, 0.9, 0.9],
        "verdict": ["changes", "fails: labels", "changes"],
    })  # fmt: skip
    found = study.with_shuffled_labels(faithful, alike).set_index("map")
    assert found["verdict"].tolist()[:3] == ["fails: weights", "fails: labels", "changes"]
    assert pd.isna(found.loc["random order", "verdict"])
    assert str(found.loc["c", "random_weights"]) == "0.0"
    assert found.loc["b", ["shuffled_labels", "learnt_twice"]].tolist() == [0.8, 0.9]


def test_images_are_spread_evenly():
    assert list(study.spread_evenly(10, 4)) == [0, 3, 6, 9]
    assert list(study.spread_evenly(3, 8)) == [0, 1, 2]


def test_tables_that_belong_together_are_of_one_run(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(study, "KEPT", tmp_path)
    own = {"a": pd.DataFrame({"x": [1]}), "b": pd.DataFrame({"x": [2]})}
    pd.DataFrame({"x": [3]}).to_csv(tmp_path / "a.csv", index=False)
    assert [table["x"][0] for table in study.kept_together(own)] == [1, 2]
    assert "this run's images" in capsys.readouterr().out
    pd.DataFrame({"x": [4]}).to_csv(tmp_path / "b.csv", index=False)
    assert [table["x"][0] for table in study.kept_together(own)] == [3, 4]
    assert capsys.readouterr().out == ""
