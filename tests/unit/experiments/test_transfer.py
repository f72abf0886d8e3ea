"""Does pretraining help: the ways are fed as they say, and the summary says what was found."""

import numpy as np
import pandas as pd
import pytest

from lesions.experiments import transfer
from lesions.scores import rules


def scores() -> pd.DataFrame:
    rows = [
        {"way": way, "seed": seed, "macro_auc": auc + seed / 100, "log_loss": 1.0,
         "accuracy": 0.7, "balanced_accuracy": 0.5}
        for way, auc in zip(transfer.WAYS, (0.9, 0.88, 0.8, 0.9), strict=True)
        for seed in range(3)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table.loc[(table["way"] == "random weights") & (table["seed"] == 0), "macro_auc"] = 0.95
    return table


def test_each_way_sees_the_pixels_that_it_names():
    image = np.random.default_rng(0).random((2, 4, 4, 3), dtype=np.float32)
    seen = {way: prepare(image.copy()) for way, (_, prepare) in transfer.WAYS.items()}
    assert (seen["ImageNet"] == image).all() and (seen["random weights"] == image).all()
    assert (seen["ImageNet, blue first"][..., 0] == image[..., 2]).all()
    assert seen["ImageNet, [0, 1] for 0 to 255"].max() <= 1 / 255
    weights = {way: weights for way, (weights, _) in transfer.WAYS.items()}
    assert [way for way in weights if weights[way] == "random"] == ["random weights"]


def test_the_summary_has_means_and_both_ends():
    table = transfer.summary(scores())
    assert table.index.tolist() == list(transfer.WAYS)
    row = table.loc["ImageNet"]
    assert row["macro_auc"] == pytest.approx(0.91)
    assert (row["lowest auc"], row["highest auc"], row["seeds"]) == (0.9, 0.92, 3)


def test_the_sentence_counts_splits_and_gives_differences():
    said = transfer.in_words(scores())
    assert "+0.020 against ImageNet, blue first, in 3 of 3" in said
    assert "-0.017 against random weights, in 0 of 3" in said


def test_without_the_network_it_is_left_out_with_a_sentence(monkeypatch, capsys):
    monkeypatch.setattr(transfer, "PACKAGE", "no_such_package_here")
    found = transfer.compare("dx", range(3), None)
    assert found.empty and {"way", "seed", *rules.SCORES} == set(found)
    assert "left out: run `make setup`" in capsys.readouterr().out
    assert transfer.summary(found).empty
    assert transfer.in_words(found) == "There is nothing to compare."


def test_a_head_learns_from_features_that_tell_the_class():
    rng = np.random.default_rng(0)
    label = rng.choice(["mel", "nv", "vasc"], 1500)
    numbers = rng.normal(size=(1500, 8)).astype(np.float32)
    numbers[:, :3] += 3 * np.eye(3)[pd.Index(["mel", "nv", "vasc"]).get_indexer(label)]
    ids = [f"I{n}" for n in range(1500)]
    rows = pd.DataFrame({"image_id": ids, "lesion_id": ids, "label": label})
    rows["split"] = np.repeat(["train", "validation", "test"], 500)
    found = transfer.head_predictions(pd.DataFrame(numbers, index=ids), rows, seed=0)
    assert found["image_id"].tolist() == ids[1000:] and set(found["split"]) == {"test"}
    p = found[["p_mel", "p_nv", "p_vasc"]]
    assert np.allclose(p.sum(axis=1), 1)
    answered = p.idxmax(axis=1).str.removeprefix("p_")
    assert (answered == found["truth"]).mean() > 0.85
