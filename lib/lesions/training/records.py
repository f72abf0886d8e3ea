"""Runs: which there are, trained one by one, each into its record."""

import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd

from lesions.core import cache, seeds
from lesions.core.errors import LesionsError
from lesions.core.files import atomic, note_output
from lesions.core.progress import say
from lesions.networks import backend, registry
from lesions.networks.backend import keras, seed_everything
from lesions.settings.parameters import Settings
from lesions.splits import protocols
from lesions.training import fitting, recipes, run_records, split_data, trained


def parse_runs(text: str) -> list[tuple[str, str]]:
    """`"cnn:dx vgg16:dx"` as [("cnn", "dx"), ("vgg16", "dx")]; commas will do as well.

    Raises:
        LesionsError: a part is not model:target, or one of the two is unknown.
    """
    pairs = []
    for part in text.replace(",", " ").split():
        name, _, target = part.partition(":")
        if name not in registry.names() or target not in protocols.TARGETS:
            raise LesionsError(
                f"{part!r} is not a model and a target, such as cnn:dx. Models: "
                f"{', '.join(registry.names())}. Targets: {', '.join(protocols.TARGETS)}."
            )
        pairs.append((name, target))
    return pairs


def said_settings(settings: Settings) -> dict:
    """What a record says of its settings: the deciding ones, and where the images came from."""
    return settings.deciding() | {"DATASET": settings.DATASET, "PROFILE": settings.PROFILE}


def train_run(
    name: str,
    target: str,
    protocol: str,
    rows: pd.DataFrame,
    pixel_folder: Path,
    settings: Settings,
) -> Path:
    """Train one model under one protocol and write its record; a finished record is kept.

    Args:
        name: one of `registry.names()`.
        target: the column that `rows["label"]` holds.
        protocol: "honest" or "paper", whichever the rows were made by.
        rows: the split, with repeated rows where it was resampled.
        pixel_folder: from `pixel_store.pixel_cache`.
        settings: all parameters, as `params.start` returns them.

    Returns:
        the record's folder, see `run_records`. It is written whole or not at all. A training that
        was interrupted goes on after its last kept epoch, to the same result.

    Raises:
        Diverged: the loss is no longer a number; its history is in `diverged/`.
    """
    label = f"{name}:{target} {protocol}"
    folder = run_records.folder_of(settings.folder, protocol, target, name, settings.SEED)
    policy = backend.precision(settings.PRECISION, settings.IMAGE_SIZE)
    key = cache.key(
        *(name, target, protocol, rows, pixel_folder.name, policy),
        code=[train_run, registry.module_of(name), recipes.module_of(name)],
        settings=settings.deciding(),
    )
    if cache.is_kept(folder, key):
        say(f"{label}: kept from an earlier run")
        note_output(folder)
        return folder
    seed_everything(seeds.number(settings.SEED, "training"))
    keras.config.set_dtype_policy(policy)
    data = split_data.prepare(rows, pixel_folder)
    data.unfinished = settings.folder / "unfinished" / f"{folder.name}-{key}"
    started = time.monotonic()
    try:
        with backend.strategy().scope():
            found = recipes.train(name, data, settings, label)
    except fitting.Diverged as error:
        with atomic(settings.folder / "diverged" / f"{folder.name}.csv") as partial:
            error.history.to_csv(partial, index=False)
        raise
    seconds = time.monotonic() - started
    about = run_records.About(
        model=name,
        target=target,
        protocol=protocol,
        init=found.init,
        classes=data.classes,
        weights=int(found.model.count_params()),
        train_rows=len(data.part("train")),
        epochs=len(found.history),
        seconds=round(seconds, 1),
        precision=policy,
        settings=said_settings(settings),
    )
    networks = {"model": found.model}
    if found.autoencoder:
        networks["autoencoder"] = found.autoencoder
    answers = trained.predictions(found, data, settings.BATCH_SIZE)
    run_records.write(folder, key, about, answers, found.history, networks)
    shutil.rmtree(data.unfinished, ignore_errors=True)
    return folder


def rebuilt(record: str | Path, pixels: np.ndarray, count: int = 6) -> list[np.ndarray]:
    """Some images, then what the record's autoencoder makes of them.

    Returns:
        2 x `count` arrays, float32 (size, size, 3) in [0, 1]: first the originals.
    """
    path = run_records.network_of(record, "autoencoder")
    network = keras.models.load_model(path, compile=False)
    images = pixels[:: max(1, len(pixels) // count)][:count].astype(np.float32) / 255
    return [*images, *network.predict(images, verbose=0)]
