"""What notebook 08 says in words of the kept results on the real images, held against them."""

import pandas as pd
import pytest

from lesions.explain import covering, study


@pytest.fixture
def lost() -> pd.DataFrame:
    full = study.kept("cover_up")
    full = covering.over_seeds(full[full["metric"] == "macro_auc"], ["target", "cover"])
    return full.set_index(["cover", "target"])


def test_what_is_said_of_the_cover_up(lost):
    skin = lost.loc["only the skin"]
    assert skin["lost"].idxmax() == "dx"
    assert skin.loc["dx_type", "lost"] < skin.loc["dx", "lost"] / 2
    assert skin.loc["sex", "lost_low"] < 0 < skin.loc["sex", "lost_high"]
    assert skin.loc["dx", "low"] > max(0.5, lost.loc[("only the outline", "dx"), "high"])
    assert (lost.loc["thumbnail 8 x 8", "lost"] < 0.05).all()
    assert 0.90 < lost.loc[("whole image", "dx_type"), "value"] < 0.96


def test_published_numbers_have_their_protocol():
    known = study.anchors()
    assert list(known.columns) == ["work", "what", "value", "protocol"]
    assert known["protocol"].str.len().min() > 5
    assert {".48", "0.48"} & set(known["value"])
