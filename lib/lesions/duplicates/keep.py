"""The keep-list of notebook 02: which images each protocol keeps, and their groups. Owner of it."""

import pandas as pd

from lesions.core import tables
from lesions.core.errors import LesionsError
from lesions.settings.parameters import Settings

SCHEMA = tables.Schema(
    "keep-list",
    text=("image_id", "reason", "group", "reason_paper"),
    whole=("width", "height"),
    truths=("keep_honest", "keep_paper"),
    optional=("reason", "group", "reason_paper", "width", "height"),
)


def _again(settings: Settings) -> str:
    return f"run notebook 02 first (`make 02 PROFILE={settings.PROFILE}`)"


def save_keep(settings: Settings, keep: pd.DataFrame) -> None:
    """Write the keep-list of a profile as `keep.csv`.

    Args:
        keep: image_id, keep_honest, reason, group, width, height, keep_paper, reason_paper.

    Raises:
        LesionsError: a column is missing or holds something else.
    """
    tables.write(keep, settings.folder / "keep.csv", SCHEMA)


def read_keep(settings: Settings, table: pd.DataFrame | None = None) -> pd.DataFrame:
    """The keep-list that 02 left.

    Args:
        table: the images; a keep-list for others is refused.

    Raises:
        LesionsError: 02 has not run for this profile, or ran on other images.
    """
    path = settings.folder / "keep.csv"
    keep = tables.read(path, SCHEMA, _again(settings))
    if table is None:
        return keep
    # A list of all images will do for a part of them (LIMIT), but not the other way round.
    missing = set(table["image_id"]) - set(keep["image_id"])
    if missing:
        raise LesionsError(
            f"The keep-list {path} lacks {len(missing)} of these {len(table)} images: run notebook "
            "02 with the same DATASET, LIMIT and SAMPLE_… values as here."
        )
    return keep[keep["image_id"].isin(table["image_id"])].reset_index(drop=True)
