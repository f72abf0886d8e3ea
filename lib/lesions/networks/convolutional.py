"""The paper's baseline CNN: three convolutions, each with max pooling, then a dense layer."""

from lesions.networks.backend import keras
from lesions.networks.pieces import layers, outputs
from lesions.networks.registry import Entry


def cnn(size: int, classes: int, dense: int = 128) -> keras.Model:
    """Row 4, "Baseline CNN": convolutions 32, 64 and 118 with max pooling, then dense.

    118 is the paper's number. It gives neither the kernel size nor the dense layer's width.
    """
    return keras.Sequential(
        [
            keras.Input((size, size, 3)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(118, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(dense, activation="relu"),
            layers.Dropout(0.3),
            outputs(classes),
        ]
    )


MODELS = {
    "cnn": Entry(
        cnn, "scratch", "row 4: convolutions 32, 64, 118, then dense", {"dense": "CNN_DENSE"}
    ),
}
