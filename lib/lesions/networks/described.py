"""A saved network that says what goes in and what comes out: `about.json` inside the .keras file.

A .keras file is a zip. Keras reads the parts that it knows and passes over others, so the
description travels with the weights, and `unzip -p model.keras about.json` shows it.
"""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lesions.core.errors import LesionsError

MEMBER = "about.json"
NOTICE = (
    "This network diagnoses nobody. It was trained for a course, has seen images and no patient, "
    "and is wrong often; a lesion that worries you is a matter for a physician."
)


def square_input(size: int, geometry: str) -> dict[str, Any]:
    """What the networks of the course take: squares that were made before.

    Args:
        size: height and width in pixels.
        geometry: how an image becomes a square, "squash" or "crop".
    """
    return {
        "array": f"float32 (images, {size}, {size}, 3)",
        "colours": "red, green, blue, in this order",
        "values": "0 to 1: the image's 0 to 255 divided by 255, and nothing else",
        "size": size,
        "geometry": geometry,
        "how": "the whole image is resized, which changes the lesion's shape"
        if geometry == "squash"
        else "the central square is cut out, then resized",
        "resizing": "each pixel the mean of those it replaces (OpenCV: INTER_AREA)",
    }


def class_output(classes: Sequence[str]) -> dict[str, Any]:
    """What a network's last layer means: one sigmoid unit for two classes, else a softmax."""
    if len(classes) == 2:
        array = "float32 (images, 1)"
        meaning = f"one sigmoid unit: the probability of {classes[1]}; {classes[0]} has the rest"
    else:
        array = f"float32 (images, {len(classes)})"
        meaning = "a softmax: a probability for each class, in the order of `classes`"
    return {"array": array, "meaning": meaning, "classes": list(classes)}


def save(model: Any, path: Path, about: dict[str, Any]) -> Path:
    """Save a network in Keras's format, with its description inside.

    Args:
        model: a Keras model.
        path: ends in .keras.
        about: becomes `about.json`; plain values only.
    """
    model.save(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MEMBER, json.dumps(about, indent=1, ensure_ascii=False) + "\n")
    return Path(path)


def read(path: Path) -> dict[str, Any]:
    """The description inside a saved network.

    Raises:
        LesionsError: there is no such file, it is no .keras file, or it has no description.
    """
    path = Path(path)
    if not path.is_file():
        raise LesionsError(f"There is no network {path}: give a .keras file.")
    try:
        with zipfile.ZipFile(path) as archive:
            found = json.loads(archive.read(MEMBER))
    except KeyError:
        raise LesionsError(
            f"{path} does not say what goes in and out of it (it has no {MEMBER}): it was not "
            "saved by this course, or by an older version of it."
        ) from None
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise LesionsError(f"{path} is no .keras file, or damaged ({error}).") from error
    if not isinstance(found, dict):
        raise LesionsError(f"{path}: its {MEMBER} is no description of a network.")
    return found
