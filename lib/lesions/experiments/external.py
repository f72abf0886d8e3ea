"""The official test set of the ISIC 2018 challenge, task 3: images that nobody trained on."""

from pathlib import Path

import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.files import atomic, user_path
from lesions.core.progress import say
from lesions.data import datasets, known, pixel_store
from lesions.data.images import read_image
from lesions.networks import input_pipeline
from lesions.networks.backend import keras
from lesions.scores import evaluation
from lesions.settings.parameters import Settings
from lesions.splits import protocols
from lesions.training import fitting, run_records

METRICS = ("balanced_accuracy", "accuracy", "macro_auc")


def find(settings: Settings) -> Path | None:
    """The folder of the test set, or None if it is not here.

    TEST_DIR names it; without it, `isic2018` beside the images is looked for, where
    `make data P="--isic2018"` puts it.

    Raises:
        LesionsError: TEST_DIR is given and is no folder.
    """
    if settings.TEST_DIR:
        folder = user_path(settings.TEST_DIR)
        if not folder.is_dir():
            raise LesionsError(
                f"TEST_DIR={settings.TEST_DIR} is no folder: give the one that has the test "
                "images and their ground truth, or leave it empty."
            )
        return folder
    if settings.DATASET != "ham10000":
        return None
    folder = known.place(settings.DATASET, settings.DATA_DIR) / "isic2018"
    return folder if folder.is_dir() else None


def fits(geometry: str, path: str) -> bool:
    """Whether images like this one can be given to a network trained on squares made so.

    A photograph of 4:3 can be squashed or cropped. One that was cropped to a square before cannot
    be squashed as the training images were: its lesions would have another shape.
    """
    height, width = read_image(path).shape[:2]
    return geometry == "crop" or abs(width / height - 4 / 3) < 0.05


def predict(record: Path, table: pd.DataFrame) -> pd.DataFrame:
    """A trained model's answers on other images, made square as its training images were.

    Args:
        record: the folder of a run on dx.
        table: image_id, lesion_id, dx, path.

    Returns:
        predictions of the form of a run's, split "test".

    Raises:
        LesionsError: the record has no network, its model is for another target, or the images
            were cropped to squares and the model was trained on squashed ones.
    """
    about = run_records.About.read(record)
    if about.target != "dx":
        raise LesionsError(f"{record} was trained on {about.target}; the test set has dx only.")
    if about.model == "fusion":
        raise LesionsError(f"{about.model} asks for metadata, which the test set lacks.")
    file = run_records.network_of(record)
    settings = Settings.of(about.settings)
    geometry = protocols.geometry(about.protocol, settings)
    if not fits(geometry, table["path"].iloc[0]):
        raise LesionsError(
            f"{about.model} under {about.protocol} was trained on squashed images, and the "
            "test images were cropped to squares: train with GEOMETRY=crop, under `honest`."
        )
    cache = pixel_store.pixel_cache(table, settings.IMAGE_SIZE, geometry)
    pixels, _ = pixel_store.open_pixels(cache)
    model = keras.models.load_model(file, compile=False)
    images = input_pipeline.images_only(pixels, settings.BATCH_SIZE)
    p = fitting.probabilities(model, images)
    answers = table[["image_id", "lesion_id"]].assign(split="test", truth=table["dx"])
    columns = [f"p_{name}" for name in about.classes]
    return pd.concat([answers, pd.DataFrame(p, columns=columns)], axis=1)


def score_all(records: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Every trained dx model on the official test set, by the leaderboard's metric and two more.

    Args:
        records: from `run_records.load_records`.
        settings: TEST_DIR, DATASET, DATA_DIR, BOOTSTRAP and folder.

    Returns:
        one row a model and metric: model, protocol, init, metric, value, low, high; empty where
        the test set is not here. Predictions are kept as `external/<record>.parquet`.
    """
    columns = ["model", "protocol", "init", "metric", "value", "low", "high"]
    folder = find(settings)
    if folder is None:
        return pd.DataFrame(columns=columns)
    table = datasets.load("folder", folder)
    found = []
    for run in records[records["target"] == "dx"].to_dict("records"):
        try:
            answers = predict(Path(run["record"]), table)
        except LesionsError as error:
            say(f"official test set: {error}")
            continue
        with atomic(settings.folder / "external" / f"{Path(run['record']).name}.parquet") as part:
            answers.to_parquet(part, index=False)
        scores = evaluation.bootstrap(answers, METRICS, n=settings.BOOTSTRAP).reset_index()
        found.append(scores.assign(**{name: run[name] for name in columns[:3]}))
    return pd.concat(found)[columns] if found else pd.DataFrame(columns=columns)
