"""The study's nine models, each a short function that returns a `keras.Model`.

Every model takes float32 images (batch, size, size, 3) with pixels in [0, 1]. With two classes it
ends in one sigmoid unit, the probability of the second class; with more in a softmax.
"""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from lesions.core.progress import say
from lesions.networks.backend import full_precision, keras

layers = keras.layers

# ---------------------------------------------------------------- shared pieces


def outputs(classes: int) -> layers.Layer:
    """The last layer: one sigmoid unit for two classes, else softmax over all of them.

    It computes in float32 also where the layers before it do not: probabilities need the digits.
    """
    if classes == 2:
        return layers.Dense(1, activation="sigmoid", dtype="float32", name="probability")
    return layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")


def fully_connected(
    size: int,
    classes: int,
    units: list[int],
    activations: list[str],
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


# ---------------------------------------------------------------- trained from scratch


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


SCRATCH: dict[str, Callable[..., keras.Model]] = {
    "fcnn_relu": fcnn_relu,
    "fcnn_relu_tanh": fcnn_relu_tanh,
    "fcnn_l2": fcnn_l2,
    "fcnn_dx_type": fcnn_dx_type,
    "cnn": cnn,
}


def build(name: str, size: int, classes: int, settings: SimpleNamespace) -> keras.Model:
    """One of the models in `SCRATCH`, with what the paper leaves open taken from the settings."""
    options = {"fcnn_l2": {"l2": settings.L2}, "cnn": {"dense": settings.CNN_DENSE}}
    return SCRATCH[name](size, classes, **options.get(name, {}))


# ---------------------------------------------------------------- frozen backbones and heads

BACKBONES = {
    "vgg16": (keras.applications.VGG16, keras.applications.vgg16.preprocess_input),
    "resnet50": (keras.applications.ResNet50, keras.applications.resnet.preprocess_input),
    "densenet121": (
        keras.applications.DenseNet121,
        keras.applications.densenet.preprocess_input,
    ),
}


# Computed once, so full precision costs little; and with random weights the features of two images
# differ in their third digit only, which half precision would lose.
@full_precision()
def backbone(name: str, size: int, weights: str = "imagenet") -> tuple[keras.Model, str]:
    """A convolutional network up to its global average pooling, all weights frozen.

    Args:
        name: a key of `BACKBONES`.
        size: height and width of its input, at least 32 pixels.
        weights: "imagenet" (fetched and checked by Keras), "none", a `.h5` file, or a folder
            with files named as Keras names them, such as vgg16_weights_….h5.

    Returns:
        the model from images in [0, 1] to features (batch, channels); and where its weights come
        from: "imagenet", "file" (others than Keras's) or "random". If ImageNet's cannot be had, it
        says so and goes on with random ones.

    Raises:
        LesionsError: a local file or folder does not hold this network's weights.
    """
    make, preprocess = BACKBONES[name]
    images = keras.Input((size, size, 3))
    # Each network wants the pixels it was trained on: 0 to 255 with its own shift and order.
    inputs = preprocess(images * 255.0)
    options = {"include_top": False, "pooling": "avg", "input_shape": (size, size, 3)}
    origin = "random"
    if weights == "imagenet":
        say(f"{name}: ImageNet weights, fetched by Keras if they are not here yet")
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                network, origin = make(weights="imagenet", **options), "imagenet"
        except Exception as error:
            # Keras wraps whatever the network raises, so there is no narrower class to catch.
            reason = str(error).split("\n")[0][-120:]
            say(f"{name}: ImageNet weights cannot be had ({reason}); going on with random ones.")
            network = make(weights=None, **options)
    else:
        network = make(weights=None, **options)
        if weights != "none":
            # Notebooks run in their own folder, so a relative path counts from the course's, too.
            path = Path(weights) if Path(weights).exists() else ROOT / weights
            origin = load_local_weights(network, name, path)
    network.trainable = False
    # Batch normalisation must use its stored averages also when layers are trained on later.
    return keras.Model(images, network(inputs, training=False), name=name), origin


def load_local_weights(network: keras.Model, name: str, path: Path) -> str:
    """Load a backbone's weights from a `.h5` file, or from the file for it in a folder.

    Returns:
        "imagenet" if it is, by name and md5, the file that Keras would fetch; else "file".

    Raises:
        LesionsError: there is no such file, it is damaged, or it belongs to another network.
    """
    from lesions.networks import weights  # which needs this module

    if path.is_dir():
        found = sorted(path.glob(f"{name}*notop*.h5")) or sorted(path.glob(f"{name}*.h5"))
        if not found:
            raise LesionsError(
                f"There is no {name}*.h5 in the folder {path}: put Keras's weights file there, "
                "or set WEIGHTS=none."
            )
        path = found[0]
    if not path.is_file():
        raise LesionsError(
            f"WEIGHTS={path} is neither imagenet, none, a .h5 file nor a folder that is there."
        )
    known = weights.source(name)
    if path.name == known.name and not weights.is_right(path, known):
        raise LesionsError(
            f"{path} is not the file that Keras knows by this name (by md5): fetch it again with "
            "`make weights`, or, if these are weights of your own, give it another name."
        )
    try:
        network.load_weights(path)
    except Exception as error:
        raise LesionsError(
            f"{path} does not hold weights of {name} without its top "
            f"({str(error).splitlines()[0][:100]}); give the file made for it."
        ) from error
    return "imagenet" if path.name == known.name else "file"


@full_precision()
def head(features: np.ndarray, name: str, classes: int) -> keras.Model:
    """The layers that are trained on a frozen backbone's features.

    VGG16: dropout and softmax. ResNet50, DenseNet121 and the autoencoder's classifier: a dense
    ReLU layer between. The paper gives no widths; we take 128 units and dropout 0.3. The
    standardisation in front is ours, because features may have any scale.

    Args:
        features: float32 (training images, channels), which give the mean and the variance.
        name: the backbone, or "autoencoder_classifier".
        classes: how many.
    """
    variance = features.var(axis=0, dtype=np.float64)
    # A channel that is all but constant in training would blow up the smallest change later.
    variance = np.maximum(variance, 0.01 * variance.mean() + 1e-12)
    standardise = keras.layers.Normalization(mean=features.mean(axis=0), variance=variance)
    model = keras.Sequential([keras.Input(features.shape[1:]), standardise])
    if name != "vgg16":
        model.add(layers.Dense(128, activation="relu"))
    model.add(layers.Dropout(0.3))
    model.add(outputs(classes))
    return model


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


def layer_table(model: keras.Model) -> pd.DataFrame:
    """The layers of a model in order: kind, shape of the output without the batch, weights."""
    rows = [
        (type(layer).__name__, str(tuple(layer.output.shape[1:])), layer.count_params())
        for layer in model.layers
    ]
    return pd.DataFrame(rows, columns=["layer", "output", "weights"])


KNOWN = [*SCRATCH, *BACKBONES, "autoencoder_classifier", "compact_cnn"]
