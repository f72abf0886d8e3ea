"""What the training part already knows of the test part: a report for any split."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from lesions.core.errors import LesionsError, shorten
from lesions.data.findings import Findings
from lesions.data.images import IMAGE_SUFFIXES, is_image, list_files, name_of
from lesions.data.metadata import read_rows
from lesions.duplicates.groups import Groups, merged_groups
from lesions.splits.splits import PARTS

PART_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
IMAGE_COLUMNS = ["image_id", "image", "filename", "file", "path", "id"]
LABEL_COLUMNS = ["dx", "label", "class", "target"]
# What ties an image to training, and the column that the two then have in common. The last one: an
# image of its lesion is a near-duplicate of an image of another lesion, which is in training.
KINDS = {
    "same image": "image_id",
    "same lesion": "lesion_id",
    "near-duplicate": "group",
    "lesion of a near-duplicate": "chain",
}


def leak_report(
    rows: pd.DataFrame, table: pd.DataFrame | None = None, duplicates: Groups = None
) -> pd.DataFrame:
    """Count what validation and test share with training, for each class and for all.

    Args:
        rows: image_id, label, split and, if known, lesion_id: from `splits`, `rows_from_folders`
            or `rows_from_csvs`. Every row counts, also when an image stands in several.
        table: a dataset's table; tells the lesions of images whose rows do not.
        duplicates: image_id -> label of its duplicate group, as in `splits.split_by_lesion`.

    Returns:
        split, label ("all" comes first), images, then how many of them are in training too
        (`same_image`), have their lesion there (`same_lesion`), have an image of their duplicate
        group there (`near_duplicate`), any of these or a lesion there that a duplicate shows to
        be theirs (`leaked`), and `share`, which is leaked / images; last `lesion_unknown`, the
        images whose lesion nobody named.
        `same_lesion` and `near_duplicate` are <NA> where nothing is known of lesions or groups.

    Raises:
        LesionsError: a column is missing, a part is not named train, validation or test, there
            is no training part, or none of the images is in the table.
    """
    rows = _with_shared(rows, table, duplicates)
    lines = []
    for part in ("validation", "test"):
        there = rows[rows["split"] == part]
        for label, some in [("all", there), *there.groupby("label", sort=True)]:
            lines.append(
                {
                    "split": part,
                    "label": label,
                    "images": len(some),
                    "same_image": some["same image"].sum(),
                    "same_lesion": some["same lesion"].sum(),
                    "near_duplicate": some["near-duplicate"].sum(),
                    "leaked": some["leaked"].sum(),
                    "share": some["leaked"].mean(),
                    "lesion_unknown": some["lesion_id"].isna().sum(),
                }
            )
    report = pd.DataFrame(lines)
    report = report[(report["images"] > 0) | (report["split"] == "test")].reset_index(drop=True)
    report["share"] = report["share"].fillna(0.0)
    if rows["lesion_id"].isna().all():
        report["same_lesion"] = pd.Series(pd.NA, report.index, dtype="Int64")
    if duplicates is None:
        report["near_duplicate"] = pd.Series(pd.NA, report.index, dtype="Int64")
    return report


def leaked_images(
    rows: pd.DataFrame,
    table: pd.DataFrame | None = None,
    duplicates: Groups = None,
    part: str = "test",
) -> pd.DataFrame:
    """The images behind the report: each leaked image of `part`, beside one of training.

    Args:
        rows, table, duplicates: as in `leak_report`.
        part: "test" or "validation".

    Returns:
        image_id, label, kind (the first that is true of "same image", "same lesion",
        "near-duplicate", "lesion of a near-duplicate"), train_id.
    """
    rows = _with_shared(rows, table, duplicates)
    train = rows[rows["split"] == "train"]
    leaked = rows[(rows["split"] == part) & rows["leaked"]].drop_duplicates("image_id")
    found = []
    for kind, column in KINDS.items():
        known = train[train[column].notna()].drop_duplicates(column)
        partner = pd.Series(known["image_id"].to_numpy(), index=known[column])
        of_kind = leaked[leaked[kind]]
        found.append(
            of_kind[["image_id", "label"]].assign(
                kind=kind, train_id=of_kind[column].map(partner), order=of_kind.index
            )
        )
        leaked = leaked[~leaked[kind]]
    return pd.concat(found).sort_values("order").drop(columns="order").reset_index(drop=True)


def _with_shared(
    rows: pd.DataFrame, table: pd.DataFrame | None, duplicates: Groups
) -> pd.DataFrame:
    """`rows` with lesion_id and group filled in, and a truth value for each of KINDS."""
    missing = [name for name in ("image_id", "label", "split") if name not in rows]
    if missing:
        raise LesionsError(f"The split has no column {', '.join(missing)}.")
    wrong = sorted(set(rows["split"].astype(str)) - set(PARTS))
    if wrong:
        raise LesionsError(
            f"The column split may say train, validation or test; it says {shorten(wrong)}."
        )
    if not (rows["split"] == "train").any():
        raise LesionsError("The split has no training rows, so nothing can leak out of them.")
    rows = rows.reset_index(drop=True)
    lesions = rows["lesion_id"] if "lesion_id" in rows else pd.Series(None, rows.index, dtype=str)
    lesions = lesions.mask(lesions.isin(["unknown", ""]))
    if table is not None:
        lesion_of = table.drop_duplicates("image_id").set_index("image_id")["lesion_id"]
        named = rows["image_id"].map(lesion_of)
        if len(rows) and named.isna().all():
            raise LesionsError(
                "None of the split's images is in the table: their ids, such as "
                f"{rows['image_id'].iloc[0]}, must be written as in the table's column image_id."
            )
        lesions = lesions.fillna(named)
    rows["lesion_id"] = lesions
    groups = dict(duplicates) if duplicates is not None else {}
    rows["group"] = rows["image_id"].map(groups).replace("", None)
    chained = rows[["image_id"]].assign(lesion_id=lesions.fillna("image " + rows["image_id"]))
    rows["chain"] = merged_groups(chained, duplicates)
    train = rows[rows["split"] == "train"]
    for kind, column in KINDS.items():
        rows[kind] = rows[column].notna() & rows[column].isin(train[column])
    return rows.assign(leaked=rows["lesion of a near-duplicate"])


def rows_from_folders(folder: Path, pattern: str | None = None) -> pd.DataFrame:
    """Read a split laid out as train/class/image, validation/class/image, test/class/image.

    Args:
        folder: its folders may also be called training, val, valid, dev or testing.
        pattern: a regular expression for the image id within a file's name, such as r"ISIC_\\d+"
            where copies are called ISIC_0024306_copy2.jpg. Without it the name is the id.

    Returns:
        image_id, lesion_id ("unknown"), label, split.

    Raises:
        LesionsError: there is no such folder, no train or test folder in it, or no image in one.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise LesionsError(f"{folder} is no folder; give the one that holds train and test.")
    present = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_dir()}
    lines = []
    for part, names in PART_NAMES.items():
        place = next((present[name] for name in names if name in present), None)
        if place is None and part == "validation":
            continue
        if place is None:
            raise LesionsError(f"{folder} has no folder {part}; it has {shorten(list(present))}.")
        for kind in sorted(path for path in place.iterdir() if path.is_dir()):
            images = filter(is_image, list_files(kind))
            lines += [(name_of(path), "unknown", kind.name, part) for path in images]
        if not lines or lines[-1][3] != part:
            raise LesionsError(f"{place} has no images in folders named after their classes.")
    rows = pd.DataFrame(lines, columns=["image_id", "lesion_id", "label", "split"], dtype=str)
    return _ids_by_pattern(rows, pattern)


