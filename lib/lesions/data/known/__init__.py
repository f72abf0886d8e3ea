"""All datasets by name. One is added by a file in this folder that has `SOURCE`, and no more."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lesions.core.errors import LesionsError
from lesions.core.files import user_path
from lesions.settings.parameters import Settings


@dataclass(frozen=True)
class Source:
    """A dataset: where its folder is, and what may be asked of it."""

    about: str  # in one line
    default: Callable[[], Path] | None = None  # its folder where none is given
    draw: Callable[[Settings], Path] | None = None  # makes it, and says where
    own: bool = False  # somebody's own images: any labels, and what was understood is said
    ways: str = "give the folder that holds the images and their table"  # if it is not there


@cache
def names() -> list[str]:
    """The names of all datasets: those of the files in this folder."""
    return sorted(about.name for about in pkgutil.iter_modules(__path__))


def entry(name: str) -> Source:
    """What is declared of a dataset.

    Raises:
        LesionsError: there is no such dataset.
    """
    if name not in names():
        raise LesionsError(f"Unknown dataset {name!r}: it must be one of {', '.join(names())}.")
    return importlib.import_module(f"{__name__}.{name}").SOURCE


def place(name: str, folder: str | Path | None = None) -> Path:
    """Where the folder of a dataset should be; whether it is there is not asked.

    This is the one place that knows. It imports no table and no image.

    Args:
        name: one of `names`.
        folder: if it was given; else the dataset's own default, if it has one.

    Raises:
        LesionsError: the dataset is unknown, or needs a folder.
    """
    known = entry(name)
    if folder:
        there = Path(folder).expanduser()
        return there if there.is_dir() else user_path(folder)
    if known.default is None:
        raise LesionsError(f"The dataset {name!r} needs a folder: give DATA_DIR (or folder=).")
    return known.default()
