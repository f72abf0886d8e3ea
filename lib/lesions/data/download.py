"""Fetch the HAM10000 record: `python -m lesions.data.download`, or `make data`.

Nothing is taken for good whose md5 is not the record's. A download that breaks off is gone on with,
in this run or the next.
"""

import argparse
import shutil
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

from lesions.core import files
from lesions.core.errors import LesionsError
from lesions.core.progress import track
from lesions.core.transfer import DELAYS, exit_status, md5_of, partial_of, retrieve
from lesions.data.datacard import DATA_CARD
from lesions.data.known.ham10000 import DOWNLOADED

ADDRESS = DATA_CARD["address"]  # a file's id comes after it
RECORD = DATA_CARD["files"]


def fetch(
    folder: Path | None = None,
    masks: bool = False,
    isic2018: bool = False,
    mirror: str | None = None,
    local: Path | None = None,
    unpack: bool = False,
    delays: tuple[float, ...] = DELAYS,
) -> list[Path]:
    """Fetch the record's files that are not there yet, and check each by its md5.

    Args:
        folder: where to; if None, data/raw/ham10000.
        masks: also the lesion masks (11 MB).
        isic2018: also the test set of the ISIC 2018 challenge, task 3 (402 MB), into `isic2018/`.
        mirror: an address that has the files under their names, instead of Harvard Dataverse.
        local: a folder that has them, instead of the network.
        unpack: also unpack the zips; the course reads them unopened.
        delays: seconds to wait before each new try.

    Returns:
        the paths of the files.

    Raises:
        LesionsError: too little space, the server refuses or keeps failing, or the bytes are not
            the record's. Running it again goes on from there.
    """
    folder = Path(folder or DOWNLOADED).expanduser().resolve()
    parts = {"base": folder}
    if masks:
        parts["masks"] = folder
    if isic2018:
        parts["isic2018"] = folder / "isic2018"
    wanted = [
        (file, parts[file["part"]] / file["name"]) for file in RECORD if file["part"] in parts
    ]
    size = sum(file["bytes"] or 0 for file, _ in wanted)
    print(
        f"{DATA_CARD['name']}, doi:{DATA_CARD['doi']}, licence {DATA_CARD['licence']}: "
        f"{len(wanted)} files, {size / 1e6:,.1f} MB, into {folder}"
    )
    missing = [(file, target) for file, target in wanted if not _is_whole(file, target)]
    _check_space(folder, missing)
    for file, target in missing:
        if local:
            _copy(file, Path(local).expanduser(), target)
        else:
            _download(file, target, mirror, delays)
        print(f"{file['name']}: fetched, md5 as in the record")
    targets = [target for _, target in wanted]
    if unpack:
        for target in targets:
            if target.suffix == ".zip":
                unpack_zip(target)
    print(f"All {len(wanted)} files are there.")
    return targets


def _is_whole(file: dict[str, Any], target: Path) -> bool:
    return target.is_file() and md5_of(target) == file["md5"]


def _check_space(folder: Path, missing: list[tuple[dict[str, Any], Path]]) -> None:
    """Refuse to begin what the disk cannot hold."""
    need = 0
    for file, target in missing:
        partial = partial_of(target)
        begun = partial.stat().st_size if partial.exists() else 0
        need += max(0, (file["bytes"] or 0) - begun)
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if need > free:
        raise LesionsError(
            f"{need / 1e6:,.0f} MB are to be fetched into {folder}, but only {free / 1e6:,.0f} MB "
            "are free there; free some space or choose another folder with --to."
        )


# ---------------------------------------------------------------- from a folder


def _copy(file: dict[str, Any], folder: Path, target: Path) -> None:
    """Copy one file out of a folder, if its md5 is right."""
    names = [file["name"], f"{file['name']}.csv", f"{file['name']}.tab"]
    found = [folder / name for name in names if (folder / name).is_file()]
    right = [path for path in found if md5_of(path) == file["md5"]]
    if not right:
        fault = "has other bytes than the record's" if found else "is not there"
        raise LesionsError(
            f"{file['name']} {fault} in {folder}; to use another copy of the data as it is, set "
            "HAM10000_DIR to its folder."
        )
    with files.atomic(target) as partial:
        shutil.copyfile(right[0], partial)
        if md5_of(partial) != file["md5"]:
            raise LesionsError(f"{right[0]} changed while it was copied; run it again.")


# ---------------------------------------------------------------- from a server


def _download(
    file: dict[str, Any], target: Path, mirror: str | None, delays: tuple[float, ...]
) -> None:
    """Download one file; wrong bytes are thrown away and asked for once more."""
    if mirror:
        url = f"{mirror.rstrip('/')}/{file['name']}"
    else:
        # The tables are kept converted; only the original has the md5 of the record.
        url = f"{ADDRESS}{file['id']}{'?format=original' if file['table'] else ''}"

    retrieve(url, file["md5"], target, delays)


# ---------------------------------------------------------------- unpacking


def unpack_zip(path: Path) -> Path:
    """Unpack a zip into the folder of its name, whole or not at all; returns the folder.

    Raises:
        LesionsError: it is not a zip, is damaged, or has a name that leads out of the folder.
    """
    folder = path.with_suffix("")
    if folder.is_dir():
        return folder
    try:
        with zipfile.ZipFile(path) as archive, files.atomic(folder) as partial:
            for name in archive.namelist():
                # Python would only drop the dots; but an archive with such names is not ours.
                if name.startswith(("/", "\\")) or ":" in name or ".." in Path(name).parts:
                    raise LesionsError(
                        f"{path} holds the name {name!r}, which leads out of the folder; nothing "
                        "was unpacked, and the file is not to be trusted."
                    )
            for name in track(archive.namelist(), f"unpacking {path.name}"):
                archive.extract(name, partial)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise LesionsError(f"{path} is damaged ({error}); remove it and fetch it again.") from error
    return folder


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lesions.data.download", description=__doc__)
    parser.add_argument("--masks", action="store_true", help="also the lesion masks")
    parser.add_argument("--isic2018", action="store_true", help="also the ISIC 2018 test set")
    parser.add_argument("--mirror", metavar="URL", help="an address that has the files by name")
    parser.add_argument("--from", dest="local", metavar="FOLDER", help="a folder that has them")
    parser.add_argument("--to", metavar="FOLDER", help="where to (default data/raw/ham10000)")
    parser.add_argument("--unpack", action="store_true", help="also unpack the zips")
    given = parser.parse_args(arguments)
    return exit_status(
        lambda: fetch(
            given.to, given.masks, given.isic2018, given.mirror, given.local, unpack=given.unpack
        )
    )


if __name__ == "__main__":
    sys.exit(main())
