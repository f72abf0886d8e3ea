"""From the pixel store to batches: `tf.data` with shuffling, augmentation and prefetching."""

from collections.abc import Iterator

import numpy as np

from lesions.core import seeds
from lesions.data.pixel_store import forget
from lesions.networks.augmentation import Augmentation, augment
from lesions.networks.backend import tf


def training_steps(
    count: int, batch_size: int, seed: int, epochs: range, most: int = 0
) -> tf.data.Dataset:
    """Which samples each training step takes: a new order in every epoch.

    The order of an epoch depends on the seed and the epoch's number alone, not on what came
    before. So a training that was interrupted can go on as if nothing had happened.

    Args:
        count: how many samples there are.
        epochs: which ones, such as `range(10)`; one after the other.
        most: take at most so many samples an epoch; 0: all.

    Returns:
        a dataset of (row numbers int64 (batch,), the number of the step counted from epoch 0).
    """
    taken = min(count, most or count)
    per_epoch = -(-taken // batch_size)

    def steps() -> Iterator[tuple[np.ndarray, int]]:
        for epoch in epochs:
            order = seeds.stream(seed, "order of images", epoch).permutation(count)[:taken]
            for step in range(per_epoch):
                yield order[step * batch_size : (step + 1) * batch_size], epoch * per_epoch + step

    signature = (tf.TensorSpec((None,), tf.int64), tf.TensorSpec((), tf.int64))
    made = tf.data.Dataset.from_generator(steps, output_signature=signature)
    return made.apply(tf.data.experimental.assert_cardinality(len(epochs) * per_epoch))


def _load(
    steps: tf.data.Dataset,
    pixels: np.ndarray,
    positions: np.ndarray,
    targets: np.ndarray,
    ranges: Augmentation | None = None,
    seed: int = 0,
) -> tf.data.Dataset:
    """The images and targets of each step's rows; augmented if there are ranges."""
    size, outputs = pixels.shape[1], targets.shape[1]
    positions, targets = np.asarray(positions), np.asarray(targets, np.float32)
    draws = seeds.number(seed, "augmentation")

    def gather(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        images = pixels[positions[rows]]
        forget(pixels)
        return images, targets[rows]

    # There is no `if` or loop over tensors in here, so nothing that AutoGraph would have to
    # convert; looking for it costs a second a model.
    @tf.autograph.experimental.do_not_convert
    def load(rows: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images, wanted = tf.numpy_function(gather, [rows], (tf.uint8, tf.float32))
        images = tf.ensure_shape(images, (None, size, size, 3))
        # Numbers with a decimal point need four bytes instead of one, so only a batch at a time.
        images = tf.cast(images, tf.float32) / 255.0
        if ranges:
            images = augment(images, ranges, tf.stack([step, draws]))
        return images, tf.ensure_shape(wanted, (None, outputs))

    return steps.map(load).prefetch(tf.data.AUTOTUNE)


def batches(
    pixels: np.ndarray, positions: np.ndarray, targets: np.ndarray, batch_size: int
) -> tf.data.Dataset:
    """Batches of images and targets in their order and as they are, to validate and to predict.

    Args:
        pixels: uint8 (images, size, size, 3), may be memory-mapped.
        positions: int (n,), the row of `pixels` of each sample; a row may come up repeatedly.
        targets: float32 (n, outputs), one-hot labels, or (n, 1) for two classes.
        batch_size: images a batch.

    Returns:
        a dataset of (float32 (batch, size, size, 3) in [0, 1], float32 (batch, outputs)).
    """
    rows = tf.data.Dataset.range(len(positions)).batch(batch_size)
    steps = tf.data.Dataset.zip(rows, tf.data.Dataset.counter())
    return _load(steps, pixels, positions, targets)


def training_batches(
    pixels: np.ndarray,
    positions: np.ndarray,
    targets: np.ndarray,
    batch_size: int,
    seed: int,
    epochs: range = range(1),
    most: int = 0,
    ranges: Augmentation | None = None,
) -> tf.data.Dataset:
    """Batches to train on: shuffled, and augmented.

    Args:
        pixels, positions, targets, batch_size: as in `batches`.
        seed: of the order and of the augmentation.
        epochs: which ones, one after the other.
        most: take at most so many images an epoch; 0: all.
        ranges: of the augmentation; None: there is none.

    Returns:
        as `batches`.
    """
    steps = training_steps(len(positions), batch_size, seed, epochs, most)
    return _load(steps, pixels, positions, targets, ranges, seed)


def images_only(
    pixels: np.ndarray, batch_size: int, positions: np.ndarray | None = None
) -> tf.data.Dataset:
    """Images in their order, float32 (batch, size, size, 3) in [0, 1]: all, or those at places."""
    positions = np.arange(len(pixels)) if positions is None else positions
    nothing = np.zeros((len(positions), 1), np.float32)
    return batches(pixels, positions, nothing, batch_size).map(lambda images, _: images)
