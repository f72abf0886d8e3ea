"""A network of our own: small, residual, trained from scratch with what is usual by now.

The paper's baseline CNN has most of its weights in one dense layer. This one has none there: it
averages over all places in the end, and so also takes images of any size.
"""

from lesions.networks.backend import keras
from lesions.networks.pieces import layers, outputs
from lesions.networks.registry import Entry

WIDTH = 32  # channels of the first stage; each of the three further ones has twice as many


def normalised_convolution(
    x: keras.KerasTensor, filters: int, kernel: int = 3, strides: int = 1
) -> keras.KerasTensor:
    """A convolution and batch normalisation, which makes the convolution's own bias useless."""
    x = layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False)(x)
    return layers.BatchNormalization()(x)


def residual_block(x: keras.KerasTensor, filters: int, strides: int = 1) -> keras.KerasTensor:
    """Two convolutions whose result is added to what came in (He and others 2015, figure 2)."""
    shortcut = x
    if strides > 1:
        shortcut = layers.AveragePooling2D(strides, padding="same")(shortcut)
    if shortcut.shape[-1] != filters:
        shortcut = normalised_convolution(shortcut, filters, kernel=1)
    x = layers.Activation("relu")(normalised_convolution(x, filters, strides=strides))
    x = normalised_convolution(x, filters)
    return layers.Activation("relu")(layers.Add()([x, shortcut]))


def compact_cnn(size: int, classes: int, width: int = WIDTH) -> keras.Model:
    """Four stages of residual blocks, global average pooling, one dense layer.

    Args:
        size: height and width of the images in pixels, at least 32.
        classes: two give one sigmoid unit, more a softmax.
        width: channels of the first stage; 32 makes 1.2 million weights in all.
    """
    images = keras.Input((size, size, 3))
    x = layers.Activation("relu")(normalised_convolution(images, width, strides=2))
    for stage in range(4):
        x = residual_block(x, width * 2**stage, strides=2 if stage else 1)
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(images, outputs(classes)(x), name="compact_cnn")


MODELS = {
    "compact_cnn": Entry(compact_cnn, "own", "ours: four stages of residual blocks, averaged"),
}
