"""One split of one target, with its images: what every recipe trains on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.data.pixel_store import open_pixels
from lesions.networks.augmentation import Augmentation
from lesions.networks.backend import tf
from lesions.networks.input_pipeline import batches, training_batches
from lesions.splits.balance import class_weights
from lesions.splits.encoding import encode, one_hot

# Batches of (inputs, targets) of these epochs, one after the other.
Batches = Callable[[range], tf.data.Dataset]


@dataclass
class Data:
    """One split of one target, ready for training."""

    rows: pd.DataFrame  # image_id, lesion_id, label, split
    pixels: np.ndarray  # uint8 (images, size, size, 3)
    positions: np.ndarray  # int64 (rows,), the row of `pixels` of each row of `rows`
    classes: list[str]  # alphabetical
    targets: np.ndarray  # float32 (rows, classes), or (rows, 1) for two classes
    # Where a training that is interrupted keeps its state; None: nowhere.
    unfinished: Path | None = None

    def part(self, split: str) -> np.ndarray:
        """Row numbers of "train", "validation" or "test"."""
        return np.flatnonzero((self.rows["split"] == split).to_numpy())

    def each_image_once(self, split: str) -> np.ndarray:
        """Row numbers of a part, without the repetitions that resampling made."""
        numbers = self.part(split)
        _, first = np.unique(self.positions[numbers], return_index=True)
        return numbers[first]

    def class_weights(self) -> dict[int, float]:
        """Weights of the classes for the loss, by their shares in training."""
        return class_weights(self.rows["label"].iloc[self.part("train")], self.classes)


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


def image_sets(
    data: Data,
    batch_size: int,
    seed: int,
    most: int = 0,
    ranges: Augmentation | None = None,
    once: bool = False,
) -> tuple[Batches, tf.data.Dataset]:
    """Batches of images of the training part and of the validation part.

    Args:
        data: from `prepare`.
        batch_size, seed, most, ranges: as in `input_pipeline.training_batches`.
        once: take each training image once, however many rows it stands in.
    """
    train = data.each_image_once("train") if once else data.part("train")
    validation = data.part("validation")
    inputs, wanted = data.positions[train], data.targets[train]
    return (
        lambda epochs: training_batches(
            data.pixels, inputs, wanted, batch_size, seed, epochs, most, ranges
        ),
        batches(data.pixels, data.positions[validation], data.targets[validation], batch_size),
    )
