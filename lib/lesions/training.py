"""Fit a model on the training part, stop on the validation part; the test part has no way in."""

import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from lesions import features, models
from lesions.backend import FEW_STEPS, keras, tf
from lesions.errors import LesionsError
from lesions.pipeline import batches, class_weights, encode, one_hot, open_pixels
from lesions.progress import say


@dataclass
class Data:
    """One split of one target, ready for training."""

    rows: pd.DataFrame  # image_id, lesion_id, label, split
    pixels: np.ndarray  # uint8 (images, size, size, 3)
    positions: np.ndarray  # int64 (rows,), the row of `pixels` of each row of `rows`
    classes: list[str]  # alphabetical
    targets: np.ndarray  # float32 (rows, classes), or (rows, 1) for two classes

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


# ---------------------------------------------------------------- fitting


class Progress(keras.callbacks.Callback):
    """One line an epoch, and the end of a run that diverges."""

    def __init__(self, label: str, every: int = 1):
        super().__init__()
        self.label, self.every = label, every

    def on_train_begin(self, logs=None):
        self.start = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        numbers = "  ".join(f"{key} {value:.3f}" for key, value in (logs or {}).items())
        if not np.isfinite((logs or {}).get("loss", 0.0)):
            raise LesionsError(
                f"{self.label}: the loss is no longer a number in epoch {epoch + 1}; "
                "set a smaller LEARNING_RATE."
            )
        if self.every and (epoch + 1) % self.every == 0:
            seconds = time.monotonic() - self.start
            of = f"epoch {epoch + 1}/{self.params['epochs']}"
            say(f"{self.label}: {of}  {numbers}  {seconds:.0f} s")


def loss_for(classes: int) -> str:
    """Binary cross-entropy for two classes, else categorical, as in the paper."""
    return "binary_crossentropy" if classes == 2 else "categorical_crossentropy"


def fit(
    model: keras.Model,
    train: tf.data.Dataset,
    validation: tf.data.Dataset,
    label: str,
    loss: str,
    epochs: int,
    patience: int,
    rate: float,
    weights: dict[int, float] | None = None,
    every: int = 1,
) -> pd.DataFrame:
    """Fit with Adam; stop early on the validation loss and go back to the best epoch.

    Args:
        model: is changed in place.
        train, validation: batches of (inputs, targets). There is no place for a test part.
        label: begins each line of progress.
        weights: class weights of the loss.
        every: report each so many epochs; 0: never.

    Returns:
        one row an epoch: epoch, accuracy, loss, val_accuracy, val_loss, seconds.
    """
    metrics = [] if loss == "mse" else ["accuracy"]
    steps = epochs * int(train.cardinality())
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=loss,
        metrics=metrics,
        run_eagerly=steps < FEW_STEPS,
    )
    best = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=patience, restore_best_weights=True
    )
    started = time.monotonic()
    fitted = model.fit(
        train,
        validation_data=validation,
        epochs=epochs,
        class_weight=weights,
        callbacks=[Progress(label, every), best],
        shuffle=False,  # the dataset does it
        verbose=0,
    )
    history = pd.DataFrame(fitted.history).rename_axis("epoch").reset_index()
    history["epoch"] += 1
    history["seconds"] = (time.monotonic() - started) / len(history)
    return history


def probabilities(model: keras.Model, inputs: tf.data.Dataset | np.ndarray) -> np.ndarray:
    """Predicted probabilities, float64 (n, classes); a sigmoid becomes two columns."""
    p = model.predict(inputs, verbose=0).astype(np.float64)
    return np.hstack([1 - p, p]) if p.shape[1] == 1 else p / p.sum(axis=1, keepdims=True)


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
        rate=settings.LEARNING_RATE,
        weights=_weights(data, settings),
    )
    return Trained(model, history, "scratch")


def train_on_backbone(name: str, data: Data, settings: SimpleNamespace, label: str) -> Trained:
    """A head on a frozen backbone's features; then, if asked for, the backbone's top layers too.

    The features are computed once and kept: a frozen network gives the same ones in every epoch.
    """
    network, origin = features.frozen_backbone(
        name, settings.IMAGE_SIZE, settings.WEIGHTS, settings.SEED
    )
    found = features.cached_features(network, name, origin, data.pixels, settings, label)
    # The head begins alike whether the backbone was built just now or before.
    keras.utils.set_random_seed(settings.SEED)
    trained = train_head(network, found, name, data, settings, label)
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
            rate=settings.FINE_TUNE_RATE,
            weights=_weights(data, settings),
        )
        tuned["epoch"] += len(trained.history)
        trained.history = pd.concat([trained.history, tuned], ignore_index=True)
        trained.features = None  # the tuned network would give others
    return trained


def train_autoencoder(name: str, data: Data, settings: SimpleNamespace, label: str) -> Trained:
    """First an autoencoder on the training images, then a classifier on its frozen code."""
    encoder, whole = models.autoencoder(settings.IMAGE_SIZE, settings.LATENT_FILTERS)
    train, validation = _image_sets(data, settings)
    rebuild = [part.map(lambda images, _: (images, images)) for part in (train, validation)]
    fit(
        whole, *rebuild, label=f"{label} rebuilding", loss="mse", epochs=settings.EPOCHS,
        patience=settings.PATIENCE, rate=settings.LEARNING_RATE,
    )  # fmt: skip
    encoder.trainable = False
    codes = features.of_all_images(encoder, data.pixels, settings, label)
    trained = train_head(encoder, codes, name, data, settings, label)
    trained.autoencoder = whole
    return trained


def _image_sets(data: Data, settings: SimpleNamespace) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Batches of images of the training part and of the validation part."""
    train, validation = data.part("train"), data.part("validation")
    return (
        batches(data.pixels, data.positions[train], data.targets[train], settings, training=True),
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
) -> Trained:
    """Fit a head on stored features; the whole model is the network, then the head.

    Args:
        network: frozen; its output for every cached image is `inputs`, float32 (images, features).
        name: the backbone, or "autoencoder_classifier"; decides the head's layers.
        lines: how many lines of progress, about; 0: none.
    """
    train, validation = data.part("train"), data.part("validation")
    top = models.head(inputs[data.positions[train]], name, len(data.classes))

    def rows(numbers: np.ndarray) -> tf.data.Dataset:
        pairs = (inputs[data.positions[numbers]], data.targets[numbers])
        return tf.data.Dataset.from_tensor_slices(pairs)

    shuffled = rows(train).shuffle(len(train), seed=settings.SEED)
    history = fit(
        top,
        shuffled.batch(settings.BATCH_SIZE).prefetch(tf.data.AUTOTUNE),
        rows(validation).batch(256),
        label=f"{label} head",
        loss=loss_for(len(data.classes)),
        epochs=settings.HEAD_EPOCHS,
        patience=settings.PATIENCE,
        rate=settings.LEARNING_RATE,
        weights=_weights(data, settings),
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
