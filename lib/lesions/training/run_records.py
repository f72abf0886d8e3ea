"""Run records as files: what a finished run left, read back."""

import json
from pathlib import Path

import pandas as pd

from lesions.core.errors import LesionsError


def load_records(folder: Path) -> pd.DataFrame:
    """All run records of a profile, one row each.

    Args:
        folder: the profile's build folder.

    Returns:
        model, target, protocol, seed, init, weights (number of them), epochs, seconds, the scores
        on the test part, and `record`, the record's folder.

    Raises:
        LesionsError: there is no record yet.
    """
    rows = []
    for path in sorted((folder / "runs").glob("*/params.json")):
        about = json.loads(path.read_text(encoding="utf-8"))
        scores = json.loads((path.parent / "metrics.json").read_text(encoding="utf-8"))
        about["seed"] = about["settings"]["SEED"]
        kept = ["model", "target", "protocol", "seed", "init", "weights", "epochs", "seconds"]
        rows.append({key: about[key] for key in kept} | scores | {"record": str(path.parent)})
    if not rows:
        raise LesionsError(
            f"There are no run records in {folder / 'runs'}: run notebooks 04 and 05 first "
            f"(`make 06 PROFILE={folder.name}` runs what is missing)."
        )
    return pd.DataFrame(rows)


def predictions_of(record: str | Path, split: str = "test") -> pd.DataFrame:
    """A record's predictions for "test" or "validation"."""
    predictions = pd.read_parquet(Path(record) / "predictions.parquet")
    return predictions[predictions["split"] == split].reset_index(drop=True)


def history_of(record: str | Path) -> pd.DataFrame:
    """A record's history: one row an epoch."""
    return pd.read_csv(Path(record) / "history.csv")


def majority(record: str | Path) -> float:
    """The accuracy of always answering the class that is most frequent in the record's test."""
    truth = predictions_of(record)["truth"]
    return float(truth.value_counts(normalize=True).iloc[0])
