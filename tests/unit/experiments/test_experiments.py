"""Baselines as records, the leak dial, folds and cohorts: on a small made world."""

import numpy as np
import pandas as pd
import pytest

from lesions.baselines import baseline_runs, baselines
from lesions.core import files
from lesions.core.errors import LesionsError
from lesions.experiments import experiments
from lesions.scores import evaluation
from lesions.settings.parameters import Settings
from lesions.splits import handover, leaks, protocols

SIZE = 32
LESIONS = 120


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Two photographs of each of 120 lesions: alike within a lesion, hard to name by class."""
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    rng = np.random.default_rng(0)
    lesion = np.repeat(np.arange(LESIONS), 2)
    own = rng.integers(40, 200, (LESIONS, 1, 1, 3))
    pixels = np.clip(own[lesion] + rng.normal(0, 6, (2 * LESIONS, SIZE, SIZE, 3)), 0, 255)
    cache = tmp_path / "pixels"
    cache.mkdir()
    np.save(cache / "pixels.npy", pixels.astype(np.uint8))
    table = pd.DataFrame({"image_id": [f"I{i}" for i in range(2 * LESIONS)]})
    table[["image_id"]].to_csv(cache / "image_ids.csv", index=False)
    table["lesion_id"] = [f"L{i}" for i in lesion]
    # Classes at random: whatever is found on new lesions is chance.
    table["dx"] = rng.choice(["mel", "nv"], LESIONS, p=[0.3, 0.7])[lesion]
    table["dx_type"], table["age"] = "histo", 50.0
    table["sex"] = np.where(lesion % 2, "male", "female")
    table["localization"] = "back"
    table["dataset"] = np.where(lesion % 3 == 0, "rosendahl", "vidir_modern")
    table["path"] = "nowhere"
    chosen = Settings(IMAGE_SIZE=SIZE, HEAD_EPOCHS=2, PROFILE="t", folder=tmp_path / "t")
    chosen.folder.mkdir()
    keep = table[["image_id"]].assign(keep_honest=True, keep_paper=True, group=table["image_id"])
    # The second photographs of lesions 0 and 1 are copies of one another: a duplicate across ids.
    keep.loc[keep["image_id"].isin(["I1", "I3"]), "group"] = "same"
    keep.to_csv(chosen.folder / "keep.csv", index=False)
    rows = {
        f"{protocol}-{target}": protocols.rows_for(protocol, table, keep, target, chosen)
        for protocol in ("paper", "honest")
        for target in ("dx", "sex")
    }
    handover.save_splits(chosen, rows, {"paper": cache, "honest": cache}, table)
    return chosen


def test_baselines_are_fitted_once_and_kept(settings, monkeypatch):
    folders = baseline_runs.fit_all(["dx", "sex"], settings)
    assert len(folders) == 4
    found = baseline_runs.baselines_of(settings.folder, seed=0)
    honest = {name for protocol, target, name in found if (protocol, target) == ("honest", "dx")}
    assert honest == set(baselines.BASELINES)
    assert ("paper", "dx", "histogram_boosting") not in found, "too slow on the copies"
    rows = handover.load_splits(settings)[0]["honest-dx"]
    for split in ("test", "validation"):
        part = baseline_runs.baselines_of(settings.folder, 0, split)[
            "honest", "dx", baselines.CHEAP
        ]
        assert list(part["image_id"]) == list(rows.loc[rows["split"] == split, "image_id"])
        assert set(part["split"]) == {split}
    monkeypatch.setattr(baselines, "predict", lambda *a, **k: pytest.fail("fitted again"))
    baseline_runs.fit_all(["dx", "sex"], settings)


def test_a_changed_split_is_fitted_anew(settings):
    (first, *_) = baseline_runs.fit_all(["dx"], settings)
    noted = first.with_name(f".{first.name}.key")
    before = noted.read_text()
    path = settings.folder / "splits" / "paper-dx.csv"
    pd.read_csv(path).iloc[:-1].to_csv(path, index=False)
    baseline_runs.fit_all(["dx"], settings)
    assert noted.read_text() != before


def test_without_baselines_it_says_what_to_run(tmp_path):
    with pytest.raises(LesionsError, match="run notebooks 04 and 05 first"):
        baseline_runs.baselines_of(tmp_path, 0)


@pytest.fixture
def images(settings):
    table = handover.load_table(settings.folder)
    groups = pd.read_csv(settings.folder / "keep.csv").set_index("image_id")["group"]
    return table, groups


def test_each_position_of_the_dial_leaks_what_it_says(images):
    table, groups = images

    def leaked(split: str, resampling: str) -> float:
        shares = []
        for seed in range(5):
            rows = experiments.dial_rows(table, "dx", split, resampling, groups, seed)
            report = leaks.leak_report(rows, duplicates=groups)
            shares.append(report.query("split == 'test' and label == 'all'")["share"].iloc[0])
        return np.mean(shares)

    for resampling in experiments.RESAMPLING:
        assert leaked("by image", resampling) > 0.5
        assert leaked("by lesion and duplicates", resampling) == 0
        assert leaked("by lesion", resampling) < 0.1
    before = leaked("by image", "before the split")
    assert before > leaked("by image", "after the split")


def test_resampling_before_the_split_makes_the_test_part_balanced(images):
    table, groups = images
    for split in experiments.SPLITS:
        before, after, none = (
            experiments.dial_rows(table, "dx", split, resampling, groups, 0)
            for resampling in experiments.RESAMPLING
        )
        shares = [
            rows.loc[rows["split"] == "test", "label"].value_counts(normalize=True).max()
            for rows in (before, after, none)
        ]
        assert shares[0] < 0.6 < shares[1] == shares[2]
        train = after.loc[after["split"] == "train", "label"].value_counts()
        assert train.min() == train.max()
        assert none["image_id"].is_unique


@pytest.mark.slow
def test_the_dial_shows_that_memory_lives_on_the_leak(settings, monkeypatch):
    monkeypatch.setattr(experiments, "BACKBONE", "vgg16")  # the quickest to build
    table = experiments.dial("dx", [0], settings)
    assert len(table) == 3 * 3 * 3
    means = table.groupby(["learner", "split", "resampling"])["balanced_accuracy"].mean()
    memory = means["nearest image"]
    assert memory["by image", "before the split"] > 0.8
    assert abs(memory["by lesion and duplicates", "none"] - 0.5) < 0.15, "classes are random"
    again = experiments.dial("dx", [0], settings)
    pd.testing.assert_frame_equal(table, again)
    monkeypatch.setattr(experiments, "learners", lambda *a: pytest.fail("done again"))
    experiments.dial("dx", [0], settings)


def test_folds_hold_every_image_once_and_cohorts_are_left_out(settings):
    found = experiments.folds_and_cohorts("dx", settings)
    table = handover.load_table(settings.folder)
    folds = found[found["fold"] >= 0]
    assert sorted(folds["image_id"]) == sorted(table["image_id"])
    assert set(folds["fold"]) == set(range(experiments.FOLDS))
    left_out = found[found["fold"] < 0]
    assert sorted(left_out["image_id"]) == sorted(table["image_id"])
    assert (left_out["cohort"] == left_out["image_id"].map(
        table.set_index("image_id")["dataset"])).all()  # fmt: skip
    assert 0 < evaluation.scores(left_out)["accuracy"] < 1


def test_one_cohort_alone_cannot_be_left_out(settings):
    path = settings.folder / "table.csv"
    pd.read_csv(path).assign(dataset="rosendahl").to_csv(path, index=False)
    assert (experiments.folds_and_cohorts("dx", settings)["fold"] >= 0).all()
