"""Numbers as people read them: rounded, and nothing that is called minus nought."""

from typing import TypeVar

import numpy as np
import pandas as pd

Numbers = TypeVar("Numbers", float, np.ndarray, pd.Series, pd.DataFrame)


def rounded(values: Numbers, digits: int = 3) -> Numbers:
    """Numbers of so many decimal places, for a table that is shown or kept.

    What is nearly nothing becomes 0.000, never -0.000, which reads as a loss. Columns of a table
    that hold no numbers, or whole ones, stay as they are.
    """
    if isinstance(values, pd.DataFrame):
        return values.apply(lambda column: rounded(column, digits))
    if isinstance(values, pd.Series) and values.dtype.kind != "f":
        return values
    return np.round(values, digits) + 0.0


def shown(value: float, digits: int = 3, sign: bool = False) -> str:
    """A number in a sentence, with so many decimal places; `sign`: with a plus as well."""
    return f"{value:{'+' if sign else ''}z.{digits}f}"


def ranked(
    table: pd.DataFrame, score: str, within: str = "target", name: str = "name", digits: int = 3
) -> pd.DataFrame:
    """A table with the best score first; scores that read the same stand by their names.

    Without that, digits that nobody sees would order models that answer alike.

    Args:
        score: the column of the scores.
        within: the column whose values come one after the other, in alphabetical order.
        name: the column that breaks ties.
        digits: to which scores are the same.
    """
    seen = table.assign(**{score: rounded(table[score], digits)})
    order = seen.sort_values([within, score, name], ascending=[True, False, True], kind="stable")
    return table.loc[order.index].reset_index(drop=True)
