"""The paper's autoencoder: a network that learns to rebuild its images through a narrow code."""

from lesions.core.errors import LesionsError
from lesions.networks.backend import keras
from lesions.networks.pieces import layers
from lesions.networks.registry import Entry


def autoencoder(size: int, filters: int = 16) -> tuple[keras.Model, keras.Model]:
    """Row 8: a convolutional encoder and decoder that learn to rebuild the image.

    Args:
        size: height and width of the images in pixels, a multiple of 8.
        filters: channels of the code, which is (size / 8, size / 8, filters).

    Returns:
        the encoder, from images to the flattened code, and the whole autoencoder. They share
        their weights.
    """
    if size % 8:
        raise LesionsError(f"The autoencoder halves three times: IMAGE_SIZE={size} is not 8 x n.")
    images = keras.Input((size, size, 3))
    x = images
    for width in (32, 64):
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    code = layers.MaxPooling2D()(x)
    x = code
    # Thinner than the encoder: at full size every channel is dear, and only the code is used.
    for width in (filters, 32, 16):
        x = layers.Conv2DTranspose(width, 3, strides=2, padding="same", activation="relu")(x)
    rebuilt = layers.Conv2D(3, 3, padding="same", activation="sigmoid", dtype="float32")(x)
    encoder = keras.Model(images, layers.Flatten()(code), name="encoder")
    return encoder, keras.Model(images, rebuilt, name="autoencoder")


MODELS = {
    "autoencoder_classifier": Entry(
        autoencoder,
        "autoencoder",
        "row 8: an autoencoder's code, then dense 128",
        {"filters": "LATENT_FILTERS"},
        units=(128,),
    ),
}
