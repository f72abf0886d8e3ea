"""Labels of its own making: aligned, only where sure, and never from a true label."""

import inspect

import numpy as np
import pytest

from lesions.networks import strided
from lesions.networks.backend import keras, tf
from lesions.training import semi_supervised
from lesions.training.semi_supervised import aligned, consistency, pseudo_labels


def test_alignment_gives_the_mean_answer_the_wanted_shares():
    p = np.array([[0.9, 0.1], [0.7, 0.3], [0.8, 0.2]], np.float32)
    turned = aligned(p, p.mean(axis=0), np.array([0.5, 0.5], np.float32)).numpy()
    assert turned.sum(axis=1) == pytest.approx(1)
    assert turned[1].argmax() == 1  # less of the common class than on average
    same = aligned(p, p.mean(axis=0), p.mean(axis=0)).numpy()
    assert same == pytest.approx(p, abs=1e-6)


def test_unsure_answers_cost_nothing_and_sure_ones_their_cross_entropy():
    logits = tf.constant([[2.0, 0.0], [0.0, 3.0]])
    unsure = tf.constant([[0.6, 0.4], [0.5, 0.5]])
    assert float(consistency(unsure, logits, 0.8)) == 0
    sure = tf.constant([[0.9, 0.1], [0.5, 0.5]])
    assert float(consistency(sure, logits, 0.8)) == pytest.approx(np.log(1 + np.exp(-2)) / 2)


def test_no_slope_reaches_the_answers_that_serve_as_labels():
    answers = tf.Variable([[0.9, 0.1]])
    logits = tf.Variable([[0.0, 0.0]])
    with tf.GradientTape() as tape:
        loss = consistency(answers, logits)
    slopes = tape.gradient(loss, [answers, logits])
    assert slopes[0] is None and np.abs(slopes[1].numpy()).max() > 0


def test_the_unlabelled_loss_has_no_place_for_a_label():
    assert list(inspect.signature(consistency).parameters) == ["target", "logits", "threshold"]
    images = inspect.signature(semi_supervised.fixmatch).parameters
    assert [name for name in images if "label" in name] == ["labels", "unlabelled", "label"]


def test_pseudo_labels_are_those_of_sure_answers_after_alignment():
    p = np.array([[0.95, 0.05], [0.70, 0.30], [0.40, 0.60], [0.99, 0.01]])
    sure, given = pseudo_labels(p, np.array([0.76, 0.24]), 0.8)
    assert sure.tolist() == [0, 3] and given.tolist() == [0, 0]
    # Where the classes shall be even, the third image is as surely of the rare one.
    sure, given = pseudo_labels(p, np.array([0.5, 0.5]), 0.8)
    assert 2 in sure and given[list(sure).index(2)] == 1


def striped(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Bright and dark images, which are easily told."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    pixels = rng.integers(0, 60, (count, 16, 16, 3)) + 150 * labels[:, None, None, None]
    return pixels.astype(np.uint8), labels.astype(np.int64)


@pytest.mark.slow
def test_fixmatch_learns_and_does_not_ask_for_more_than_it_is_given():
    pixels, labels = striped(8, 0)
    unlabelled, truth = striped(32, 1)
    keras.utils.set_random_seed(0)
    encoder = strided.encoder(16, 4)
    model = keras.Model(encoder.input, keras.layers.Dense(2)(encoder.output))
    looks = []
    losses = semi_supervised.fixmatch(
        model, pixels, labels, unlabelled, 40, 8, 0, "a test", 2, look=looks.append
    )
    assert len(losses) == 40 and looks == [10, 20, 30, 40]
    answers = model.predict(np.float32(unlabelled) / 255, verbose=0).argmax(axis=1)
    assert (answers == truth).mean() > 0.9
