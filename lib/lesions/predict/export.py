"""From a run record to one file: images of any size in, calibrated probabilities out.

Everything that is chosen is chosen on the validation part; the test part only says how it went.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lesions.core import cache
from lesions.core.errors import LesionsError
from lesions.core.progress import say
from lesions.data.pixel_store import open_pixels
from lesions.networks import described
from lesions.networks.backend import full_precision, keras
from lesions.predict import calibrating, likeness
from lesions.scores import calibration, evaluation, rules
from lesions.scores.intervals import mean_interval
from lesions.settings.parameters import Settings
from lesions.splits import handover, protocols
from lesions.training import run_records

FLAGGED = 0.01  # the share of validation images that may be called unlike the training images
METRICS = ("balanced_accuracy", "accuracy", "macro_auc", "log_loss")
FILE, FORMAT = "network.keras", 1


@full_precision()
def whole(
    network: keras.Model, size: int, geometry: str, chosen: calibrating.Calibration,
    like: likeness.Likeness,
) -> keras.Model:  # fmt: skip
    """A model that takes photographs as they are, made of layers that every Keras knows.

    Args:
        network: from squares in [0, 1] to probabilities.
        size, geometry: of those squares, see `pixel_store.to_square`.
        chosen: how its probabilities are calibrated.
        like: what is like the training images.

    Returns:
        from uint8 (n, height, width, 3), RGB, to a dictionary: "probabilities" (n, classes), and
        "distance" (n,), from `likeness`.
    """
    images = keras.Input((None, None, 3), dtype="uint8", name="images")
    square = keras.layers.Resizing(
        size, size, interpolation="area", crop_to_aspect_ratio=geometry == "crop", name="to_square"
    )
    pixels = keras.layers.Rescaling(1 / 255, name="scale")(square(images))
    p = network(pixels)
    if p.shape[-1] == 1:
        p = keras.ops.concatenate([1 - p, p], axis=-1)
    logits = keras.ops.log(keras.ops.maximum(p, calibrating.SMALLEST))
    classes = len(chosen.weights)
    calibrated = keras.layers.Dense(classes, activation="softmax", name="calibrated")
    outputs = {"probabilities": calibrated(logits), "distance": like.layer(pixels)}
    shift = np.log(list(chosen.weights.values()))
    calibrated.set_weights([np.eye(classes) / chosen.temperature, shift / chosen.temperature])
    return keras.Model(images, outputs, name="answers")


def profile_of(record: Path) -> Path:
    """The profile's build folder that a record lies in: `<profile>/runs/<record>`."""
    for folder in record.absolute().parents:
        if (folder / "data.json").is_file():
            return folder
    raise LesionsError(
        f"{record} lies in no profile's folder with the splits of notebook 03: give a folder such "
        "as build/sample/runs/honest-dx-cnn-seed0."
    )


def _checked(record: Path) -> run_records.About:
    """What a record says of itself, if its network can be made to answer by itself."""
    about = run_records.About.read(record)
    if about.protocol != "honest":
        raise LesionsError(
            f"{record.name} was trained under {about.protocol}: its validation part holds copies "
            "of training images, so nothing honest can be chosen on it. Give a record that begins "
            "with honest-."
        )
    run_records.network_of(record)
    if about.model == "fusion":
        raise LesionsError(f"{record.name} asks for metadata beside the image: give another.")
    return about


