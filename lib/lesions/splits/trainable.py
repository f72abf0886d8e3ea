"""Can a network be trained on these images? Refused before anything runs, in one sentence."""

from collections.abc import Sequence

import pandas as pd

from lesions.core.errors import LesionsError, shorten
from lesions.data import datasets, known, source
from lesions.data.forms import NO_CLASS
from lesions.settings.parameters import Settings

# The parts and the five folds each need some lesions, and a search for duplicates some neighbours.
FEWEST = 20
NEEDS_MASKS = "08_explanation"  # it holds maps against what a person has outlined


def check_trainable(table: pd.DataFrame) -> None:
    """Raise a LesionsError unless the table's dx can be split and learnt.

    Args:
        table: from `datasets.load`.
    """
    can = "they can be looked at (`make 01`), searched for duplicates (`make 02`) and predicted"
    if set(table["dx"]) == {NO_CLASS}:
        raise LesionsError(
            f"These {len(table)} images have no labels: {can}, but nothing can be trained on them; "
            "name the column of labels dx, or put the images into a folder for each class."
        )
    lesions = table.groupby("dx")["lesion_id"].nunique()
    if len(lesions) < 2:
        raise LesionsError(
            f"These {len(table)} images have one class only, {lesions.index[0]!r}: {can}, but "
            "there is nothing to tell apart; add images of another class."
        )
    few = [f"{label!r} ({count})" for label, count in lesions.items() if count < 2]
    if few:
        raise LesionsError(
            "A class needs two lesions or more, one to learn from and one to be tested on; too few "
            f"have {shorten(few, 5)}: add images of them, or leave these classes out of the table."
        )
    if len(table) < FEWEST:
        raise LesionsError(
            f"{len(table)} images are too few to be split into training, validation and test; "
            f"there must be {FEWEST} at least."
        )


def check_before(names: Sequence[str], settings: Settings) -> list[str]:
    """Check images of one's own before a study begins; the course's own need no check.

    Args:
        names: the notebooks that are to run.

    Returns:
        those that apply to these images; of the others it is said why they are left out.

    Raises:
        LesionsError: the images cannot be read, or nothing can be trained on them.
    """
    if not known.entry(settings.DATASET).own:
        return list(names)
    table = source.load_table(settings)
    check_trainable(table)
    folder = datasets.locate(settings.DATASET, source.data_folder(settings))
    if NEEDS_MASKS in names and not datasets.mask_paths(folder, table):
        print(f"{NEEDS_MASKS} is left out: these images have no lesion masks.")
        return [name for name in names if name != NEEDS_MASKS]
    return list(names)
