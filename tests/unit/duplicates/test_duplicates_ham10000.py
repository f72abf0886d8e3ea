"""What is known of the duplicates in the real HAM10000; skipped without the images."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lesions.data import datasets
from lesions.duplicates import dedup, descriptors
from lesions.splits import leaks, splits


@pytest.fixture(scope="module")
def table(ham_dir: Path) -> pd.DataFrame:
    return datasets.load("ham10000", ham_dir)


@pytest.fixture(scope="module")
def hashes(table: pd.DataFrame) -> pd.DataFrame:
    return dedup.hash_images(table)  # half a minute the first time, then from data/cache


def test_two_pairs_are_the_same_pixel_for_pixel(hashes: pd.DataFrame) -> None:
    pairs = dedup.pairs_of(dedup.equal_groups(hashes, "pixel_hash"))
    assert pairs.to_numpy().tolist() == [
        ["ISIC_0024366", "ISIC_0029861"],
        ["ISIC_0024777", "ISIC_0029938"],
    ]
    assert (hashes["problem"] == "").all()


def test_the_rule_that_comes_closest_to_391(table: pd.DataFrame, hashes: pd.DataFrame) -> None:
    removed = dedup.removal_rules(table, hashes).set_index("rule")
    assert removed.loc["sex unknown", "removed"] == 57
    assert removed.loc["any of the three", "removed"] == 254
    equal = removed.loc["equal average_hash"]
    assert 334 <= equal["removed"] <= 338
    assert 25 <= equal["same_lesion"] <= 35
    assert equal["known_pairs"] == 0
    for rule in ("equal average_hash, then sex unknown", "equal average_hash, then age missing"):
        assert 389 <= removed.loc[rule, "removed"] <= 394


def test_a_split_by_image_leaks_a_third_of_the_lesions(table: pd.DataFrame) -> None:
    shares = []
    for seed in range(8):
        report = leaks.leak_report(splits.split_by_image(table, "dx", seed=seed))
        test = report[report["split"] == "test"].set_index("label")
        shares.append((test.loc["all", "share"], test.loc["mel", "share"]))
        assert test.loc["all", "images"] == pytest.approx(0.15 * len(table), abs=5)
    everything, melanoma = np.mean(shares, axis=0)
    assert everything == pytest.approx(0.35, abs=0.015)
    assert melanoma == pytest.approx(0.61, abs=0.03)


@pytest.mark.parametrize("target", ["dx", "dx_type", "localization", "sex"])
def test_our_splits_leak_nothing_and_keep_the_classes(table: pd.DataFrame, target: str) -> None:
    groups = dedup.groups_of(table["image_id"], dedup.known_duplicates())
    rows = splits.split_by_lesion(table, target, groups=groups)
    assert leaks.leak_report(rows, duplicates=groups)["leaked"].sum() == 0
    counts = pd.crosstab(rows["label"], rows["split"])
    shares = counts.div(counts.sum(axis=1), axis=0)[counts.sum(axis=1) > 100]
    assert (shares["test"] - 0.15).abs().max() < 0.01
    assert (shares["validation"] - 0.15).abs().max() < 0.01


def test_points_find_what_hashes_do_not(table: pd.DataFrame) -> None:
    """The 18 known pairs, and 60 lesions with several images, among 100 single ones."""
    known = dedup.known_duplicates()
    chosen = set(known["image_a"]) | set(known["image_b"])
    size = table.groupby("lesion_id")["image_id"].transform("size")
    several = table.loc[size > 1, "lesion_id"].drop_duplicates().sample(60, random_state=0)
    chosen |= set(table.loc[table["lesion_id"].isin(several), "image_id"])
    chosen |= set(table.loc[size == 1, "image_id"].sample(100, random_state=0))
    some = table[table["image_id"].isin(chosen)].reset_index(drop=True)
    found = descriptors.descriptor_pairs(some).query("matches >= 8")
    assert dedup.score_pairs(found, known)["right"] >= 15
    score = dedup.score_pairs(found, dedup.same_lesion_pairs(some, known))
    assert score["precision"] > 0.95
    assert score["recall"] > 0.6
