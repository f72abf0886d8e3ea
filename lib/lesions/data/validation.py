"""Check a dataset: every fault becomes a row (file, rule, severity, action), none stops the run."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pandas as pd

from lesions.core.errors import shorten
from lesions.core.progress import track
from lesions.data.findings import DataError, Findings, as_table, note, stop_if_too_bad
from lesions.data.images import decode as decode_image
from lesions.data.images import is_image, list_files, name_of, read_bytes, read_header, split_path
from lesions.data.matching import folded, match, stem, steps
from lesions.data.metadata import (
    CLASSES,
    COLUMNS,
    find_table,
    is_named,
    read_rows,
    tidy,
    understand,
)
from lesions.data.tableless import read_tableless

NEEDED = tuple(name for name in COLUMNS if name != "dataset")
ORIENTATION = 0x0112  # the EXIF tag; 1 is upright
SUFFIX_OF = {"JPEG": (".jpg", ".jpeg"), "MPO": (".jpg", ".jpeg"), "PNG": (".png",),
             "BMP": (".bmp",), "TIFF": (".tif", ".tiff"), "WEBP": (".webp",)}  # fmt: skip


def validate(
    data: Path | str | pd.DataFrame,
    decode: bool = True,
    max_bad: float = 1.0,
    own: bool = False,
) -> pd.DataFrame:
    """List all that is wrong with a dataset, and what is done about it.

    Args:
        data: the dataset's folder, or a table from `datasets.load` (then only the images in it
            are checked).
        decode: also decode each image; for the full record that takes some tens of seconds.
        max_bad: the share of images that may be lost; 1 only reports.
        own: a dataset of one's own, see `survey`.

    Returns:
        a row for each finding, all text: file; rule; severity ("error": an image is lost,
        "warning": a value is changed or a file ignored, "info": read as it is meant); action.

    Raises:
        DataError: more than `max_bad` is lost; its attribute `findings` holds the table.
    """
    findings: Findings = []
    if isinstance(data, pd.DataFrame):
        paths, where = list(data["path"]), "The table"
    else:
        where = str(data)
        try:
            table, found = survey(Path(data), own)
            paths, findings = list(table["path"]), found.to_dict("records")
        except DataError as error:
            note(findings, where, error.rule, "error", str(error))
            paths = sorted(filter(is_image, list_files(Path(data), [])))
    lost: set[str] = set()
    if decode:
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as workers:
            checks = workers.map(check_image, paths)
            for path, found in zip(
                paths, track(checks, "Checking images", len(paths)), strict=True
            ):
                findings += found
                if any(item["severity"] == "error" for item in found):
                    lost.add(path)
    table = as_table(findings, where)
    stop_if_too_bad(table, len(paths) - len(lost), max_bad, where)
    return table


def check_image(path: str) -> Findings:
    """All findings on one image: none if it is a whole RGB image under its right name."""
    findings: Findings = []
    try:
        data = read_bytes(path)
        image = read_header(data, path)
        suffix = os.path.splitext(path)[1].lower()
        if suffix not in SUFFIX_OF[image.format]:
            note(findings, path, "wrong format", "warning", f"read as the {image.format} it is")
        if image.mode != "RGB":
            kinds = {"L": "grey", "1": "grey", "LA": "alpha", "RGBA": "alpha", "P": "palette"}
            kind = kinds.get(image.mode, "grey" if image.mode[0] == "I" else image.mode)
            note(findings, path, kind, "info", "converted to RGB")
        with suppress(Exception):  # damaged EXIF raises anything, and is not needed
            if image.getexif().get(ORIENTATION, 1) in range(2, 9):
                note(findings, path, "EXIF-rotated", "info", "turned upright")
        decode_image(data, path)
    except DataError as error:
        note(findings, path, error.rule, "error", "cannot be used")
    return findings


def survey(folder: Path, own: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a dataset's table, find its images, and note all that is wrong; decodes nothing.

    Args:
        folder: in any of the layouts that `datasets.load` reads.
        own: a dataset of one's own: only image_id and dx are needed, and any label is allowed.

    Returns:
        the tidy table of the rows that have an image (see `datasets.load`), its attribute
        `attrs["read as"]` saying what was understood; and the findings.

    Raises:
        DataError: there is no table, it cannot be read, or a needed column is missing.
    """
    findings: Findings = []
    damaged: list[str] = []
    unreadable: list[str] = []
    listing = list_files(folder, damaged, unreadable)
    for path in damaged:
        note(findings, path, "damaged archive", "error", "its files are left out")
    for path in unreadable:
        note(findings, path, "name is not UTF-8", "warning", "ignored; rename it")
    source = find_table(listing, own)
    if source is None:
        found = read_tableless(folder, listing, findings) if own else None
        if found:
            note(findings, str(folder), "read as", "info", found.says)
            found.table.attrs["read as"] = found.says
            return found.table, as_table(findings, folder)
        raise DataError(
            "missing table",
            f"{folder} has no table of the images; it must be named HAM10000_metadata, "
            "HAM10000_metadata.csv or metadata.csv"
            + (", or there must be images in a folder for each class." if own else "."),
        )
    understood = understand(read_rows(source, findings), source, findings)
    needed = ("image_id",) if own else NEEDED
    missing = [name for name in needed if name not in understood.rows.columns]
    if missing:
        raise DataError(
            "missing column",
            f"{source} has no column {shorten(missing)}; it has "
            f"{shorten(list(understood.rows.columns), 10)}.",
        )
    if own and understood.renamed:
        note(findings, source, "read as", "info", understood.says)
    table = tidy(understood, source, None if own else CLASSES, findings)
    given = table.pop("given")
    paths = pd.Series(
        match(given.tolist(), listing, findings, _other_places(source, listing)),
        table.index,
        dtype=str,
    )
    twice = paths.duplicated() & (paths != "")
    for line in table.index[twice]:
        where = f"{source}, line {line}: {given[line][:40]}"
        note(findings, where, "duplicate id", "error", "row left out")
    _note_leftovers(given, paths, listing, findings)
    table["path"] = paths
    table = table[(table["path"] != "") & ~twice].reset_index(drop=True)
    table.attrs["read as"] = f"{os.path.basename(source)}: {understood.says}"
    return table, as_table(findings, folder)


