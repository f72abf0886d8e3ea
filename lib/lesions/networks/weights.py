"""The backbones' ImageNet weights, fetched beforehand: for a class, or a machine without internet.

    python -m lesions.networks.weights      where Keras looks for them: WEIGHTS=imagenet
    … --to data/weights                     a folder to carry away: WEIGHTS=data/weights

Names, addresses and md5 sums are asked of Keras, so that they are those of the Keras that will read
the files.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from lesions.core.errors import LesionsError
from lesions.core.transfer import DELAYS, exit_status, md5_of, retrieve
from lesions.networks import models
from lesions.networks.backend import keras


@dataclass(frozen=True)
class Source:
    """One file of weights, as Keras knows it."""

    name: str
    url: str
    md5: str


class _Asked(Exception):
    """Carries what Keras was about to fetch."""


def source(backbone: str) -> Source:
    """What Keras would fetch for a backbone without its top.

    Args:
        backbone: a key of `models.BACKBONES`.
    """

    def ask(name: str, origin: str, file_hash: str, **_) -> None:
        raise _Asked(name, origin, file_hash)

    make = models.BACKBONES[backbone][0]
    # Keras has the md5 sums in the middle of its functions, and this is how they say them.
    with mock.patch("keras.src.utils.file_utils.get_file", ask):
        try:
            make(weights="imagenet", include_top=False, pooling="avg", input_shape=(32, 32, 3))
        except _Asked as asked:
            return Source(*asked.args)
    raise LesionsError(f"Keras {keras.__version__} does not say where it gets {backbone} from.")


def is_right(path: Path, wanted: Source) -> bool:
    """Whether a file has the md5 that Keras asks for."""
    return md5_of(path) == wanted.md5


def keras_folder() -> Path:
    """Where Keras keeps weights that it has fetched."""
    return Path(keras.config.keras_home()) / "models"


def fetch(
    folder: str | Path | None = None, mirror: str | None = None, delays: tuple = DELAYS
) -> list[Path]:
    """Fetch the weights of every backbone; what is there and right is not fetched again.

    Args:
        folder: where to; None: `keras_folder`.
        mirror: an address that has the files by name.
        delays: see `transfer.persist`.

    Returns:
        the files, each with the md5 that Keras asks for.

    Raises:
        LesionsError: the server refuses, keeps failing or sends other bytes; the disk is full.
    """
    folder = Path(folder) if folder else keras_folder()
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for backbone in models.BACKBONES:
        one = source(backbone)
        target = folder / one.name
        if target.is_file() and is_right(target, one):
            print(f"{backbone}: there already, md5 right", flush=True)
        else:
            print(f"{backbone}: fetching {one.name}", flush=True)
            target.unlink(missing_ok=True)
            url = f"{mirror.rstrip('/')}/{one.name}" if mirror else one.url
            retrieve(url, one.md5, target, delays)
        found.append(target)
    print(f"The weights are in {folder}.")
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lesions.networks.weights")
    parser.add_argument("--to", metavar="FOLDER", help="where to (default: Keras's own folder)")
    parser.add_argument("--mirror", metavar="URL", help="an address that has the files by name")
    given = parser.parse_args(arguments)
    return exit_status(lambda: fetch(given.to, given.mirror))


if __name__ == "__main__":
    sys.exit(main())
