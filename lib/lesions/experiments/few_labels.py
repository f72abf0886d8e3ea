"""How many labels does it take? The labels of most lesions are put away.

Labels are given and taken by lesion: two photographs of one lesion have one label. The shares are
nested, so that 10 % of the lesions hold all that are among the 5 %, and stratified. The validation
part shrinks as the training part does: a model that was chosen on 1,500 labelled images has not
learnt from 70. The test part stays whole and is only predicted.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lesions.core import seeds
from lesions.core.errors import LesionsError

UNLABELLED = "unlabelled"  # a part like train, validation and test; its rows have no label


def labelled_lesions(rows: pd.DataFrame, share: float, seed: int) -> pd.Index:
    """The lesions that are labelled: of each class the first ones of a shuffled list.

    Args:
        rows: lesion_id and label; of one part only.
        share: of the lesions, above 0 and at most 1. Of each class at least one is labelled.
        seed: fixes the order.

    Returns:
        their lesion_ids. Those of a smaller share, with the same seed, are among them.

    Raises:
        LesionsError: the share is none.
    """
    if not 0 < share <= 1:
        raise LesionsError(
            f"A share of labelled lesions lies above 0 and at most at 1; got {share}."
        )
    lesions = rows.drop_duplicates("lesion_id").sort_values("lesion_id", ignore_index=True)
    order = seeds.stream(seed, "which lesions are labelled").permutation(len(lesions))
    shuffled = lesions.iloc[order]
    place = shuffled.groupby("label").cumcount()
    count = shuffled.groupby("label")["label"].transform("size")
    # Rounded as one does by hand, not to even numbers: more labels for a larger share, never less.
    most = np.maximum(1, np.floor(share * count + 0.5))
    return pd.Index(shuffled.loc[place < most, "lesion_id"])


def with_few_labels(rows: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """The split rows with the labels of most lesions put away.

    Args:
        rows: image_id, lesion_id, label, split; an image that resampling repeated counts once.
        share, seed: see `labelled_lesions`.

    Returns:
        the same columns. Training rows beyond the share are of the part "unlabelled" and have the
        label None; validation rows beyond it are left out; test rows are as they were.
    """
    once = rows.drop_duplicates(["image_id", "split"]).reset_index(drop=True)
    part = {name: once[once["split"] == name] for name in ("train", "validation", "test")}
    known = {
        name: part[name]["lesion_id"].isin(labelled_lesions(part[name], share, seed))
        for name in ("train", "validation")
    }
    hidden = part["train"][~known["train"]].assign(label=None, split=UNLABELLED)
    shown = [part[name][known[name]] for name in known]
    few = pd.concat([*shown, hidden, part["test"]], ignore_index=True)
    refuse_leaks(few)
    return few


def refuse_leaks(rows: pd.DataFrame) -> None:
    """Refuse rows in which a lesion stands in two parts, or an unlabelled image has a label.

    Args:
        rows: from `with_few_labels`.

    Raises:
        LesionsError: it names the first lesion or image.
    """
    parts = rows.groupby("lesion_id")["split"].nunique()
    if (parts > 1).any():
        one = parts.index[parts > 1][0]
        where = " and ".join(sorted(rows.loc[rows["lesion_id"] == one, "split"].unique()))
        raise LesionsError(f"The lesion {one} is in {where}: its label leaks. Split by lesion.")
    told = rows[(rows["split"] == UNLABELLED) & rows["label"].notna()]
    if len(told):
        raise LesionsError(f"The image {told['image_id'].iloc[0]} is unlabelled and has a label.")


@dataclass(frozen=True)
class Task:
    """What a method is given: images and labels, and images without. No label is hidden in it."""

    pixels: np.ndarray  # uint8 (images, size, size, 3), of the whole dataset
    classes: list[str]  # alphabetical
    rows: pd.DataFrame  # from `with_few_labels`
    position: np.ndarray  # int (rows,), the row of `pixels` of each row

    def of(self, *parts: str) -> np.ndarray:
        """Positions in `pixels` of the images of some parts."""
        return self.position[self.rows["split"].isin(parts).to_numpy()]

    def labels(self, part: str) -> np.ndarray:
        """The classes of a labelled part, as int64 numbers."""
        if part == UNLABELLED:
            raise LesionsError("Unlabelled images have no labels: that is the point of them.")
        named = self.rows.loc[self.rows["split"] == part, "label"]
        return np.asarray(pd.Index(self.classes).get_indexer(named), np.int64)

    def shares(self) -> np.ndarray:
        """The class shares of the labelled training images; each class counts one at least."""
        counts = np.bincount(self.labels("train"), minlength=len(self.classes)).clip(1)
        return counts / counts.sum()

    def counts(self) -> dict[str, int]:
        """How many lesions and images are labelled to train, to validate, and not at all."""
        found = {}
        for name in ("train", "validation", UNLABELLED):
            part = self.rows[self.rows["split"] == name]
            found |= {f"{name}_lesions": part["lesion_id"].nunique(), f"{name}_images": len(part)}
        return found


def task(
    rows: pd.DataFrame, pixels: np.ndarray, image_ids: pd.Index, share: float, seed: int
) -> Task:
    """The task of one share and seed.

    Args:
        rows: image_id, lesion_id, label, split, of all images.
        pixels, image_ids: from `pixel_store.open_pixels`.
        share, seed: see `labelled_lesions`.

    Raises:
        LesionsError: an image has no pixels, or a lesion stands in two parts.
    """
    few = with_few_labels(rows, share, seed)
    position = image_ids.get_indexer(few["image_id"])
    if (position < 0).any():
        raise LesionsError(
            f"{int((position < 0).sum())} images of the split have no pixels: run 03 again."
        )
    return Task(pixels, sorted(rows["label"].unique()), few, position)
