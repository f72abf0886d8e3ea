"""The two protocols: how images become training, validation and test rows."""

import pandas as pd

from lesions.settings.parameters import Settings
from lesions.splits import splits
from lesions.splits.balance import resample

TARGETS = ("sex", "dx", "dx_type", "localization")


def chosen(settings: Settings) -> list[str]:
    """The protocols that PROTOCOL stands for."""
    return ["paper", "honest"] if settings.PROTOCOL == "both" else [settings.PROTOCOL]


def geometry(protocol: str, settings: Settings) -> str:
    """How a 4:3 image becomes a square: GEOMETRY, but under `paper` always as the paper did it."""
    return "squash" if protocol == "paper" else settings.GEOMETRY


def targets(table: pd.DataFrame) -> list[str]:
    """Those of `TARGETS` that can be learnt from a table: there are two classes or more.

    Images of one's own may come without sex, kind of proof or place.
    """
    return [name for name in TARGETS if len(set(usable(table, name)[name])) > 1]


def usable(table: pd.DataFrame, target: str) -> pd.DataFrame:
    """The rows that have the target. "unknown" is no sex; the paper counts it as a localization."""
    known = table[target] != "unknown" if target == "sex" else table[target].notna()
    return table[known].reset_index(drop=True)


def honest(
    table: pd.DataFrame, target: str, groups: pd.Series, method: str, seed: int
) -> pd.DataFrame:
    """Split whole lesions first, then resample the training part only.

    Args:
        table: the images that are kept.
        target: the column to predict.
        groups: indexed by image_id; images of one group never stand in two parts.
        method: how to resample, see `balance.resample`.
        seed: of the split and of the resampling.

    Returns:
        image_id, lesion_id, label, split. Validation and test have each image once, and the
        classes in the shares that they have in nature.
    """
    rows = splits.split_by_lesion(table, target, seed=seed, groups=groups)
    train = rows[rows["split"] == "train"]
    train = resample(train, method, seed)
    return pd.concat([train, rows[rows["split"] != "train"]], ignore_index=True)


def paper(table: pd.DataFrame, target: str, method: str, seed: int) -> pd.DataFrame:
    """Resample everything first, then split by image, as the paper's numbers say it was done.

    Copies of one image fall into training, validation and test alike. This is the mistake that
    the course is about; do not use it for anything but to see what it does.
    """
    everything = table.assign(label=table[target])
    balanced = resample(everything, method, seed)
    return splits.split_by_image(balanced, target, seed=seed)


def rows_for(
    protocol: str,
    table: pd.DataFrame,
    keep: pd.DataFrame,
    target: str,
    settings: Settings,
) -> pd.DataFrame:
    """The split rows of one protocol and target.

    Args:
        protocol: "honest" or "paper".
        table: all images.
        keep: the keep-list of notebook 02: image_id, keep_honest, keep_paper, group.
        target: one of `TARGETS`.
        settings: RESAMPLE and SEED are used.
    """
    kept = keep.loc[keep[f"keep_{protocol}"], "image_id"]
    images = usable(table[table["image_id"].isin(kept)], target)
    if protocol == "paper":
        return paper(images, target, settings.RESAMPLE, settings.SEED)
    groups = keep.set_index("image_id")["group"]
    return honest(images, target, groups, settings.RESAMPLE, settings.SEED)
