"""Train on the training part, stop on the validation part; the test part has no way in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.data.pixel_store import open_pixels
from lesions.networks import models
from lesions.networks.backend import keras, tf
from lesions.networks.input_pipeline import batches, training_steps
from lesions.splits.balance import class_weights
from lesions.splits.encoding import encode, one_hot
from lesions.training import compact, features
from lesions.training.fitting import Batches, fit, loss_for, probabilities


@dataclass
class Data:
    """One split of one target, ready for training."""

    rows: pd.DataFrame  # image_id, lesion_id, label, split
    pixels: np.ndarray  # uint8 (images, size, size, 3)
    positions: np.ndarray  # int64 (rows,), the row of `pixels` of each row of `rows`
    classes: list[str]  # alphabetical
    targets: np.ndarray  # float32 (rows, classes), or (rows, 1) for two classes
    # Where a training that is interrupted keeps its state; None: nowhere.
    unfinished: Path | None = None

    def part(self, split: str) -> np.ndarray:
        """Row numbers of "train", "validation" or "test"."""
        return np.flatnonzero((self.rows["split"] == split).to_numpy())


def prepare(rows: pd.DataFrame, pixel_folder: Path) -> Data:
    """Join split rows with the pixel cache and encode the labels."""
    pixels, image_ids = open_pixels(pixel_folder)
    positions = image_ids.get_indexer(rows["image_id"])
    if (positions < 0).any():
        raise LesionsError(
            f"{int((positions < 0).sum())} images of the split are not in {pixel_folder}: "
            "run notebook 03 again."
        )
    classes = sorted(rows["label"].unique())
    codes = encode(rows["label"], classes)
    targets = (
        codes[:, None].astype(np.float32) if len(classes) == 2 else one_hot(codes, len(classes))
    )
    return Data(rows, pixels, positions, classes, targets)


# ---------------------------------------------------------------- three ways to train


@dataclass
class Trained:
    """A trained model and how it came about."""

    model: keras.Model
    history: pd.DataFrame  # one row an epoch
    init: str  # where the weights began: "scratch", "imagenet", "file" or "random"
    autoencoder: keras.Model | None = None  # what the encoder was trained in
    # Where only a head was trained: the head, and its inputs, float32 (images, features).
    head: keras.Model | None = None
    features: np.ndarray | None = None


def train_from_scratch(name: str, data: Data, settings: SimpleNamespace, label: str) -> Trained:
    """All weights trained on the images."""
    model = models.build(name, settings.IMAGE_SIZE, len(data.classes), settings)
    history = fit(
        model,
        *_image_sets(data, settings),
        label=label,
        loss=loss_for(len(data.classes)),
        epochs=settings.EPOCHS,
        patience=settings.PATIENCE,
        optimizer=keras.optimizers.Adam(settings.LEARNING_RATE),
        weights=_weights(data, settings),
        unfinished=data.unfinished,
    )
    return Trained(model, history, "scratch")


def train_on_backbone(name: str, data: Data, settings: SimpleNamespace, label: str) -> Trained:
    """A head on a frozen backbone's features; then, if asked for, the backbone's top layers too.

    The features are computed once and kept: a frozen network gives the same ones in every epoch.
    To augment all the same, FEATURE_VIEWS of each image are kept, and each step takes one of them.
    """
    network, origin = features.frozen_backbone(
        name, settings.IMAGE_SIZE, settings.WEIGHTS, settings.SEED
    )
    views = [
        features.cached_features(network, name, origin, data.pixels, settings, label, view)
        for view in range(settings.FEATURE_VIEWS)
    ]
    # The head begins alike whether the backbone was built just now or before.
    keras.utils.set_random_seed(settings.SEED)
    trained = train_head(network, views[0], name, data, settings, label, others=views[1:])
    trained.init = origin
    # VGG16 stays frozen, as in the paper; ResNet50 and DenseNet121 may be tuned.
    if settings.FINE_TUNE_LAYERS and name != "vgg16":
        features.frozen_backbone.cache_clear()  # this one will not stay as it was built
        inner = network.layers[-1]
        inner.trainable = True
        for layer in inner.layers[: -settings.FINE_TUNE_LAYERS]:
            layer.trainable = False
        for layer in inner.layers:
            # Its stored averages belong to the weights that it was trained with.
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
        tuned = fit(
            trained.model,
            *_image_sets(data, settings),
            label=f"{label} fine-tuning",
            loss=loss_for(len(data.classes)),
            epochs=settings.FINE_TUNE_EPOCHS,
            patience=settings.PATIENCE,
            optimizer=keras.optimizers.Adam(settings.FINE_TUNE_RATE),
            weights=_weights(data, settings),
            unfinished=data.unfinished,
        )
        tuned["epoch"] += len(trained.history)
        trained.history = pd.concat([trained.history, tuned], ignore_index=True)
        trained.features = None  # the tuned network would give others
    return trained


def train_autoencoder(name: str, data: Data, settings: SimpleNamespace, label: str) -> Trained:
    """First an autoencoder on the training images, then a classifier on its frozen code."""
    encoder, whole = models.autoencoder(settings.IMAGE_SIZE, settings.LATENT_FILTERS)
    train, validation = _image_sets(data, settings)

    def to_itself(part: tf.data.Dataset) -> tf.data.Dataset:
        return part.map(lambda images, _: (images, images))

    fit(
        whole,
        lambda epochs: to_itself(train(epochs)),
        to_itself(validation),
        label=f"{label} rebuilding",
        loss="mse",
        epochs=settings.EPOCHS,
        patience=settings.PATIENCE,
        optimizer=keras.optimizers.Adam(settings.LEARNING_RATE),
        unfinished=data.unfinished,
    )
    encoder.trainable = False
    codes = features.of_all_images(encoder, data.pixels, settings, label)
    trained = train_head(encoder, codes, name, data, settings, label)
    trained.autoencoder = whole
    return trained


def _image_sets(data: Data, settings: SimpleNamespace) -> tuple[Batches, tf.data.Dataset]:
    """Batches of images of the training part and of the validation part."""
    train, validation = data.part("train"), data.part("validation")
    inputs, wanted = data.positions[train], data.targets[train]
    return (
        lambda epochs: batches(data.pixels, inputs, wanted, settings, True, epochs),
        batches(data.pixels, data.positions[validation], data.targets[validation], settings),
    )


def _weights(data: Data, settings: SimpleNamespace) -> dict[int, float] | None:
    if not settings.CLASS_WEIGHTS:
        return None
    return class_weights(data.rows["label"].iloc[data.part("train")], data.classes)


def train_head(
    network: keras.Model,
    inputs: np.ndarray,
    name: str,
    data: Data,
    settings: SimpleNamespace,
    label: str,
    lines: int = 5,
    others: Sequence[np.ndarray] = (),
) -> Trained:
    """Fit a head on stored features; the whole model is the network, then the head.

    Args:
        network: frozen; its output for every cached image is `inputs`, float32 (images, features).
        name: the backbone, or "autoencoder_classifier"; decides the head's layers.
        lines: how many lines of progress, about; 0: none.
        others: more views of every image, as `inputs`; training takes one at random.
    """
    train, validation = data.part("train"), data.part("validation")
    top = models.head(inputs[data.positions[train]], name, len(data.classes))

    def rows(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return inputs[data.positions[numbers]], data.targets[numbers]

    views = [inputs, *others]

    def take(taken: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
        x, y = rows(train[taken])
        which = np.random.default_rng([settings.SEED, step]).integers(len(views), size=len(taken))
        for number in range(1, len(views)):
            chosen = which == number
            x[chosen] = views[number][data.positions[train[taken[chosen]]]]
        return x, y

    def look_up(taken: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y = tf.numpy_function(take, [taken, step], (tf.float32, tf.float32))
        shapes = (None, *inputs.shape[1:]), (None, *data.targets.shape[1:])
        return tf.ensure_shape(x, shapes[0]), tf.ensure_shape(y, shapes[1])

    def shuffled(epochs: range) -> tf.data.Dataset:
        steps = training_steps(len(train), settings.BATCH_SIZE, settings.SEED, epochs)
        return steps.map(look_up).prefetch(tf.data.AUTOTUNE)

    history = fit(
        top,
        shuffled,
        tf.data.Dataset.from_tensor_slices(rows(validation)).batch(256),
        label=f"{label} head",
        loss=loss_for(len(data.classes)),
        epochs=settings.HEAD_EPOCHS,
        patience=settings.PATIENCE,
        optimizer=keras.optimizers.Adam(settings.LEARNING_RATE),
        weights=_weights(data, settings),
        unfinished=data.unfinished,
        every=max(1, settings.HEAD_EPOCHS // lines) if lines else 0,
    )
    whole = keras.Sequential([keras.Input(network.input_shape[1:]), network, top])
    return Trained(whole, history, "scratch", head=top, features=inputs)


def train(name: str, data: Data, settings: SimpleNamespace, label: str) -> Trained:
    """Train any model in the way that it needs.

    Args:
        name: one of `models.KNOWN`.
        data: the split, from `prepare`.
        settings: all parameters.
        label: begins each line of progress.
    """
    if name == "autoencoder_classifier":
        return train_autoencoder(name, data, settings, label)
    if name == "compact_cnn":
        return Trained(*compact.train(data, settings, label), "scratch")
    if name in models.BACKBONES:
        return train_on_backbone(name, data, settings, label)
    return train_from_scratch(name, data, settings, label)


def predict(
    trained: Trained, data: Data, numbers: np.ndarray, settings: SimpleNamespace
) -> np.ndarray:
    """Probabilities for rows of the split, float64 (rows, classes).

    Each image is predicted once, however many rows it stands in; a frozen network's features are
    used where they are at hand.
    """
    images, rows = np.unique(data.positions[numbers], return_inverse=True)
    if trained.features is not None:
        return probabilities(trained.head, trained.features[images])[rows]
    nothing = np.zeros((len(images), 1), np.float32)
    return probabilities(trained.model, batches(data.pixels, images, nothing, settings))[rows]


def predictions(trained: Trained, data: Data, settings: SimpleNamespace) -> pd.DataFrame:
    """Probabilities of the validation and test rows, as a table of the run record's form.

    Returns:
        image_id, lesion_id, split, truth, and `p_<class>` for each class.
    """
    numbers = np.flatnonzero(data.rows["split"].isin(["validation", "test"]))
    p = predict(trained, data, numbers, settings)
    table = data.rows.iloc[numbers][["image_id", "lesion_id", "split"]].reset_index(drop=True)
    table["truth"] = data.rows["label"].to_numpy()[numbers]
    return pd.concat([table, pd.DataFrame(p, columns=[f"p_{c}" for c in data.classes])], axis=1)
