"""`make study`: steps, what travels, and that a record from a worker counts as one made here."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from course import cluster_steps, cluster_study, searching
from course.cluster_steps import Step
from lesions.core import cache
from lesions.core.errors import LesionsError
from lesions.duplicates.keep import save_keep
from lesions.settings.parameters import Settings
from lesions.splits import handover, protocols
from made import made_table


@pytest.fixture
def settings(tmp_path) -> Settings:
    """A profile's folder as 03 leaves it, of small random images."""
    own = Settings(
        IMAGE_SIZE=32, EPOCHS=1, EPOCH_SAMPLES=64, PROTOCOL="honest", MULTICLASS_RUNS="cnn:dx",
        BINARY_RUNS="", OWN_RUNS="", DIAL_SEEDS=0, CNN_DENSE=8, folder=tmp_path / "build",
    )  # fmt: skip
    table = made_table(90, classes=3)
    table = table.assign(dx_type="histo", age=50.0, sex="male", localization="back")
    pixels = tmp_path / "32px-squash-0123"
    pixels.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (90, 32, 32, 3), dtype=np.uint8)
    np.save(pixels / "pixels.npy", noise)
    table[["image_id"]].to_csv(pixels / "image_ids.csv", index=False)
    keep = pd.DataFrame({"image_id": table["image_id"], "group": table["lesion_id"]})
    keep = keep.assign(keep_honest=True, keep_paper=True, reason="", reason_paper="")
    save_keep(own, keep)
    rows = {"honest-dx": protocols.rows_for("honest", table, keep, "dx", own)}
    handover.save_splits(own, rows, {"honest": pixels}, table)
    return own


def named(found: list[Step]) -> list[tuple]:
    return [(one.what, one.about, one.target, one.settings["SEED"]) for one in found]


def test_the_steps_are_every_run_and_baseline_of_each_seed_and_the_split_s_once(settings):
    splits, _ = handover.load_splits(settings)
    own = settings.replace(OWN_RUNS="compact_cnn:dx", DIAL_SEEDS=1)
    found = cluster_study.steps(own, splits, [0, 1])
    assert sorted(named(found)) == sorted(
        [("run", model, "dx", seed) for model in ("cnn", "compact_cnn") for seed in (0, 1)]
        + [("baselines", "", "dx", seed) for seed in (0, 1)]
        + [("dial", "", "dx", 0), ("folds", "", "dx", 0)]
    )
    assert [one.hours for one in found] == sorted((one.hours for one in found), reverse=True)
    assert found[0].about == "compact_cnn"  # the longest of the real study's


def test_each_seed_gets_its_own_split(settings, tmp_path):
    hand = cluster_steps.hand_for(settings, [0, 5])
    folders = [cluster_steps.lay_out(hand, seed, tmp_path / str(seed)) for seed in (0, 5)]
    rows = [handover.load_splits(settings.replace(SEED=s, folder=f))[0]["honest-dx"]
            for s, f in zip((0, 5), folders, strict=True)]  # fmt: skip
    here = handover.load_splits(settings)[0]["honest-dx"]
    pd.testing.assert_frame_equal(rows[0], here)
    assert not rows[1].equals(here)
    table = handover.load_table(settings.folder)
    keep = pd.DataFrame({"image_id": table["image_id"], "group": table["lesion_id"]})
    keep["keep_honest"] = True
    again = protocols.rows_for("honest", table, keep, "dx", settings.replace(SEED=5))
    assert rows[1].to_csv() == again.to_csv()


def packed(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def test_what_comes_back_is_put_in_place_whole_with_its_note(tmp_path):
    old = tmp_path / "runs" / "one"
    old.mkdir(parents=True)
    (old / "left.txt").write_text("of an older version")
    names = cluster_study.take_in(
        packed(**{"runs/one/a.txt": "new", "runs/.one.key": "k", "runs/loose.txt": "no note"}),
        tmp_path,
    )
    assert names == ["runs/one"] and cache.is_kept(old, "k")
    assert sorted(p.name for p in old.iterdir()) == ["a.txt"]
    assert not (tmp_path / "runs" / "loose.txt").exists()


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path):
    with pytest.raises(LesionsError, match="leads out of"):
        cluster_study.take_in(packed(**{"../out.txt": "x"}), tmp_path / "build")
    assert not list(tmp_path.rglob("out.txt"))


def test_the_ledger_knows_what_is_done_and_forgets_what_is_gone(tmp_path):
    one = Step("run", Settings().values(), "dx", "honest", "cnn")
    ledger = cluster_study.Ledger(tmp_path)
    assert not ledger.done(one)
    names = cluster_study.take_in(packed(**{"runs/one/a": "1", "runs/.one.key": "k"}), tmp_path)
    ledger.note(one, names)
    again = cluster_study.Ledger(tmp_path)
    assert again.done(one) and not again.done(Step("run", Settings(SEED=1).values(), "dx"))
    (tmp_path / "runs" / ".one.key").unlink()
    assert not again.done(one)


@pytest.mark.parametrize("text, found", [("0,1,2", [0, 1, 2]), ("3 3", [3]), ("", [7])])
def test_seeds_are_read(text, found):
    assert cluster_study.seeds_of(text, 7) == found


def test_options_that_are_no_numbers_get_a_sentence(capsys):
    assert cluster_study.main({"SEEDS": "0,one"}) == 1
    assert searching.main({"TRIALS": "0"}) == 1
    said = capsys.readouterr().err
    assert "SEEDS are whole numbers" in said and "TRIALS is a whole number from 1 on" in said


@pytest.mark.slow
def test_a_record_from_a_worker_counts_as_one_made_here(settings, capsys):
    """The study on a cluster; then the same run here finds the record and trains nothing."""
    from lesions.experiments import experiments
    from lesions.training import records, run_records

    assert cluster_study.run(settings, [0], "", 1) == []
    splits, caches = handover.load_splits(settings)
    capsys.readouterr()
    folder = records.train_run(
        "cnn", "dx", "honest", splits["honest-dx"], caches["honest"], settings
    )
    assert "kept from an earlier run" in capsys.readouterr().out
    assert len(run_records.predictions_of(folder)) > 0
    assert Path(settings.folder / "baselines" / "honest-dx-seed0" / "params.json").exists()
    assert len(experiments.experiment(settings.folder, "cohorts-dx"))
    assert cluster_study.run(settings, [0], "", 1) == []
    assert "3 steps, 3 of them done before" in capsys.readouterr().out
