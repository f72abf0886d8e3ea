"""The fusion with metadata: two views are better than one, and validation decides how much."""

import numpy as np
import pandas as pd
import pytest

from lesions.core.errors import LesionsError
from lesions.experiments import fusion
from lesions.scores import evaluation

CLASSES = ["bkl", "mel", "nv"]


def made_predictions(seed: int, noise: float) -> pd.DataFrame:
    """Three classes; a model sees the truth through noise of its own."""
    truth = np.random.default_rng(0).choice(CLASSES, 600, p=[0.2, 0.2, 0.6])
    signal = (truth[:, None] == np.array(CLASSES)) * 1.0
    logits = signal + np.random.default_rng(seed).normal(0, noise, signal.shape)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    table = pd.DataFrame({"image_id": [f"I{n}" for n in range(600)]})
    table["lesion_id"] = [f"L{n // 2}" for n in range(600)]
    table["split"] = np.where(np.arange(600) < 300, "validation", "test")
    table["truth"] = truth
    return pd.concat([table, pd.DataFrame(p, columns=[f"p_{c}" for c in CLASSES])], axis=1)


def score(predictions: pd.DataFrame) -> float:
    return evaluation.scores(predictions[predictions["split"] == "test"])["macro_auc"]


def test_two_views_are_better_than_one():
    image, other = made_predictions(1, 0.7), made_predictions(2, 0.7)
    joined, weights = fusion.fuse(image, other.sample(frac=1, random_state=0))  # in any order
    assert list(joined) == list(image) and joined["image_id"].equals(image["image_id"])
    np.testing.assert_allclose(joined.filter(regex="^p_").sum(axis=1), 1)
    assert score(joined) > max(score(image), score(other)) + 0.03
    assert weights == pytest.approx(weights[::-1], rel=0.3)  # they know equally much


def test_a_model_that_knows_nothing_gets_no_weight():
    image, other = made_predictions(1, 0.7), made_predictions(2, 0.7)
    columns = [f"p_{c}" for c in CLASSES]
    other[columns] = np.random.default_rng(3).dirichlet([2, 2, 2], len(other))
    joined, weights = fusion.fuse(image, other)
    assert weights[1] < 0.1 < weights[0]
    assert score(joined) == pytest.approx(score(image), abs=0.02)


def test_pooling_multiplies():
    first, second = np.array([[0.5, 0.3, 0.2]]), np.array([[0.2, 0.6, 0.2]])
    product = first * second
    np.testing.assert_allclose(fusion.pooled([1, 1], [first, second]), product / product.sum())
    np.testing.assert_allclose(fusion.pooled([1, 0], [first, second]), first)
    assert np.isfinite(fusion.pooled([1, 1], [np.eye(3), np.eye(3)])).all()


def test_the_fusion_does_not_look_at_the_test_part():
    image, other = made_predictions(1, 0.7), made_predictions(2, 0.7)
    before, _ = fusion.fuse(image, other)
    is_test = (image["split"] == "test").to_numpy()
    for table in (image, other):
        table.loc[is_test, "truth"] = np.roll(table.loc[is_test, "truth"], 1)
        table.loc[is_test, "p_nv"] = 0.5
    after, _ = fusion.fuse(image, other)
    pd.testing.assert_frame_equal(before[~is_test], after[~is_test])


def test_validation_rows_are_hardly_flattered():
    """A decision rule is chosen on them later."""
    image = made_predictions(1, 3.0)
    joined, _ = fusion.fuse(image, made_predictions(2, 3.0))
    parts = [evaluation.scores(joined[joined["split"] == s]) for s in ("validation", "test")]
    assert abs(parts[0]["macro_auc"] - parts[1]["macro_auc"]) < 0.1


def test_models_that_were_asked_about_other_images_are_not_joined():
    image, other = made_predictions(1, 0.7), made_predictions(2, 0.7)
    with pytest.raises(LesionsError, match="not asked about the same images"):
        fusion.fuse(image, other.iloc[5:])
    with pytest.raises(LesionsError, match="not asked about the same images"):
        fusion.fuse(image, other.assign(truth="nv"))
