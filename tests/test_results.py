"""Records are read back, set beside the paper, and written as a page."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from lesions import evaluation, results
from lesions.errors import LesionsError

CLASSES = {
    "sex": ["female", "male"],
    "dx": ["bkl", "mel", "nv"],
    "dx_type": ["consensus", "histo"],
    "localization": ["back", "face"],
}


def write_record(folder, model, target, protocol, right: float, init="scratch"):
    """A record whose predictions are right for this share of the test rows."""
    classes = CLASSES[target]
    truth = np.array(classes)[np.arange(100) % len(classes)]
    wrong = np.roll(truth, 1)
    answer = np.where(np.arange(100) < 100 * right, truth, wrong)
    table = pd.DataFrame({"image_id": [f"I{n}" for n in range(100)], "truth": truth})
    table["lesion_id"], table["split"] = table["image_id"], "test"
    for name in classes:
        table[f"p_{name}"] = np.where(answer == name, 0.8, 0.2 / (len(classes) - 1))
    record = folder / "runs" / f"{protocol}-{target}-{model}-seed0"
    record.mkdir(parents=True)
    table.to_parquet(record / "predictions.parquet")
    (record / "metrics.json").write_text(json.dumps(evaluation.scores(table)))
    about = {"model": model, "target": target, "protocol": protocol, "init": init, "weights": 10,
             "epochs": 1, "seconds": 1.0, "settings": {"SEED": 0}}  # fmt: skip
    (record / "params.json").write_text(json.dumps(about))
    history = pd.DataFrame({"epoch": [1], "loss": [1.0], "val_loss": [1.0]})
    history.to_csv(record / "history.csv", index=False)


@pytest.fixture
def folder(tmp_path):
    for row in results.published().itertuples():
        for protocol, right in (("paper", 0.9), ("honest", 0.6)):
            write_record(tmp_path, row.key, row.target, protocol, right)
    return tmp_path


def test_without_records_it_says_what_to_run(tmp_path):
    with pytest.raises(LesionsError, match="run notebooks 04 and 05 first"):
        results.load_records(tmp_path)


def test_the_paper_has_nine_rows_and_known_numbers():
    table = results.published().set_index("key")
    assert len(table) == 9
    assert table.loc["cnn", "accuracy"] == 0.64
    assert table.loc["resnet50", "weighted_f1"] == 0.53


def test_the_comparison_sets_ours_beside_the_papers(folder):
    table = results.comparison(results.load_records(folder), seed=0)
    assert list(table["row"]) == list(range(1, 10))
    np.testing.assert_allclose(table["paper_accuracy"], 0.9)
    np.testing.assert_allclose(table["honest_accuracy"], 0.6)
    dx = table.set_index("key").loc["cnn"]
    assert dx["honest_majority"] == pytest.approx(0.34)
    gap = results.gap(table.rename(columns=str), "accuracy")
    np.testing.assert_allclose(gap["gap"], 0.3)


def test_a_model_that_was_not_run_has_empty_cells(tmp_path):
    write_record(tmp_path, "cnn", "dx", "honest", 0.5)
    records = results.load_records(tmp_path)
    table = results.comparison(records, seed=0)
    assert table["honest_accuracy"].notna().sum() == 1 and len(table) == 9
    with pytest.raises(LesionsError, match="PROTOCOL=both"):
        results.gap(table, "accuracy")
    assert "nan" in results.claims(table).loc[0, "ours, honest"]


def test_intervals_hold_the_score(folder):
    records = results.load_records(folder)
    table = results.with_intervals(results.comparison(records, 0), records, samples=200)
    for protocol in ("paper", "honest"):
        low, high = table[f"{protocol}_low"], table[f"{protocol}_high"]
        assert (
            (low < table[f"{protocol}_accuracy"]) & (table[f"{protocol}_accuracy"] < high)
        ).all()


def test_claims_get_the_verdicts_that_the_papers_table_gives(folder):
    verdicts = results.claims(results.comparison(results.load_records(folder), 0))["verdict"]
    assert list(verdicts) == [
        "contradicted by its own table",
        "compares different targets: localization and dx",
        "compares different targets: localization and dx",
        "supported by its own table",
    ]


def test_random_weights_are_said_to_be_random(tmp_path):
    write_record(tmp_path, "vgg16", "dx", "honest", 0.5, init="random")
    note = results.weights_note(results.load_records(tmp_path))
    assert "vgg16: init=random" in note and "nothing about transfer" in note


def test_the_page_holds_tables_and_figures_with_alt_text(folder):
    figure = folder / "figures"
    figure.mkdir()
    (figure / "a.png").write_bytes(b"")
    (figure / "a.txt").write_text('What one "sees"')
    table = pd.DataFrame({"model": ["a < b"], "score": [0.12345]})
    page = results.write_page(folder, "Results", ["A note."], {"Scores": table}, ["a"])
    text = page.read_text(encoding="utf-8")
    assert "a &lt; b" in text and "0.123" in text and "A note." in text
    assert re.findall(r'alt="([^"]*)"', text) == ["What one &quot;sees&quot;"]
