"""The six measures on maps whose value is known, and against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lesions.core.errors import LesionsError
from lesions.explain import localisation as loc

SIZE = 20


@pytest.fixture
def masks() -> np.ndarray:
    found = np.zeros((3, SIZE, SIZE), bool)
    found[0, 5:15, 5:15] = found[1, :10] = found[2, 3:5, 3:5] = True
    return found


SHARES = np.array([0.25, 0.5, 0.01])


@pytest.mark.parametrize("name", loc.MEASURES)
def test_all_inside_all_outside_and_even(name, masks):
    measure = loc.MEASURES[name]
    # Of more top pixels than the lesion has, some must lie outside of it.
    most = np.minimum(1, SHARES / loc.TOP) if name == "top-k intersection" else np.ones(3)
    assert measure(masks.astype(float), masks) == pytest.approx(most)
    assert measure((~masks).astype(float), masks) == pytest.approx(0)
    even = np.full(3, 0.5) if name == "AUC" else SHARES
    for level in (0.0, 1.0):
        assert measure(np.full(masks.shape, level), masks) == pytest.approx(even)


@pytest.mark.parametrize("name", loc.MEASURES)
def test_noise_scores_by_chance(name):
    rng = np.random.default_rng(0)
    mask = np.zeros((600, SIZE, SIZE), bool)
    mask[:, 2:14, 6:16] = True
    found = loc.MEASURES[name](rng.random(mask.shape), mask).mean()
    assert found == pytest.approx(0.5 if name == "AUC" else 0.3, abs=0.05)


def test_signs(masks):
    """Evidence against the class counts as relevant, and not as evidence for it."""
    against = np.where(masks, -1.0, 0.5)
    assert loc.attribution_localisation(against, masks) == pytest.approx(0)
    assert loc.relevance_mass_accuracy(against, masks) == pytest.approx(
        SHARES / (SHARES + 0.5 * (1 - SHARES))
    )
    assert loc.pointing_game(against, masks) == pytest.approx(0)


def test_half_of_the_top_inside():
    mask = np.zeros((1, 4, 4), bool)
    mask[0, 0] = True  # four pixels
    values = np.zeros((1, 4, 4))
    values[0, 0, :2] = values[0, 3, :2] = 5
    assert loc.relevance_rank_accuracy(values, mask) == pytest.approx(0.5)
    assert loc.relevance_mass_accuracy(values, mask) == pytest.approx(0.5)
    assert loc.pointing_game(values, mask) == pytest.approx(0.5)


def test_auc_is_scikit_learn_s(masks):
    values = np.random.default_rng(0).integers(0, 9, masks.shape).astype(float)  # with ties
    wanted = [roc_auc_score(m.ravel(), v.ravel()) for m, v in zip(masks, values, strict=True)]
    assert loc.auc(values, masks) == pytest.approx(wanted)


def test_a_mask_of_the_whole_image_has_no_auc():
    full = np.ones((1, 4, 4), bool)
    assert np.isnan(loc.auc(np.random.default_rng(0).random((1, 4, 4)), full)).all()


def test_controls_know_no_network_and_find_the_middle():
    images = np.full((2, SIZE, SIZE, 3), 0.8, np.float32)
    images[:, 6:14, 6:14] = 0.3
    masks = images[..., 0] < 0.5
    controls = {name: of(images) for name, of in loc.CONTROLS.items()}
    about = pd.DataFrame({"lesion_id": ["a", "b"], "truth": ["mel", "nv"]})
    measured = loc.measure(controls, masks, about)
    assert len(measured) == 2 * len(controls) * len(loc.MEASURES)
    table = loc.summary(measured, n=50).set_index(["map", "measure"])
    assert table.loc[("centre Gaussian", "pointing game"), "value"] == 1
    assert table.loc[("darkness", "AUC"), "value"] == 1
    even = table.loc["even map"]
    assert even["value"].to_numpy() == pytest.approx(even["chance"].to_numpy())
    by_class = loc.summary(measured, ("map", "measure", "truth"), n=50)
    assert set(by_class["truth"]) == {"mel", "nv"} and (by_class["images"] == 1).all()


def test_mean_values_as_published_work_has_them(masks):
    values = np.where(masks, 3.0, 0.75)
    table = loc.mean_values(values, masks)
    assert table["inside"].to_numpy() == pytest.approx(1)
    assert table["outside"].to_numpy() == pytest.approx(0.25)
    assert table["quotient"].to_numpy() == pytest.approx(0.25)
    assert loc.mean_values(np.zeros(masks.shape), masks)["quotient"].isna().all()


def test_intervals_are_over_lesions():
    values = np.repeat([0.0, 1.0], 50)
    alone = loc.mean_interval(values, np.arange(100))
    grouped = loc.mean_interval(values, np.repeat(np.arange(10), 10))
    assert alone[0] == grouped[0] == 0.5
    assert grouped[2] - grouped[1] > 2 * (alone[2] - alone[1])
    assert loc.mean_interval(np.array([np.nan, 1.0]), ["a", "b"]) == (1.0, 1.0, 1.0)
    assert np.isnan(loc.mean_interval(np.array([np.nan]), ["a"])).all()


def test_what_cannot_be_measured_is_refused(masks):
    about = pd.DataFrame({"lesion_id": list("abc")})
    with pytest.raises(LesionsError, match="leave it out"):
        loc.measure({"m": np.ones(masks.shape)}, np.zeros_like(masks), about)
    with pytest.raises(LesionsError, match="must be"):
        loc.auc(np.ones((3, 4, 4)), masks)
    with pytest.raises(LesionsError, match="no numbers"):
        loc.auc(np.full(masks.shape, np.nan), masks)


def test_the_whole_interval_must_lie_above_every_control():
    line = {"value": 0.8, "low": 0.7, "high": 0.9}
    assert loc.above_controls(line, {"chance": 0.3, "untrained": 0.69})
    assert not loc.above_controls(line, {"chance": 0.3, "untrained": 0.75})


def test_a_method_passes_where_its_interval_lies_above_every_bar():
    columns = ["network", "map", "measure", "value", "low", "high", "chance"]
    table = pd.DataFrame(
        [
            ("trained", "RISE", "AUC", 0.9, 0.85, 0.95, 0.5),
            ("untrained", "RISE", "AUC", 0.6, 0.5, 0.7, 0.5),
            ("no network", "centre Gaussian", "AUC", 0.8, 0.7, 0.9, 0.5),
            ("trained", "RISE", "mass", 0.9, 0.75, 0.95, 0.5),
            ("untrained", "RISE", "mass", 0.6, 0.5, 0.7, 0.5),
            ("no network", "centre Gaussian", "mass", 0.8, 0.7, 0.9, 0.5),
        ],
        columns=columns,
    )
    passes = loc.passing(table)
    assert passes.loc["RISE"].to_dict() == {"AUC": True, "mass": False}
    assert not loc.passing(table.assign(chance=0.9)).any(axis=None)
