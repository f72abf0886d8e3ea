"""The paper's baseline CNN: three convolutions, each with max pooling, then a dense layer."""

from lesions.networks.backend import keras
from lesions.networks.pieces import layers, outputs
from lesions.networks.registry import Entry

FILTERS = (32, 64, 118)


def cnn(
    size: int,
    classes: int,
    dense: int = 128,
    width: float = 1.0,
    repeats: int = 1,
    dropout: float = 0.3,
) -> keras.Model:
    """Row 4, "Baseline CNN": convolutions 32, 64 and 118 with max pooling, then dense.

    118 is the paper's number. It gives neither the kernel size nor the dense layer's width.

    Args:
        size: height and width of the images in pixels.
        classes: two give one sigmoid unit, more a softmax.
        dense: units of the dense layer.
        width: times the paper's channels.
        repeats: convolutions before each pooling; the paper has one.
        dropout: share of the dense layer's outputs that are left out in training.
    """
    body = []
    for filters in FILTERS:
        for _ in range(repeats):
            channels = max(1, round(width * filters))
            body.append(layers.Conv2D(channels, 3, padding="same", activation="relu"))
        body.append(layers.MaxPooling2D())
    return keras.Sequential(
        [
            keras.Input((size, size, 3)),
            *body,
            layers.Flatten(),
            layers.Dense(dense, activation="relu"),
            layers.Dropout(dropout),
            outputs(classes),
        ]
    )


OPTIONS = {
    "dense": "CNN_DENSE",
    "width": "CNN_WIDTH",
    "repeats": "CNN_REPEATS",
    "dropout": "CNN_DROPOUT",
}
MODELS = {
    "cnn": Entry(cnn, "scratch", "row 4: convolutions 32, 64, 118, then dense", OPTIONS),
}
