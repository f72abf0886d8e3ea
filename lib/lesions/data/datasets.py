"""Load a dataset: from its folder, in whatever layout, to one tidy table and the images."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from lesions.core import cache, files, seeds
from lesions.core.errors import LesionsError, shorten
from lesions.core.names import safe_name
from lesions.core.progress import say, track
from lesions.data import known
from lesions.data.contents import fingerprint
from lesions.data.datacard import DATA_CARD
from lesions.data.findings import stop_if_too_bad
from lesions.data.images import (
    MASK_ENDING,
    file_state,
    find_images,
    list_files,
    name_of,
    read_bytes,
    read_image,
    split_path,
)
from lesions.data.metadata import CLASSES, COLUMNS
from lesions.data.validation import survey, validate

__all__ = [
    "CLASSES",
    "COLUMNS",
    "DATA_CARD",
    "find_images",
    "fingerprint",
    "image_files",
    "load",
    "locate",
    "mask_paths",
    "read_bytes",
    "read_image",
    "validate",
]


def locate(name: str, folder: str | Path | None = None) -> Path:
    """The folder of a dataset, which is there.

    Args:
        name: one of `known.names`, such as "ham10000".
        folder: where it is; some datasets have a default, see `known.place`.

    Raises:
        LesionsError: the name is unknown, or there is no such folder; says the ways out.
    """
    place = known.place(name, folder)
    if not place.is_dir():
        raise LesionsError(
            f"The dataset {name} was looked for in {place}, which is no folder: "
            f"{known.entry(name).ways}."
        )
    return place.resolve()


def load(
    name: str,
    folder: Path | None = None,
    limit: int = 0,
    seed: int = 0,
    max_bad: float = 0.02,
) -> pd.DataFrame:
    """Load a dataset's table: one row an image.

    Read are: the zips of the Harvard record unopened, or unpacked into folders or into one; the
    table with 7 or 8 columns, separated by commas, semicolons or tabs.

    Args:
        name: one of `known.names`; of "folder" only image_id and dx are needed, with any labels.
        folder: see `locate`.
        limit: take about so many images, whole lesions, with the class shares kept; 0 takes all.
        seed: fixes which ones.
        max_bad: the share of images that may be lost to faults; more stops the run.

    Returns:
        lesion_id, image_id, dx, dx_type, age (float64, NaN where missing), sex, localization,
        dataset, path; text is "unknown" where missing. `path` may lead through a zip.

    Raises:
        LesionsError: no folder, no table, a column is missing, or too many rows are faulty (then
            the error's attribute `findings` is the table of them).
    """
    place, own = locate(name, folder), known.entry(name).own
    table, findings = survey(place, own=own)
    says = table.attrs.pop("read as")
    if own:  # what was understood, before anything is made of it
        counts = [f"{label!r} {count}" for label, count in table["dx"].value_counts().items()]
        say(f"{place}: {len(table)} images; {says}. dx: {shorten(counts, 12) or 'none'}.")
    stop_if_too_bad(findings, len(table), max_bad, place)
    lost = int((findings["severity"] == "error").sum())
    if table.empty:
        raise LesionsError(f"{place} has no usable image; see datasets.validate.")
    if lost:
        say(f"{name}: images lost to faults: {lost}; datasets.validate shows them.")
    return take(table, limit, seed) if 0 < limit < len(table) else table


def take(table: pd.DataFrame, limit: int, seed: int) -> pd.DataFrame:
    """Choose `limit` images by whole lesions, with the shares of dx kept; the order stays.

    Each class keeps at least one lesion, if `limit` is at least the number of classes.
    """
    shares = table["dx"].value_counts() / len(table)
    quota = np.floor(shares * limit).astype(int)
    if limit >= len(shares):
        quota = quota.clip(lower=1)
    while quota.sum() > limit:
        quota[quota.idxmax()] -= 1
    quota.iloc[0] += limit - quota.sum()  # the largest class takes the rest
    lesions = table.groupby("lesion_id").agg(dx=("dx", "first"), images=("dx", "size"))
    lesions = lesions.sample(frac=1, random_state=seeds.stream(seed, "images of a limit"))
    chosen = []
    for dx, sizes in lesions.groupby("dx")["images"]:
        left = quota[dx]
        if 0 < left < sizes.min():
            chosen.append(sizes.idxmin())  # none is small enough, and a class must not vanish
        for lesion, size in sizes.items():
            if size <= left:
                chosen.append(lesion)
                left -= size
    return table[table["lesion_id"].isin(chosen)].reset_index(drop=True)


def image_files(table: pd.DataFrame, folder: Path | None = None) -> list[Path]:
    """Real files for the images of `table`, in its order.

    Images in zips are unpacked, each once, into `folder` (if None: data/cache/images).

    Raises:
        LesionsError: an image cannot be read.
    """
    folder = Path(folder or files.CACHE / "images")
    return [_unpacked(path, folder) for path in track(table["path"], "unpacking images")]


def _unpacked(path: str, folder: Path) -> Path:
    """The file itself, or a copy of it out of its zip."""
    archive, member = split_path(path)
    if member is None:
        return Path(path)
    size, _ = file_state(path)
    zipped = Path(archive)
    state = zipped.stat()  # another zip of the same name gets another folder
    version = cache.digest(archive, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    base, suffix = os.path.splitext(member)
    # Two folders of a zip may hold a file of one name.
    target = folder / f"{zipped.stem}-{version}" / f"{safe_name(base)}{suffix}"
    if not (target.is_file() and target.stat().st_size == size):
        with files.atomic(target) as partial:
            partial.write_bytes(read_bytes(path))
    return target


def mask_paths(folder: Path, table: pd.DataFrame) -> dict[str, str]:
    """Map image_id to the path of its lesion mask, for those images of `table` that have one.

    A mask is `<image_id>_segmentation.png`, in a folder or a zip of `folder`; white is lesion.
    """
    wanted = {f"{image_id}{MASK_ENDING}": image_id for image_id in table["image_id"]}
    found: dict[str, str] = {}
    for path in list_files(Path(folder), []):
        image_id = wanted.get(name_of(path))
        if image_id:
            found.setdefault(image_id, path)
    return found
