"""A network that can be looked into: laid flat, and up to its scores."""

from collections.abc import Callable

import numpy as np

from lesions.core.errors import LesionsError
from lesions.networks.backend import keras
from lesions.networks.quick import QUICK


def flat(model: keras.Model) -> keras.Model:
    """The same network as one graph, without networks inside it; with copies of its weights.

    A network inside another hides its layers from Grad-CAM. One whose answers to mirror images are
    only averaged is taken out, and explained by itself.
    """
    inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    if inner and any(isinstance(layer, keras.layers.Average) for layer in model.layers):
        return flat(inner[0])
    copies: dict[keras.layers.Layer, keras.layers.Layer] = {}
    images = keras.Input(model.input_shape[1:])
    found = keras.Model(images, _inlined(model, images, copies), name=model.name)
    for layer, copy in copies.items():
        copy.set_weights(layer.get_weights())
    return found


def _inlined(model: keras.Model, x: keras.KerasTensor, copies: dict) -> keras.KerasTensor:
    """The output for `x` of copies of the layers of `model` and of the models inside it."""

    def step(operation: keras.Operation) -> Callable:
        if isinstance(operation, keras.Model):
            return lambda y, **_: _inlined(operation, y, copies)
        if not isinstance(operation, keras.layers.Layer):
            return operation  # arithmetic between layers: it has no weights
        if operation not in copies:  # a layer may be called several times
            # Full precision, whatever the network was trained in: a map is made of differences.
            config = operation.get_config() | {"dtype": "float32"}
            kind = QUICK.get(type(operation).__name__, type(operation))
            copies[operation] = kind.from_config(config)
        return copies[operation]

    if isinstance(model, keras.Sequential):
        for layer in model.layers:
            x = step(layer)(x)
        return x
    # Keras has no public way to walk through a graph from a tensor that is no input.
    return model._run_through_graph(x, operation_fn=step)


def with_scores(model: keras.Model) -> keras.Model:
    """The flat network up to its scores: what the softmax or sigmoid at its end is made from.

    A softmax flattens out where it is sure, and its gradient vanishes there. The outputs are
    (n, classes) also for two classes; a softmax over them gives the network's probabilities.
    """
    network = flat(model)
    last = network.layers[-1]
    kind = getattr(getattr(last, "activation", None), "__name__", "none")
    if not isinstance(last, keras.layers.Dense) or kind not in ("softmax", "sigmoid", "linear"):
        raise LesionsError(
            f"{model.name} ends in {type(last).__name__} with activation {kind}; an explanation "
            "needs a dense layer with softmax, sigmoid or linear output."
        )
    scores = keras.layers.Dense(last.units, dtype="float32", name="scores")
    found = scores(last.input)
    scores.set_weights([np.asarray(weight) for weight in last.get_weights()])
    if kind == "sigmoid":  # one unit: half its score for the second class, half against the first
        found = keras.ops.concatenate([-found / 2, found / 2], axis=-1)
    return keras.Model(network.input, found, name=f"{model.name}_scores")
