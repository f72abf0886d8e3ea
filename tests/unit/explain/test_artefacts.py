"""Artefacts: they change what they should, the same each time, and flips are counted."""

import numpy as np
import pandas as pd
import pytest

from lesions.explain import artefacts, opened
from lesions.networks.backend import keras

layers = keras.layers


@pytest.fixture
def pixels() -> np.ndarray:
    return np.full((6, 64, 64, 3), 190, np.uint8)


@pytest.mark.parametrize("what", artefacts.ARTEFACTS)
def test_an_artefact_is_seen_and_is_the_same_twice(what, pixels):
    first = artefacts.paste(pixels, what)
    assert first.dtype == np.uint8 and first.shape == pixels.shape
    assert np.array_equal(first, artefacts.paste(pixels, what))
    changed = (first != pixels).any(axis=-1).mean(axis=(1, 2))
    assert (changed > 0.005).all()
    assert (pixels == 190).all(), "the images themselves stay"
    if what in ("ruler", "hairs", "gel bubbles"):
        assert (changed < 0.35).all()


def test_a_ruler_lies_along_the_side_and_corners_are_dark(pixels):
    ruler = artefacts.paste(pixels, "ruler")
    assert (ruler[:, :50] == 190).all()
    corners = artefacts.paste(pixels, "dark corners")
    assert corners[:, 0, 0].max() < 30 and (corners[:, 32, 32] == 190).all()


def test_flips_are_counted_by_class(pixels):
    pixels = pixels.copy()
    pixels[3:] = 60  # dark already
    images = keras.Input((64, 64, 3))
    scores = layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling2D()(images))
    model = keras.Model(images, scores)
    model.layers[-1].set_weights([np.full((3, 1), 40.0), np.array([-40 * 3 * 170 / 255.0])])
    about = pd.DataFrame({"lesion_id": list("abcdef"), "truth": ["nv"] * 3 + ["mel"] * 3})
    found = artefacts.flips(opened.with_scores(model), pixels, about, ["dark", "light"])
    assert set(found["before"]) == {"dark", "light"}
    corners = found[found["artefact"] == "dark corners"]
    assert list(corners["flipped"]) == [True] * 3 + [False] * 3
    assert (corners["shift"][:3] < 0).all()
    table = artefacts.flip_table(found, n=50).set_index(["artefact", "truth"])
    assert table.loc[("dark corners", "nv"), "share"] == 1
    assert table.loc[("dark corners", "mel"), "share"] == 0
    assert table.loc[("dark corners", "all"), "flipped"] == 3
    assert table.loc[("5 % brighter or darker", "all"), "share"] == 0
