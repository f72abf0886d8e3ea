"""Two decision rules for every model: what they do to one that knows something, and to shares."""

import numpy as np
import pandas as pd
import pytest

from lesions.scores import evaluation, rules

CLASSES = ["mel", "nv", "vasc"]
NATURAL = {"mel": 0.15, "nv": 0.8, "vasc": 0.05}
EQUAL = dict.fromkeys(CLASSES, 1 / 3)


def split_rows() -> pd.DataFrame:
    """Training with 4 nv, 2 mel (one of them three times) and no vasc; one vasc in test."""
    return pd.DataFrame(
        {
            "image_id": ["a", "b", "c", "d", "e", "e", "e", "f", "g"],
            "label": ["nv"] * 4 + ["mel"] * 4 + ["vasc"],
            "split": ["train"] * 8 + ["test"],
        }
    )


def known_world(seed: int = 0, images: int = 4000) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Test images with the natural shares, answered by Bayes' rule under two beliefs.

    Returns:
        predictions of one who believes in the natural shares, and of one who believes in equal
        ones; both saw the same evidence.
    """
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, images, p=list(NATURAL.values()))
    evidence = rng.normal(size=(images, 3)) + 1.2 * np.eye(3)[truth]
    likelihood = np.exp(1.2 * evidence)
    tables = []
    for shares in (NATURAL, EQUAL):
        p = likelihood * np.array(list(shares.values()))
        p /= p.sum(axis=1, keepdims=True)
        table = pd.DataFrame(p, columns=[f"p_{name}" for name in CLASSES])
        table["truth"] = np.array(CLASSES)[truth]
        table["image_id"] = table["lesion_id"] = np.arange(images).astype(str)
        tables.append(table.assign(split="test"))
    return tables[0], tables[1]


def test_shares_count_repeats_or_do_not():
    assert rules.shares(split_rows()).round(3).to_dict() == {
        "mel": 0.444,
        "nv": 0.444,
        "vasc": 0.111,
    }
    once = rules.shares(split_rows(), repeats=False)
    assert once.round(3).to_dict() == {"mel": 0.286, "nv": 0.571, "vasc": 0.143}
    assert once.sum() == pytest.approx(1) and (once > 0).all()


def test_two_who_know_the_same_score_the_same_whatever_they_were_trained_with():
    natural, equal = known_world()
    raw = [evaluation.scores(one)["balanced_accuracy"] for one in (natural, equal)]
    assert raw[1] - raw[0] > 0.1  # the rules differ by far
    a = rules.under_both(natural, NATURAL, NATURAL)
    b = rules.under_both(equal, EQUAL, NATURAL)
    assert list(a) == list(rules.SCORES)
    for name in ("log_loss", "accuracy", "balanced_accuracy"):
        assert a[name] == pytest.approx(b[name])


def test_each_rule_is_the_best_of_the_two_for_its_score():
    natural, equal = known_world(1)
    found = rules.under_both(equal, EQUAL, NATURAL)
    plain = evaluation.scores(equal)
    assert found["accuracy"] > plain["accuracy"]
    assert found["balanced_accuracy"] == plain["balanced_accuracy"]
    assert found["log_loss"] < plain["log_loss"]
    assert found["macro_auc"] == plain["macro_auc"]
    swapped = rules.under_both(natural, NATURAL, NATURAL)
    assert swapped["balanced_accuracy"] > evaluation.scores(natural)["balanced_accuracy"]
