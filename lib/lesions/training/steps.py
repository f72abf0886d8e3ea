"""A training loop of so many steps, for losses that `fitting.fit` does not know.

`fit` counts epochs of images with labels. Here some images have none, so what is given to every
method alike is a number of steps. A step depends on its number and the seed alone; so a training
that was interrupted goes on as if it had not been.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lesions.core import seeds
from lesions.core.errors import LesionsError
from lesions.core.files import atomic
from lesions.core.progress import say, track
from lesions.networks.backend import keras, tf
from lesions.networks.normalisation import fit_momentum
from lesions.training.recipes.own import optimizer

KEEP_EVERY = 30.0  # seconds between two states that are kept
PEAK_RATE = 2e-3

# The arrays of a step by its number, and the loss of a step by its number and these arrays.
Batch = Callable[[int], tuple[np.ndarray, ...]]
Loss = Callable[..., tf.Tensor]


def taken(count: int, batch: int, seed: int, purpose: str) -> Callable[[int], np.ndarray]:
    """Which of `count` things each step takes: all in a new order, then all again, without end.

    Args:
        count: of the things, at least 1. There may be fewer than a batch needs.
        batch: how many a step takes.
        seed, purpose: as in `seeds.stream`.

    Returns:
        a function from a step's number to int64 (batch,).
    """

    def rows(step: int) -> np.ndarray:
        rounds, places = np.divmod(np.arange(step * batch, (step + 1) * batch), count)
        orders = {
            number: seeds.stream(seed, purpose, number).permutation(count)
            for number in np.unique(rounds)
        }
        return np.array([orders[r][p] for r, p in zip(rounds, places, strict=True)])

    return rows


def scaled(images: tf.Tensor) -> tf.Tensor:
    """uint8 pixels as float32 in [0, 1]."""
    return tf.cast(images, tf.float32) / 255.0


class State:
    """What a training needs to go on: a file of its variables, its step and its losses."""

    def __init__(self, variables: list, file: Path | None):
        self.variables, self.file = variables, file
        self.kept = time.monotonic()

    def restore(self) -> list[float]:
        """Bring the variables back; returns the losses so far, none if there is no file."""
        if not (self.file and self.file.exists()):
            return []
        with np.load(self.file) as state:
            for number, variable in enumerate(self.variables):
                variable.assign(state[f"variable_{number}"])
            return json.loads(str(state["losses"]))

    def keep(self, losses: list[float]) -> None:
        """Write the state, at most every `KEEP_EVERY` seconds."""
        if self.file and time.monotonic() - self.kept >= KEEP_EVERY:
            arrays = {f"variable_{n}": np.asarray(v) for n, v in enumerate(self.variables)}
            with atomic(self.file) as partial:
                np.savez(partial, losses=json.dumps(losses), **arrays)
            self.kept = time.monotonic()


def learn(
    model: keras.Model,
    loss_of: Loss,
    batch_of: Batch,
    steps: int,
    label: str,
    unfinished: Path | None = None,
    extra: list[tf.Variable] | None = None,
    peak: float = PEAK_RATE,
    look: Callable[[int], None] | None = None,
) -> list[float]:
    """Train a model for so many steps, with AdamW, a rising and falling step size, and averages.

    Args:
        model: its trainable variables learn; is changed in place.
        loss_of: takes the step's number, int32 (), and the step's arrays as tensors; gives the
            loss. It calls the model with `training=True`.
        batch_of: the arrays of a step, always of the same shapes.
        steps: how many.
        label: names the training in lines of progress.
        unfinished: the file that an interrupted training goes on from; None: it begins anew.
        extra: further variables that the loss changes, such as running averages.
        peak: the largest step size.
        look: called with the number of steps done, at a quarter, a half, three quarters, the end.

    Returns:
        the loss of each step.

    Raises:
        LesionsError: the loss is no longer a number.
    """
    fit_momentum(model, max(1, steps // 4))
    adam = optimizer(steps, peak)
    adam.build(model.trainable_variables)

    @tf.function
    def step(number: tf.Tensor, *arrays: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = loss_of(number, *arrays)
        slopes = tape.gradient(loss, model.trainable_variables)
        adam.apply(slopes, model.trainable_variables)
        return loss

    state = State([*model.variables, *adam.variables, *(extra or [])], unfinished)
    losses = state.restore()
    if losses:
        say(f"{label}: goes on after step {len(losses)}")
    looks = {steps * quarter // 4 for quarter in (1, 2, 3, 4)}
    for number in track(range(len(losses), steps), label):
        arrays = [tf.convert_to_tensor(array) for array in batch_of(number)]
        losses.append(float(step(tf.constant(number, tf.int32), *arrays)))
        if not np.isfinite(losses[-1]):
            raise LesionsError(f"{label}: the loss is no longer a number in step {number + 1}.")
        if number + 1 == steps:
            adam.finalize_variable_values(model.trainable_variables)
        if look and number + 1 in looks:
            look(number + 1)
        state.keep(losses)
    if unfinished:
        unfinished.unlink(missing_ok=True)
    return losses
