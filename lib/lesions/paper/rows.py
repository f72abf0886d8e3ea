"""The rows of the paper's results table beside our own runs of the same model and target."""

from collections.abc import Sequence

import pandas as pd

from lesions.paper import published


def beside_ours(scores: pd.DataFrame, under: Sequence[str]) -> pd.DataFrame:
    """One row for each run that the paper has as well.

    Args:
        scores: `accuracy` by `<model>:<target>, <protocol>`, from `study.score_table`.
        under: the protocols, in the order of the columns.

    Returns:
        model, target, `accuracy in the paper`, and our accuracy under each protocol, rounded.
    """
    rows = []
    for row in published.scores().itertuples():
        ours = {p: f"{row.key}:{row.target}, {p}" for p in under}
        if any(name in scores.index for name in ours.values()):
            got = {
                p: round(float(scores.loc[name, "accuracy"]), 2) if name in scores.index else None
                for p, name in ours.items()
            }
            about = {"model": row.key, "target": row.target, "accuracy in the paper": row.accuracy}
            rows.append(about | got)
    columns = ["model", "target", "accuracy in the paper", *under]
    return pd.DataFrame(rows, columns=columns)
