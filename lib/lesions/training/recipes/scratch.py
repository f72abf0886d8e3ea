"""All weights trained on the images, with Adam and early stopping: our reading of the paper."""

from lesions.networks import registry
from lesions.networks.augmentation import Augmentation
from lesions.networks.backend import keras
from lesions.settings.parameters import Settings
from lesions.training.fitting import fit, loss_for
from lesions.training.split_data import Data, image_sets
from lesions.training.trained import Trained


def train(name: str, data: Data, settings: Settings, label: str) -> Trained:
    """Takes a model that is built from the images' size and the number of classes."""
    model = registry.build(name, settings.IMAGE_SIZE, len(data.classes), settings)
    history = fit(
        model,
        *image_sets(
            data,
            settings.BATCH_SIZE,
            settings.SEED,
            settings.EPOCH_SAMPLES,
            Augmentation.of(settings) if settings.AUGMENT else None,
        ),
        label=label,
        loss=loss_for(len(data.classes)),
        epochs=settings.EPOCHS,
        patience=settings.PATIENCE,
        optimizer=keras.optimizers.Adam(settings.LEARNING_RATE),
        weights=data.class_weights() if settings.CLASS_WEIGHTS else None,
        unfinished=data.unfinished,
    )
    return Trained(model, history, "scratch")
