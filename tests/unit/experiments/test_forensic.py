"""The forensic experiment: each regime does what it says, and the closest one is found."""

import pandas as pd
import pytest

from lesions.experiments import forensic
from lesions.paper import published
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
