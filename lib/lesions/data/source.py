"""The dataset that a notebook's parameters name, and the keep-list that notebook 02 leaves."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.files import IDS, ROOT
from lesions.data import datasets
from lesions.sample import synthetic


def data_folder(settings: SimpleNamespace) -> Path | None:
    """The folder with the images; for the sample, drawn first if it is not there yet.

    None stands for HAM10000_DIR, or data/raw/ham10000.
    """
    if settings.DATASET == "sample":
        return synthetic.sample_folder(
            images=settings.SAMPLE_IMAGES,
            width=settings.SAMPLE_WIDTH,
            height=settings.SAMPLE_WIDTH * 3 // 4,
            seed=settings.SAMPLE_SEED,
        )
    # Notebooks and `make` run in different folders; a relative path means the course's own.
    return ROOT / settings.DATA_DIR if settings.DATA_DIR else None


def load_table(settings: SimpleNamespace) -> pd.DataFrame:
    """The table of the dataset that DATASET, DATA_DIR and LIMIT name; see `datasets.load`."""
    folder = data_folder(settings)
    return datasets.load(settings.DATASET, folder, settings.LIMIT, settings.SEED)


def read_keep(settings: SimpleNamespace, table: pd.DataFrame) -> pd.DataFrame:
    """The keep-list of notebook 02: which images each protocol keeps, and their groups.

    Raises:
        LesionsError: 02 has not run for this profile, or ran on other images.
    """
    path = settings.folder / "keep.csv"
    again = f"run notebook 02 first (`make 02 PROFILE={settings.PROFILE}`)"
    if not path.exists():
        raise LesionsError(f"There is no keep-list {path}: {again}.")
    keep = pd.read_csv(path, dtype=IDS)
    # A list of all images will do for a part of them (LIMIT), but not the other way round.
    missing = set(table["image_id"]) - set(keep["image_id"])
    if missing:
        raise LesionsError(
            f"The keep-list {path} lacks {len(missing)} of these {len(table)} images: run notebook "
            f"02 with the same DATASET, LIMIT and SAMPLE_… values as here."
        )
    return keep[keep["image_id"].isin(table["image_id"])].reset_index(drop=True)
