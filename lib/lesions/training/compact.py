"""A network of our own: small, residual, trained from scratch with what is usual by now.

The paper's baseline CNN has most of its weights in one dense layer, learns with one step size, and
sees each image one way up. Each step away from that is one short function or one line here.
"""

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lesions.networks.backend import keras
from lesions.networks.input_pipeline import batches
from lesions.networks.models import layers, outputs
from lesions.training.fitting import fit

if TYPE_CHECKING:
    from lesions.training.training import Data

BATCH = 64
WIDTH = 32  # channels of the first stage; each of the three further ones has twice as many
PEAK_RATE = 2e-3
WEIGHT_DECAY = 0.05
LABEL_SMOOTHING = 0.1


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


def network(size: int, classes: int, width: int = WIDTH) -> keras.Model:
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


def with_flips(model: keras.Model) -> keras.Model:
    """The mean answer to an image and its three mirror images: a lesion has no right way up."""
    images = keras.Input(model.input_shape[1:])
    sideways = keras.ops.flip(images, axis=2)
    views = [images, sideways, keras.ops.flip(images, axis=1), keras.ops.flip(sideways, axis=1)]
    return keras.Model(images, layers.Average()([model(view) for view in views]))


def optimizer(steps: int) -> keras.optimizers.Optimizer:
    """AdamW; the step size rises for a tenth of the steps, then falls to nothing as a cosine does.

    It also keeps an average of the weights over about the last twentieth of the steps, which Keras
    puts in their place at the end of the training.
    """
    rise = max(1, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        PEAK_RATE / 100, max(1, steps - rise), warmup_target=PEAK_RATE, warmup_steps=rise
    )
    found = keras.optimizers.AdamW(
        rate, weight_decay=WEIGHT_DECAY, use_ema=True, ema_momentum=1 - 1 / max(10, steps // 20)
    )
    # Decay is for the weights that multiply; to shrink shifts and scales helps nothing.
    found.exclude_from_weight_decay(var_names=["beta", "gamma", "bias"])
    return found


def train(data: "Data", settings: SimpleNamespace, label: str) -> tuple[keras.Model, pd.DataFrame]:
    """Train on each training image once an epoch, in the class shares that nature has.

    Rare classes are not repeated: that would show the network the same few images over and over.
    What answer serves rare classes best is decided afterwards, on the validation part (06).

    Args:
        data: from `training.prepare`; repeated rows count once.
        settings: all parameters; OWN_EPOCHS is how long. There is no early stopping: the cosine
            has to reach its end.
        label: begins each line of progress.

    Returns:
        the network with its flips, and the history.
    """
    train, validation = data.part("train"), data.part("validation")
    _, once = np.unique(data.positions[train], return_index=True)
    train = train[once]
    own = SimpleNamespace(**vars(settings) | {"BATCH_SIZE": BATCH, "QUARTER_TURNS": True})
    inputs, wanted = data.positions[train], data.targets[train]
    taken = min(len(train), settings.EPOCH_SAMPLES or len(train))
    classes = len(data.classes)
    kind = keras.losses.BinaryCrossentropy if classes == 2 else keras.losses.CategoricalCrossentropy
    model = network(settings.IMAGE_SIZE, classes)
    history = fit(
        model,
        lambda epochs: batches(data.pixels, inputs, wanted, own, True, epochs),
        batches(data.pixels, data.positions[validation], data.targets[validation], own),
        label=label,
        loss=kind(label_smoothing=LABEL_SMOOTHING),
        epochs=settings.OWN_EPOCHS,
        patience=0,
        optimizer=optimizer(settings.OWN_EPOCHS * -(-taken // BATCH)),
        unfinished=data.unfinished,
    )
    return with_flips(model), history
