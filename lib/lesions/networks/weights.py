"""The backbones' ImageNet weights, fetched beforehand: for a class, or a machine without internet.

python -m lesions.networks.weights      where Keras looks for them: WEIGHTS=imagenet
… --to data/weights                     a folder to carry away: WEIGHTS=data/weights
"""

import argparse
import sys
from pathlib import Path

from lesions.core.transfer import DELAYS, exit_status, md5_of, retrieve
from lesions.networks.backbones import BACKBONES
from lesions.networks.backend import keras


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
    for name, backbone in BACKBONES.items():
        target = folder / backbone.file
        if target.is_file() and md5_of(target) == backbone.md5:
            print(f"{name}: there already, md5 right", flush=True)
        else:
            print(f"{name}: fetching {backbone.file}", flush=True)
            target.unlink(missing_ok=True)
            url = f"{mirror.rstrip('/')}/{backbone.file}" if mirror else backbone.url
            retrieve(url, backbone.md5, target, delays)
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
