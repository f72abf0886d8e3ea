"""All runs of a notebook side by side, each under the rule that a score asks for."""

import json

import numpy as np
import pandas as pd
import pytest

import made
from lesions.scores import rules
from lesions.settings.parameters import Settings
from lesions.training import records, run_records, study


@pytest.fixture
def settings(tmp_path):
    return Settings(PROTOCOL="both", folder=tmp_path)


def split_rows(target: str) -> pd.DataFrame:
    """Training rows with equal shares by repetition; the first class has three times the images."""
    classes = made.CLASSES_OF[target]
    label = np.array(classes)[np.where(np.arange(120) % 4 < 2, 0, np.arange(120) % len(classes))]
    rows = pd.DataFrame({"image_id": [f"T{n}" for n in range(120)], "label": label})
    rows = rows.assign(lesion_id=rows["image_id"], split="train")
    rare = rows[rows["label"] != classes[0]]
    test = rows.head(20).assign(image_id=[f"I{n}" for n in range(20)], split="test")
    return pd.concat([rows, rare, rare, test], ignore_index=True)


def write(settings, model: str, target: str, protocol: str, right: float, train_rows: int):
    made.write_record(settings.folder, model, target, protocol, right)
    folder = settings.folder / "runs" / f"{protocol}-{target}-{model}-seed0"
    about = json.loads((folder / "params.json").read_text())
    (folder / "params.json").write_text(json.dumps(about | {"train_rows": train_rows}))
    return folder


def test_networks_and_baselines_stand_side_by_side(settings, monkeypatch):
    rows = split_rows("dx")
    folders = {
        "cnn:dx, honest": write(settings, "cnn", "dx", "honest", 0.6, len(rows)),
        "vgg16:dx, paper": write(settings, "vgg16", "dx", "paper", 0.9, len(rows)),
        "fcnn_l2:sex, honest": write(settings, "fcnn_l2", "sex", "honest", 0.5, len(rows)),
    }
    test = run_records.predictions_of(folders["cnn:dx, honest"])
    cheap = {("honest", "dx", "metadata"): test, ("honest", "sex", "metadata"): test}
    monkeypatch.setattr(study.baseline_runs, "baselines_of", lambda *_: cheap)
    asked = []
    real = rules.under_both
    monkeypatch.setattr(
        rules, "under_both", lambda t, learnt, nat: asked.append(learnt) or real(t, learnt, nat)
    )
    table = study.side_by_side(folders, "dx", {"honest-dx": rows, "paper-dx": rows}, settings)
    assert sorted(table.index) == [
        ("honest", "age, sex, localization"), ("honest", "cnn"), ("paper", "vgg16")]  # fmt: skip
    assert list(table.columns) == list(rules.SCORES)
    # The network learnt with the repeated shares, the baseline with those of nature.
    honest = {round(one.iloc[0], 3) for one in asked[1:]}
    assert honest == {
        round(rules.shares(rows, repeats=again).iloc[0], 3) for again in (True, False)
    }


def test_a_network_that_saw_each_image_once_learnt_natural_shares(settings, monkeypatch):
    rows = split_rows("dx")
    images = rows[rows["split"] == "train"]["image_id"].nunique()
    folder = write(settings, "cnn", "dx", "honest", 0.6, images)
    monkeypatch.setattr(study.baseline_runs, "baselines_of", lambda *_: {})
    folders = {"cnn without resampling:dx, honest": folder}
    table = study.side_by_side(folders, "dx", {"honest-dx": rows}, settings)
    natural = rules.shares(rows, repeats=False)
    right = rules.under_both(run_records.predictions_of(folder), natural, natural)
    assert table.loc[("honest", "cnn without resampling")].to_dict() == pytest.approx(right)


def test_a_target_without_split_gives_an_empty_table(settings, monkeypatch):
    monkeypatch.setattr(study.baseline_runs, "baselines_of", lambda *_: {})
    table = study.side_by_side({}, "dx_type", {}, settings)
    assert table.empty and table.query("protocol == 'honest'").empty


def test_every_run_under_every_protocol_is_trained_once(settings, monkeypatch):
    asked = []
    monkeypatch.setattr(
        records, "train_run", lambda name, target, protocol, rows, cache, s: asked.append(
            (name, target, protocol, len(rows), cache, s.RESAMPLE, s.folder.name)) or cache
    )  # fmt: skip
    rows = split_rows("dx")
    splits, caches = {"honest-dx": rows, "paper-dx": rows}, {"honest": "h", "paper": "p"}
    found = study.train_all([("cnn", "dx")], splits, caches, settings)
    assert found == {"cnn:dx, paper": "p", "cnn:dx, honest": "h"}
    assert list(study.train_all([("cnn", "dx")], splits, caches, settings, ["honest"])) == [
        "cnn:dx, honest"]  # fmt: skip
    asked.clear()
    study.without_resampling("cnn", "dx", splits, caches, settings)
    assert asked == [("cnn", "dx", "honest", 140, "h", "none", "natural")]
    assert (
        study.without_resampling("cnn", "dx", splits, caches, settings.replace(PROTOCOL="paper"))
        == {}
    )


def test_scores_stand_beside_the_majority(settings):
    folder = write(settings, "cnn", "dx", "honest", 0.6, 10)
    table = study.score_table({"cnn:dx, honest": folder})
    assert table.columns.tolist() == [*study.COLUMNS, "majority"]
    assert table.loc["cnn:dx, honest", ["accuracy", "majority"]].tolist() == [0.6, 0.34]
    assert study.score_table({}).empty


def test_the_dial_in_words_has_means_and_ends():
    dial = pd.DataFrame(
        {"learner": "a", "resampling": "none", "split": ["by image", "by image", "by lesion"],
         "balanced_accuracy": [0.2, 0.4, 0.5]}
    )  # fmt: skip
    table = study.means_and_ranges(dial, "balanced_accuracy")
    assert table.loc[("a", "none")].tolist() == ["0.30 (0.20 to 0.40)", "0.50 (0.50 to 0.50)"]
