"""A run record: what a finished run leaves in its folder. Written here, and read here only.

params.json          what was trained, how, and for how long: `About`
predictions.parquet  the answers for the validation and the test part
metrics.json         the scores on the test part
history.csv          one row an epoch; not where nothing was trained
model.keras          the network, with what goes in and out of it (`networks.described`);
                     autoencoder.keras, what its encoder was trained in
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import pandas as pd

from lesions.core import cache
from lesions.core.errors import LesionsError
from lesions.core.files import write_json
from lesions.networks import described
from lesions.scores import evaluation, predictions
from lesions.scores.predictions import again
from lesions.settings.parameters import Settings
from lesions.splits import protocols

ABOUT, PREDICTIONS, METRICS, HISTORY = (
    "params.json", "predictions.parquet", "metrics.json", "history.csv"
)  # fmt: skip
# What a table of records shows of each.
SHOWN = ("model", "target", "protocol", "seed", "init", "weights", "epochs", "seconds")


@dataclass(frozen=True, kw_only=True)
class About:
    """What params.json says of a run."""

    model: str
    target: str
    protocol: str
    init: str  # where the weights began: "scratch", "imagenet", "file" or "random"
    classes: list[str]
    weights: int  # how many numbers were, or could have been, learnt
    train_rows: int
    epochs: int
    seconds: float
    settings: dict[str, Any]
    precision: str = "float32"
    shares: list[float] = field(default_factory=list)  # of the models that a fusion joins

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises: LesionsError, if the file is missing, damaged, or has other keys than these."""
        path = Path(folder) / ABOUT
        values = _json(path)
        known = {one.name for one in fields(cls)}
        needed = {one.name for one in fields(cls) if one.default is MISSING
                  and one.default_factory is MISSING}  # fmt: skip
        for names, what in ((needed - set(values), "lacks"), (set(values) - known, "has unknown")):
            if names:
                raise LesionsError(f"{path} {what} {', '.join(sorted(names))}: {again(folder)}.")
        return cls(**values)

    @property
    def seed(self) -> int:
        """The seed of the split and of the training."""
        return self.settings["SEED"]


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise LesionsError(f"There is no {path}: the record is not whole; {again(path.parent)}.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise LesionsError(f"{path} is damaged ({error}): {again(path.parent)}.") from error


def folder_of(build: Path, protocol: str, target: str, model: str, seed: int) -> Path:
    """Where the record of a run lies under a profile's folder."""
    return build / "runs" / f"{protocol}-{target}-{model}-seed{seed}"


def description(about: About, network: str = "model") -> dict[str, Any]:
    """What goes into a record's network and what comes out of it.

    Args:
        about: of the record.
        network: "model"; the output of any other is the images themselves, built again.
    """
    settings = Settings.of(about.settings)
    geometry = protocols.geometry(about.protocol, settings)
    images = described.square_input(settings.IMAGE_SIZE, geometry)
    found = {"network": about.model, "target": about.target, "input": images}
    rebuilt = {"array": images["array"], "meaning": "the images, built again from a short code"}
    found["output"] = described.class_output(about.classes) if network == "model" else rebuilt
    return found | {"notice": described.NOTICE}


def write(
    folder: Path,
    key: str,
    about: About,
    answers: pd.DataFrame,
    history: pd.DataFrame | None = None,
    networks: Mapping[str, Any] | None = None,
) -> Path:
    """Write a run record, whole or not at all; returns its folder.

    Args:
        folder: from `folder_of`.
        key: what it was made from, by `cache.key`.
        about: becomes params.json.
        answers: of the validation and test rows, see `scores.predictions`.
        history: one row an epoch.
        networks: Keras models by the name of their file, such as "model".
    """
    predictions.check(answers, folder / PREDICTIONS)

    def make(partial: Path) -> None:
        partial.mkdir(parents=True)
        for name, network in (networks or {}).items():
            described.save(network, partial / f"{name}.keras", description(about, name))
        if history is not None:
            history.to_csv(partial / HISTORY, index=False)
        answers.to_parquet(partial / PREDICTIONS, index=False)
        test = answers[answers["split"] == "test"]
        write_json(partial / METRICS, evaluation.scores(test))
        write_json(partial / ABOUT, asdict(about))

    cache.named(folder, key, make)
    return folder


def predictions_of(record: str | Path, split: str | None = "test") -> pd.DataFrame:
    """A record's predictions for "test" or "validation"; None: both."""
    table = predictions.read(Path(record) / PREDICTIONS)
    chosen = table if split is None else table[table["split"] == split]
    return chosen.reset_index(drop=True)


def history_of(record: str | Path) -> pd.DataFrame:
    """A record's history: one row an epoch."""
    path = Path(record) / HISTORY
    if not path.is_file():
        raise LesionsError(f"There is no {path}: nothing was trained there, or {again(record)}.")
    return pd.read_csv(path)


def network_of(record: str | Path, name: str = "model") -> Path:
    """The file of a record's network, for `keras.models.load_model`.

    Raises:
        LesionsError: the record has none.
    """
    path = Path(record) / f"{name}.keras"
    if not path.is_file():
        raise LesionsError(f"The record {Path(record).name} has no network {path.name}.")
    return path


def load_records(folder: Path) -> pd.DataFrame:
    """All whole run records of a profile, one row each.

    Args:
        folder: the profile's build folder.

    Returns:
        model, target, protocol, seed, init, weights (number of them), epochs, seconds, the scores
        on the test part, and `record`, the record's folder.

    Raises:
        LesionsError: there is no record yet, or one is damaged.
    """
    rows = []
    for path in sorted((folder / "runs").glob(f"*/{ABOUT}")):
        if not cache.is_whole(path.parent):  # of an older version, or of a run that was killed
            continue
        about = About.read(path.parent)
        row = {name: getattr(about, name) for name in SHOWN}
        rows.append(row | _json(path.parent / METRICS) | {"record": str(path.parent)})
    if not rows:
        raise LesionsError(
            f"There are no run records in {folder / 'runs'}: run notebooks 04 and 05 first "
            f"(`make 06 PROFILE={folder.name}` runs what is missing)."
        )
    return pd.DataFrame(rows)


def majority(record: str | Path) -> float:
    """The accuracy of always answering the class that is most frequent in the record's test."""
    truth = predictions_of(record)["truth"]
    return float(truth.value_counts(normalize=True).iloc[0])
