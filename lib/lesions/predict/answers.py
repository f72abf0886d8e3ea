"""Ask a saved network about photographs: probabilities, an answer, and whether to doubt it.

model = answers.load("build/sample/predict/honest-dx-compact_cnn-seed0/network.keras")
table = answers.ask(model, "photo.jpg")  # or a folder
print(model.notice)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.progress import track
from lesions.data.images import is_image, list_files, read_image
from lesions.networks import described
from lesions.networks.backend import keras

BATCH = 32  # images at a time
NEEDED = ("classes", "decision", "unlike", "notice", "input")


@dataclass(frozen=True)
class Answering:
    """A network that answers, and what its file says of it."""

    network: keras.Model  # from `export.whole`
    about: dict[str, Any]

    @property
    def classes(self) -> list[str]:
        """In the order of the probabilities."""
        return self.about["classes"]

    @property
    def notice(self) -> str:
        """What whoever sees an answer has to know."""
        return self.about["notice"]


def load(path: str | Path) -> Answering:
    """The network in a file that `export.export` has written.

    Raises:
        LesionsError: there is none, or it is a file of something else.
    """
    about = described.read(Path(path))
    lacks = [name for name in NEEDED if name not in about]
    if lacks:
        raise LesionsError(
            f"{path} is a network that takes prepared squares, not photographs (it has no "
            f"{lacks[0]}): give its run's folder, or a network.keras made by `make predict`."
        )
    try:
        return Answering(keras.models.load_model(path, compile=False), about)
    except Exception as error:  # Keras raises many kinds for a damaged file
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise LesionsError(f"{path} is damaged ({reason}): make it anew.") from error


def images_in(place: str | Path) -> list[str]:
    """The images that a file or a folder stands for.

    Raises:
        LesionsError: there is no such place, or no image in it.
    """
    path = Path(place).expanduser()
    if path.is_file():
        return [str(path)]
    if not path.is_dir():
        raise LesionsError(f"There is no {path}: IMAGES names an image or a folder of images.")
    found = [file for file in list_files(path, damaged=[]) if is_image(file)]
    if not found:
        raise LesionsError(f"There is no image in the folder {path}: JPEG, PNG and the like.")
    return found


def answer(model: Answering, images: Iterable[np.ndarray]) -> pd.DataFrame:
    """What a network says of images.

    Args:
        model: from `load`.
        images: uint8 (height, width, 3), RGB, each of any size.

    Returns:
        one row an image: answer, by the decision rule; distance; unlike (bool), whether it is
        further from the training images than the threshold, or smaller than the network sees; and
        `p_<class>`, calibrated.
    """
    images = list(images)
    for image in images:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise LesionsError(
                "An image is uint8 (height, width, 3), red, green and blue from 0 to 255; got "
                f"{image.dtype} {image.shape}."
            )
    weights = np.array([model.about["decision"]["weights"][name] for name in model.classes])
    size, threshold = model.about["input"]["size"], model.about["unlike"]["threshold"]
    rows = []
    for shape, alike in groupby(images, key=np.shape):  # those of one size go together
        found = model.network(np.stack(list(alike)), training=False)
        distances = np.asarray(found["distance"], float)
        for p, distance in zip(np.asarray(found["probabilities"], float), distances, strict=True):
            unlike = bool(distance > threshold or min(shape[:2]) < size)
            rows.append((model.classes[int((p * weights).argmax())], distance, unlike, *p))
    names = ["answer", "distance", "unlike", *(f"p_{name}" for name in model.classes)]
    return pd.DataFrame(rows, columns=names)


def ask(model: Answering, place: str | Path) -> pd.DataFrame:
    """What a network says of an image file, or of all images in a folder.

    Returns:
        `answer`, with the column image in front: the path. What cannot be read has no row; the
        attribute `unreadable` of the table (`table.attrs`) lists a sentence for each.

    Raises:
        LesionsError: there is no image, or none that can be read.
    """
    paths = images_in(place)
    parts, faults = [], []
    for start in track(range(0, len(paths), BATCH), "images, batches"):
        images = {}
        for path in paths[start : start + BATCH]:
            try:
                images[path] = read_image(path)
            except LesionsError as error:
                faults.append(str(error))
        if images:
            parts.append(answer(model, images.values()).assign(image=list(images)))
    if not parts:
        more = f"None of {len(faults)} images can be read; the first: " if len(faults) > 1 else ""
        raise LesionsError(f"{more}{faults[0]}")
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "image", table.pop("image"))
    table.attrs["unreadable"] = faults
    return table
