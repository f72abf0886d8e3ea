"""A head on a frozen backbone's features; then, if asked for, the backbone's top layers too.

The features are computed once and kept: a frozen network gives the same ones in every epoch. To
augment all the same, FEATURE_VIEWS of each image are kept, and each step takes one of them.
"""

import pandas as pd

from lesions.networks import registry
from lesions.networks.augmentation import Augmentation
from lesions.networks.backend import keras
from lesions.settings.parameters import Settings
from lesions.training import features
from lesions.training.fitting import fit, loss_for
from lesions.training.heads import fit_head
from lesions.training.split_data import Data, image_sets
from lesions.training.trained import Trained


def train(name: str, data: Data, settings: Settings, label: str) -> Trained:
    """Takes a model that is built from the images' size and WEIGHTS, up to its features."""
    entry, seed = registry.entry(name), settings.SEED
    network, origin = features.frozen_backbone(name, settings.IMAGE_SIZE, settings.WEIGHTS, seed)
    views = [
        features.cached_features(
            network,
            name,
            origin,
            data.pixels,
            label,
            settings.BATCH_SIZE,
            view,
            Augmentation.of(settings),
            seed,
        )
        for view in range(settings.FEATURE_VIEWS)
    ]
    weights = data.class_weights() if settings.CLASS_WEIGHTS else None
    trained = fit_head(
        network,
        views[0],
        data,
        label,
        units=entry.units,
        epochs=settings.HEAD_EPOCHS,
        patience=settings.PATIENCE,
        rate=settings.LEARNING_RATE,
        batch_size=settings.BATCH_SIZE,
        seed=seed,
        weights=weights,
        others=views[1:],
    )
    trained.init = origin
    if not (settings.FINE_TUNE_LAYERS and entry.fine_tune):
        return trained
    features.frozen_backbone.cache_clear()  # this one will not stay as it was built
    unfreeze(network, settings.FINE_TUNE_LAYERS)
    tuned = fit(
        trained.model,
        *image_sets(
            data,
            settings.BATCH_SIZE,
            seed,
            settings.EPOCH_SAMPLES,
            Augmentation.of(settings) if settings.AUGMENT else None,
        ),
        label=f"{label} fine-tuning",
        loss=loss_for(len(data.classes)),
        epochs=settings.FINE_TUNE_EPOCHS,
        patience=settings.PATIENCE,
        optimizer=keras.optimizers.Adam(settings.FINE_TUNE_RATE),
        weights=weights,
        unfinished=data.unfinished,
    )
    tuned["epoch"] += len(trained.history)
    trained.history = pd.concat([trained.history, tuned], ignore_index=True)
    trained.features = None  # the tuned network would give others
    return trained


def unfreeze(network: keras.Model, count: int) -> None:
    """Let the last layers of a frozen network learn, but for batch normalisation.

    Its stored averages belong to the weights that it was trained with.

    Args:
        network: flat, or one that holds the layers in a model at its end.
        count: how many layers; batch normalisation among them counts.
    """
    last = network.layers[-1]
    inner = last if isinstance(last, keras.Model) else network
    network.trainable = True
    for number, layer in enumerate(reversed(inner.layers)):
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = number < count and not normalises
