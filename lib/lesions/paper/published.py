"""Results that come with the course: the paper's table, published anchors, kept runs."""

import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT

KEPT = ROOT / "data" / "results"
PAPER_RESULTS = ROOT / "data" / "paper_results.csv"
ANCHORS = ROOT / "data" / "isic2018_anchors.csv"


def scores() -> pd.DataFrame:
    """The paper's results table: one row a model, with the key of our model and its target."""
    return pd.read_csv(PAPER_RESULTS)


def anchors() -> pd.DataFrame:
    """Published results on the official ISIC 2018 test set, and on splits of HAM10000 by lesion.

    Returns:
        name, metric, value, source, tested_on.
    """
    return pd.read_csv(ANCHORS)


def kept(profile: str, table: str) -> pd.DataFrame:
    """A table of a long run on the real images that came with the course.

    Args:
        profile: a folder of `data/results/`; its about.json names machine, versions and parameters.
        table: such as "board"; data/results/README.md says what each holds.

    Raises:
        LesionsError: there is no such table.
    """
    path = KEPT / profile / f"{table}.csv"
    if not path.exists():
        there = ", ".join(sorted(str(file.relative_to(KEPT)) for file in KEPT.glob("*/*.csv")))
        raise LesionsError(f"There is no kept table {path}; there are: {there or 'none'}.")
    return pd.read_csv(path)
