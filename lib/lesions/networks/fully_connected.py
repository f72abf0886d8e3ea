"""The paper's fully connected networks: every pixel is joined with every unit."""

from collections.abc import Sequence

from lesions.networks.backend import keras
from lesions.networks.pieces import layers, outputs
from lesions.networks.registry import Entry


def fully_connected(
    size: int,
    classes: int,
    units: Sequence[int],
    activations: Sequence[str],
    dropout: float,
    l2: float = 0.0,
) -> keras.Model:
    """Flatten the image, then dense layers, each with batch normalisation and dropout."""
    penalty = keras.regularizers.L2(l2) if l2 else None
    model = keras.Sequential([keras.Input((size, size, 3)), layers.Flatten()])
    for width, activation in zip(units, activations, strict=True):
        model.add(layers.Dense(width, activation=activation, kernel_regularizer=penalty))
        model.add(layers.BatchNormalization())
        model.add(layers.Dropout(dropout))
    model.add(outputs(classes))
    return model


def fcnn_relu(size: int, classes: int) -> keras.Model:
    """Row 1, "FCNN ReLU": dense 256 and 128, dropout 0.3."""
    return fully_connected(size, classes, [256, 128], ["relu", "relu"], dropout=0.3)


def fcnn_relu_tanh(size: int, classes: int) -> keras.Model:
    """Row 2, "FCNN ReLU and Tanh": dense 512 tanh, 256 and 128 ReLU, dropout 0.4."""
    return fully_connected(size, classes, [512, 256, 128], ["tanh", "relu", "relu"], dropout=0.4)


def fcnn_l2(size: int, classes: int, l2: float = 1e-3) -> keras.Model:
    """Row 3, "FCNN L2": dense 512, 256, 128, an L2 penalty on each, dropout 0.5.

    The paper does not say how strong the penalty is.
    """
    return fully_connected(size, classes, [512, 256, 128], ["relu"] * 3, dropout=0.5, l2=l2)


def fcnn_dx_type(size: int, classes: int) -> keras.Model:
    """Row 7, "FCNN ReLU" on dx_type: dense 512, 256, 128, dropout 0.4."""
    return fully_connected(size, classes, [512, 256, 128], ["relu"] * 3, dropout=0.4)


MODELS = {
    "fcnn_relu": Entry(fcnn_relu, "scratch", "row 1: dense 256 and 128, ReLU"),
    "fcnn_relu_tanh": Entry(fcnn_relu_tanh, "scratch", "row 2: dense 512 tanh, 256, 128 ReLU"),
    "fcnn_l2": Entry(fcnn_l2, "scratch", "row 3: dense 512, 256, 128, L2 penalty", {"l2": "L2"}),
    "fcnn_dx_type": Entry(fcnn_dx_type, "scratch", "row 7: dense 512, 256, 128, ReLU"),
}