def _other_places(source: str, listing: list[str]) -> list[str]:
    """The folders below that of the table which have a table of their own."""
    here = f"{source.rpartition('/')[0]}/"
    tables = [path for path in listing if is_named(path) and path != source]
    places = {path.rpartition("/")[0] for path in tables}
    return [place for place in places if place.startswith(here)]


def _note_leftovers(
    given: pd.Series, paths: pd.Series, listing: list[str], findings: Findings
) -> None:
    """Files that no row means, and files whose name holds the id of a missing image."""
    lost = {folded(stem(steps(text)[-1])) for text in given[paths == ""] if steps(text)}
    named = {folded(stem(steps(text)[-1])) for text in given if steps(text)}
    there = {folded(name_of(path)) for path in listing if is_image(path)}
    _note_misnamed(lost - there, listing, findings)
    _note_orphans(set(paths), named, listing, findings)


def _note_misnamed(missing: set[str], listing: list[str], findings: Findings) -> None:
    """Files whose name holds the id of a missing image, such as `ISIC_0024306.jpg.txt`."""
    lengths = {len(name) for name in missing}
    for path in listing:
        name = os.path.basename(path).lower()
        if "_segmentation" in name:
            continue
        parts = {name[i : i + size] for size in lengths for i in range(len(name) - size + 1)}
        if parts & missing:
            note(findings, path, "wrong name", "warning", "ignored; rename it if it is an image")


def _note_orphans(used: set[str], named: set[str], listing: list[str], findings: Findings) -> None:
    """Images that no row means; a folder or zip in which none is meant is one finding.

    Another copy of a file that was read, or one of several that might be meant, is no orphan.
    """
    places: dict[str, list[str]] = {}
    for path in filter(is_image, listing):
        archive, member = split_path(path)
        places.setdefault(archive if member else os.path.dirname(path), []).append(path)
    for place, paths in places.items():
        orphans = [
            path for path in paths if path not in used and folded(name_of(path)) not in named
        ]
        if len(orphans) == len(paths) > 1:
            note(findings, f"{place} ({len(paths)} images)", "orphan files", "warning", "ignored")
        else:
            for path in orphans:
                note(findings, path, "orphan file", "warning", "ignored")
