"""Decisions and temperatures: what they do, and that they never see the test part."""

import numpy as np
import pandas as pd
import pytest

from lesions.core.errors import LesionsError
from lesions.scores import calibration, evaluation, scoring


def make_predictions(n=900, seed=0, sharpen=1.0, shares=(0.1, 0.2, 0.7), split="validation"):
    """Predictions that are calibrated exactly before they are sharpened."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.array(shares) * 4, n) * 0.98 + 0.02 / 3
    truth = (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(max=2)
    p = p**sharpen
    p /= p.sum(axis=1, keepdims=True)
    ids = [f"I{i}" for i in range(n)]
    table = pd.DataFrame({"image_id": ids, "lesion_id": ids, "split": split})
    table["truth"] = np.array(["df", "mel", "nv"])[truth]
    return table.assign(p_df=p[:, 0], p_mel=p[:, 1], p_nv=p[:, 2])


def test_temperature_undoes_overconfidence():
    validation = make_predictions(n=4000, sharpen=3.0)
    found = calibration.temperature(validation)
    assert found == pytest.approx(3.0, rel=0.1)
    test = make_predictions(n=4000, sharpen=3.0, seed=1, split="test")
    before, after = (
        evaluation.scores(table) for table in (test, calibration.calibrate(test, found))
    )
    assert after["ece"] < before["ece"] / 3
    assert after["log_loss"] < before["log_loss"]
    assert after["accuracy"] == before["accuracy"]


def test_temperature_one_changes_nothing_and_zero_probabilities_survive():
    predictions = make_predictions().assign(p_df=0.0, p_mel=0.25, p_nv=0.75)
    same = calibration.calibrate(predictions, 1.0)
    for name in ("p_df", "p_mel", "p_nv"):
        assert np.allclose(same[name], predictions[name])
    softer = calibration.calibrate(predictions, 2.0)
    assert softer["p_nv"].iloc[0] < 0.75
    assert np.isclose(softer[["p_df", "p_mel", "p_nv"]].sum(axis=1), 1).all()


def test_a_decision_raises_balanced_accuracy_on_new_images():
    chosen = calibration.choose_decision(make_predictions(n=3000))
    assert chosen.max() == 1
    assert chosen["df"] > chosen["mel"] > chosen["nv"]
    test = make_predictions(n=3000, seed=1, split="test")
    plain, decided = evaluation.scores(test), evaluation.scores(test, chosen)
    assert decided["balanced_accuracy"] > plain["balanced_accuracy"] + 0.05
    assert decided["accuracy"] < plain["accuracy"]


def test_choosing_for_accuracy_leaves_calibrated_probabilities_nearly_alone():
    chosen = calibration.choose_decision(make_predictions(n=3000), "accuracy")
    test = make_predictions(n=3000, seed=1, split="test")
    plain, decided = evaluation.scores(test), evaluation.scores(test, chosen)
    assert abs(decided["accuracy"] - plain["accuracy"]) < 0.02


def test_a_weight_for_each_class_fits_the_validation_part_at_least_as_well():
    validation = make_predictions(n=300)
    one, each = (
        evaluation.scores(validation, calibration.choose_decision(validation, "macro_f1", flag))
        for flag in (False, True)
    )
    assert each["macro_f1"] >= one["macro_f1"]
    assert one["macro_f1"] >= evaluation.scores(validation)["macro_f1"]


def test_with_decision_gives_the_same_labels_as_the_decision():
    predictions = make_predictions()
    weights = {"df": 1.0, "mel": 0.4, "nv": 0.1}
    changed = calibration.with_decision(predictions, weights)
    expected = evaluation.confusion(predictions, weights)
    pd.testing.assert_frame_equal(evaluation.confusion(changed), expected)
    assert not expected.equals(evaluation.confusion(predictions))
    assert np.isclose(changed[["p_df", "p_mel", "p_nv"]].sum(axis=1), 1).all()


def test_prior_weights_are_bayes_rule():
    """A model that learnt with equal classes, put right for the shares of nature."""
    train = {"a": 0.5, "b": 0.5}
    nature = {"a": 0.9, "b": 0.1}
    likelihood = np.array([0.2, 0.6])  # p(image | class)
    learnt = likelihood * 0.5 / (likelihood * 0.5).sum()
    right = likelihood * [0.9, 0.1] / (likelihood * [0.9, 0.1]).sum()
    one = pd.DataFrame({"truth": ["a"], "p_a": [learnt[0]], "p_b": [learnt[1]]})
    changed = calibration.with_decision(one, calibration.prior_weights(train, nature))
    assert changed[["p_a", "p_b"]].iloc[0].tolist() == pytest.approx(right.tolist())


@pytest.mark.parametrize("choose", [calibration.choose_decision, calibration.temperature])
def test_nothing_is_chosen_on_test_images(choose):
    mixed = pd.concat([make_predictions(50), make_predictions(1, split="test")])
    with pytest.raises(LesionsError, match="hold test images"):
        choose(mixed)


def test_reliability_adds_up():
    predictions = make_predictions(n=500, sharpen=2.0)
    table = calibration.reliability(predictions)
    assert table["images"].sum() == 500
    ece = (table["gap"].abs() * table["images"]).sum() / 500
    assert ece == pytest.approx(evaluation.scores(predictions)["ece"], abs=1e-12)
    assert (table["confidence"] > table["low"]).all()
    assert (table["confidence"] <= table["high"]).all()
    hits = (table["accuracy"] * table["images"]).sum() / 500
    assert hits == pytest.approx(evaluation.scores(predictions)["accuracy"])
    assert len(calibration.reliability(predictions, bins=4)) <= 4


def test_bad_requests_are_refused():
    predictions = make_predictions(20)
    with pytest.raises(LesionsError, match="does not depend on the decision"):
        calibration.choose_decision(predictions, "macro_auc")
    with pytest.raises(LesionsError, match="above 0; got 0"):
        calibration.calibrate(predictions, 0)
    with pytest.raises(LesionsError, match="same classes"):
        calibration.prior_weights({"a": 1.0}, {"b": 1.0})
    with pytest.raises(LesionsError, match="weight above 0 for each"):
        calibration.with_decision(predictions, {"df": 1.0, "mel": 0.0, "nv": 1.0})


def test_edges_of_bins_belong_to_the_bin_below():
    table = pd.DataFrame({"truth": ["a", "a"], "p_a": [0.6, 1.0], "p_b": [0.4, 0.0]})
    _, right, place = scoring.confidence_bins(scoring.read(table), 10)
    assert place.tolist() == [5, 9]
    assert right.all()
