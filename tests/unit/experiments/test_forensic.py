"""The forensic experiment: each regime does what it says, and the closest one is found."""

import numpy as np
import pandas as pd
import pytest

from lesions.core.errors import LesionsError
from lesions.experiments import forensic
from lesions.paper import published, verdict_words
from lesions.settings.parameters import Settings
from made import made_table


def world():
    table = made_table(300, classes=3)
    return table.assign(sex="male")


@pytest.mark.parametrize(("resampling", "when"), forensic.REGIMES)
def test_a_regime_resamples_when_it_says(resampling, when):
    rows = forensic.regime_rows(world(), "dx", resampling, when, seed=0)
    sizes = rows.groupby("split")["label"].value_counts().unstack()
    even = sizes.max(axis=1) - sizes.min(axis=1) <= 1
    assert even["train"] == (when != "never")
    assert even["test"] == (when == "before")
    if when != "before":  # no image stands in two parts
        parts = rows.groupby("image_id")["split"].nunique()
        assert (parts == 1).all()
    if (resampling, when) == ("over", "before"):  # copies fall on both sides: the leak
        train, test = (set(rows.loc[rows["split"] == p, "image_id"]) for p in ("train", "test"))
        assert train & test
    assert rows["image_id"].duplicated().any() == (resampling == "over")


def test_every_position_is_tried_once():
    places = forensic.positions([1, 4], [1, 4], [0, 1])
    assert len(set(places)) == len(places) == 2 * 2 * 2 * 5
    assert [place.seed for place in places] == sorted(place.seed for place in places)


def tried(scores: dict[tuple[str, str], list[float]]) -> pd.DataFrame:
    """Runs of row 1 in some regimes whose four scores all are the printed ones plus something."""
    printed = published.scores().set_index("row").loc[1]
    rows = []
    for (resampling, when), offs in scores.items():
        for seed, off in enumerate(offs):
            place = forensic.Position(1, resampling, when, 1, seed)._asdict()
            moved = {name: printed[name] + off for name in forensic.COMPARED}
            rows.append(place | {"model": "fcnn_relu", "target": "sex"} | moved)
    return pd.DataFrame(rows)


def test_the_closest_way_is_found_and_seeds_may_tell_it_apart():
    runs = tried({("over", "before"): [0.10, 0.12], ("none", "never"): [-0.01, 0.03]})
    far = forensic.distances(runs, published.scores())
    assert far["distance"].tolist() == pytest.approx([0.02, 0.11])
    (near,) = forensic.closest(far).to_dict("records")
    assert (near["resampling"], near["when"], near["next"]) == ("none", "never", "over, before")
    assert near["told_apart"]
    mixed = tried({("over", "before"): [0.02, 0.12], ("none", "never"): [-0.01, 0.03]})
    (near,) = forensic.closest(forensic.distances(mixed, published.scores())).to_dict("records")
    assert not near["told_apart"]


def test_regimes_that_score_the_same_are_said_to_be_as_near():
    """Both answered one class always: neither is closer, whatever the table's order says."""
    runs = tried(
        {("under", "after"): [0.0031], ("none", "never"): [0.0032], ("over", "before"): [0.1]}
    )
    near = forensic.closest(forensic.distances(runs, published.scores()))
    assert near["as_near"].tolist() == ["none, never"]
    assert "as near: none, never" in verdict_words.guess(near)
    apart = tried({("under", "after"): [0.01], ("none", "never"): [0.05]})
    near = forensic.closest(forensic.distances(apart, published.scores()))
    assert near["as_near"].tolist() == [""] and "as near" not in verdict_words.guess(near)


def test_every_row_has_a_model_and_only_backbones_have_a_stand_in():
    assert {forensic.model_of(row)[0] for row in (1, 4, 8)} == {
        "fcnn_relu", "cnn", "autoencoder_classifier"}  # fmt: skip
    for row, own in ((5, "vgg16"), (6, "resnet50"), (9, "densenet121")):
        assert forensic.model_of(row) == (own, forensic.model_of(row, "scratch")[1])
        assert forensic.model_of(row, "efficientnet_lite0")[0] == "efficientnet_lite0"
    assert forensic.model_of(8, "efficientnet_lite0")[0] == "autoencoder_classifier"
    for row, stand_in in ((10, ""), (5, "vgg19")):
        with pytest.raises(LesionsError, match="rows go from 1 to 9"):
            forensic.model_of(row, stand_in)


@pytest.mark.slow
def test_a_frozen_row_runs_with_a_stand_in_and_in_two_steps(tmp_path, monkeypatch):
    monkeypatch.setattr("lesions.core.files.CACHE", tmp_path / "cache")
    table = made_table(120, classes=3)
    table["localization"] = np.where(np.arange(len(table)) % 2, "back", "face")
    cached = tmp_path / "pixels"
    cached.mkdir()
    rng = np.random.default_rng(0)
    np.save(cached / "pixels.npy", rng.integers(0, 255, (len(table), 32, 32, 3), np.uint8))
    table[["image_id"]].to_csv(cached / "image_ids.csv", index=False)
    settings = Settings(IMAGE_SIZE=32, EPOCH_SAMPLES=64, folder=tmp_path / "build")
    for row, stand_in, init in ((5, "scratch", "random"), (8, "", "scratch")):
        place = forensic.Position(row, "over", "after", 1, 0)
        line = forensic.one(table, cached, place, settings, stand_in)
        assert (line["row"], line["init"]) == (row, init) and 0 <= line["accuracy"] <= 1
