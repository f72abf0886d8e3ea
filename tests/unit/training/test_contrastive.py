"""Contrastive learning: the loss as in the paper, pairs of one lesion, collapse that is seen."""

import numpy as np
import pytest

from course.exercises.notebook_09 import right_loss
from lesions.networks import strided
from lesions.networks.backend import keras, tf
from lesions.training import contrastive

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("count, width, temperature", [(4, 3, 0.5), (16, 8, 0.2), (2, 5, 1.0)])
def test_the_loss_is_that_of_the_formula(count, width, temperature):
    views = RNG.normal(size=(count, width)).astype(np.float32)
    got = float(contrastive.nt_xent(tf.constant(views), temperature))
    assert got == pytest.approx(right_loss(views.astype(float), temperature), abs=1e-5)


def test_partners_alike_and_strangers_not_cost_little_and_the_reverse_much():
    ways = np.eye(4, dtype=np.float32)
    good = float(contrastive.nt_xent(np.concatenate([ways, ways])))
    bad = float(contrastive.nt_xent(np.concatenate([ways, ways[::-1]])))
    same = float(contrastive.nt_xent(np.ones((8, 4), np.float32)))
    assert good < 0.1 < same < bad
    assert same == pytest.approx(np.log(7), abs=1e-5)  # all alike: no better than guessing


def test_the_length_of_a_vector_changes_nothing():
    views = RNG.normal(size=(8, 4)).astype(np.float32)
    longer = views * np.arange(1, 9, dtype=np.float32)[:, None]
    assert float(contrastive.nt_xent(views)) == pytest.approx(
        float(contrastive.nt_xent(longer)), abs=1e-5
    )


def test_likeness_only_is_perfect_for_one_answer_to_all():
    same = np.ones((8, 4), np.float32)
    assert float(contrastive.likeness_only(same)) == pytest.approx(0, abs=1e-6)


def test_pairs_show_one_lesion_and_no_lesion_twice():
    lesions = np.array(["a", "b", "b", "c", "d", "d", "d", "e"])
    for across in (False, True):
        rows = contrastive.pairs(lesions, 5, seed=0, across=across)
        for step in range(20):
            first, second = rows(step)
            assert (lesions[first] == lesions[second]).all()
            assert len(set(lesions[first])) == 5
            several = np.isin(lesions[first], ["b", "d"])
            assert (first[~several] == second[~several]).all()
            assert ((first != second)[several] == across).all()
        again = contrastive.pairs(lesions, 5, seed=0, across=across)
        assert all((a == b).all() for a, b in zip(rows(7), again(7), strict=True))


def test_collapse_is_seen_in_the_numbers():
    everywhere = contrastive.collapse(RNG.normal(size=(400, 16)))
    assert everywhere["spread"] == pytest.approx(1, abs=0.05) and everywhere["directions"] > 14
    same = contrastive.collapse(np.ones((50, 16)))
    assert same["spread"] == pytest.approx(0, abs=1e-6) and same["directions"] == 1
    line = contrastive.collapse(RNG.normal(size=(400, 1)) * RNG.normal(size=(1, 16)))
    assert line["directions"] == pytest.approx(1, abs=0.01)


@pytest.mark.slow
def test_an_encoder_learns_to_find_partners():
    pixels = RNG.integers(0, 256, (24, 16, 16, 3), dtype=np.uint8)
    keras.utils.set_random_seed(0)
    losses = contrastive.pretrain(strided.encoder(16, 4), pixels, np.arange(24), 24, 8, 0, "a test")
    assert len(losses) == 24 and np.mean(losses[-6:]) < np.mean(losses[:6])
