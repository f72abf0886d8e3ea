"""Find duplicates, group them, decide which image stays, and score the rules that find them."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from lesions.core import files
from lesions.core.errors import LesionsError
from lesions.duplicates.groups import groups_of, pairs_of
from lesions.duplicates.hashes import (
    METHODS,
    check_method,
    hash_images,
    orientation_hashes,
    perceptual_hashes,
)
from lesions.duplicates.pairs import pairs_between, pairs_within

__all__ = [
    "METHODS",
    "equal_groups",
    "find_oriented_pairs",
    "find_pairs",
    "groups_of",
    "hash_images",
    "keep_list",
    "known_duplicates",
    "orientation_hashes",
    "pairs_between",
    "pairs_of",
    "pairs_within",
    "perceptual_hashes",
    "removal_rules",
    "same_lesion_pairs",
    "score_by_plant",
    "score_pairs",
]

KNOWN = files.ROOT / "data" / "known_duplicates.csv"
REMOVED_BY_THE_PAPER = 391
DESCRIBING = ("age", "sex", "localization")


def find_pairs(hashes: pd.DataFrame, method: str, threshold: int = 0) -> pd.DataFrame:
    """Pairs of images whose hashes differ in at most `threshold` bits.

    Args:
        hashes: from `hash_images`; unreadable images are left out.
        method: average_hash, phash, dhash or whash.
        threshold: in bits of 64.

    Returns:
        image_a, image_b, distance (bits); image_a comes before image_b in the table.

    Raises:
        LesionsError: the method is unknown, or there are too many pairs to list.
    """
    check_method(method)
    readable = hashes[hashes["problem"] == ""]
    i, j, distance = pairs_within(readable[method].to_numpy(np.uint64), threshold)
    return _named(readable["image_id"], i, j, distance)


def find_oriented_pairs(table: pd.DataFrame, method: str, threshold: int) -> pd.DataFrame:
    """As `find_pairs`, but one of the two images may be mirrored or turned by a quarter.

    Args:
        table: readable images; they are hashed in eight orientations (cached).
        method, threshold: as in `find_pairs`.

    Returns:
        image_a, image_b, distance: the smallest over the orientations of either image.
    """
    turned = orientation_hashes(table, method)
    found = []
    for turn in range(turned.shape[1]):
        i, j, distance = pairs_between(turned[:, 0].copy(), turned[:, turn].copy(), threshold)
        i, j, distance = (values[i != j] for values in (i, j, distance))
        found.append(pd.DataFrame({"i": np.minimum(i, j), "j": np.maximum(i, j), "d": distance}))
    best = pd.concat(found).groupby(["i", "j"])["d"].min().reset_index()
    return _named(table["image_id"], best["i"], best["j"], best["d"].to_numpy())


def _named(image_ids: pd.Series, i: np.ndarray, j: np.ndarray, distance: np.ndarray):
    names = image_ids.to_numpy()
    return pd.DataFrame({"image_a": names[i], "image_b": names[j], "distance": distance})


def equal_groups(hashes: pd.DataFrame, column: str) -> pd.Series:
    """Groups of images that are equal in a column of `hash_images`, such as pixel_hash.

    Returns:
        label indexed by image_id: the first image of the group. Unreadable images, unless
        `column` is file_hash and they were read as bytes, are groups by themselves.
    """
    values = hashes[column].astype(str)
    known = hashes["file_hash"] != "" if column == "file_hash" else hashes["problem"] == ""
    values = values.where(known, "unreadable " + hashes["image_id"])
    first = hashes["image_id"].groupby(values).transform("first")
    return pd.Series(first.to_numpy(), index=hashes["image_id"].to_numpy(), name="group")


def keep_list(
    table: pd.DataFrame,
    groups: pd.Series,
    reason: str = "duplicate",
    dropped: dict[str, str] | None = None,
) -> pd.DataFrame:
    """Which image of each group stays, and why.

    The image that stays is the one with the fewest unknowns among age, sex and localization,
    since that can be used for every target; among equals one confirmed by histology, the best
    ground truth there is; among equals the first in the table.

    Args:
        table: as from `datasets.load`.
        groups: image_id -> label, from `groups_of` or `equal_groups`.
        reason: what the images of a group are to each other, for the column reason.
        dropped: image_id -> reason, for images that go whatever their group is, such as
            unreadable ones. They do not count as members of their group.

    Returns:
        image_id, keep (bool), reason, group; in the table's order.
    """
    dropped = dropped or {}
    listed = pd.DataFrame({"image_id": table["image_id"].to_numpy()})
    listed["group"] = listed["image_id"].map(groups).fillna(listed["image_id"])
    unknown = sum(table[name].isna() | (table[name] == "unknown") for name in DESCRIBING)
    listed["rank"] = 2 * unknown.to_numpy() + (table["dx_type"] != "histo").to_numpy()
    present = listed[~listed["image_id"].isin(dropped)].sort_values("rank", kind="stable")
    stays = present.groupby("group")["image_id"].first().to_dict()
    size = present["group"].value_counts().to_dict()

    def why(image_id: str, group: str) -> str:
        if image_id in dropped:
            return dropped[image_id]
        if stays[group] != image_id:
            return f"{reason} of {stays[group]}"
        return "only one of its kind" if size[group] == 1 else f"stays for {size[group]} images"

    pairs = list(zip(listed["image_id"], listed["group"], strict=True))
    listed["keep"] = [stays.get(group) == image_id for image_id, group in pairs]
    listed["reason"] = [why(image_id, group) for image_id, group in pairs]
    return listed[["image_id", "keep", "reason", "group"]]


def same_lesion_pairs(table: pd.DataFrame, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """All pairs of images of one lesion, by lesion_id and, if given, by known duplicates.

    Args:
        table: with image_id and lesion_id.
        known: pairs, as from `known_duplicates`, that show two lesion_ids to be one lesion.

    Returns:
        image_a, image_b.
    """
    pairs = pairs_of(table.set_index("image_id")["lesion_id"])
    if known is not None:
        present = known["image_a"].isin(table["image_id"]) & known["image_b"].isin(
            table["image_id"]
        )
        pairs = pd.concat([pairs, known.loc[present, ["image_a", "image_b"]]])
        pairs = pairs_of(groups_of(table["image_id"], pairs))
    return pairs


def known_duplicates(among: Iterable[str] | None = None) -> pd.DataFrame:
    """The 18 pairs of HAM10000 images of one lesion that are filed under two lesion_ids.

    Confirmed by eye by Abhishek, Jain and Hamarneh, Scientific Data 12:196 (2025).

    Args:
        among: only pairs of which both images are among these; None: all.

    Returns:
        image_a, image_b, similarity (theirs, 0 to 1).
    """
    known = pd.read_csv(KNOWN)
    if among is None:
        return known
    there = known[["image_a", "image_b"]].isin(set(among)).all(axis=1)
    return known[there].reset_index(drop=True)


def score_pairs(found: pd.DataFrame, true_pairs: pd.DataFrame) -> dict[str, float]:
    """Compare found pairs with the true ones; the order within a pair does not matter.

    Returns:
        found, right (how many of them are true), precision (right / found), true, recall
        (right / true). A share of nothing is NaN.
    """
    found, true_pairs = _unordered(found), _unordered(true_pairs)
    count, truth = len(found), len(true_pairs)
    right = len(found.merge(true_pairs))
    return {
        "found": count,
        "right": right,
        "precision": right / count if count else np.nan,
        "true": truth,
        "recall": right / truth if truth else np.nan,
    }


def score_by_plant(found: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """On the sample: how many of the planted pairs of each kind are among those found.

    Copies and lesions under two ids should be found; look-alikes should not.

    Args:
        found: with image_a and image_b.
        truth: the sample's truth.csv; images without a row, or unreadable, are left out.

    Returns:
        plant, planted (pairs), found, share.
    """
    usable = truth[truth["in_table"] & truth["readable"]]
    planted = usable[usable["source"].fillna("").isin(set(usable["image_id"]))]
    lines = []
    for plant, some in planted.groupby("plant", sort=False):
        pairs = some.rename(columns={"image_id": "image_a", "source": "image_b"})
        right = score_pairs(found, pairs)["right"]
        share = right / len(some)
        lines.append({"plant": plant, "planted": len(some), "found": right, "share": share})
    return pd.DataFrame(lines)


def _unordered(pairs: pd.DataFrame) -> pd.DataFrame:
    """Each pair once, with its images in order."""
    a, b = pairs["image_a"].astype(str), pairs["image_b"].astype(str)
    swapped = a > b
    ordered = pd.DataFrame({"image_a": a.mask(swapped, b), "image_b": b.mask(swapped, a)})
    return ordered.drop_duplicates()


def removal_rules(table: pd.DataFrame, hashes: pd.DataFrame) -> pd.DataFrame:
    """How many images each plausible rule removes, beside the paper's 391.

    Of a group of equal images the first in the table stays, as `drop_duplicates` does it.

    Args:
        table, hashes: a dataset and its `hash_images`.

    Returns:
        rule; removed (images); `difference` to 391; same_lesion: how many of those that a hash
        removes show the lesion of the image that stays; known_pairs: how many of the
        known duplicates have both images in one group.
    """
    if list(table["image_id"]) != list(hashes["image_id"]):
        raise LesionsError("table and hashes must list the same images; hash this table anew.")
    no_sex = (table["sex"] == "unknown").to_numpy()
    no_age = table["age"].isna().to_numpy()
    no_place = (table["localization"] == "unknown").to_numpy()
    nothing = np.zeros(len(table), dtype=bool)
    alone = pd.Series(table["image_id"].to_numpy(), index=table["image_id"].to_numpy())
    rules = {
        "sex unknown": (alone, no_sex),
        "age missing": (alone, no_age),
        "localization unknown": (alone, no_place),
        "any of the three": (alone, no_sex | no_age | no_place),
    }
    for column in ("file_hash", "pixel_hash", *METHODS):
        rules[f"equal {column}"] = (equal_groups(hashes, column), nothing)
    by_average = rules["equal average_hash"][0]
    rules["equal average_hash, then sex unknown"] = (by_average, no_sex)
    rules["equal average_hash, then age missing"] = (by_average, no_age)
    rules["equal average_hash, then either"] = (by_average, no_sex | no_age)
    lines = [_removal(table, rule, *how) for rule, how in rules.items()]
    return pd.DataFrame(lines)


def _removal(table: pd.DataFrame, rule: str, groups: pd.Series, also: np.ndarray) -> dict:
    label = table["image_id"].map(groups)
    repeated = label.duplicated().to_numpy()
    lesion = table.set_index("image_id")["lesion_id"]
    kept_lesion = label.map(lesion).to_numpy()
    known = known_duplicates()
    removed = int((repeated | also).sum())
    return {
        "rule": rule,
        "removed": removed,
        "difference": removed - REMOVED_BY_THE_PAPER,
        "same_lesion": int((repeated & (kept_lesion == table["lesion_id"].to_numpy())).sum()),
        "known_pairs": int((known["image_a"].map(groups) == known["image_b"].map(groups)).sum()),
    }
