"""What may the paper have done? Its models under each way to resample, beside its printed scores.

The paper does not say whether it resampled by repeating or by dropping images, nor whether before
the split or after it, nor for how long it trained. Here each of its rows is trained in each way,
with several seeds, and the way whose scores come closest is looked up. That is a guess: other ways
that were not tried may come closer, and a way that comes close need not be what was done.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lesions.core import cache
from lesions.core.errors import LesionsError
from lesions.core.progress import track
from lesions.experiments.experiments import _kept, _world
from lesions.experiments.transfer import BACKBONE
from lesions.networks import registry
from lesions.networks.augmentation import Augmentation
from lesions.networks.backend import keras
from lesions.scores import evaluation
from lesions.settings.parameters import Settings
from lesions.splits import balance, protocols, splits
from lesions.training import recipes, split_data, trained
from lesions.training.fitting import loss_for

# When which resampling is done. "before" the split, copies of one image fall on both sides of it.
REGIMES = (
    ("over", "before"),
    ("under", "before"),
    ("over", "after"),
    ("under", "after"),
    ("none", "never"),
)
# Rows whose models need no pretrained weights and are trained in one step.
ROWS = {
    1: ("fcnn_relu", "sex"),
    2: ("fcnn_relu_tanh", "sex"),
    3: ("fcnn_l2", "sex"),
    4: ("cnn", "dx"),
    7: ("fcnn_dx_type", "dx_type"),
}
# The other rows: a head on a frozen network; on the code of an autoencoder in row 8.
FROZEN = {
    5: ("vgg16", "dx"),
    6: ("resnet50", "dx_type"),
    8: ("autoencoder_classifier", "localization"),
    9: ("densenet121", "localization"),
}
# What may stand in a frozen network's place, and what its scores then say.
STAND_INS = {
    "": "the paper's own network with the weights that WEIGHTS names; with random ones it says "
    "what the row would be if the pretrained weights had not been loaded",
    "efficientnet_lite0": "another network that has seen ImageNet, smaller and younger: it says "
    "how the regimes differ for features of that kind, not what the paper's network would score",
    "scratch": "the same, with random weights: how much of the row needs no pretraining at all",
}
# Every reading of a row but one takes these four from the same test part.
COMPARED = ("accuracy", "macro_precision", "macro_recall", "macro_f1")
ALL = (*COMPARED, "weighted_precision", "weighted_recall", "weighted_f1")


class Position(NamedTuple):
    """One training: a row of the paper's table, how it was resampled and when, epochs, seed."""

    row: int
    resampling: str
    when: str
    epochs: int
    seed: int


def positions(rows: Sequence[int], epochs: Sequence[int], seeds: Sequence[int]) -> list[Position]:
    """Every combination, seed by seed, so that a run cut short has whole seeds."""
    return [
        Position(row, *regime, length, seed)
        for seed in seeds
        for row in rows
        for length in epochs
        for regime in REGIMES
    ]


def regime_rows(
    table: pd.DataFrame, target: str, resampling: str, when: str, seed: int
) -> pd.DataFrame:
    """Split rows of one regime, split by image as a tutorial does.

    Args:
        table: image_id, lesion_id and the target's column.
        resampling, when: one of `REGIMES`. After the split, only the training part is resampled.

    Returns:
        image_id, lesion_id, label, split.
    """
    table = protocols.usable(table, target)
    table = table.assign(label=table[target])
    if when == "before":
        table = balance.resample(table, resampling, seed)
    rows = splits.split_by_image(table, target, seed=seed)
    if when == "after":
        train = rows["split"] == "train"
        again = balance.resample(rows[train], resampling, seed)
        rows = pd.concat([again, rows[~train]], ignore_index=True)
    return rows


def model_of(row: int, stand_in: str = "") -> tuple[str, str]:
    """The model that a row is trained with, and its target.

    Args:
        row: of the paper's table.
        stand_in: one of `STAND_INS`; only rows 5, 6 and 9 have one, the others are trained as they
            are.

    Raises:
        LesionsError: there is no such row or stand-in.
    """
    if row not in ROWS | FROZEN or stand_in not in STAND_INS:
        raise LesionsError(
            f"There is no row {row} with the stand-in {stand_in!r}; rows go from 1 to 9, stand-ins "
            f"are {', '.join(name for name in STAND_INS if name)}."
        )
    name, target = (ROWS | FROZEN)[row]
    if row in FROZEN and stand_in and registry.entry(name).recipe == "head":
        return BACKBONE, target
    return name, target


def _from_scratch(
    name: str, data: split_data.Data, position: Position, settings: Settings
) -> trained.Trained:
    """All weights of a model trained, as a tutorial does it."""
    model = registry.build(name, settings.IMAGE_SIZE, len(data.classes), settings)
    # And not as this course trains: Keras's own momentum in batch
    # normalisation, no early stopping, and the last epoch counts. The paper names nothing else.
    model.compile(keras.optimizers.Adam(settings.LEARNING_RATE), loss_for(len(data.classes)))
    ranges = Augmentation.of(settings) if settings.AUGMENT else None
    train, _ = split_data.image_sets(
        data, settings.BATCH_SIZE, position.seed, settings.EPOCH_SAMPLES, ranges
    )
    steps = int(train(range(1)).cardinality())
    model.fit(
        train(range(position.epochs)), steps_per_epoch=steps, epochs=position.epochs,
        shuffle=False, verbose=0,
    )  # fmt: skip
    return trained.Trained(model, pd.DataFrame(), "scratch")


