"""First an autoencoder on the training images, then a classifier on its frozen code."""

from lesions.networks import registry
from lesions.networks.augmentation import Augmentation
from lesions.networks.backend import keras, tf
from lesions.settings.parameters import Settings
from lesions.training import features
from lesions.training.fitting import fit
from lesions.training.heads import fit_head
from lesions.training.split_data import Data, image_sets
from lesions.training.trained import Trained


def to_itself(part: tf.data.Dataset) -> tf.data.Dataset:
    """Batches in which each image is its own target."""
    return part.map(lambda images, _: (images, images))


def train(name: str, data: Data, settings: Settings, label: str) -> Trained:
    """Takes a model that is built from the images' size, as an encoder and the whole."""
    entry = registry.entry(name)
    encoder, whole = entry.build(settings.IMAGE_SIZE, **registry.options(name, settings))
    images, validation = image_sets(
        data,
        settings.BATCH_SIZE,
        settings.SEED,
        settings.EPOCH_SAMPLES,
        Augmentation.of(settings) if settings.AUGMENT else None,
    )
    fit(
        whole,
        lambda epochs: to_itself(images(epochs)),
        to_itself(validation),
        label=f"{label} rebuilding",
        loss="mse",
        epochs=settings.EPOCHS,
        patience=settings.PATIENCE,
        optimizer=keras.optimizers.Adam(settings.LEARNING_RATE),
        unfinished=data.unfinished,
    )
    encoder.trainable = False
    trained = fit_head(
        encoder,
        features.of_all_images(encoder, data.pixels, label, settings.BATCH_SIZE),
        data,
        label,
        units=entry.units,
        epochs=settings.HEAD_EPOCHS,
        patience=settings.PATIENCE,
        rate=settings.LEARNING_RATE,
        batch_size=settings.BATCH_SIZE,
        seed=settings.SEED,
        weights=data.class_weights() if settings.CLASS_WEIGHTS else None,
    )
    trained.autoencoder = whole
    return trained
