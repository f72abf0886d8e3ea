"""The quick layers: Keras's numbers, forwards and backwards."""

import numpy as np
import pytest

from lesions.networks import efficientnet_lite, quick
from lesions.networks.backend import full_precision, keras, tf

layers = keras.layers


def both(layer: keras.Layer, shape: tuple[int, ...]) -> list[keras.Layer]:
    """A layer and its quick double with the same weights, other than those it begins with."""
    double = quick.QUICK[type(layer).__name__].from_config(layer.get_config())
    random = np.random.default_rng(0)
    for one in (layer, double):
        one.build((None, *shape))
    values = [random.random(w.shape, np.float32) + 0.1 for w in layer.weights]
    layer.set_weights(values)
    double.set_weights(values)
    return [layer, double]


def learnt(layer: keras.Layer, x: np.ndarray, **options) -> list[np.ndarray]:
    """What a layer answers, the gradients of a sum of it, and its weights after that."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, **options)
        factors = np.random.default_rng(1).random(y.shape, np.float32)
        total = tf.reduce_sum(y * factors)
    found = tape.gradient(total, [x, *layer.trainable_variables])
    return [np.asarray(part) for part in (y, *found, *layer.weights)]


def assert_alike(pair: list[list[np.ndarray]]) -> None:
    for expected, found in zip(*pair, strict=True):
        largest = np.abs(expected).max()
        np.testing.assert_allclose(found, expected, atol=1e-5 * max(largest, 1))


@pytest.mark.parametrize("size", [4, 5, 8, 9])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("kernel", [3, 5])
def test_depthwise_convolution(size, strides, kernel):
    shape = (size, size + 1, 6)
    layer = layers.DepthwiseConv2D(kernel, strides, padding="same", use_bias=False)
    x = np.random.default_rng(2).random((3, *shape), np.float32)
    assert_alike([learnt(one, x) for one in both(layer, shape)])


@pytest.mark.parametrize("training", [True, False])
def test_batch_normalisation(training):
    shape = (5, 4, 3)
    x = np.random.default_rng(3).normal(2, 3, (6, *shape)).astype(np.float32)
    pair = both(layers.BatchNormalization(epsilon=1e-3, momentum=0.9), shape)
    assert_alike([learnt(one, x, training=training) for one in pair])


def test_frozen_batch_normalisation_keeps_its_averages():
    x = np.random.default_rng(3).random((6, 5, 4, 3), np.float32)
    _, double = both(layers.BatchNormalization(), (5, 4, 3))
    double.trainable = False
    before = double.get_weights()
    double(x, training=True)
    for kept, now in zip(before, double.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, now)


def test_a_whole_network_has_the_same_names_weights_and_answers():
    with full_precision():
        model = efficientnet_lite.network("efficientnet_lite0", 32, drop=0.1)
        double = quick.quickened(model)
    assert [layer.name for layer in model.layers] == [layer.name for layer in double.layers]
    x = np.random.default_rng(4).random((2, 32, 32, 3), np.float32)
    np.testing.assert_allclose(np.asarray(model(x)), np.asarray(double(x)), atol=1e-5)
    kinds = {type(layer) for layer in double.layers}
    assert {quick.BatchNormalization, quick.DepthwiseConv2D} <= kinds
    assert layers.BatchNormalization not in kinds
