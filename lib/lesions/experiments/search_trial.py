"""One trial: a setting is trained for so many images, and scored on validation rows.

A trial is a function of what it is given: no file, no other trial, no clock. So it may run in this
process, in another one, or on another machine, once or again.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lesions.core import seeds
from lesions.core.files import atomic
from lesions.experiments.search_data import Development, parts
from lesions.experiments.search_space import MODEL
from lesions.networks import registry
from lesions.networks.augmentation import Augmentation
from lesions.networks.backend import FEW_STEPS, full_precision, keras, seed_everything
from lesions.networks.input_pipeline import images_only, training_batches
from lesions.scores import evaluation
from lesions.settings.parameters import Settings, Value
from lesions.splits.balance import resample
from lesions.training import fitting

LOOKS = 3  # how often a trial is scored: after each third of its images
MEASURE = "macro_auc"  # needs no decision rule, so resampling cannot move it by a rule


@dataclass(frozen=True)
class Task:
    """What a worker is told of a trial. A few numbers: no image, no network."""

    number: int
    setting: dict[str, Value]
    images: int  # that a whole training sees
    seed: int  # of the training
    folds: int = 1
    fold_seed: int = 0
    bars: tuple[float, ...] = ()  # a score below these, look by look, ends the trial
    settings: dict[str, Value] = field(default_factory=dict)  # all other parameters


class Prune(keras.callbacks.Callback):
    """Score the network after each epoch, and stop it where its best score is below the bar."""

    def __init__(self, score: Any, bars: Sequence[float]):
        super().__init__()
        self.score, self.bars, self.looks = score, bars, []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.looks.append(self.score(self.model))
        bar = self.bars[epoch] if epoch < len(self.bars) else -np.inf
        if not np.isfinite(logs["loss"]) or max(self.looks) < bar:
            self.model.stop_training = True


def score_of(
    model: keras.Model, data: Development, numbers: np.ndarray, measure: str = MEASURE
) -> float:
    """A score of the network on some rows; its answers are made batch by batch."""
    p = fitting.probabilities(model, images_only(data.pixels, 256, numbers))
    if not np.isfinite(p).all():
        return float("nan")
    rows = data.rows.iloc[numbers]
    about = rows[["image_id", "lesion_id", "split"]].assign(truth=rows["label"])
    columns = pd.DataFrame(p, columns=[f"p_{c}" for c in data.classes], index=about.index)
    return evaluation.scores(about.join(columns))[measure]


@dataclass(frozen=True)
class Trained:
    """What a training of one fold left."""

    model: keras.Model
    looks: list[float]  # validation scores, one an epoch
    images: int  # seen, copies and repetitions counted
    whole: bool  # whether it saw all that it was given


@full_precision()
def train(
    data: Development,
    rows: tuple[np.ndarray, np.ndarray],
    settings: Settings,
    images: int,
    bars: Sequence[float] = (),
    loss: str | keras.losses.Loss | None = None,
    change: Any = None,
) -> Trained:
    """Train `MODEL` from its first weights, by the settings, for so many images.

    Args:
        data, rows: what to train and to score on, from `search_data`.
        settings: SEED fixes the first weights and the order of the images.
        images: how many it sees, copies and repetitions counted.
        bars: see `Task`.
        loss: another than cross-entropy.
        change: a function of the batches, to mix images, say.
    """
    seed_everything(seeds.number(settings.SEED, "trial"))
    numbers, scored = rows
    # An epoch takes other images each time; resampling makes it no longer.
    taken = max(1, min(images // LOOKS, len(numbers)))
    epochs, steps = max(1, round(images / taken)), -(-taken // settings.BATCH_SIZE)
    labels = data.rows.iloc[numbers][["label"]].assign(number=numbers)
    numbers = resample(labels, settings.RESAMPLE, settings.SEED)["number"].to_numpy()
    batches = training_batches(
        data.pixels, numbers, data.targets[numbers], settings.BATCH_SIZE, settings.SEED,
        range(epochs), taken, Augmentation.of(settings) if settings.AUGMENT else None,
    )  # fmt: skip
    model = registry.build(MODEL, data.size, len(data.classes), settings)
    model.compile(
        keras.optimizers.Adam(settings.LEARNING_RATE),
        loss or fitting.loss_for(len(data.classes)),
        run_eagerly=steps * epochs < FEW_STEPS,
    )
    prune = Prune(lambda network: score_of(network, data, scored), bars)
    model.fit(
        change(batches) if change else batches,
        steps_per_epoch=steps, epochs=epochs, callbacks=[prune], shuffle=False, verbose=0,
    )  # fmt: skip
    return Trained(model, prune.looks, taken * len(prune.looks), len(prune.looks) == epochs)


def settings_of(task: Task) -> Settings:
    """All parameters of a trial."""
    return Settings(**task.settings | task.setting | {"SEED": task.seed})


def weights_file(networks: Path, seed: int) -> Path:
    """Where a trial's network is kept; each trial has a seed of its own."""
    return networks / f"{seed}.weights.h5"


def run(task: Task, data: Development, networks: Path | None = None) -> dict[str, Any]:
    """Carry a trial out, fold by fold; a fold that falls below the bar ends it.

    Args:
        networks: a folder to keep the trained network in, of the last fold; None: it is forgotten.

    Returns:
        score (NaN if the loss was no number in the end), looks (one an epoch, the mean over the
        folds), images (seen), pruned, seconds.
    """
    started = time.monotonic()
    found = []
    for rows in parts(data, task.folds, task.fold_seed):
        found.append(train(data, rows, settings_of(task), task.images, task.bars))
        if not found[-1].whole:
            break
    if networks and found[-1].whole:
        with atomic(weights_file(networks, task.seed)) as partial:
            found[-1].model.save_weights(partial.with_name(f"{partial.name}.weights.h5"))
            partial.with_name(f"{partial.name}.weights.h5").rename(partial)
    shortest = min(len(fold.looks) for fold in found)
    looks = np.mean([fold.looks[:shortest] for fold in found], axis=0).tolist()
    return {
        "score": looks[-1],
        "looks": looks,
        "images": sum(fold.images for fold in found),
        "pruned": not found[-1].whole,
        "seconds": time.monotonic() - started,
    }
