"""Check a dataset: every fault becomes a row (file, rule, severity, action), none stops the run."""

import os
from collections import Counter
from pathlib import Path

import pandas as pd

from lesions.errors import LesionsError, shorten
from lesions.images import (
    is_image,
    list_files,
    name_of,
    split_path,
)
from lesions.metadata import CLASSES, COLUMNS, Findings, find_table, note, read_rows, tidy
from lesions.metadata import from_one_hot as without_one_hot

FINDING_COLUMNS = ["file", "rule", "severity", "action"]
NEEDED = tuple(name for name in COLUMNS if name != "dataset")


def survey(
    folder: Path,
    needed: tuple[str, ...] = NEEDED,
    classes: tuple[str, ...] | None = CLASSES,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a dataset's table, find its images, and note all that is wrong; decodes nothing.

    Args:
        folder: in any of the layouts that `datasets.load` reads.
        needed: columns that the table must have.
        classes: labels allowed in dx; None allows all.

    Returns:
        the tidy table of the rows that have an image (see `datasets.load`), and the findings.

    Raises:
        LesionsError: there is no table, it cannot be read, or a needed column is missing.
    """
    findings: Findings = []
    damaged: list[str] = []
    listing = list_files(folder, damaged)
    for path in damaged:
        note(findings, path, "damaged archive", "error", "its files are left out")
    source = find_table(listing)
    if source is None:
        raise LesionsError(
            f"{folder} has no table of the images; it must be named HAM10000_metadata, "
            "HAM10000_metadata.csv or metadata.csv."
        )
    rows = without_one_hot(read_rows(source, findings))
    missing = [name for name in needed if name not in rows.columns]
    if missing:
        raise LesionsError(
            f"{source} has no column {shorten(missing)}; it has {shorten(list(rows.columns), 10)}."
        )
    table = tidy(rows, source, classes, findings)
    table["path"] = _find_images(table["image_id"], listing, findings)
    table = table[table["path"] != ""].reset_index(drop=True)
    return table, pd.DataFrame(findings, columns=FINDING_COLUMNS, dtype=str)


def _find_images(ids: pd.Series, listing: list[str], findings: Findings) -> list[str]:
    """The path of each image, empty where there is none; notes missing and superfluous files."""
    found: dict[str, str] = {}
    for path in filter(is_image, listing):
        found.setdefault(name_of(path).lower(), path)
    names = ids.str.lower()
    paths = [found.get(name, "") for name in names]
    for image_id, path in zip(ids, paths, strict=True):
        if not path:
            note(findings, f"{image_id}.jpg", "missing file", "error", "row left out")
    missing = {name for name, path in zip(names, paths, strict=True) if not path}
    _note_misnamed(missing, listing, findings)
    _note_orphans(set(names), listing, findings)
    return paths


def _note_misnamed(missing: set[str], listing: list[str], findings: Findings) -> None:
    """Files whose name holds the id of a missing image, such as `ISIC_0024306.jpg.txt`."""
    lengths = sorted({len(name) for name in missing})
    for path in listing:
        name = os.path.basename(path).lower()
        if not missing or "_segmentation" in name or (is_image(path) and name_of(name) in missing):
            continue
        for length in lengths:
            parts = {name[start : start + length] for start in range(len(name) - length + 1)}
            if parts & missing:
                action = f"ignored; perhaps the missing image {min(parts & missing)}"
                note(findings, path, "wrong name", "warning", action)
                break


def _note_orphans(names: set[str], listing: list[str], findings: Findings) -> None:
    """Images that no row names; a folder or zip in which none is named is one finding."""
    places: dict[str, list[str]] = {}
    for path in filter(is_image, listing):
        archive, member = split_path(path)
        places.setdefault(archive if member else os.path.dirname(path), []).append(path)
    for place, paths in places.items():
        orphans = [path for path in paths if name_of(path).lower() not in names]
        if len(orphans) == len(paths) and len(paths) > 1:
            note(findings, place, "orphan files", "warning", f"{len(paths)} images ignored")
            continue
        for path in orphans:
            note(findings, path, "orphan file", "warning", "ignored")


def stop_if_too_bad(findings: pd.DataFrame, rows: int, max_bad: float, where: str) -> None:
    """Refuse a dataset when more than the share `max_bad` of its images is lost.

    One bad image never stops a run, however small the dataset.

    Raises:
        LesionsError: too many are bad; its attribute `findings` holds the table.
    """
    errors = findings[findings["severity"] == "error"]
    if len(errors) <= 1 or len(errors) <= max_bad * rows:
        return
    counts = Counter(errors["rule"]).most_common()
    rules = ", ".join(f"{count} {rule}" for rule, count in counts)
    error = LesionsError(
        f"{where} has too many faults ({rules}; {rows} images are left; first: "
        f"{errors['file'].iloc[0]}): mend them, see datasets.validate, or raise max_bad above "
        f"{max_bad:g}."
    )
    error.findings = findings
    raise error
