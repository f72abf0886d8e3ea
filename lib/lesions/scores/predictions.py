"""A table of predictions as a file: image_id, lesion_id, split, truth, and `p_<class>` a class."""

from pathlib import Path

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError

COLUMNS = ("image_id", "lesion_id", "split", "truth")
TOLERANCE = 1e-4  # of the sum of an image's probabilities


def again(folder: Path) -> str:
    """What to do about a record that is not as it should be."""
    return f"delete the folder {folder} and run the notebook that makes it"


def check(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the table if it has the form of predictions.

    Args:
        table: with the columns named above; others may stand beside them.
        path: its file, for the error's text.

    Raises:
        LesionsError: a column is missing, or the probabilities of a row are none.
    """
    missing = [name for name in COLUMNS if name not in table]
    names = [name for name in table if name.startswith("p_")]
    if missing or len(names) < 2:
        what = ", ".join(missing) or "p_<class> for two classes"
        raise LesionsError(f"{path} has no column {what}: {again(path.parent)}.")
    p = table[names].to_numpy(float)
    right = (np.abs(p.sum(axis=1) - 1) < TOLERANCE) & (p >= 0).all(axis=1)
    if not right.all():
        raise LesionsError(
            f"{path}: the probabilities of {int((~right).sum())} rows do not sum to 1, first those "
            f"of {table['image_id'].iloc[int(right.argmin())]}: {again(path.parent)}."
        )
    return table


def read(path: Path) -> pd.DataFrame:
    """The predictions in a Parquet file, checked.

    Raises:
        LesionsError: the file is missing or damaged, or as `check`.
    """
    if not path.is_file():
        raise LesionsError(f"There is no {path}: the record is not whole; {again(path.parent)}.")
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise LesionsError(f"{path} is damaged ({reason}): {again(path.parent)}.") from error
    return check(table, path)
