"""From the pixel store to batches: `tf.data` with shuffling, augmentation and prefetching."""

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np

from lesions.data.pixel_store import forget
from lesions.networks.augmentation import augment
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
            order = np.random.default_rng([seed, epoch]).permutation(count)[:taken]
            for step in range(per_epoch):
                yield order[step * batch_size : (step + 1) * batch_size], epoch * per_epoch + step

    signature = (tf.TensorSpec((None,), tf.int64), tf.TensorSpec((), tf.int64))
    made = tf.data.Dataset.from_generator(steps, output_signature=signature)
    return made.apply(tf.data.experimental.assert_cardinality(len(epochs) * per_epoch))


def batches(
    pixels: np.ndarray,
    positions: np.ndarray,
    targets: np.ndarray,
    settings: SimpleNamespace,
    training: bool = False,
    epochs: range = range(1),
) -> tf.data.Dataset:
    """Batches of images and targets; shuffled and augmented for training only.

    Args:
        pixels: uint8 (images, size, size, 3), may be memory-mapped.
        positions: int (n,), the row of `pixels` of each sample; a row may come up repeatedly.
        targets: float32 (n, outputs), one-hot labels, or (n, 1) for two classes.
        settings: BATCH_SIZE, SEED, EPOCH_SAMPLES, AUGMENT and the augmentation's ranges.
        training: shuffle, take at most EPOCH_SAMPLES an epoch, augment.
        epochs: for training: which ones, one after the other.

    Returns:
        a dataset of (float32 (batch, size, size, 3) in [0, 1], float32 (batch, outputs)).
    """
    size, outputs = pixels.shape[1], targets.shape[1]
    positions, targets = np.asarray(positions), np.asarray(targets, np.float32)

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
        if training and settings.AUGMENT:
            images = augment(images, settings, tf.stack([step, settings.SEED]))
        return images, tf.ensure_shape(wanted, (None, outputs))

    if training:
        most = settings.EPOCH_SAMPLES
        steps = training_steps(len(positions), settings.BATCH_SIZE, settings.SEED, epochs, most)
    else:
        rows = tf.data.Dataset.range(len(positions)).batch(settings.BATCH_SIZE)
        steps = tf.data.Dataset.zip(rows, tf.data.Dataset.counter())
    return steps.map(load).prefetch(tf.data.AUTOTUNE)
