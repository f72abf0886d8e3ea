"""What networks of several families have in common: how they end, a head, a table of layers.

Every network takes float32 images (batch, size, size, 3) with pixels in [0, 1]. With two classes it
ends in one sigmoid unit, the probability of the second class; with more in a softmax.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lesions.networks.backend import full_precision, keras

layers = keras.layers


def outputs(classes: int) -> layers.Layer:
    """The last layer: one sigmoid unit for two classes, else softmax over all of them.

    It computes in float32 also where the layers before it do not: probabilities need the digits.
    """
    if classes == 2:
        return layers.Dense(1, activation="sigmoid", dtype="float32", name="probability")
    return layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")


@full_precision()
def head(features: np.ndarray, classes: int, units: Sequence[int] = ()) -> keras.Model:
    """The layers that are trained on a frozen network's features.

    The standardisation in front is ours, because features may have any scale.

    Args:
        features: float32 (training images, channels), which give the mean and the variance.
        classes: how many.
        units: widths of the dense ReLU layers before the last one.
    """
    variance = features.var(axis=0, dtype=np.float64)
    # A channel that is all but constant in training would blow up the smallest change later.
    variance = np.maximum(variance, 0.01 * variance.mean() + 1e-12)
    standardise = layers.Normalization(mean=features.mean(axis=0), variance=variance)
    model = keras.Sequential([keras.Input(features.shape[1:]), standardise])
    for width in units:
        model.add(layers.Dense(width, activation="relu"))
    model.add(layers.Dropout(0.3))
    model.add(outputs(classes))
    return model


def with_mirror_images(model: keras.Model) -> keras.Model:
    """The mean answer to an image and its three mirror images: a lesion has no right way up."""
    images = keras.Input(model.input_shape[1:])
    sideways = keras.ops.flip(images, axis=2)
    views = [images, sideways, keras.ops.flip(images, axis=1), keras.ops.flip(sideways, axis=1)]
    return keras.Model(images, layers.Average()([model(view) for view in views]))


def with_eight_views(model: keras.Model) -> keras.Model:
    """The mean answer to the eight ways of looking at a square: four turns, and their mirrors."""
    images = keras.Input(model.input_shape[1:])
    views = []
    for view in (images, keras.ops.transpose(images, (0, 2, 1, 3))):
        sideways = keras.ops.flip(view, axis=2)
        views += [view, sideways, keras.ops.flip(view, axis=1), keras.ops.flip(sideways, axis=1)]
    return keras.Model(images, layers.Average()([model(view) for view in views]))


def layer_table(model: keras.Model) -> pd.DataFrame:
    """The layers of a model in order: kind, shape of the output without the batch, weights."""
    rows = [
        (type(layer).__name__, str(tuple(layer.output.shape[1:])), layer.count_params())
        for layer in model.layers
    ]
    return pd.DataFrame(rows, columns=["layer", "output", "weights"])
