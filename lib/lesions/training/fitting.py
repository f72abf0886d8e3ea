"""Fit a model with early stopping; an interrupted training goes on where it was."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.files import atomic
from lesions.core.progress import say
from lesions.networks.backend import FEW_STEPS, keras, tf
from lesions.networks.normalisation import fit_momentum
from lesions.training.split_data import Batches

# A state is kept at most this often: for a large network it is a file of hundreds of megabytes.
KEEP_EVERY = 30.0  # seconds


class Diverged(LesionsError):
    """The loss is no longer a number; `history` is what came before, one row an epoch."""

    def __init__(self, message: str, history: pd.DataFrame):
        super().__init__(message)
        self.history = history


def loss_for(classes: int) -> str:
    """Binary cross-entropy for two classes, else categorical, as in the paper."""
    return "binary_crossentropy" if classes == 2 else "categorical_crossentropy"


class Epochs(keras.callbacks.Callback):
    """What happens between two epochs: a line of progress, and a state to go on from.

    The state is one file: the weights, the optimizer's variables, what early stopping remembers,
    and the scores so far. With it a training that was interrupted ends as if it had not been.
    """

    def __init__(
        self, label: str, every: int, stopper: keras.callbacks.EarlyStopping, file: Path | None
    ):
        super().__init__()
        self.label, self.every, self.stopper, self.file = label, every, stopper, file
        self.history: list[dict[str, float]] = []
        self.remembered: dict[str, Any] = {}

    def _variables(self) -> list:
        return [*self.model.variables, *self.model.optimizer.variables]

    def restore(self, model: keras.Model) -> int:
        """Bring a compiled model back to the last state kept; returns the next epoch's number."""
        self.set_model(model)
        if not (self.file and self.file.exists()):
            return 0
        model.optimizer.build(model.trainable_variables)
        with np.load(self.file) as state:
            about = json.loads(str(state["about"]))
            for number, variable in enumerate(self._variables()):
                variable.assign(state[f"variable_{number}"])
            best = [state[f"best_{number}"] for number in range(about["best_arrays"])]
        self.history = about["history"]
        self.remembered = about["stopper"] | {"best_weights": best or None}
        say(f"{self.label}: goes on after epoch {len(self.history)}")
        return len(self.history)

    def finished(self, epochs: int) -> bool:
        """Whether the state that was restored is that of an ended training."""
        return len(self.history) >= epochs or self.remembered.get("stopped_epoch", 0) > 0

    def on_train_begin(self, logs=None):
        # Early stopping has just forgotten everything: it stands before this in the list.
        for name, value in self.remembered.items():
            setattr(self.stopper, name, value)
        self.start = self.kept = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        # Dropout's random numbers, too, depend on the seed and the epoch alone.
        for variable in self.model.non_trainable_variables:
            if "seed_generator_state" in variable.path:
                variable.assign([int(np.asarray(variable)[0]), epoch * 100_000])

    def on_epoch_end(self, epoch, logs=None):
        logs = {name: float(value) for name, value in (logs or {}).items()}
        if not np.isfinite(logs.get("loss", 0.0)):
            raise Diverged(
                f"{self.label}: the loss is no longer a number in epoch {epoch + 1}; "
                "set a smaller LEARNING_RATE.",
                pd.DataFrame([*self.history, logs]),
            )
        self.history.append(logs)
        now = time.monotonic()
        if self.every and (epoch + 1) % self.every == 0:
            numbers = "  ".join(f"{name} {value:.3f}" for name, value in logs.items())
            of = f"epoch {epoch + 1}/{self.params['epochs']}"
            say(f"{self.label}: {of}  {numbers}  {now - self.start:.0f} s")
        if self.file and now - self.kept >= KEEP_EVERY:
            self._keep()
            self.kept = time.monotonic()

    def _keep(self) -> None:
        stopper = self.stopper
        best = stopper.best_weights or []
        about = {
            "history": self.history,
            "best_arrays": len(best),
            "stopper": {
                "best": float(stopper.best),
                "best_epoch": int(stopper.best_epoch),
                "wait": int(stopper.wait),
                "stopped_epoch": int(stopper.stopped_epoch),
            },
        }
        arrays = {f"variable_{n}": np.asarray(v) for n, v in enumerate(self._variables())}
        arrays |= {f"best_{number}": weights for number, weights in enumerate(best)}
        with atomic(self.file) as partial:
            np.savez(partial, about=json.dumps(about), **arrays)


def fit(
    model: keras.Model,
    train: Batches,
    validation: tf.data.Dataset,
    label: str,
    loss: str | keras.losses.Loss,
    epochs: int,
    patience: int,
    optimizer: keras.optimizers.Optimizer,
    weights: dict[int, float] | None = None,
    every: int = 1,
    unfinished: Path | None = None,
) -> pd.DataFrame:
    """Fit a model; stop early on the validation loss and go back to the best epoch.

    Args:
        model: is changed in place; also the momentum of its layers of batch normalisation, to one
            that fits the steps of an epoch (see `normalisation`).
        train: gives the batches of a range of epochs.
        validation: batches. There is no place for a test part.
        label: begins each line of progress.
        patience: epochs without a better validation loss before it stops; 0: never, and the last
            epoch is what counts.
        weights: class weights of the loss.
        every: report each so many epochs; 0: never.
        unfinished: folder for the state of an interrupted training, by `label`; None: keep none.

    Returns:
        one row an epoch: epoch, accuracy, loss, val_accuracy, val_loss, seconds.

    Raises:
        Diverged: the loss became infinite or no number.
    """
    steps = int(train(range(1)).cardinality())
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    fit_momentum(model, steps)
    model.compile(
        optimizer=optimizer,
        loss=loss,
        metrics=[] if loss == "mse" else ["accuracy"],
        # Without a graph, a step cannot be spread over several devices.
        run_eagerly=epochs * steps < FEW_STEPS and replicas == 1,
    )
    stopper = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=patience or epochs, restore_best_weights=patience > 0
    )
    file = unfinished / f"{label.replace(':', '-').replace(' ', '-')}.npz" if unfinished else None
    between = Epochs(label, every, stopper, file)
    started = time.monotonic()
    first = between.restore(model)
    if between.finished(epochs):
        if between.remembered["best_weights"]:
            model.set_weights(between.remembered["best_weights"])
        model.optimizer.finalize_variable_values(model.trainable_variables)
    else:
        model.fit(
            train(range(first, epochs)),
            steps_per_epoch=steps,
            validation_data=validation,
            initial_epoch=first,
            epochs=epochs,
            class_weight=weights,
            callbacks=[stopper, between],
            shuffle=False,  # the dataset does it
            verbose=0,
        )
    history = pd.DataFrame(between.history)
    history.insert(0, "epoch", range(1, len(history) + 1))
    history["seconds"] = (time.monotonic() - started) / max(1, len(history) - first)
    return history


def probabilities(model: keras.Model, inputs: tf.data.Dataset | np.ndarray) -> np.ndarray:
    """Predicted probabilities, float64 (n, classes); a sigmoid becomes two columns."""
    p = model.predict(inputs, verbose=0).astype(np.float64)
    return np.hstack([1 - p, p]) if p.shape[1] == 1 else p / p.sum(axis=1, keepdims=True)
