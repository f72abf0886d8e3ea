"""Batch normalisation after few steps: what is predicted is what was trained."""

import numpy as np
import pytest

from lesions.networks import fully_connected, normalisation, pieces, residual
from lesions.networks.backend import keras, seed_everything, tf
from lesions.training import fitting

SIZE = 32


def test_a_hundredth_of_the_beginning_is_left_after_an_epoch():
    for steps in (1, 2, 31, 188):
        assert normalisation.momentum(steps) ** steps == pytest.approx(0.01)
    assert normalisation.momentum(31) == pytest.approx(0.86, abs=0.005)
    assert normalisation.momentum(0) == normalisation.momentum(1)
    assert normalisation.momentum(458) < normalisation.momentum(500) == 0.99


def test_layers_in_inner_models_are_found():
    network = residual.compact_cnn(SIZE, 3)
    outer = keras.Sequential([keras.Input((SIZE, SIZE, 3)), pieces.with_mirror_images(network)])
    found = list(normalisation.layers_of(outer))
    assert len(found) == len(list(normalisation.layers_of(network))) > 8
    assert normalisation.fit_momentum(outer, 10) == pytest.approx(0.63, abs=0.01)
    assert {layer.momentum for layer in found} == {normalisation.momentum(10)}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fully connected", "compact"])
def test_after_few_steps_a_network_predicts_as_it_was_trained(kind, monkeypatch):
    """Five epochs of eight steps; the same images with the batch's statistics and the stored."""
    rng = np.random.default_rng(0)
    labels = np.arange(128) % 3
    # As skin has it: neighbouring pixels are alike, and images differ in brightness most of all.
    images = rng.random((128, 1, 1, 1)) + rng.normal(0, 0.05, (128, SIZE, SIZE, 3))
    images[np.arange(128), :, :, labels] += 0.1
    images = images.astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[labels]
    data = tf.data.Dataset.from_tensor_slices((images, targets)).batch(16)

    def apart() -> float:
        """How far the two ways to predict lie apart on average, after a training."""
        seed_everything(0)
        if kind == "compact":
            model = residual.compact_cnn(SIZE, 3, width=8)
            model.layers[-2].rate = 0.0  # dropout is the other thing that predicting leaves out
        else:
            model = fully_connected.fully_connected(SIZE, 3, [64, 32], ["relu"] * 2, dropout=0.0)
        fitting.fit(
            model,
            lambda epochs: data.repeat(len(epochs)),
            data,
            "t",
            loss="categorical_crossentropy",
            epochs=5,
            patience=0,
            optimizer=keras.optimizers.Adam(1e-3),
            every=0,
        )
        p = [model(images, training=training).numpy() for training in (False, True)]
        return float(np.abs(p[0] - p[1]).mean())

    assert apart() < 0.05
    monkeypatch.setattr(fitting, "fit_momentum", lambda *_: None)
    assert apart() > 0.15  # with Keras's momentum: to see that there is something to see
