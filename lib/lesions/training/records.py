"""A run record: one trained model, its settings, its predictions and its scores, in one folder."""

import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from lesions.core import cache
from lesions.core.errors import LesionsError
from lesions.core.files import atomic, note_output, write_json
from lesions.core.progress import say
from lesions.networks import backend, models
from lesions.networks.backend import keras, seed_everything
from lesions.scores import evaluation
from lesions.settings import params
from lesions.splits import protocols
from lesions.training import fitting, training


def parse_runs(text: str) -> list[tuple[str, str]]:
    """`"cnn:dx vgg16:dx"` as [("cnn", "dx"), ("vgg16", "dx")]; commas will do as well.

    Raises:
        LesionsError: a part is not model:target, or one of the two is unknown.
    """
    pairs = []
    for part in text.replace(",", " ").split():
        name, _, target = part.partition(":")
        if name not in models.KNOWN or target not in protocols.TARGETS:
            raise LesionsError(
                f"{part!r} is not a model and a target, such as cnn:dx. Models: "
                f"{', '.join(models.KNOWN)}. Targets: {', '.join(protocols.TARGETS)}."
            )
        pairs.append((name, target))
    return pairs


def folder_of(settings: SimpleNamespace, protocol: str, target: str, name: str) -> Path:
    """Where the record of a run lies."""
    return settings.folder / "runs" / f"{protocol}-{target}-{name}-seed{settings.SEED}"


def said_settings(settings: SimpleNamespace) -> dict[str, Any]:
    """What a record says of its settings: the deciding ones, and where the images came from."""
    return params.deciding(settings) | {"DATASET": settings.DATASET, "PROFILE": settings.PROFILE}


def train_run(
    name: str,
    target: str,
    protocol: str,
    rows: pd.DataFrame,
    pixel_folder: Path,
    settings: SimpleNamespace,
) -> Path:
    """Train one model under one protocol and write its record; a finished record is kept.

    Args:
        name: one of `models.KNOWN`.
        target: the column that `rows["label"]` holds.
        protocol: "honest" or "paper", whichever the rows were made by.
        rows: the split, with repeated rows where it was resampled.
        pixel_folder: from `pixel_store.pixel_cache`.
        settings: all parameters, as `params.start` returns them.

    Returns:
        the record's folder: params.json, metrics.json, predictions.parquet, history.csv and
        model.keras. It is written whole or not at all. A training that was interrupted goes on
        after its last kept epoch, to the same result.

    Raises:
        Diverged: the loss is no longer a number; its history is in `diverged/`.
    """
    label = f"{name}:{target} {protocol}"
    folder = folder_of(settings, protocol, target, name)
    policy = backend.precision(settings.PRECISION, settings.IMAGE_SIZE)
    key = cache.key(
        *(name, target, protocol, rows, pixel_folder.name, policy),
        code=[train_run, models.build],
        settings=params.deciding(settings),
    )
    if cache.is_kept(folder, key):
        say(f"{label}: kept from an earlier run")
        note_output(folder)
        return folder
    seed_everything(settings.SEED)
    keras.config.set_dtype_policy(policy)
    data = training.prepare(rows, pixel_folder)
    data.unfinished = settings.folder / "unfinished" / f"{folder.name}-{key}"
    started = time.monotonic()
    try:
        with backend.strategy().scope():
            trained = training.train(name, data, settings, label)
    except fitting.Diverged as error:
        with atomic(settings.folder / "diverged" / f"{folder.name}.csv") as partial:
            error.history.to_csv(partial, index=False)
        raise
    seconds = time.monotonic() - started
    predictions = training.predictions(trained, data, settings)
    about = {
        "model": name,
        "target": target,
        "protocol": protocol,
        "init": trained.init,
        "classes": data.classes,
        "weights": int(trained.model.count_params()),
        "train_rows": len(data.part("train")),
        "epochs": len(trained.history),
        "seconds": round(seconds, 1),
        "precision": policy,
        "settings": said_settings(settings),
    }
    write(folder, key, about, predictions, trained)
    shutil.rmtree(data.unfinished, ignore_errors=True)
    return folder


def write(
    folder: Path,
    key: str,
    about: dict,
    predictions: pd.DataFrame,
    trained: training.Trained | None = None,
) -> Path:
    """Write a record, whole or not at all. Returns its folder.

    Args:
        key: what it was made from, by `cache.key`.
        about: becomes params.json.
        predictions: validation and test rows.
        trained: the network; None for a model that is none.
    """

    def make(partial: Path) -> None:
        partial.mkdir(parents=True)
        if trained:
            trained.model.save(partial / "model.keras")
            trained.history.to_csv(partial / "history.csv", index=False)
        if trained and trained.autoencoder:
            trained.autoencoder.save(partial / "autoencoder.keras")
        predictions.to_parquet(partial / "predictions.parquet", index=False)
        test = predictions[predictions["split"] == "test"]
        write_json(partial / "metrics.json", evaluation.scores(test))
        write_json(partial / "params.json", about)

    cache.named(folder, key, make)
    return folder


def rebuilt(record: str | Path, pixels: np.ndarray, count: int = 6) -> list[np.ndarray]:
    """Some images, then what the record's autoencoder makes of them.

    Returns:
        2 x `count` arrays, float32 (size, size, 3) in [0, 1]: first the originals.
    """
    network = keras.models.load_model(Path(record) / "autoencoder.keras", compile=False)
    images = pixels[:: max(1, len(pixels) // count)][:count].astype(np.float32) / 255
    return [*images, *network.predict(images, verbose=0)]
