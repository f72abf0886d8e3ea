"""The dataset that a notebook's parameters name."""

from pathlib import Path

import pandas as pd

from lesions.data import datasets, known
from lesions.settings.parameters import Settings


def data_folder(settings: Settings) -> Path:
    """The folder with the images; the sample is drawn first if it is not there yet.

    Raises:
        LesionsError: the dataset needs a folder, and DATA_DIR is empty.
    """
    draw = known.entry(settings.DATASET).draw
    return draw(settings) if draw else known.place(settings.DATASET, settings.DATA_DIR)


def load_table(settings: Settings) -> pd.DataFrame:
    """The table of the dataset that DATASET, DATA_DIR and LIMIT name; see `datasets.load`."""
    folder = data_folder(settings)
    return datasets.load(settings.DATASET, folder, settings.LIMIT, settings.SEED)
