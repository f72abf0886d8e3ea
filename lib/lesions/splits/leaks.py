"""What the training part already knows of the test part: a report for any split."""

import pandas as pd

from lesions.core.errors import LesionsError, shorten
from lesions.core.progress import say
from lesions.duplicates.groups import Groups, merged_groups
from lesions.splits.others import rows_from_csvs, rows_from_folders
from lesions.splits.splits import PARTS

__all__ = ["leak_report", "leaked_images", "rows_from_csvs", "rows_from_folders"]

# What ties an image to training, and the column that the two then have in common. The last one: an
# image of its lesion is a near-duplicate of an image of another lesion, which is in training.
KINDS = {
    "same image": "same",
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
            or `rows_from_csvs`. Every row counts, also when an image stands in several. Images
            are the same if they have one image_id, or one `content` where that is known.
        table: a dataset's table; tells the lesions of images whose rows do not.
        duplicates: image_id -> label of its duplicate group, as in `splits.split_by_lesion`.

    Returns:
        split, label ("all" comes first), images, then how many of them are in training too
        (`same_image`), have their lesion there (`same_lesion`), have an image of their duplicate
        group there (`near_duplicate`), any of these or a lesion there that a duplicate shows to
        be theirs (`leaked`), and `share`, which is leaked / images; last `lesion_unknown`, the
        images whose lesion nobody named.
        `same_lesion` and `near_duplicate` are <NA> where nothing is known of lesions or groups.
        Where files could not be looked at there is one column more, `not_told`: images of another
        path, but of the name of an image of training; they do not count as leaked.
        A class that is itself called "all" stands as "all (class)".

    Raises:
        LesionsError: a column is missing, a part is not named train, validation or test, there
            is no training part, or none of the images is in the table.
    """
    rows = _with_shared(rows, table, duplicates)
    lines = []
    for part in ("validation", "test"):
        there = rows[rows["split"] == part]
        for label, some in [(None, there), *there.groupby("label", sort=True)]:
            name = "all (class)" if label == "all" else label
            lines.append(
                {
                    "split": part,
                    "label": "all" if label is None else name,
                    "images": len(some),
                    "same_image": some["same image"].sum(),
                    "same_lesion": some["same lesion"].sum(),
                    "near_duplicate": some["near-duplicate"].sum(),
                    "leaked": some["leaked"].sum(),
                    "share": some["leaked"].mean(),
                    "lesion_unknown": some["lesion_id"].isna().sum(),
                    "not_told": some["not_told"].sum(),
                }
            )
    report = pd.DataFrame(lines)
    report = report[(report["images"] > 0) | (report["split"] == "test")].reset_index(drop=True)
    report["share"] = report["share"].fillna(0.0)
    if rows["lesion_id"].isna().all():
        report["same_lesion"] = pd.Series(pd.NA, report.index, dtype="Int64")
    untold = report.loc[report["label"] == "all", "not_told"].sum()
    if untold:
        say(
            f"Not told: {untold} images bear the name of a training image of another path; without "
            "the files nobody can say whether they are the same."
        )
    else:
        report = report.drop(columns="not_told")
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
    rows["same"] = _same(rows)
    groups = dict(duplicates) if duplicates is not None else {}
    rows["group"] = rows["image_id"].map(groups).replace("", None)
    chained = pd.DataFrame({"image_id": rows["same"], "lesion_id": lesions})
    chained["lesion_id"] = lesions.fillna("image " + rows["same"])
    rows["chain"] = merged_groups(chained, duplicates)
    train = rows[rows["split"] == "train"]
    rows["not_told"] = False
    if "name_only" in rows:
        rows["not_told"] = rows["name_only"].ne("") & rows["name_only"].isin(train["name_only"])
    for kind, column in KINDS.items():
        rows[kind] = rows[column].notna() & rows[column].isin(train[column])
    return rows.assign(leaked=rows["lesion of a near-duplicate"])


def _same(rows: pd.DataFrame) -> pd.Series:
    """For each row the first image_id of those that are the same image, by id or by content."""
    if "content" not in rows:
        return rows["image_id"]
    known = rows["content"].ne("")
    first = rows.loc[known].groupby("content")["image_id"].first()
    return rows["content"].map(first).where(known, rows["image_id"]).astype(str)
