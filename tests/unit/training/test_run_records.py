"""A run record: written whole, and refused with one sentence when it is not."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from lesions.training import run_records
from made import about_run, write_record


def test_what_is_written_is_read(tmp_path):
    record = write_record(tmp_path, "cnn", "dx", "honest", 0.7)
    about = run_records.About.read(record)
    assert about == about_run(settings=about.settings) and about.seed == 0
    table = run_records.load_records(tmp_path)
    assert table.loc[0, ["model", "target", "protocol", "seed"]].tolist() == [
        "cnn", "dx", "honest", 0,
    ]  # fmt: skip
    assert table.loc[0, "accuracy"] == pytest.approx(0.7)
    assert set(run_records.predictions_of(record)["split"]) == {"test"}
    assert run_records.predictions_of(record, split=None).shape == (100, 7)
    assert run_records.majority(record) == pytest.approx(0.34)


def changed(record, **keys) -> None:
    path = record / "params.json"
    about = json.loads(path.read_text()) | keys
    path.write_text(json.dumps({name: v for name, v in about.items() if v is not None}))


def changed_table(record, change) -> None:
    path = record / "predictions.parquet"
    change(pd.read_parquet(path)).to_parquet(path)


# what is done to a whole record, and a part of what is said of it
FAULTS = {
    "a key is missing": (lambda r: changed(r, protocol=None), "lacks protocol"),
    "a key is unknown": (lambda r: changed(r, colour="red"), "has unknown colour"),
    "params.json is cut off": (
        lambda r: (r / "params.json").write_text('{"model": '), "params.json is damaged"),
    "no scores": (lambda r: (r / "metrics.json").unlink(), "no .*metrics.json"),
    "no predictions": (lambda r: (r / "predictions.parquet").unlink(), "no .*predictions.parquet"),
    "predictions cut off": (
        lambda r: (r / "predictions.parquet").write_bytes(b"PAR1"), "parquet is damaged"),
    "a column is missing": (
        lambda r: changed_table(r, lambda t: t.drop(columns="truth")), "no column truth"),
    "no probabilities": (
        lambda r: changed_table(r, lambda t: t.drop(columns=["p_bkl", "p_mel", "p_nv"])),
        "no column p_<class>"),
    "too much in all": (
        lambda r: changed_table(r, lambda t: t.assign(p_nv=t["p_nv"] + 0.01)),
        "probabilities of 100 rows do not sum to 1, first those of I0"),
    "an empty one": (
        lambda r: changed_table(r, lambda t: t.assign(p_nv=t["p_nv"].where(t.index != 3))),
        "of 1 rows do not sum to 1, first those of I3"),
    "less than nothing": (
        lambda r: changed_table(r, lambda t: t.assign(p_nv=-0.1, p_mel=1.1, p_bkl=0.0)),
        "of 100 rows"),
    "no history": (lambda r: (r / "history.csv").unlink(), "no .*history.csv"),
}  # fmt: skip


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_record_that_is_not_whole_is_refused(fault, tmp_path):
    record = write_record(tmp_path, "cnn", "dx", "honest", 0.7)
    spoil, said = FAULTS[fault]
    spoil(record)
    with pytest.raises(LesionsError, match=said) as caught:
        run_records.load_records(tmp_path)
        run_records.predictions_of(record)
        run_records.history_of(record)
    assert "\n" not in str(caught.value) and "run the notebook" in str(caught.value)


def test_what_is_no_prediction_is_not_written(tmp_path):
    table = pd.DataFrame({"image_id": ["a"], "lesion_id": ["a"], "split": ["test"],
                          "truth": ["nv"], "p_nv": [0.5], "p_mel": [0.4]})  # fmt: skip
    with pytest.raises(LesionsError, match="do not sum to 1"):
        run_records.write(tmp_path / "runs" / "x", "key", about_run(), table)
    assert not list(tmp_path.rglob("params.json"))


def test_a_network_that_is_not_there_is_named(tmp_path):
    record = write_record(tmp_path, "cnn", "dx", "honest", 0.7)
    with pytest.raises(LesionsError, match=r"honest-dx-cnn-seed0 has no network model\.keras"):
        run_records.network_of(record)


def test_without_records_it_says_what_to_run(tmp_path):
    with pytest.raises(LesionsError, match="run notebooks 04 and 05 first"):
        run_records.load_records(tmp_path)


def test_reading_needs_no_tensorflow():
    code = (
        "import sys; from lesions.training import run_records; print('tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT / "lib", check=True
    )
    assert done.stdout.strip() == "False"


def test_a_record_of_an_older_version_is_passed_over(tmp_path):
    """It has no key beside it, so nothing says that it is whole, or made by this code."""
    kept = write_record(tmp_path, "cnn", "dx", "honest", 0.7)
    old = write_record(tmp_path, "vgg16", "dx", "honest", 0.6)
    (old.parent / f".{old.name}.key").unlink()
    changed(old, key="of another form")
    assert run_records.load_records(tmp_path)["record"].tolist() == [str(kept)]