def rows_from_csvs(
    parts: Mapping[str, Path] | Path,
    image: str | None = None,
    label: str | None = None,
    split: str = "split",
    pattern: str | None = None,
) -> pd.DataFrame:
    """Read a split that another project keeps as CSV.

    Args:
        parts: {"train": file, "validation": file, "test": file}, or one file with a column that
            says which part a row belongs to.
        image: the column with image ids, file names or paths; found by itself when it is called
            image_id, image, filename, file, path or id.
        label: the column with the class; found when it is called dx, label, class or target.
        split: the column that names the part, in a single file.
        pattern: as in `rows_from_folders`.

    Returns:
        image_id, lesion_id ("unknown" without such a column), label, split.

    Raises:
        LesionsError: a file or a column is missing, a file is no CSV, or a part has another name.
    """
    if isinstance(parts, Mapping):
        tables = [_read_csv(path, image, label).assign(split=name) for name, path in parts.items()]
    else:
        tables = [_read_csv(parts, image, label, split)]
    rows = pd.concat(tables, ignore_index=True)
    known = {name: part for part, names in PART_NAMES.items() for name in names}
    named = rows["split"].str.strip().str.lower().map(known)
    if named.isna().any():
        wrong = sorted(set(rows.loc[named.isna(), "split"].astype(str)))
        raise LesionsError(
            f"A part of a split is called train, validation or test; got {shorten(wrong)}."
        )
    return _ids_by_pattern(rows.assign(split=named.astype(str)), pattern)


def _read_csv(path: Path, image: str | None, label: str | None, split: str = "") -> pd.DataFrame:
    findings: Findings = []
    table = read_rows(str(path), findings)
    broken = [finding["file"] for finding in findings if finding["severity"] == "error"]
    if broken:
        raise LesionsError(f"Lines of another length than the first: {shorten(broken)}; mend them.")
    choices = {
        "image_id": [image.lower()] if image else IMAGE_COLUMNS,
        "label": [label.lower()] if label else LABEL_COLUMNS,
    }
    if split:
        choices["split"] = [split.lower()]
    rows = {}
    for name, columns in choices.items():
        column = next((column for column in columns if column in table), None)
        if column is None:
            raise LesionsError(
                f"{path} has no column {' or '.join(columns)}; it has "
                f"{shorten(list(table.columns), 8)}: say which one is the {name}."
            )
        rows[name] = table[column].str.strip()
    rows["image_id"] = rows["image_id"].str.replace("\\", "/").map(_id_of)
    order = ["image_id", "lesion_id", "label", *(["split"] if split else [])]
    rows["lesion_id"] = table.get("lesion_id", pd.Series("", table.index)).replace("", "unknown")
    return pd.DataFrame(rows)[order].astype(str)


def _id_of(name: str) -> str:
    """The image id in a file's name or path; an id stays as it is."""
    return name_of(name) if name.lower().endswith(IMAGE_SUFFIXES) else name.rpartition("/")[2]


def _ids_by_pattern(rows: pd.DataFrame, pattern: str | None) -> pd.DataFrame:
    if pattern is None:
        return rows
    ids = rows["image_id"].str.extract(f"({pattern})")[0]
    if ids.isna().any():
        missing = list(rows.loc[ids.isna(), "image_id"])
        raise LesionsError(f"The pattern {pattern} finds no image id in {shorten(missing)}.")
    return rows.assign(image_id=ids.astype(str))
