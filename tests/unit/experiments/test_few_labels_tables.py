"""Tables of few labels: chosen on validation, compared by seeds, hidden labels only looked up."""

import json

import numpy as np
import pandas as pd
import pytest

import made
from lesions.core.errors import LesionsError
from lesions.experiments import few_labels_beliefs, few_labels_runs, few_labels_tables
from lesions.experiments.few_labels_methods import METHODS
from lesions.experiments.few_labels_shared import Budget
from lesions.experiments.few_labels_tables import compared
from lesions.figures import few_labels as figures
from lesions.splits import splits


@pytest.fixture(scope="module")
def setting(tmp_path_factory) -> few_labels_runs.Setting:
    table = made.made_table(160, classes=3)
    rows = splits.split_by_lesion(table, "dx")
    rng = np.random.default_rng(0)
    bright = 40 * rows["label"].str[-1].astype(int).to_numpy()
    pixels = rng.integers(0, 80, (len(rows), 16, 16, 3)) + bright[:, None, None, None]
    return few_labels_runs.Setting(
        rows, pixels.astype(np.uint8), pd.Index(rows["image_id"]), Budget(2, 2, 8),
        tmp_path_factory.mktemp("few"),
    )  # fmt: skip


def test_a_run_is_kept_and_answers_for_validation_and_test_images_alone(setting, monkeypatch):
    run = few_labels_runs.run("colours", 0.3, 0, setting)
    test, validation = run.answers("test"), run.answers("validation")
    assert set(test["image_id"]) == set(
        setting.rows.loc[setting.rows["split"] == "test", "image_id"]
    )
    assert 0 < len(validation) < (setting.rows["split"] == "validation").sum()
    assert test.filter(like="p_").sum(axis=1).to_numpy() == pytest.approx(1)
    assert sum(run.about()["learnt"].values()) == pytest.approx(1)
    monkeypatch.setitem(METHODS, "colours", None)  # whatever calls it now, fails
    with pytest.raises(AttributeError):
        few_labels_runs.run("colours", 0.4, 0, setting)
    assert few_labels_runs.run("colours", 0.3, 0, setting) == run
    assert [one.method for one in few_labels_tables.finished(setting.folder)] == ["colours"]


@pytest.mark.slow
def test_networks_answer_and_fixmatch_keeps_what_it_believed(setting):
    names = ["scratch", "simclr_probe", "pseudo", "fixmatch"]
    runs = [few_labels_runs.run(name, 0.3, 0, setting) for name in names]
    table = few_labels_tables.scores(runs, n=20)
    assert set(table["method"]) == set(names)
    assert table[["macro_auc", "balanced_accuracy"]].to_numpy().min() >= 0
    beliefs = few_labels_beliefs.beliefs(runs, setting, 0.5)
    assert set(beliefs["method"]) == {"fixmatch"}
    hidden = runs[0].about()["unlabelled_images"]
    assert (beliefs.groupby("look")["images"].sum() == hidden).all()
    gains = few_labels_tables.gains(runs, n=20)
    assert "scratch" not in set(gains["method"]) and len(gains) == 2 * (len(runs) - 1)
    figures.label_curves(table, {"balanced_accuracy": 1 / 3, "macro_auc": 0.5})
    with pytest.raises(LesionsError, match="keeps no beliefs"):
        few_labels_beliefs.confidence_rows(runs[0], setting, 0.5)


def scores(values: dict[tuple[str, int], tuple[float, float]], share: float = 0.1) -> pd.DataFrame:
    """A table with (validation, test) scores of each method and seed."""
    lines = []
    for (method, seed), both in values.items():
        for part, value in zip(("validation", "test"), both, strict=True):
            lines.append({"method": method, "share": share, "seed": seed, "part": part,
                          "lesions": 10, "balanced_accuracy": value,
                          "balanced_accuracy_low": value - 0.1,
                          "balanced_accuracy_high": value + 0.1})  # fmt: skip
    return pd.DataFrame(lines)


def test_the_best_is_chosen_by_validation_not_by_test():
    table = scores({
        ("scratch", 0): (0.3, 0.30), ("scratch", 1): (0.3, 0.32), ("scratch", 2): (0.3, 0.31),
        ("fixmatch", 0): (0.5, 0.36), ("fixmatch", 1): (0.5, 0.36), ("fixmatch", 2): (0.5, 0.36),
        ("pseudo", 0): (0.2, 0.90), ("pseudo", 1): (0.2, 0.90), ("pseudo", 2): (0.2, 0.90),
    })  # fmt: skip
    found = compared(table, 0.1, ["pseudo", "fixmatch"])
    assert found["best"] == "fixmatch" and found["gain"] == pytest.approx(0.05)
    assert found["spread"] == pytest.approx(0.02) and found["verdict"].startswith("better")
    assert "FixMatch" in few_labels_tables.said(found) and "+0.05" in few_labels_tables.said(found)


