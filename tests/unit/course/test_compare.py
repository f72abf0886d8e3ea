"""Scores of several profiles side by side."""

import json

import pandas as pd
import pytest

from course import __main__ as commands
from course import compare
from lesions.core.errors import LesionsError

ONE = {"protocol": "honest", "target": "dx", "model": "cnn", "seed": 0,
       "accuracy": 0.5, "balanced_accuracy": 0.25, "macro_auc": 0.75, "record": "x"}  # fmt: skip
RECORDS = {
    "over": [ONE, ONE | {"model": "vgg16", "accuracy": 0.625}],
    "plain": [ONE | {"accuracy": 0.75}, ONE | {"accuracy": 0.875}],  # the same run twice
}


@pytest.fixture
def build(tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "BUILD", tmp_path)
    read = lambda folder: pd.DataFrame(RECORDS[folder.name])  # noqa: E731
    monkeypatch.setattr(compare.run_records, "load_records", read)
    for profile, kind in (("over", "over"), ("plain", "none")):
        (tmp_path / profile / "runs").mkdir(parents=True)
        (tmp_path / profile / "params").mkdir()
        given = {"PROFILE": profile, "RESAMPLE": kind, "SEED": 0}
        (tmp_path / profile / "params" / "05.json").write_text(json.dumps(given), encoding="utf-8")
    return tmp_path


def test_each_profile_is_a_column_and_the_last_run_counts(build, capsys):
    assert commands.main(["compare", "PROFILES=over plain"]) == 0
    said = capsys.readouterr().out
    assert "RESAMPLE: over, none" in said and "SEED" not in said and "NaN" not in said
    table = pd.read_csv(build / "compare" / "over-plain.csv").set_index("model")
    assert list(table["accuracy_over"]) == [0.5, 0.625]
    assert table.loc["cnn", "accuracy_plain"] == 0.875
    assert pd.isna(table.loc["vgg16", "accuracy_plain"])
    assert "0.88" in said and "Kept in" in said


def test_one_profile_is_its_scores(build):
    text = compare.readable(compare.scores(["over"]))
    assert "balanced accuracy" in text and "over" not in text and "0.62" in text


def test_a_profile_without_runs_is_named(build, capsys):
    with pytest.raises(LesionsError, match=r"Profile ovr has no runs under .*: over, plain"):
        compare.scores(["ovr"])
    assert commands.main(["compare", "PROFILES=over,ovr"]) == 1
    assert "Profile ovr" in capsys.readouterr().err
