"""Train, validation and test: by image, by lesion, by lesion and duplicates, or by cohort."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError, shorten
from lesions.duplicates.groups import Groups, merged_groups

PARTS = ("train", "validation", "test")
FRACTIONS = (0.70, 0.15, 0.15)


def split_by_image(
    table: pd.DataFrame, target: str, fractions: Sequence[float] = FRACTIONS, seed: int = 0
) -> pd.DataFrame:
    """Split every row by itself, as most tutorials do; lesions then stand in several parts.

    Args:
        table: with image_id, lesion_id and the target's column. An image may stand in several
            rows (after resampling); each row is dealt out by itself.
        target: the column whose classes are spread evenly.
        fractions: the shares of training, validation and test; they sum to 1.
        seed: fixes the order in which rows are dealt out.

    Returns:
        image_id, lesion_id, label, split ("train", "validation" or "test"), in the table's order.

    Raises:
        LesionsError: a column is missing, a label is missing, or the fractions are no shares.
    """
    return _split(table, target, fractions, seed, np.arange(len(table)))


def split_by_lesion(
    table: pd.DataFrame,
    target: str,
    fractions: Sequence[float] = FRACTIONS,
    seed: int = 0,
    groups: Groups = None,
) -> pd.DataFrame:
    """Split whole lesions, so that no lesion stands in two parts.

    Args:
        table, target, fractions, seed: as in `split_by_image`.
        groups: image_id -> group label, for duplicates filed under different lesions. Lesions
            that share a group stay together too. Images without a label have no duplicates.

    Returns, raises: as `split_by_image`.
    """
    return _split(table, target, fractions, seed, merged_groups(table, groups))


def split_by_cohort(
    table: pd.DataFrame,
    target: str,
    test_cohort: str,
    validation: float = 0.15,
    seed: int = 0,
    groups: Groups = None,
) -> pd.DataFrame:
    """Test on one source cohort, train on the others: does a model work elsewhere?

    Args:
        table: also needs the column `dataset`.
        target, seed, groups: as in `split_by_lesion`.
        test_cohort: a value of `dataset`; all of its images are the test part.
        validation: the share of the other cohorts' images that goes to validation.

    Returns:
        rows as `split_by_image`; images of other cohorts whose lesion (or duplicate) is in the
        test part are left out.

    Raises:
        LesionsError: as `split_by_image`; or there is no such cohort, or no other.
    """
    _check(table, target)
    known = sorted(table["dataset"].unique()) if "dataset" in table else []
    if test_cohort not in known or len(known) < 2:
        raise LesionsError(
            f"Cannot test on the cohort {test_cohort!r}: the table has "
            f"{', '.join(known) or 'no column dataset'}; name one of at least two."
        )
    is_test = (table["dataset"] == test_cohort).to_numpy()
    group = merged_groups(table, groups)
    elsewhere = ~is_test & ~np.isin(group, group[is_test])
    rest = _split(
        table[elsewhere], target, (1 - validation, validation, 0.0), seed, group[elsewhere]
    )
    rows = pd.concat([rest, _rows(table[is_test], target, "test")])
    order = np.concatenate([np.flatnonzero(elsewhere), np.flatnonzero(is_test)])
    return rows.iloc[np.argsort(order)].reset_index(drop=True)


def folds(
    table: pd.DataFrame, target: str, k: int = 5, seed: int = 0, groups: Groups = None
) -> pd.DataFrame:
    """Fixed folds for cross-validation: each lesion is in one fold, the classes evenly spread.

    Args:
        table, target, seed, groups: as in `split_by_lesion`.
        k: how many folds.

    Returns:
        image_id, lesion_id, label, fold (0 to k - 1), in the table's order. `fold_rows` makes
        split rows of it.

    Raises:
        LesionsError: as `split_by_image`, or k is not from 2 to the number of groups.
    """
    _check(table, target)
    group = merged_groups(table, groups)
    if not 2 <= k <= group.max() + 1:
        raise LesionsError(
            f"k must lie from 2 to the number of groups, {group.max() + 1}; got {k}."
        )
    parts = _deal(table[target].to_numpy(), group, np.full(k, 1 / k), seed)
    return _rows(table, target, "").drop(columns="split").assign(fold=parts)


def fold_rows(folded: pd.DataFrame, fold: int) -> pd.DataFrame:
    """Split rows in which `fold` is the test part and the next fold is validation."""
    k = folded["fold"].max() + 1
    if not 0 <= fold < k:
        raise LesionsError(f"There are folds 0 to {k - 1}; got {fold}.")
    names = np.full(k, "train", dtype=object)
    names[[(fold + 1) % k, fold]] = "validation", "test"
    rows = folded.drop(columns="fold")
    return rows.assign(split=pd.Series(names[folded["fold"]], rows.index, dtype=str))


def class_shares(rows: pd.DataFrame) -> pd.DataFrame:
    """A row a class: its images in each part, and its share of each part in percent."""
    counts = pd.crosstab(rows["label"], rows["split"]).reindex(columns=PARTS, fill_value=0)
    share = counts / counts.sum().clip(lower=1) * 100
    return counts.join(share.round(1).add_suffix(" %"))


def furthest_from_its_share(rows: pd.DataFrame, part: str = "test") -> float:
    """By how many images of a part the class that misses its share of it most does so."""
    here = rows["split"] == part
    wanted = rows["label"].value_counts() * here.mean()
    got = rows.loc[here, "label"].value_counts().reindex(wanted.index, fill_value=0)
    return float((got - wanted).abs().max())


def _split(
    table: pd.DataFrame, target: str, fractions: Sequence[float], seed: int, group: np.ndarray
) -> pd.DataFrame:
    _check(table, target)
    shares = np.asarray(fractions, dtype=float)
    if shares.shape != (3,) or not (shares >= 0).all() or abs(shares.sum() - 1) > 1e-6:
        raise LesionsError(
            "The fractions must be three shares, for train, validation and test, that sum to 1; "
            f"got {tuple(fractions)}."
        )
    part = _deal(table[target].to_numpy(), group, shares, seed)
    return _rows(table, target, np.array(PARTS)[part])


def _deal(labels: np.ndarray, group: np.ndarray, shares: np.ndarray, seed: int) -> np.ndarray:
    """Deal groups out, one after the other, each to the part that lacks its classes most.

    What a part lacks is counted against the groups dealt so far, not against all. So after any
    number of groups each part has its share of every class; and because groups come in the order
    of their size, also its share of lesions with many photographs and of those with one, which
    differ (in HAM10000 the former are 20 % melanoma, the latter 4 %). Single images come last and
    even out what is left.

    Returns:
        int (rows,): the number of the part.
    """
    classes = pd.factorize(labels)[0]
    counts = np.zeros((group.max() + 1, classes.max() + 1))
    np.add.at(counts, (group, classes), 1)
    shuffled = np.random.default_rng(seed).permutation(len(counts))
    order = shuffled[np.argsort(-counts.sum(axis=1)[shuffled], kind="stable")]
    # A rare class weighs as much as a common one.
    weight = 1 / counts.sum(axis=0)
    lack = np.zeros((len(shares), counts.shape[1]))
    part = np.empty(len(counts), dtype=int)
    for index in order:
        lack += shares[:, None] * counts[index]
        # Giving the group to a part shortens the squared lack by this much.
        gain = lack @ (weight * counts[index])
        gain[shares == 0] = -np.inf
        part[index] = np.argmax(gain)
        lack[part[index]] -= counts[index]
    return part[group]


def _rows(table: pd.DataFrame, target: str, split: str | np.ndarray) -> pd.DataFrame:
    rows = table[["image_id", "lesion_id"]].reset_index(drop=True)
    rows["label"] = table[target].to_numpy()
    rows["label"] = rows["label"].astype(str)
    rows["split"] = split
    return rows.astype({"split": str})


def _check(table: pd.DataFrame, target: str) -> None:
    missing = [name for name in ("image_id", "lesion_id", target) if name not in table]
    if missing:
        raise LesionsError(f"The table has no column {', '.join(missing)}; it is needed to split.")
    if table.empty:
        raise LesionsError("The table has no rows; there is nothing to split.")
    unlabelled = table.loc[table[target].isna(), "image_id"]
    if len(unlabelled):
        raise LesionsError(
            f"The column {target} is empty for {len(unlabelled)} images "
            f"({shorten(list(unlabelled))}); leave them out before splitting."
        )