def test_a_gain_within_the_seeds_range_is_none_and_one_seed_decides_nothing():
    table = scores({
        ("scratch", 0): (0.3, 0.30), ("scratch", 1): (0.3, 0.40), ("scratch", 2): (0.3, 0.35),
        ("fixmatch", 0): (0.5, 0.42), ("fixmatch", 1): (0.5, 0.43), ("fixmatch", 2): (0.5, 0.42),
    })  # fmt: skip
    assert compared(table, 0.1, ["fixmatch"])["verdict"].startswith("no difference")
    two = compared(table[table["seed"] < 2], 0.1, ["fixmatch"])
    assert two["verdict"] == "two seeds: no verdict"
    assert compared(table[table["seed"] == 0], 0.1, ["fixmatch"])["verdict"].startswith("one seed")
    worse = compared(table.assign(balanced_accuracy=-9 * table["balanced_accuracy"]), 0.1,
                     ["scratch"], against="fixmatch")  # fmt: skip
    assert worse["verdict"].startswith("better") or worse["verdict"].startswith("no difference")
    none = compared(table, 0.1, ["simclr_tuned"])
    assert none["best"] is None and few_labels_tables.said(none) == "not run"
    lone = table[(table["seed"] == 0) == (table["method"] == "scratch")]
    lone = compared(lone, 0.1, ["fixmatch"])
    assert lone["verdict"] == "no seed in common: no verdict"
    assert few_labels_tables.said(lone) == "run, on other lesions each"


def test_a_curve_has_the_mean_the_range_and_the_widest_interval():
    table = scores({("scratch", 0): (0.3, 0.30), ("scratch", 1): (0.3, 0.40)})
    (line,) = few_labels_tables.curves(table, "balanced_accuracy").to_dict("records")
    wanted = {"value": 0.35, "lowest": 0.30, "highest": 0.40, "low": 0.20, "high": 0.50}
    assert {name: line[name] for name in wanted} == pytest.approx(wanted)
    assert line["seeds"] == 2
    assert few_labels_tables.summary(table).iloc[0, 0] == "0.35 (0.30 to 0.40)"


def test_trust_counts_sure_answers_and_those_of_the_common_class():
    table = pd.DataFrame({
        "look": 1.0, "truth": ["nv", "nv", "mel", "mel"], "answer": ["nv", "mel", "nv", "mel"],
        "images": [10, 5, 10, 5], "sure": [8, 0, 6, 2],
    })  # fmt: skip
    line = few_labels_beliefs.trusted(table, "nv").iloc[0]
    assert line.tolist() == [53, 62, 88, 75]  # 16 of 30; 10, 14 of 16; 6 of 8
    figures.believed(table, ["nv", "mel"])


def test_names_and_shares_that_are_none_are_refused():
    assert few_labels_runs.shares_of("10, 1 100") == [0.01, 0.1, 1.0]
    for text in ("", "0", "101", "ten"):
        with pytest.raises(LesionsError):
            few_labels_runs.shares_of(text)
    with pytest.raises(LesionsError, match="Did you mean fixmatch"):
        few_labels_runs.methods_of("fixmach")


def test_published_numbers_have_their_protocol_and_source():
    known = few_labels_tables.anchors()
    assert {"Chaves 2022", "SFTL 2024", "EddyTryToCode 2025", "ReFixMatch-LS 2022"} <= set(
        known["work"]
    )
    assert known["protocol"].str.len().min() >= 8 and known["source"].str.len().min() >= 8


def test_kept_tables_are_whole_where_there_are_any():
    path = few_labels_tables.KEPT / "scores.csv"
    if not path.exists():
        pytest.skip("no results on the real images are kept")
    table = pd.read_csv(path)
    about = json.loads((path.parent / "about.json").read_text(encoding="utf-8"))
    assert set(table["part"]) == {"validation", "test"} and set(table["method"]) <= set(METHODS)
    assert table[["method", "share", "seed", "part"]].duplicated().sum() == 0
    assert {"budget", "IMAGE_SIZE", "versions"} <= set(about)
    test = table[table["part"] == "test"]
    for measure in few_labels_tables.MEASURES:
        assert (test[f"{measure}_low"] <= test[measure]).all()
        assert (test[measure] <= test[f"{measure}_high"]).all()
    lesions = test.groupby("share")["lesions"].nunique()
    assert (lesions == 1).all() and test.groupby("share")["lesions"].first().is_monotonic_increasing
