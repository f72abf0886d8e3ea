"""From images on disk to batches: pixel cache, labels, resampling, augmentation, tf.data."""

import json
import os
from collections.abc import Sequence
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
from lesions.backend import tf
from lesions.errors import LesionsError
from lesions.files import CACHE, atomic, digest, write_json
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
    return pixels, pd.Index(pd.read_csv(Path(folder) / "image_ids.csv")["image_id"])


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


# ---------------------------------------------------------------- augmentation


def random_affine(count: int, size: int, settings: SimpleNamespace, seed: tf.Tensor) -> tf.Tensor:
    """One random affine map per image: rotation, shifts, zoom, shear and horizontal flip in one.

    Args:
        count: number of images.
        size: their height and width in pixels.
        settings: ROTATION and SHEAR in degrees, SHIFT and ZOOM as shares, FLIP true or false.
        seed: int (2,), fixes the result.

    Returns:
        float32 (count, 8): for each pixel of the result, where in the image it comes from
        (`ImageProjectiveTransformV3` describes the eight numbers).
    """
    draws = tf.random.stateless_uniform((7, count), seed, -1.0, 1.0)
    angle = draws[0] * settings.ROTATION * np.pi / 180
    shear = draws[1] * settings.SHEAR * np.pi / 180
    zoom_x = 1 + draws[2] * settings.ZOOM
    zoom_y = 1 + draws[3] * settings.ZOOM
    shift_x = draws[4] * settings.SHIFT * size
    shift_y = draws[5] * settings.SHIFT * size
    mirror = tf.where(draws[6] < 0, -1.0, 1.0) if settings.FLIP else tf.ones(count)
    # Rotation x shear x zoom x mirror, multiplied out.
    a = tf.cos(angle) * zoom_x * mirror
    b = -tf.sin(angle + shear) * zoom_y
    c = tf.sin(angle) * zoom_x * mirror
    d = tf.cos(angle + shear) * zoom_y
    # Turn around the centre of the image, not around its corner.
    centre = (size - 1) / 2
    x = centre - a * centre - b * centre + shift_x
    y = centre - c * centre - d * centre + shift_y
    nothing = tf.zeros(count)
    return tf.stack([a, b, x, c, d, y, nothing, nothing], axis=1)


def augment(images: tf.Tensor, settings: SimpleNamespace, seed: tf.Tensor) -> tf.Tensor:
    """Augment a batch with one affine warp an image.

    Five separate steps would read and blur every pixel five times.

    Args:
        images: float32 (batch, size, size, 3).
        settings: see `random_affine`.
        seed: int (2,).

    Returns:
        the same shape and dtype. Pixels from outside the image repeat its edge.
    """
    count, size = tf.shape(images)[0], images.shape[1]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=random_affine(count, size, settings, seed),
        output_shape=(size, size),
        interpolation="BILINEAR",
        fill_mode="NEAREST",
        fill_value=0.0,
    )


# ---------------------------------------------------------------- tf.data


def batches(
    pixels: np.ndarray,
    positions: np.ndarray,
    targets: np.ndarray,
    settings: SimpleNamespace,
    training: bool = False,
) -> tf.data.Dataset:
    """Batches of images and targets; shuffled and augmented for training only.

    Args:
        pixels: uint8 (images, size, size, 3), may be memory-mapped.
        positions: int (n,), the row of `pixels` of each sample; a row may come up repeatedly.
        targets: float32 (n, outputs), one-hot labels, or (n, 1) for two classes.
        settings: BATCH_SIZE, SEED, EPOCH_SAMPLES, AUGMENT and the augmentation's ranges.
        training: shuffle, take at most EPOCH_SAMPLES an epoch, augment.

    Returns:
        a dataset of (float32 (batch, size, size, 3) in [0, 1], float32 (batch, outputs)).
    """
    size = pixels.shape[1]

    def gather(rows: np.ndarray) -> np.ndarray:
        return pixels[rows]

    def load(rows: tf.Tensor, target: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images = tf.numpy_function(gather, [rows], tf.uint8)
        images = tf.ensure_shape(images, (None, size, size, 3))
        # Numbers with a decimal point need four bytes instead of one, so only a batch at a time.
        images = tf.cast(images, tf.float32) / 255.0
        if training and settings.AUGMENT:
            images = augment(images, settings, tf.stack([seed, settings.SEED]))
        return images, target

    samples = tf.data.Dataset.from_tensor_slices((positions, targets))
    if training:
        samples = samples.shuffle(len(positions), seed=settings.SEED)
        if settings.EPOCH_SAMPLES:
            samples = samples.take(settings.EPOCH_SAMPLES)
    grouped = samples.batch(settings.BATCH_SIZE)
    seeds = tf.data.Dataset.random(seed=settings.SEED, rerandomize_each_iteration=True)
    numbered = tf.data.Dataset.zip(grouped, seeds)
    return numbered.map(lambda sample, seed: load(*sample, seed)).prefetch(tf.data.AUTOTUNE)


# ---------------------------------------------------------------- files that 03 leaves


def link_folders(rows: pd.DataFrame, files: dict[str, Path], folder: Path) -> Path:
    """Lay images out as split/class/image.jpg, as links, for `image_dataset_from_directory`.

    Args:
        rows: image_id, label, split. Repeated images get one link.
        files: the real file of each image_id.
        folder: made anew, whole or not at all.
    """
    with atomic(folder) as partial:
        for split, label in rows[["split", "label"]].drop_duplicates().itertuples(index=False):
            (partial / split / label).mkdir(parents=True)
        unique = rows.drop_duplicates(["image_id", "split"])
        for row in track(unique.itertuples(), "links", len(unique)):
            source = Path(files[row.image_id])
            (partial / row.split / row.label / source.name).symlink_to(source.resolve())
    return folder


def save_splits(folder: Path, splits: dict[str, pd.DataFrame], pixels: Path, about: dict) -> None:
    """Write what 04 and 05 read: `splits/<protocol>-<target>.csv`, then `data.json`.

    `data.json` comes last, so that its presence says that the splits are whole.
    """
    (folder / "data.json").unlink(missing_ok=True)
    for name, rows in splits.items():
        with atomic(folder / "splits" / f"{name}.csv") as partial:
            rows.to_csv(partial, index=False)
    write_json(folder / "data.json", about | {"pixels": str(pixels)})


def load_splits(settings: SimpleNamespace) -> tuple[dict[str, pd.DataFrame], Path, dict]:
    """Read what 03 left: the split rows by `<protocol>-<target>`, the pixel cache, and `data.json`.

    Raises:
        LesionsError: 03 has not run for this profile, or ran with other settings.
    """
    path = settings.folder / "data.json"
    again = f"run notebook 03 first (`make 03 PROFILE={settings.PROFILE}`)"
    if not path.exists():
        raise LesionsError(f"There are no splits in {settings.folder}: {again}.")
    about = json.loads(path.read_text(encoding="utf-8"))
    for name in ("DATASET", "IMAGE_SIZE", "GEOMETRY", "PROTOCOL", "SEED"):
        if about[name] != getattr(settings, name):
            raise LesionsError(
                f"The splits in {settings.folder} were made with {name}={about[name]!r}, and here "
                f"{name}={getattr(settings, name)!r} is set: {again} with the same value."
            )
    if not Path(about["pixels"]).is_dir():
        raise LesionsError(f"The pixel cache {about['pixels']} is gone: {again}.")
    files = sorted((settings.folder / "splits").glob("*.csv"))
    rows = {file.stem: pd.read_csv(file, keep_default_na=False) for file in files}
    return rows, Path(about["pixels"]), about
