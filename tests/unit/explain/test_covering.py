"""Covering: what is left is what was asked for, and the experiment finds where the signal is."""

import numpy as np
import pandas as pd
import pytest

from lesions.core.errors import LesionsError
from lesions.explain import covering


def made(images=240, size=16, seed=0):
    """Images whose class `dx` is a colour of the middle, and `sex` one of the border."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((size, size), bool)
    mask[5:11, 5:11] = True
    table = pd.DataFrame({"image_id": [f"I{n}" for n in range(images)]})
    table["lesion_id"] = [f"L{n // 2}" for n in range(images)]
    lesion = np.arange(images) // 2
    table["dx"] = np.where(lesion % 2, "mel", "nv")
    table["sex"] = np.where(lesion // 2 % 2, "male", "female")
    pixels = rng.normal(128, 12, (images, size, size, 3))
    pixels[np.ix_(table["dx"] == "mel", range(6, 10), range(6, 10))] += 40
    male = np.zeros((images, size, size), bool)
    male[table["sex"] == "male"] = True
    pixels[male & ~covering.grown(mask[None], 0.13)] -= 40
    return table, np.clip(pixels, 0, 255).astype(np.uint8), np.repeat(mask[None], images, axis=0)


def test_each_cover_leaves_its_part():
    _, pixels, masks = made(4)
    lesion = covering.cover(pixels, masks, "only the lesion", margin=0)
    skin = covering.cover(pixels, masks, "only the skin", margin=0)
    assert np.array_equal(lesion[masks], pixels[masks]) and (lesion[~masks] == 128).all()
    assert np.array_equal(skin[~masks], pixels[~masks]) and (skin[masks] == 128).all()
    outline = covering.cover(pixels, masks, "only the outline")
    assert set(np.unique(outline)) == {0, 255} and (outline[masks] == 0).all()
    assert covering.cover(pixels, masks, "whole image") is pixels
    thumb = covering.cover(pixels, masks, "thumbnail 8 x 8")
    assert thumb.shape == pixels.shape
    assert np.array_equal(thumb[:, ::2, ::2], thumb[:, 1::2, 1::2])
    assert abs(thumb.mean() - pixels.mean()) < 1


def test_the_margin_belongs_to_the_lesion_on_both_sides():
    _, pixels, masks = made(2)
    lesion = covering.cover(pixels, masks, "only the lesion", margin=0.13)
    skin = covering.cover(pixels, masks, "only the skin", margin=0.13)
    assert (lesion != 128).any(axis=-1).sum() > masks.sum()
    assert not ((lesion != 128) & (skin != 128)).any(), "no pixel is seen by both"
    shares = covering.share_seen(masks, 0.13)
    assert shares.sum() == pytest.approx(1)


@pytest.mark.parametrize("what, masks, said", [
    ("nothing", np.zeros((2, 16, 16), bool), "Unknown cover"),
    ("only the skin", np.zeros((2, 8, 8), bool), "Masks must be bool"),
    ("only the skin", np.zeros((2, 16, 16), np.uint8), "Masks must be bool"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(what, masks, said):
    with pytest.raises(LesionsError, match=said):
        covering.cover(np.zeros((2, 16, 16, 3), np.uint8), masks, what)


def test_covering_finds_where_the_signal_is():
    table, pixels, masks = made()
    masks[0] = False  # an image without a mask is left out
    table.loc[5, "sex"] = "unknown"
    values = {}
    learner = covering.colours_learner(table)
    both = covering.cover_up(table, ["dx", "sex"], pixels, masks, learner, [0, 1], margin=0.13)
    for target in ("dx", "sex"):
        answers = covering.of_target(both, target)
        assert "I0" not in set(answers["image_id"]) and set(answers["split"]) == {"test"}
        assert len([name for name in answers if name.startswith("p_")]) == 2
        scored = covering.score_covers(answers, n=50)
        assert set(scored["seed"]) == {0, 1}
        assert (scored.query("cover == 'whole image'")["lost"] == 0).all()
        mean = covering.over_seeds(scored, ["cover", "metric"])
        assert (mean["low"] <= mean["value"]).all() and (mean["value"] <= mean["high"]).all()
        assert (mean["seeds"] == 2).all()
        values[target] = mean.set_index("cover")["value"]
    assert values["dx"]["only the lesion"] > 0.95 > 0.7 > values["dx"]["only the skin"]
    assert values["sex"]["only the skin"] > 0.95 > 0.7 > values["sex"]["only the lesion"]
    assert values["dx"]["only the outline"] == pytest.approx(0.5)  # all have the same
