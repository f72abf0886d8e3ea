"""The dataset that a notebook's parameters name."""

from pathlib import Path

import pandas as pd

from lesions.core.files import user_path
from lesions.data import datasets
from lesions.sample import synthetic
from lesions.settings.parameters import Settings


def data_folder(settings: Settings) -> Path | None:
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
    return user_path(settings.DATA_DIR) if settings.DATA_DIR else None


def load_table(settings: Settings) -> pd.DataFrame:
    """The table of the dataset that DATASET, DATA_DIR and LIMIT name; see `datasets.load`."""
    folder = data_folder(settings)
    return datasets.load(settings.DATASET, folder, settings.LIMIT, settings.SEED)