def _rounded(values: Any) -> Any:
    """Floats to six digits, in whatever they stand; what is no number becomes None."""
    if isinstance(values, dict):
        return {name: _rounded(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [_rounded(value) for value in values]
    if isinstance(values, float | np.floating):
        return float(f"{values:.6g}") if np.isfinite(values) else None
    return values.item() if isinstance(values, np.generic) else values


def _counts(rows: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Images, lesions and images of each class in each part, repetitions left out."""
    once = rows.drop_duplicates(["image_id", "split"])
    return {
        part: {"images": len(of), "lesions": of["lesion_id"].nunique()}
        | of["label"].value_counts().sort_index().to_dict()
        for part, of in once.groupby("split")
    }


def describe(
    about: run_records.About, rows: pd.DataFrame, predictions: pd.DataFrame,
    chosen: calibrating.Calibration, distances: pd.Series, resamples: int = 500,
) -> dict[str, Any]:  # fmt: skip
    """All that the file says of itself: input, output, what was chosen, and how it did.

    Args:
        about, predictions: of the record, the predictions of both parts.
        rows: the split.
        chosen: from `calibrating.choose`.
        distances: from `likeness`, by image_id.
        resamples: of the lesions, behind each interval.
    """
    settings = Settings.of(about.settings)
    calibrated = chosen.apply(predictions)
    validation = calibrated[calibrated["split"] == "validation"]
    test = calibrated[calibrated["split"] == "test"]
    weights = calibration.choose_decision(validation).to_dict()
    threshold = float(np.quantile(distances[validation["image_id"]], 1 - FLAGGED))
    alarms = (distances[test["image_id"]] > threshold).to_numpy()
    false_alarm = mean_interval(alarms, test["lesion_id"], resamples)
    scores = evaluation.bootstrap(test, METRICS, n=resamples, decision=weights)
    geometry = protocols.geometry(about.protocol, settings)
    images = described.square_input(settings.IMAGE_SIZE, geometry)
    images |= {"array": "uint8 (images, height, width, 3), of any height and width",
               "values": "0 to 255, as an image file has them"}  # fmt: skip
    return _rounded({
        "format": FORMAT,
        "network": about.model,
        "target": about.target,
        "input": images,
        "output": {
            "probabilities": "float32 (images, classes), calibrated, in the order of `classes`",
            "distance": "float32 (images,): how far from the training images; they have about 1",
        },
        "classes": about.classes,
        "calibration": asdict(chosen),
        "decision": {
            "rule": "the class with the largest probability times weight is the answer; the "
                    "weights were chosen for balanced accuracy on the validation part",
            "weights": weights,
        },
        "unlike": {
            "rule": "a distance above `threshold` means: not like the training images",
            "threshold": threshold,
            "of_validation": FLAGGED,
            "false_alarms": dict(zip(("value", "low", "high"), false_alarm, strict=True)),
        },
        # A resample repeats images, which makes the calibration error of each too large.
        "test": {name: list(line) for name, line in scores.T.items()}
        | {"ece": [evaluation.scores(test)["ece"], None, None]},
        "classes_of_test": evaluation.per_class(test, weights).reset_index().to_dict("records"),
        "parts": _counts(rows),
        "record": {name: value for name, value in asdict(about).items() if name != "classes"},
        "notice": described.NOTICE,
    })  # fmt: skip


def export(record: str | Path, target: Path | None = None) -> Path:
    """Write the file that answers; kept if it is there and nothing has changed.

    Args:
        record: the folder of a run under `honest`.
        target: where to; None: `predict/<record>/network.keras` in the profile's build folder.

    Returns:
        the file's path.

    Raises:
        LesionsError: the record is none, or cannot answer by itself, or its splits are gone.
    """
    record = Path(record)
    about = _checked(record)
    folder = profile_of(record)
    target = target or folder / "predict" / record.name / FILE
    splits, caches = handover.splits_in(folder)
    rows = handover.rows_of(splits, about.protocol, about.target)
    both = run_records.predictions_of(record, split=None)
    key = cache.key(both, rows, caches[about.protocol].name, asdict(about), code=[export])
    if cache.is_kept(target, key):
        return target
    of_test = set(rows.loc[rows["split"] == "test", "image_id"])
    if of_test != set(both.loc[both["split"] == "test", "image_id"]):
        raise LesionsError(
            f"{record.name} was trained on another split than the one in {folder}: run notebook 03 "
            f"again with SEED={about.seed}, or give a record of this split."
        )
    say(f"{record.name}: to one file that answers …")
    pixels, image_ids = open_pixels(caches[about.protocol])
    train = rows.loc[rows["split"] == "train", "image_id"].unique()
    like = likeness.fit(pixels, np.sort(image_ids.get_indexer(train)))
    asked = np.sort(image_ids.get_indexer(both["image_id"].unique()))
    distances = pd.Series(like.distances(pixels, asked), index=image_ids[asked])
    learnt, natural = rules.shares(rows), rules.shares(rows, repeats=False)
    chosen = calibrating.choose(both[both["split"] == "validation"], learnt, natural)
    found = describe(about, rows, both, chosen, distances)
    network = keras.models.load_model(run_records.network_of(record), compile=False)
    size = Settings.of(about.settings).IMAGE_SIZE
    model = whole(network, size, found["input"]["geometry"], chosen, like)
    cache.named(target, key, lambda partial: described.save(model, partial, found))
    return target


def best_record(folder: Path, target: str = "dx") -> Path:
    """The record of a profile that ranks validation images best, by macro AUC.

    The test part has no say: it would no longer be one.

    Args:
        folder: the profile's build folder.
        target: what is asked of the images.

    Raises:
        LesionsError: there is no record that could answer by itself.
    """
    found = []
    for path in sorted((folder / "runs").glob(f"honest-{target}-*")):
        try:
            _checked(path)
            validation = run_records.predictions_of(path, "validation")
            found.append((evaluation.scores(validation)["macro_auc"], path))
        except LesionsError:
            continue  # of an older version, or one that joins other models
    if not found:
        raise LesionsError(
            f"There is no trained network on {target} in {folder / 'runs'}: run "
            f"`make 05 PROFILE={folder.name}` first."
        )
    return max(found)[1]
