"""The smallest network that learns something here: four convolutions that each halve the image.

It is what notebook 09 trains again and again, with few labels, with none, and with all of them: a
step on a batch takes a tenth of a second. `encoder` is the part that needs no labels.
"""

from lesions.networks.backend import keras
from lesions.networks.pieces import layers, outputs
from lesions.networks.registry import Entry
from lesions.networks.residual import normalised_convolution

WIDTH = 24  # channels after the first convolution; each further one has twice as many
STAGES = 4


def encoder(size: int, width: int = WIDTH) -> keras.Model:
    """From images to what the network has to say of them, before any class is named.

    Args:
        size: height and width of the images in pixels, at least 16.
        width: channels after the first convolution.

    Returns:
        a model from float32 (batch, size, size, 3) in [0, 1] to float32 (batch, 8 * width): the
        last channels, averaged over all places.
    """
    images = keras.Input((size, size, 3))
    x = images
    for stage in range(STAGES):
        x = layers.Activation("relu")(normalised_convolution(x, width * 2**stage, strides=2))
    return keras.Model(images, layers.GlobalAveragePooling2D()(x), name="encoder")


def strided_cnn(size: int, classes: int) -> keras.Model:
    """The encoder, and one dense layer that names the class."""
    images = keras.Input((size, size, 3))
    features = encoder(size)(images)
    return keras.Model(images, outputs(classes)(features), name="strided_cnn")


MODELS = {
    "strided_cnn": Entry(
        strided_cnn, "scratch", "ours: four convolutions with stride 2, averaged; the network of 09"
    ),
}
