"""More networks at the same budget: one change each to the study's CNN, over several seeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lesions.core import seeds
from lesions.core.progress import track
from lesions.experiments import search_trial
from lesions.experiments.search_data import Development, parts
from lesions.networks.backend import keras, tf
from lesions.settings.parameters import Settings, Value

SMOOTHING = 0.1
MIXUP = 0.2  # of the Beta distribution that the shares are drawn from


def smoothed(classes: int) -> keras.losses.Loss:
    """Cross-entropy against labels that are a little less than certain."""
    kind = keras.losses.BinaryCrossentropy if classes == 2 else keras.losses.CategoricalCrossentropy
    return kind(label_smoothing=SMOOTHING)


def focal(classes: int) -> keras.losses.Loss:
    """Cross-entropy in which images that are answered well count less (Lin and others, 2017)."""
    if classes == 2:
        return keras.losses.BinaryFocalCrossentropy()
    return keras.losses.CategoricalFocalCrossentropy()


def mixed(batches: tf.data.Dataset, seed: int) -> tf.data.Dataset:
    """Each image laid over the next of its batch, and the labels likewise (Zhang and others, 2018).

    Args:
        batches: float32 images and targets.
        seed: of the shares, Beta(`MIXUP`, `MIXUP`), one an image.
    """
    rng = seeds.stream(seed, "mixup")

    def shares(count: np.ndarray) -> np.ndarray:
        return rng.beta(MIXUP, MIXUP, int(count)).astype(np.float32)

    def mix(images: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        share = tf.numpy_function(shares, [tf.shape(images)[0]], tf.float32)
        share = tf.ensure_shape(share, (None,))
        wide = share[:, None, None, None]
        images = wide * images + (1 - wide) * tf.roll(images, 1, axis=0)
        return images, share[:, None] * targets + (1 - share[:, None]) * tf.roll(targets, 1, axis=0)

    return batches.map(mix)


@dataclass(frozen=True)
class Variant:
    """One change: parameters, the loss, or the batches."""

    changes: dict[str, Value] = field(default_factory=dict)
    loss: Callable[[int], keras.losses.Loss] | None = None
    change: Callable[[tf.data.Dataset, int], tf.data.Dataset] | None = None


FIRST = "as the study has it"
VARIANTS: dict[str, Variant] = {
    FIRST: Variant(),
    "twice the channels": Variant({"CNN_WIDTH": 2.0}),
    "twice the convolutions": Variant({"CNN_REPEATS": 2}),
    "without resampling": Variant({"RESAMPLE": "none"}),
    "label smoothing": Variant(loss=smoothed),
    "focal loss": Variant(loss=focal),
    "mixup": Variant(change=mixed),
}


# Trained with many seeds, to see what the seed alone does; a cheap one, fixed beforehand.
REPEATED = "the smallest network, images as they are"
AGAIN = Variant({"CNN_WIDTH": 0.125, "AUGMENT": False})


def score(name: str, data: Development, settings: Settings, seed: int) -> dict[str, float]:
    """Train a variant, or `REPEATED`, and score it on the validation part.

    Returns:
        variant, seed, validation (macro AUC), weights (numbers that it learns), images.
    """
    variant = AGAIN if name == REPEATED else VARIANTS[name]
    (rows,) = parts(data, 1, 0)
    own = settings.replace(**variant.changes, SEED=seed)
    found = search_trial.train(
        data, rows, own, settings.SEARCH_IMAGES,
        loss=variant.loss(len(data.classes)) if variant.loss else None,
        change=(lambda batches: variant.change(batches, seed)) if variant.change else None,
    )  # fmt: skip
    return {
        "variant": name,
        "seed": seed,
        "validation": found.looks[-1],
        "weights": int(found.model.count_params()),
        "images": found.images,
    }


def compare(data: Development, settings: Settings, numbers: Sequence[int]) -> pd.DataFrame:
    """All variants with all seeds, one row each, as `score` gives them."""
    todo = [(name, seed) for seed in numbers for name in VARIANTS]
    label = "more networks"
    return pd.DataFrame([score(n, data, settings, s) for n, s in track(todo, label, len(todo))])


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean and range of each variant, and whether the seeds allow to call it better or worse.

    `says` is "better" or "worse" where its range over seeds and that of `FIRST` do not overlap,
    else "within the seeds"; one seed alone has no range, and says nothing.
    """
    by = scores.groupby("variant", sort=False)["validation"]
    table = by.agg(["mean", "min", "max", "count"]).rename(columns={"count": "seeds"})
    first = table.loc[FIRST]
    above, below = table["min"] > first["max"], table["max"] < first["min"]
    table["says"] = np.select([above, below], ["better", "worse"], "within the seeds")
    table.loc[(table["seeds"] < 2) | (first["seeds"] < 2), "says"] = "one seed says nothing"
    table.loc[FIRST, "says"] = ""
    return table
