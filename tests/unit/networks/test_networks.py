"""The networks: those of the paper, our own, and the pretrained ones."""

from dataclasses import replace

import numpy as np
import pytest

from lesions.core.errors import LesionsError
from lesions.networks import backbones, backend, convolutional, pieces, registry, residual
from lesions.networks.backend import keras
from lesions.settings.parameters import Settings
from lesions.training import fitting

SIZE = 32


def weighted(model) -> list[int]:
    """Widths of the dense layers and channels of the convolutions, in order."""
    kinds = (keras.layers.Dense, keras.layers.Conv2D)
    layers = [layer for layer in model.layers if isinstance(layer, kinds)]
    return [getattr(layer, "units", None) or layer.filters for layer in layers]


def rates(model) -> set[float]:
    return {layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)}


def test_the_networks_are_those_of_the_paper():
    built = {n: registry.build(n, SIZE, 2, Settings()) for n in registry.names("scratch")}
    assert weighted(built["fcnn_relu"]) == [256, 128, 1] and rates(built["fcnn_relu"]) == {0.3}
    tanh = built["fcnn_relu_tanh"]
    assert weighted(tanh) == [512, 256, 128, 1] and rates(tanh) == {0.4}
    dense = [layer for layer in tanh.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.activation.__name__ for layer in dense] == ["tanh", "relu", "relu", "sigmoid"]
    l2 = built["fcnn_l2"]
    assert weighted(l2) == [512, 256, 128, 1] and rates(l2) == {0.5} and len(l2.losses) == 3
    assert weighted(built["cnn"])[:3] == [32, 64, 118] and rates(built["cnn"]) == {0.3}
    assert weighted(built["fcnn_dx_type"]) == [512, 256, 128, 1]
    for name in ("fcnn_relu", "fcnn_relu_tanh", "fcnn_l2", "fcnn_dx_type"):
        norms = [k for k in built[name].layers if isinstance(k, keras.layers.BatchNormalization)]
        assert len(norms) == len(weighted(built[name])) - 1


@pytest.mark.parametrize("name", [*registry.names("scratch"), *registry.names("own")])
def test_a_model_gives_probabilities_for_any_number_of_classes(name):
    images = np.random.default_rng(0).random((4, SIZE, SIZE, 3), dtype=np.float32)
    for classes in (2, 7):
        network = registry.build(name, SIZE, classes, Settings())
        p = fitting.probabilities(network, images)
        assert p.shape == (4, classes)
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(backbones.BACKBONES))
def test_a_backbone_is_frozen_and_sees_the_pixels_it_was_trained_on(name):
    network, origin = backbones.backbone(name, SIZE, "none")
    assert origin == "random" and not network.trainable_weights
    images = np.random.default_rng(0).random((2, SIZE, SIZE, 3), dtype=np.float32)
    inner = network.layers[-1]
    expected = inner(backbones.BACKBONES[name].preprocess(images * 255.0), training=False)
    np.testing.assert_allclose(network(images), expected, rtol=1e-4, atol=1e-4)


