"""The loop of so many steps: each depends on its number alone, and an interrupted one goes on."""

import numpy as np
import pytest

from lesions.core.errors import LesionsError
from lesions.networks.backend import keras, tf
from lesions.training import steps


def test_each_step_takes_all_in_turn_whatever_came_before():
    rows = steps.taken(10, 4, 0, "a test")
    first = np.concatenate([rows(step) for step in range(5)])
    assert sorted(first[:10]) == sorted(first[10:]) == list(range(10))
    assert (steps.taken(10, 4, 0, "a test")(3) == rows(3)).all()
    few = steps.taken(2, 5, 0, "a test")(0)
    assert len(few) == 5 and set(few) == {0, 1}


def test_an_interrupted_training_ends_as_if_it_had_not_been(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "KEEP_EVERY", 0.0)
    file = tmp_path / "state.npz"

    def trained(stop: int | None = None) -> tuple[list[float], np.ndarray]:
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])

        def batch_of(step: int) -> tuple[np.ndarray]:
            if step == stop:
                raise KeyboardInterrupt
            return (np.random.default_rng(step).normal(size=(4, 3)).astype(np.float32),)

        def loss_of(number: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
            return tf.reduce_mean(tf.square(model(x, training=True) - tf.cast(number, tf.float32)))

        losses = steps.learn(model, loss_of, batch_of, 12, "a test", file)
        return losses, model.get_weights()[0]

    losses, weights = trained()
    assert len(losses) == 12 and not file.exists()
    with pytest.raises(KeyboardInterrupt):
        trained(stop=7)
    assert file.exists()
    others, again = trained()
    assert others == pytest.approx(losses, rel=1e-6) and again == pytest.approx(weights, abs=1e-7)
    assert not file.exists()


def test_a_loss_that_is_no_number_stops_with_a_sentence():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(LesionsError, match="no longer a number in step 1"):
        steps.learn(
            model, lambda number, x: tf.reduce_sum(model(x)) * np.nan,
            lambda step: (np.ones((1, 2), np.float32),), 2, "a test",
        )  # fmt: skip
