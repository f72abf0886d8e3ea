"""Images without a table: a folder a class, an npz file of MedMNIST, or images and nothing more."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from lesions.core import content, files
from lesions.core.errors import shorten
from lesions.core.progress import track
from lesions.data.findings import DataError, Findings
from lesions.data.forms import NO_CLASS
from lesions.data.images import is_image, split_path
from lesions.data.matching import ids_of
from lesions.data.metadata import COLUMNS, note_alike

PARTS = ("train", "training", "validation", "valid", "val", "dev", "test", "testing")
# Folders that say nothing of a class.
PLAIN = re.compile(r"(?i)images?|imgs?|pictures|photos?|jpe?g|png|data|.*part[ _-]?\d+")
NPZ_PARTS = ("train", "val", "test")


class Tableless(NamedTuple):
    """What was found: a tidy table with paths, and a sentence on it."""

    table: pd.DataFrame
    says: str
    labelled: bool


def read_tableless(folder: Path, listing: Sequence[str], findings: Findings) -> Tableless | None:
    """The dataset in a folder that has no table; None if there is no image either.

    Raises:
        DataError: an npz file is there that cannot be read.
    """
    packed = [path for path in listing if path.lower().endswith(".npz")]
    images = [path for path in listing if is_image(path)]
    if packed and not images:
        if len(packed) > 1:
            raise DataError(
                "several tables", f"{folder} has several npz files ({shorten(packed)}); keep one."
            )
        return _from_npz(packed[0])
    if not images:
        return None
    inner = [_inner(path, str(folder)) for path in images]
    parents = [parts[-2] if len(parts) > 1 else "" for parts in inner]
    named = {
        name for name in parents if name and not PLAIN.fullmatch(name) and name.lower() not in PARTS
    }
    labelled = len(named) > 0 and all(name in named for name in parents)
    ids = ids_of(["/".join(parts) for parts in inner])
    dx = parents if labelled else [NO_CLASS] * len(images)
    table = _as_table(ids, dx, images)
    if not labelled:
        says = "no table, and no folder a class: images without labels"
    else:
        says = f"no table; dx from the names of folders: {_counts(table['dx'])}"
        if any(parts[0].lower() in PARTS for parts in inner):
            says += "; whether an image lies in train or test is left aside, the course splits anew"
        note_alike(table["dx"], str(folder), findings)
    return Tableless(table, says, labelled)


def _inner(path: str, folder: str) -> list[str]:
    """The steps of a path below the dataset's folder, or below the zip that it lies in."""
    _, member = split_path(path)
    below = member if member is not None else os.path.relpath(path, folder).replace(os.sep, "/")
    return below.split("/")


def _counts(labels: pd.Series) -> str:
    counts = labels.value_counts()
    return shorten([f"{label!r} {count}" for label, count in counts.items()], 9)


def _as_table(ids: list[str], dx: list[str], paths: list[str]) -> pd.DataFrame:
    table = pd.DataFrame(dict.fromkeys(COLUMNS, "unknown"), index=range(len(ids)), dtype=str)
    table["image_id"] = table["lesion_id"] = pd.Series(ids, dtype=str)
    table["dx"] = pd.Series(dx, dtype=str)
    table["age"] = np.nan
    table["path"] = pd.Series(paths, dtype=str)
    return table


def _from_npz(path: str) -> Tableless:
    """DermaMNIST and its like: arrays `train_images`, `train_labels` and so on.

    The images are kept as PNG files in data/cache/npz, since all else here reads files.
    """
    known = content.contents([path])[0]
    if known is None:
        raise DataError("unreadable", f"{path} cannot be read; fetch the file again.")
    folder = files.CACHE / "npz" / known.sha256[:16]
    ids, labels = [], []
    try:
        with np.load(path, allow_pickle=False) as arrays:
            parts = [part for part in NPZ_PARTS if f"{part}_images" in arrays]
            if not parts:
                raise KeyError(f"no train_images; it has {shorten(sorted(arrays.files))}")
            for part in parts:
                count = len(arrays[f"{part}_images"])
                ids += [f"{part}_{number:05d}" for number in range(count)]
                name = f"{part}_labels"
                codes = arrays[name].reshape(count, -1) if name in arrays else np.empty((count, 0))
                labels += [str(row[0]) if len(row) == 1 else NO_CLASS for row in codes]
            if not folder.is_dir():
                _unpack(arrays, parts, folder)
    except DataError:
        raise
    except Exception as error:  # a damaged or pickled file raises many kinds
        raise DataError(
            "unreadable", f"{path} is no npz file of images and labels ({error}); fetch it again."
        ) from error
    base = str(folder).replace(os.sep, "/")
    table = _as_table(ids, labels, [f"{base}/{name}.png" for name in ids])
    labelled = NO_CLASS not in labels
    says = f"{Path(path).name}: {', '.join(parts)} together, split anew by the course"
    says += f"; dx from the labels: {_counts(table['dx'])}" if labelled else "; no single label"
    return Tableless(table, f"{says}; which images show one lesion is not known", labelled)


def _unpack(arrays: np.lib.npyio.NpzFile, parts: list[str], folder: Path) -> None:
    with files.atomic(folder) as partial:
        partial.mkdir(parents=True)
        for part in parts:
            images = arrays[f"{part}_images"]
            if images.dtype != np.uint8 or images.ndim not in (3, 4):
                raise DataError(
                    "wrong format",
                    f"The {part}_images are {images.dtype} of shape {images.shape}; they must be "
                    "uint8 (images, height, width, 3).",
                )
            for number, image in enumerate(track(images, f"unpacking {part}", len(images))):
                picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
                picture.save(partial / f"{part}_{number:05d}.png")
