"""The pretrained network that is tuned on whole."""

import numpy as np
import pytest

from lesions.networks import efficientnet_lite, lite_weights, pieces, quick
from lesions.networks.augmentation import recolour
from lesions.networks.backend import keras, tf
from lesions.training.recipes import tuned

pytestmark = pytest.mark.slow  # nearly every test trains a network

SIZE = 32
LITE0 = "efficientnet_lite0"


def classifier(classes: int = 7, pretrained: bool = True) -> keras.Model:
    return efficientnet_lite.classifier(LITE0, pretrained, SIZE, classes)


def test_it_begins_with_imagenets_weights_and_ends_in_probabilities():
    model = classifier()
    body = lite_weights.load_imagenet(efficientnet_lite.network(LITE0, SIZE))
    for layer in body.layers:
        for ours, theirs in zip(
            model.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)
    p = np.asarray(model(np.random.default_rng(0).random((3, SIZE, SIZE, 3), np.float32)))
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    assert classifier(2, False).output_shape == (None, 1)


def test_the_first_blocks_learn_nothing_and_the_others_do():
    model = quick.quickened(classifier())
    tuned.freeze_first(model, 2)
    random = np.random.default_rng(0)
    x, y = (
        random.random((8, SIZE, SIZE, 3), np.float32),
        np.eye(7, dtype=np.float32)[[*range(7), 0]],
    )
    before = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    model.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy", run_eagerly=True)
    model.train_on_batch(x, y)
    first = ("stem", "block0_", "block1_")
    for name, weights in before.items():
        now = model.get_layer(name).get_weights()
        same = all(np.array_equal(a, b) for a, b in zip(weights, now, strict=True))
        assert same == name.startswith(first), name


def test_block_10_is_not_taken_for_block_1():
    model = classifier(pretrained=False)
    tuned.freeze_first(model, 2)
    assert model.get_layer("block10_expand").trainable
    assert not model.get_layer("block1_expand").trainable
    tuned.freeze_first(model, 0)
    assert model.get_layer("stem").trainable


def test_the_answer_is_the_same_however_the_square_is_turned(tmp_path):
    model = pieces.with_eight_views(classifier(pretrained=False))
    image = np.random.default_rng(0).random((1, SIZE, SIZE, 3), np.float32)
    expected = np.asarray(model(image))
    for turns in range(4):
        turned = np.rot90(image, turns, axes=(1, 2))
        for view in (turned, turned[:, :, ::-1]):
            found = np.asarray(model(np.ascontiguousarray(view)))
            np.testing.assert_allclose(found, expected, atol=1e-6)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_allclose(np.asarray(again(image)), expected, atol=1e-6)


@pytest.mark.parametrize("weights", ["none", "random"])
def test_as_a_backbone_it_has_its_weights_without_a_network(weights):
    network, origin = efficientnet_lite.backbone(LITE0, SIZE, weights)
    assert origin == {"none": "imagenet", "random": "random"}[weights]
    assert not network.trainable_weights and network.output_shape == (None, 1280)
    assert not any(isinstance(layer, keras.Model) for layer in network.layers)


def test_colours_change_a_little_and_each_image_in_its_own_way():
    grey = tf.fill((4, 8, 8, 3), 0.5)
    found = np.asarray(recolour(grey, 0.1, tf.constant([0, 1])))
    assert np.abs(found - 0.5).max() <= 0.5 * (1.1 * 1.05 - 1) + 1e-6
    assert len(np.unique(found[:, 0, 0, 0].round(6))) == 4
    np.testing.assert_array_equal(found, np.asarray(recolour(grey, 0.1, tf.constant([0, 1]))))
    white = np.asarray(recolour(tf.ones((4, 8, 8, 3)), 0.5, tf.constant([0, 2])))
    assert white.max() <= 1
