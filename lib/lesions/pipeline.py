"""From images on disk to batches: pixel cache, labels, resampling, tf.data."""

import mmap
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.class_weight import compute_class_weight

from lesions import datasets
from lesions.augmentation import augment
from lesions.backend import tf
from lesions.errors import LesionsError
from lesions.files import CACHE, IDS, atomic, digest
from lesions.progress import track

# ---------------------------------------------------------------- pixels


def to_square(image: np.ndarray, size: int, geometry: str = "squash") -> np.ndarray:
    """Resize an image to a square.

    Args:
        image: uint8 (height, width, 3), RGB.
        size: height and width of the result, in pixels.
        geometry: "squash" changes the shape of the lesion, as the paper does; "crop" takes the
            central square first and keeps it.

    Returns:
        uint8 (size, size, 3).
    """
    if geometry == "crop":
        height, width = image.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        image = image[top : top + side, left : left + side]
    # Averaging over the pixels that fall together keeps fine texture from turning into noise.
    shrink = image.shape[0] >= size and image.shape[1] >= size
    method = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
    return cv2.resize(image, (size, size), interpolation=method)


def pixel_cache(table: pd.DataFrame, size: int, geometry: str = "squash") -> Path:
    """Decode and resize every image of a table once; later calls find the result.

    Args:
        table: with the columns image_id and path.
        size, geometry: as in `to_square`.

    Returns:
        a folder with `pixels.npy`, uint8 (images, size, size, 3), and `image_ids.csv`.
        `open_pixels` reads it.

    Raises:
        LesionsError: an image cannot be read, or the disk is full.
    """
    key = digest(datasets.fingerprint(table), size, geometry)
    folder = CACHE / "pixels" / f"{size}px-{geometry}-{key}"
    if folder.is_dir():
        return folder
    with atomic(folder) as partial:
        partial.mkdir(parents=True)
        shape = (len(table), size, size, 3)
        pixels = np.lib.format.open_memmap(
            partial / "pixels.npy", mode="w+", dtype=np.uint8, shape=shape
        )
        # Blocks that are never written leave holes in the file, and a full disk would then kill
        # the process instead of raising an error; so ask for all of the space first.
        if hasattr(os, "posix_fallocate"):
            with open(partial / "pixels.npy", "r+b") as file:
                os.posix_fallocate(file.fileno(), 0, (partial / "pixels.npy").stat().st_size)

        def read(path: str) -> np.ndarray:
            return to_square(datasets.read_image(path), size, geometry)

        # OpenCV lets go of Python's lock while it decodes, so threads do help.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            images = pool.map(read, table["path"])
            for row, image in enumerate(track(images, f"images to {size} px", len(table))):
                pixels[row] = image
        pixels.flush()
        table[["image_id"]].to_csv(partial / "image_ids.csv", index=False)
    return folder


def open_pixels(folder: Path) -> tuple[np.ndarray, pd.Index]:
    """Open a pixel cache without reading it into memory.

    Returns:
        pixels, uint8 (images, size, size, 3), memory-mapped; and the image_id of each row.
    """
    pixels = np.load(Path(folder) / "pixels.npy", mmap_mode="r")
    image_ids = pd.read_csv(Path(folder) / "image_ids.csv", dtype=IDS)
    return pixels, pd.Index(image_ids["image_id"])


def forget(pixels: np.ndarray) -> None:
    """Give back the pages of a mapped file that were read; the next look fetches them again.

    Otherwise they count as this process's memory until the system needs them: half a gigabyte
    for 10,015 images of 128 pixels. An array that is not mapped stays as it is.
    """
    if isinstance(pixels, np.memmap) and hasattr(mmap, "MADV_DONTNEED"):  # Windows has it not
        pixels._mmap.madvise(mmap.MADV_DONTNEED)


# ---------------------------------------------------------------- labels and balance


def encode(labels: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Labels as whole numbers, by scikit-learn's LabelEncoder.

    Args:
        labels: (n,) texts.
        classes: all classes, in alphabetical order.

    Returns:
        int32 (n,), the position of each label in `classes`.

    Raises:
        LesionsError: a label is not among the classes.
    """
    encoder = LabelEncoder().fit(list(classes))
    try:
        return encoder.transform(list(labels)).astype(np.int32)
    except ValueError as error:
        strange = sorted(set(labels) - set(classes))
        raise LesionsError(
            f"Label {strange[0]!r} is not among the classes {', '.join(classes)}; split again (03)."
        ) from error


def one_hot(codes: np.ndarray, classes: int) -> np.ndarray:
    """Whole numbers (n,) as float32 (n, classes): a one in the column of the class, else zeros."""
    return np.eye(classes, dtype=np.float32)[codes]


def resample(rows: pd.DataFrame, method: str, seed: int) -> pd.DataFrame:
    """Make all classes of `rows["label"]` equally large.

    Args:
        rows: one row an image, with a column `label`.
        method: "over" repeats images of small classes (RandomOverSampler), "under" drops images
            of large ones (RandomUnderSampler), "none" changes nothing.
        seed: fixes which images.

    Returns:
        the rows chosen, numbered anew. With "over" an image may stand in several rows.
    """
    if method == "none":
        return rows.reset_index(drop=True)
    sampler = {"over": RandomOverSampler, "under": RandomUnderSampler}[method]
    numbers = np.arange(len(rows)).reshape(-1, 1)
    chosen, _ = sampler(random_state=seed).fit_resample(numbers, rows["label"])
    return rows.iloc[chosen.ravel()].reset_index(drop=True)


def class_weights(labels: Sequence[str], classes: Sequence[str]) -> dict[int, float]:
    """Weights that give every class the same total: n / (number of classes x n of the class)."""
    present = sorted(set(labels))
    weights = compute_class_weight("balanced", classes=np.array(present), y=list(labels))
    by_label = dict(zip(present, weights, strict=True))
    return {code: float(by_label.get(label, 0.0)) for code, label in enumerate(classes)}


# ---------------------------------------------------------------- tf.data


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
