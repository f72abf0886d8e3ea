"""A head on a frozen network: trained on features that are computed once."""

from collections.abc import Sequence

import numpy as np

from lesions.core import seeds
from lesions.networks import pieces
from lesions.networks.backend import keras, tf
from lesions.networks.input_pipeline import training_steps
from lesions.training.fitting import fit, loss_for
from lesions.training.split_data import Data
from lesions.training.trained import Trained


def fit_head(
    network: keras.Model,
    inputs: np.ndarray,
    data: Data,
    label: str,
    *,
    units: Sequence[int],
    epochs: int,
    patience: int,
    rate: float,
    batch_size: int,
    seed: int,
    weights: dict[int, float] | None = None,
    others: Sequence[np.ndarray] = (),
    lines: int = 5,
) -> Trained:
    """Fit a head on stored features; the whole model is the network, then the head.

    Args:
        network: frozen; its output for every cached image is `inputs`, float32 (images, features).
        data: the split.
        label: begins each line of progress.
        units: widths of the head's dense layers before the last one.
        epochs, patience, weights: as in `fitting.fit`.
        rate: Adam's step size.
        batch_size: images a step.
        seed: of the order of the images, and of the choice of views.
        others: more views of every image, as `inputs`; training takes one at random.
        lines: how many lines of progress, about; 0: none.
    """
    train, validation = data.part("train"), data.part("validation")
    # The head begins alike whether the network was built just now or before.
    keras.utils.set_random_seed(seeds.number(seed, "head"))
    top = pieces.head(inputs[data.positions[train]], len(data.classes), units)

    def rows(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return inputs[data.positions[numbers]], data.targets[numbers]

    views = [inputs, *others]

    def take(taken: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
        x, y = rows(train[taken])
        which = seeds.stream(seed, "choice of views", step).integers(len(views), size=len(taken))
        for number in range(1, len(views)):
            chosen = which == number
            x[chosen] = views[number][data.positions[train[taken[chosen]]]]
        return x, y

    def look_up(taken: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y = tf.numpy_function(take, [taken, step], (tf.float32, tf.float32))
        shapes = (None, *inputs.shape[1:]), (None, *data.targets.shape[1:])
        return tf.ensure_shape(x, shapes[0]), tf.ensure_shape(y, shapes[1])

    def shuffled(epochs: range) -> tf.data.Dataset:
        steps = training_steps(len(train), batch_size, seed, epochs)
        return steps.map(look_up).prefetch(tf.data.AUTOTUNE)

    history = fit(
        top,
        shuffled,
        tf.data.Dataset.from_tensor_slices(rows(validation)).batch(256),
        label=f"{label} head",
        loss=loss_for(len(data.classes)),
        epochs=epochs,
        patience=patience,
        optimizer=keras.optimizers.Adam(rate),
        weights=weights,
        unfinished=data.unfinished,
        every=max(1, epochs // lines) if lines else 0,
    )
    whole = keras.Sequential([keras.Input(network.input_shape[1:]), network, top])
    return Trained(whole, history, "scratch", head=top, features=inputs)
