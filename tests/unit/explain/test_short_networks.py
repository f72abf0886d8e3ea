"""The network of the cover-up: the same twice, it learns, and shuffled labels are no labels."""

import numpy as np
import pandas as pd
import pytest

from lesions.explain import covering, short_networks


def made(images: int = 320) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Images whose class is the colour of the middle; its lesion is there."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"image_id": [f"I{n}" for n in range(images)]})
    table["lesion_id"] = table["image_id"]
    table["dx"] = np.where(np.arange(images) % 2, "mel", "nv")
    pixels = rng.normal(128, 12, (images, 32, 32, 3))
    pixels[np.ix_(table["dx"] == "mel", range(10, 22), range(10, 22))] += 60
    mask = np.zeros((32, 32), bool)
    mask[9:23, 9:23] = True
    masks = np.repeat(mask[None], images, axis=0)
    return table, np.clip(pixels, 0, 255).astype(np.uint8), masks


def test_shuffled_labels_stay_in_training_and_keep_their_counts():
    rows = pd.DataFrame({"image_id": list("abcdefgh"), "split": ["train"] * 6 + ["test"] * 2})
    rows["label"] = ["x", "x", "x", "y", "y", "z", "y", "z"]
    found = short_networks.shuffled(rows, 3)
    assert list(found["label"][6:]) == ["y", "z"]
    assert sorted(found["label"][:6]) == sorted(rows["label"][:6])
    assert found["label"].ne(rows["label"]).any() and list(rows["label"][:3]) == ["x"] * 3
    assert short_networks.shuffled(rows, 3).equals(found)


@pytest.mark.slow
def test_it_finds_where_the_signal_is_and_is_the_same_twice():
    table, pixels, masks = made()
    learner = short_networks.network_learner(table, epochs=6)
    covers = ["whole image", "only the skin", "whole image"]
    found = covering.cover_up(table, ["dx"], pixels, masks, learner, [0], covers=covers, margin=0.1)
    count = len(found) // 3
    first, again = found[:count], found[2 * count :]
    assert np.allclose(first["p_nv"].to_numpy(), again["p_nv"].to_numpy(), atol=1e-5)
    scores = covering.score_covers(found[: 2 * count], n=50).set_index("cover")["value"]
    assert scores["whole image"] > 0.9 > 0.75 > scores["only the skin"]


@pytest.mark.slow
def test_maps_of_shuffled_labels_stand_beside_those_of_true_ones():
    table, pixels, _ = made()
    parts = np.where(np.arange(len(table)) % 8 < 2, "test", "train")
    rows = table.rename(columns={"dx": "label"}).assign(split=parts)
    shown = rows.loc[rows["split"] == "test", "image_id"].tolist()[:12]
    found, learnt = short_networks.shuffled_labels(
        rows, pixels, pd.Index(table["image_id"]), shown, 4, methods=["gradient", "Grad-CAM"]
    )
    found, learnt = found.set_index("map"), learnt.set_index("network")
    assert found.loc["edge detector", "likeness"] == pytest.approx(1)
    assert found.loc["edge detector", "verdict"].startswith("fails")
    assert (found["low"] <= found["likeness"]).all() and (found["again"] <= 1 + 1e-9).all()
    assert learnt.loc["true labels", "test_macro_auc"] > 0.9
    assert learnt.loc["shuffled labels", "test_macro_auc"] < 0.8