def test_preprocessing_is_each_backbones_own():
    white = np.ones((1, 1, 1, 3), np.float32) * 255
    means = [103.939, 116.779, 123.68]  # of ImageNet, blue first
    for name in ("vgg16", "resnet50"):
        np.testing.assert_allclose(
            np.ravel(backbones.BACKBONES[name].preprocess(white.copy())),
            255 - np.array(means),
            atol=1e-3,
        )
    expected = (1 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    found = np.ravel(backbones.BACKBONES["densenet121"].preprocess(white.copy()))
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.slow
def test_local_weights_are_loaded_and_wrong_ones_refused(tmp_path):
    original, _ = backbones.backbone("resnet50", SIZE, "none")
    path = tmp_path / "resnet50_weights_notop.weights.h5"
    original.layers[-1].save_weights(path)
    images = np.random.default_rng(0).random((2, SIZE, SIZE, 3), dtype=np.float32)
    for where in (path, tmp_path):
        loaded, origin = backbones.backbone("resnet50", SIZE, str(where))
        assert origin == "file"
        np.testing.assert_allclose(loaded(images), original(images), rtol=1e-5)
    with pytest.raises(LesionsError, match="does not hold weights of vgg16"):
        backbones.backbone("vgg16", SIZE, str(path))
    with pytest.raises(LesionsError, match=r"no vgg16\*\.h5 in the folder"):
        backbones.backbone("vgg16", SIZE, str(tmp_path))
    with pytest.raises(LesionsError, match="neither imagenet, none"):
        backbones.backbone("vgg16", SIZE, str(tmp_path / "missing.h5"))


def test_imagenet_weights_that_cannot_be_had_are_said_so(monkeypatch, capsys):
    known = backbones.BACKBONES["vgg16"]

    def offline(weights, **options):
        if weights == "imagenet":
            raise Exception("URL fetch failure on https://example.invalid: None -- no network")
        return known.make(weights=None, **options)

    monkeypatch.setitem(backbones.BACKBONES, "vgg16", replace(known, make=offline))
    _, origin = backbones.backbone("vgg16", SIZE, "imagenet")
    assert origin == "random"
    assert "cannot be had" in capsys.readouterr().out


def test_a_residual_block_adds_what_came_in():
    images = keras.Input((8, 8, 4))
    block = keras.Model(images, residual.residual_block(images, 4))
    # Without its two convolutions nothing is left but what came in.
    block.set_weights([np.zeros_like(w) for w in block.get_weights()])
    given = np.random.default_rng(0).random((2, 8, 8, 4), dtype=np.float32)
    np.testing.assert_allclose(block.predict(given, verbose=0), given, atol=1e-6)
    halved = keras.Model(images, residual.residual_block(images, 8, strides=2))
    assert halved.output_shape == (None, 4, 4, 8)


def test_the_network_is_small_and_fits_any_size():
    small, large = (residual.compact_cnn(size, 7) for size in (32, 96))
    assert small.count_params() == large.count_params() < 1_300_000
    assert residual.compact_cnn(32, 2).output_shape == (None, 1)


def test_mirror_images_get_the_same_answer():
    model = pieces.with_mirror_images(residual.compact_cnn(32, 3))
    images = np.random.default_rng(0).random((4, 32, 32, 3), dtype=np.float32)
    expected = model.predict(images, verbose=0)
    for mirrored in (images[:, ::-1], images[:, :, ::-1], images[:, ::-1, ::-1]):
        np.testing.assert_allclose(model.predict(mirrored, verbose=0), expected, atol=1e-6)
    assert not np.allclose(model.predict(images.swapaxes(1, 2), verbose=0), expected, atol=1e-6)


def test_half_precision_is_for_where_it_is_quicker(monkeypatch):
    monkeypatch.setattr(backend, "GPUS", [])
    monkeypatch.setattr(backend, "has_half_units", lambda: True)
    assert backend.precision("auto", 64) == "float32"
    assert backend.precision("auto", 128) == "mixed_bfloat16"
    assert backend.precision("float32", 128) == "float32"
    monkeypatch.setattr(backend, "has_half_units", lambda: False)
    assert backend.precision("auto", 128) == "float32"
    monkeypatch.setattr(backend, "GPUS", ["one"])
    assert backend.precision("auto", 64) == "mixed_float16"


def test_half_precision_spares_backbones_heads_and_probabilities():
    """With random weights, features differ in digits that half precision does not have."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network, _ = backbones.backbone("densenet121", SIZE, "none")
        head = pieces.head(np.ones((4, 1024), np.float32), 3, (128,))
        plain = convolutional.cnn(SIZE, 3)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {layer.compute_dtype for layer in [*network.layers, *head.layers]} == {"float32"}
    assert {layer.compute_dtype for layer in plain.layers[:-1]} == {"bfloat16"}
    assert plain.layers[-1].compute_dtype == "float32"
