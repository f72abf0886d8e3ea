"""What notebook 08 says in words of the kept results on the real images, held against them."""

import pandas as pd
import pytest

from lesions.explain import cover_study, study


@pytest.fixture
def lost() -> pd.DataFrame:
    return cover_study.kept_covers().set_index(["learner", "cover", "target"])


def test_what_is_said_of_the_cover_up_by_colours(lost):
    lost = lost.loc["colours"]
    assert lost["seeds"].min() >= 3
    skin = lost.loc["only the skin"]
    assert skin["lost"].idxmax() == "dx"
    assert skin.loc["dx_type", "lost"] < skin.loc["dx", "lost"] / 2
    assert skin.loc["sex", "lost_low"] < 0 < skin.loc["sex", "lost_high"]
    assert skin.loc["dx", "low"] > max(0.5, lost.loc[("only the outline", "dx"), "high"])
    assert (lost.loc["thumbnail 8 x 8", "lost"] < 0.05).all()
    assert 0.90 < lost.loc[("whole image", "dx_type"), "value"] < 0.96


def test_what_is_said_of_the_cover_up_by_the_network(lost):
    network, colours = lost.loc["short network"], lost.loc["colours"]
    for target in ("dx", "dx_type"):
        skin = network.loc[("only the skin", target)]
        assert skin["lost_low"] > colours.loc[("only the skin", target), "lost"] > 0
    lesion = network.loc[("only the lesion", "dx")]
    assert lesion["lost"] < 0.02 and lesion["lost_low"] < 0 < lesion["lost_high"]
    skin = network.loc[("only the skin", "sex")]
    assert skin["lost_low"] < 0 < skin["lost_high"]


def test_published_numbers_have_their_protocol():
    known = study.anchors()
    assert list(known.columns) == ["work", "what", "value", "protocol"]
    assert known["protocol"].str.len().min() > 5
    assert {".48", "0.48"} & set(known["value"])
