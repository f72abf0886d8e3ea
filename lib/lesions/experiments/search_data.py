"""What a search may look at: the training and the validation part, and nothing else.

The test part is left behind here, before the first trial. A trial is given a `Development` and no
path, so there is nothing through which it could reach a test image or its label.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lesions.core import cache
from lesions.core.errors import LesionsError
from lesions.data import pixel_store
from lesions.duplicates.keep import read_keep
from lesions.settings.parameters import Settings
from lesions.splits import handover, protocols, splits
from lesions.splits.encoding import encode, one_hot

PARTS = ("train", "validation")


@dataclass(frozen=True)
class Development:
    """Images to search with: each once, in the class shares of nature."""

    rows: pd.DataFrame  # image_id, lesion_id, label, split ("train" or "validation"), group
    pixels: np.ndarray  # uint8 (rows, size, size, 3)
    classes: list[str]  # alphabetical; those of the whole split

    @property
    def targets(self) -> np.ndarray:
        """float32 (rows, classes), or (rows, 1) for two classes."""
        codes = encode(self.rows["label"], self.classes)
        if len(self.classes) == 2:
            return codes[:, None].astype(np.float32)
        return one_hot(codes, len(self.classes))

    @property
    def size(self) -> int:
        """Height and width of the images in pixels."""
        return self.pixels.shape[1]

    def key(self) -> str:
        """A short name of the content."""
        return cache.digest(self.rows, self.pixels, self.classes)


def development(
    rows: pd.DataFrame, pixels: np.ndarray, image_ids: pd.Index, groups: pd.Series
) -> Development:
    """Copy the training and the validation part out of a split; the test part stays where it is.

    Args:
        rows: image_id, lesion_id, label, split; an image may stand in several rows.
        pixels: uint8 (images, size, size, 3), of all images.
        image_ids: the image of each row of `pixels`.
        groups: indexed by image_id; duplicates have one group.

    Raises:
        LesionsError: a part has no image, or an image has no pixels.
    """
    known = rows[rows["split"].isin(PARTS)]
    once = known.drop_duplicates("image_id").reset_index(drop=True)
    missing = set(PARTS) - set(once["split"])
    if missing:
        raise LesionsError(
            f"There is no {' and no '.join(sorted(missing))} image to search with: run notebook 03 "
            "with more images."
        )
    places = image_ids.get_indexer(once["image_id"])
    if (places < 0).any():
        raise LesionsError(
            f"{int((places < 0).sum())} images of the split have no pixels: run notebook 03 again."
        )
    once["group"] = once["image_id"].map(groups).astype(str)
    return Development(once, np.ascontiguousarray(pixels[places]), sorted(rows["label"].unique()))


def of_profile(settings: Settings, target: str = "dx") -> Development:
    """What notebooks 02 and 03 left for a profile under `honest`, without its test part.

    Where 03 ran under `paper` alone, the images are split here as it would have done it.

    Raises:
        LesionsError: they have not run.
    """
    split, caches = handover.load_splits(settings)
    keep = read_keep(settings)
    if "honest" in caches:
        rows = handover.rows_of(split, "honest", target)
    else:
        table = handover.load_table(settings.folder)
        rows = protocols.rows_for("honest", table, keep, target, settings)
    pixels, image_ids = pixel_store.open_pixels(caches.get("honest", next(iter(caches.values()))))
    return development(rows, pixels, image_ids, keep.set_index("image_id")["group"])


def parts(data: Development, folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The rows to train on and the rows to score on, a pair a fold.

    Args:
        folds: 1 takes the split's own two parts; more deal all images out anew, so that no lesion
            and no duplicate stands on both sides of a fold.
        seed: of the dealing.

    Returns:
        pairs of int64 arrays of row numbers.
    """
    if folds == 1:
        split = data.rows["split"].to_numpy()
        return [(np.flatnonzero(split == "train"), np.flatnonzero(split == "validation"))]
    groups = data.rows.set_index("image_id")["group"]
    dealt = splits.folds(data.rows, "label", folds, seed, groups)["fold"].to_numpy()
    return [(np.flatnonzero(dealt != f), np.flatnonzero(dealt == f)) for f in range(folds)]