def one(
    table: pd.DataFrame, cached: Path, position: Position, settings: Settings, stand_in: str = ""
) -> dict:
    """Train one model in one regime.

    Args:
        stand_in: one of `STAND_INS`, for rows whose network needs pretrained weights.

    Returns:
        the position, model, target, init (where the weights began), the number of test images, and
        the seven scores on the test part.
    """
    name, target = model_of(position.row, stand_in)
    rows = regime_rows(table, target, position.resampling, position.when, position.seed)
    keras.utils.set_random_seed(position.seed)
    data = split_data.prepare(rows, cached)
    if position.row in ROWS:
        found = _from_scratch(name, data, position, settings)
    else:  # no early stopping here, either, and nothing but the head is trained on
        weights = "random" if stand_in == "scratch" else settings.WEIGHTS
        found = recipes.train(
            name,
            data,
            settings.replace(
                SEED=position.seed, EPOCHS=position.epochs, HEAD_EPOCHS=position.epochs,
                PATIENCE=0, FINE_TUNE_LAYERS=0, WEIGHTS=weights,
            ),
            f"row {position.row}",
        )  # fmt: skip
    answers = trained.predictions(found, data, settings.BATCH_SIZE)
    tested = answers[answers["split"] == "test"]
    scores = evaluation.scores(tested)
    kept = {"test_images": len(tested)} | {score: round(scores[score], 4) for score in ALL}
    keras.backend.clear_session()
    return position._asdict() | {"model": name, "target": target, "init": found.init} | kept


def forensic(seeds: Sequence[int], epochs: Sequence[int], settings: Settings) -> pd.DataFrame:
    """All rows of `ROWS`, in every regime. Kept as `experiments/forensic.parquet`.

    Args:
        seeds: one split and one beginning each.
        epochs: lengths of training that are tried.
    """
    table, _, cached = _world(settings, "dx")
    rows = [row for row, (_, target) in ROWS.items() if target in protocols.targets(table)]
    todo = positions(rows, epochs, seeds)
    names = [ROWS[row][0] for row in rows]
    makers = [one, *map(registry.module_of, names)]
    key = cache.key(table, cached.name, todo, code=makers, settings=settings.deciding())

    def make() -> pd.DataFrame:
        return pd.DataFrame([one(table, cached, place, settings)
                             for place in track(todo, "forensic")])  # fmt: skip

    return _kept(settings.folder / "experiments" / "forensic.parquet", key, make)


# ---------------------------------------------------------------- which comes closest


def distances(tried: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """How far the scores of each way lie from the printed ones.

    Args:
        tried: from `forensic`.
        published: the paper's table, with row and the scores.

    Returns:
        one row a way: row, model, target, resampling, when, epochs, seeds, distance (the mean over
        seeds of the mean absolute difference in `COMPARED`), nearest and farthest (smallest and
        largest of the seeds), accuracy, macro_recall (means); the closest first in each row.
    """
    printed = published.set_index("row").loc[tried["row"], list(COMPARED)].to_numpy()
    off = np.abs(tried[list(COMPARED)].to_numpy() - printed).mean(axis=1)
    ways = ["row", "model", "target", "resampling", "when", "epochs"]
    return (
        tried.assign(off=off)
        .groupby(ways, as_index=False, sort=False)
        .agg(seeds=("off", "size"), distance=("off", "mean"), nearest=("off", "min"),
             farthest=("off", "max"), accuracy=("accuracy", "mean"),
             macro_recall=("macro_recall", "mean"))
        .sort_values(["row", "distance"], ignore_index=True)
    )  # fmt: skip


def closest(distances: pd.DataFrame) -> pd.DataFrame:
    """The closest way of each row, and whether the seeds tell it from the next best regime.

    Returns:
        row, model, target, resampling, when, epochs, seeds, distance, ways (how many regimes were
        tried), next (the next best regime's
        resampling and when), next_distance, as_near (regimes whose distance reads the same, to
        three digits), told_apart (whether the farthest seed of the closest
        lies below the nearest of every other regime; never with one seed).
    """
    lines = []
    for _, part in distances.groupby("row", sort=True):
        best = part.iloc[0]
        regime = (part["resampling"] == best["resampling"]) & (part["when"] == best["when"])
        others = part[~regime]
        line = best[["row", "model", "target", "resampling", "when", "epochs", "seeds",
                     "distance"]].to_dict()  # fmt: skip
        line["ways"] = len(part[["resampling", "when"]].drop_duplicates())
        if len(others):
            second = others.iloc[0]
            alike = others[others["distance"].round(3) <= round(best["distance"], 3)]
            names = (alike["resampling"] + ", " + alike["when"]).drop_duplicates()
            line |= {"next": f"{second['resampling']}, {second['when']}",
                     "as_near": "; ".join(names),
                     "next_distance": second["distance"],
                     "told_apart": bool(
                         best["seeds"] > 1 and best["farthest"] < others["nearest"].min()
                     )}  # fmt: skip
        lines.append(line)
    return pd.DataFrame(lines)
