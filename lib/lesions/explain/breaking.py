"""Where a network breaks, in one call: corruptions, skin tones, and pictures that are none."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from lesions.core.progress import track
from lesions.data import datasets, source
from lesions.data.pixel_store import open_pixels
from lesions.explain import masks, shift, skin_tone, strangers
from lesions.predict import answers, export
from lesions.settings.parameters import Settings
from lesions.splits import handover
from lesions.training import run_records

KEPT = ROOT / "data" / "results" / "shift"
NAMES = ("corruptions", "tones", "strangers")


@dataclass(frozen=True)
class Test:
    """A network that answers, and the test images that it is asked about."""

    chosen: shift.Chosen
    pixels: np.ndarray  # uint8 (n, size, size, 3)
    rows: pd.DataFrame  # image_id, lesion_id, truth


def test_of(record: str | Path, most: int = 0, seed: int = 0) -> Test:
    """A record's network as a file that answers, and test images of its split.

    Args:
        record: the folder of a run on dx under `honest`.
        most: take at most so many images, chosen at random; 0: all.

    Raises:
        LesionsError: there is no such record, or it cannot answer by itself.
    """
    record = Path(record)
    model = answers.load(export.export(record))
    chosen = shift.Chosen.on(model, run_records.predictions_of(record, "validation"))
    rows = run_records.predictions_of(record)[["image_id", "lesion_id", "truth"]]
    if 0 < most < len(rows):
        rows = rows.sample(most, random_state=seed).sort_index()
    _, caches = handover.splits_in(export.profile_of(record))
    pixels, image_ids = open_pixels(caches["honest"])
    places = image_ids.get_indexer(rows["image_id"])
    return Test(chosen, np.asarray(pixels[places]), rows.reset_index(drop=True))


def skin_of(test: Test, folder: Path, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Skin tones of the test images, and patches of healthy skin, where they have masks.

    Args:
        folder: holds the images and their masks.

    Returns:
        ITA, float64 (n,), NaN where there is no usable mask; patches, uint8 (k, size, size, 3);
        and the lesion_id of each patch.
    """
    size = test.chosen.model.about["input"]["size"]
    images, known = datasets.find_images(folder), datasets.mask_paths(folder, test.rows)
    tones = np.full(len(test.rows), np.nan)
    patches, lesions = [], []
    for number, row in enumerate(track(test.rows.itertuples(), "skin", len(test.rows))):
        if row.image_id not in known or row.image_id not in images:
            continue
        image = datasets.read_image(images[row.image_id])
        lesion = masks.read_mask(known[row.image_id]) > masks.HALF
        if lesion.shape != image.shape[:2]:
            continue
        tones[number] = skin_tone.angle(image, lesion)
        rng = np.random.default_rng([seed, number])
        patch = strangers.healthy_patch(image, lesion, size, rng)
        if patch is not None:
            patches.append(patch)
            lesions.append(row.lesion_id)
    return tones, np.array(patches, np.uint8).reshape(-1, size, size, 3), np.array(lesions)


def network_in(folder: Path, seed: int = 0) -> Path:
    """The record of our own network on dx in a profile's folder; else the profile's best.

    Raises:
        LesionsError: there is no record on dx under `honest`.
    """
    own = run_records.folder_of(folder, "honest", "dx", "compact_cnn", seed)
    return own if own.is_dir() else export.best_record(folder)


def tables_of(
    test: Test, found: pd.DataFrame, folder: Path, each: int = strangers.EACH, n: int = 500,
    seed: int = 0,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """The three tables, `NAMES`, of a network's answers.

    Args:
        found: from `shift.answered`.
        folder: of the images and, where there are some, their masks.
        each: strangers of a kind.
        n: resamples of the lesions behind each interval.
    """
    clean = found[found["corruption"] == shift.CLEAN].reset_index(drop=True)
    angles, patches, lesions = skin_of(test, folder, seed)
    size = test.chosen.model.about["input"]["size"]
    kinds = strangers.made(size, each, seed) | {strangers.SKIN: patches}
    return {
        "corruptions": shift.score(found, test.chosen, n),
        "tones": skin_tone.by_tone(clean, skin_tone.groups(angles), test.chosen, n),
        "strangers": strangers.judged(test.chosen, kinds, {strangers.SKIN: lesions}, n),
    }


def look(
    settings: Settings, severities: tuple[int, ...] = (2, 4), most: int = 0
) -> dict[str, pd.DataFrame]:
    """The three tables, `NAMES`, of this profile's network; empty, with a sentence, without one.

    Args:
        settings: of the notebook; BOOTSTRAP resamples stand behind each interval.
        severities: of the corruptions, of 1 to 5.
        most: test images, at most; 0: all.
    """
    try:
        folder = datasets.locate(settings.DATASET, source.data_folder(settings))
        test = test_of(network_in(settings.folder, settings.SEED), most, settings.SEED)
    except LesionsError as error:  # images of one's own, or no run on dx
        print(f"Nothing to break here: {error}")
        columns = {"corruptions": shift.COLUMNS, "tones": skin_tone.COLUMNS,
                   "strangers": strangers.COLUMNS}  # fmt: skip
        return {name: pd.DataFrame(columns=list(of)) for name, of in columns.items()}
    found = shift.answered(test.chosen, test.pixels, test.rows, severities, settings.SEED)
    return tables_of(test, found, folder, n=settings.BOOTSTRAP, seed=settings.SEED)


def over_records(table: pd.DataFrame) -> pd.DataFrame:
    """The mean over networks (seeds) of what was measured for each, with the widest interval.

    It reaches from the lowest to the highest limit of all, so it covers seeds and test lesions.

    Args:
        table: as one of `look`, with a column record; without it, it is returned as it is.
    """
    if "record" not in table:
        return table
    numbers = [name for name in table.select_dtypes("number") if name != "severity"]
    lows = [name for name in numbers if name.endswith("low")]
    highs = [name for name in numbers if name.endswith("high")]
    how = dict.fromkeys(numbers, "mean") | dict.fromkeys(lows, "min") | dict.fromkeys(highs, "max")
    by = [name for name in table if name not in (*numbers, "record", "mostly")]
    return table.groupby(by, sort=False, as_index=False, dropna=False).agg(how)


def kept(name: str, otherwise: pd.DataFrame | None = None) -> pd.DataFrame:
    """A table of the real images, `data/results/shift/<name>.csv`; where none is kept, another.

    Args:
        name: one of `NAMES`.
        otherwise: this run's own table, which is then said.

    Raises:
        LesionsError: none is kept, and no other is given.
    """
    path = KEPT / f"{name}.csv"
    if path.exists():
        return over_records(pd.read_csv(path))
    if otherwise is None:
        raise LesionsError(f"There is no kept table {path}; `tools/shift.py` writes it.")
    print(f"No table {name} of the real images is kept; this one is of this run's images.")
    return otherwise
