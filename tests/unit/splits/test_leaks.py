"""`leaks`: the report counts what it says, for our splits and for other people's."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.over_sampling import RandomOverSampler

from lesions.core.errors import LesionsError
from lesions.splits import leaks, splits
from made import made_groups, made_table


def split_rows(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image_id", "lesion_id", "label", "split"], dtype=str)


MIXED = split_rows(
    ("a1", "A", "nv", "train"),
    ("a1", "A", "nv", "test"),  # the same image
    ("a2", "A", "nv", "test"),  # the same lesion
    ("b1", "B", "mel", "test"),  # near-duplicate of a1
    ("b2", "B", "mel", "test"),  # lesion of b1
    ("c1", "C", "mel", "test"),  # nothing
    ("c2", "C", "mel", "validation"),  # nothing that training knows
)
GROUPS = {"a1": "x", "b1": "x"}


def test_counts_each_kind() -> None:
    report = leaks.leak_report(MIXED, duplicates=GROUPS).set_index(["split", "label"])
    counted = ["images", "same_image", "same_lesion", "near_duplicate", "leaked"]
    assert report.loc[("test", "all"), counted].tolist() == [5, 1, 2, 2, 4]
    assert report.loc[("test", "nv"), counted].tolist() == [2, 1, 2, 1, 2]
    assert report.loc[("test", "mel"), counted].tolist() == [3, 0, 0, 1, 2]
    assert report.loc[("validation", "all"), counted].tolist() == [1, 0, 0, 0, 0]
    assert report.loc[("test", "all"), "share"] == pytest.approx(0.8)


def test_shows_each_leaked_image_beside_one_of_training() -> None:
    shown = leaks.leaked_images(MIXED, duplicates=GROUPS)
    assert shown.to_numpy().tolist() == [
        ["a1", "nv", "same image", "a1"],
        ["a2", "nv", "same lesion", "a1"],
        ["b1", "mel", "near-duplicate", "a1"],
        ["b2", "mel", "lesion of a near-duplicate", "a1"],
    ]
    assert leaks.leaked_images(MIXED, part="validation").empty


def test_not_known_is_not_none() -> None:
    unnamed = MIXED.assign(lesion_id="unknown")
    report = leaks.leak_report(unnamed)
    assert report["same_lesion"].isna().all()
    assert report["near_duplicate"].isna().all()
    assert report.loc[0, "lesion_unknown"] == report.loc[0, "images"]
    table = pd.DataFrame({"image_id": ["a1", "a2", "b1"], "lesion_id": ["A", "A", "B"]})
    report = leaks.leak_report(unnamed, table).query("split == 'test' and label == 'all'").iloc[0]
    assert (report["same_lesion"], report["lesion_unknown"]) == (2, 2)


@settings(deadline=None, max_examples=40)
@given(st.integers(10, 150), st.integers(0, 20), st.integers(0, 9))
def test_the_report_agrees_with_a_plain_count(images: int, pairs: int, seed: int) -> None:
    table = made_table(images, seed)
    groups = made_groups(table, pairs, seed)
    rows = splits.split_by_image(table, "dx", (0.4, 0.3, 0.3), seed)
    report = leaks.leak_report(rows, duplicates=groups).query("label == 'all'").set_index("split")
    train = rows[rows["split"] == "train"]
    for part in report.index:
        there = rows[rows["split"] == part]
        lesions = sum(lesion in set(train["lesion_id"]) for lesion in there["lesion_id"])
        known = {groups[image] for image in train["image_id"]}
        assert report.loc[part, "images"] == len(there)
        assert report.loc[part, "same_lesion"] == lesions
        assert report.loc[part, "near_duplicate"] == sum(
            groups[image] in known for image in there["image_id"]
        )
        shown = leaks.leaked_images(rows, duplicates=groups, part=part)
        assert len(shown) == report.loc[part, "leaked"]


@pytest.mark.parametrize("seed", range(3))
def test_our_splits_leak_nothing_also_into_validation(seed: int) -> None:
    table = made_table(800, seed)
    groups = made_groups(table, 60, seed)
    folded = splits.folds(table, "dx", 5, seed, groups)
    made = [
        splits.split_by_lesion(table, "dx", seed=seed, groups=groups),
        splits.split_by_cohort(table, "dx", "a", seed=seed, groups=groups),
        *(splits.fold_rows(folded, fold) for fold in range(5)),
    ]
    for rows in made:
        assert set(rows["split"]) == set(splits.PARTS)
        assert leaks.leak_report(rows, duplicates=groups)["leaked"].sum() == 0


def oversampled(rows: pd.DataFrame, label: str) -> pd.DataFrame:
    index = np.arange(len(rows))[:, None]
    chosen, _ = RandomOverSampler(random_state=0).fit_resample(index, rows[label])
    return rows.iloc[chosen.ravel()].reset_index(drop=True)


def test_resampling_after_the_split_is_clean_and_before_it_is_not() -> None:
    table = made_table(600)
    rows = splits.split_by_lesion(table, "dx")
    train, rest = rows[rows["split"] == "train"], rows[rows["split"] != "train"]
    after = pd.concat([oversampled(train, "label"), rest], ignore_index=True)
    assert len(after) > len(rows)
    assert leaks.leak_report(after)["leaked"].sum() == 0
    before = splits.split_by_image(oversampled(table, "dx"), "dx")
    report = leaks.leak_report(before).query("label == 'all'")
    assert (report["same_image"] / report["images"]).min() > 0.7


def test_a_leak_into_validation_is_seen() -> None:
    rows = splits.split_by_lesion(made_table(300), "dx")
    moved = rows.index[(rows["split"] == "train") & rows["lesion_id"].duplicated(keep=False)][0]
    rows.loc[moved, "split"] = "validation"
    report = leaks.leak_report(rows).query("label == 'all'").set_index("split")
    assert report["same_lesion"].to_dict() == {"validation": 1, "test": 0}


@pytest.mark.parametrize(
    "rows, table, words",
    [
        (MIXED.drop(columns="label"), None, "no column label"),
        (MIXED.assign(split="dev"), None, "it says dev"),
        (MIXED.assign(split="test"), None, "no training rows"),
        (MIXED, pd.DataFrame({"image_id": ["z"], "lesion_id": ["Z"]}), "such as a1"),
    ],
)
def test_bad_input_gets_one_sentence(rows: pd.DataFrame, table, words: str) -> None:
    with pytest.raises(LesionsError, match=words) as error:
        leaks.leak_report(rows, table)
    assert "\n" not in str(error.value)


def folder_tree(folder: Path, names: dict[str, list[str]]) -> Path:
    for place, files in names.items():
        (folder / place).mkdir(parents=True)
        for name in files:
            (folder / place / name).write_bytes(b"x")
    return folder


def test_reads_a_folder_tree(tmp_path: Path) -> None:
    folder_tree(
        tmp_path,
        {
            "Training/nv": ["ISIC_1.jpg", "ISIC_1_copy.jpg", "notes.txt"],
            "Training/mel": [],
            "val/nv": ["ISIC_2.jpg"],
            "test/mel": ["ISIC_3.JPG", "ISIC_1.png"],
            "code": ["a.py"],
        },
    )
    rows = leaks.rows_from_folders(tmp_path, pattern=r"ISIC_\d+")
    assert rows[["image_id", "label", "split"]].to_numpy().tolist() == [
        ["ISIC_1", "nv", "train"],
        ["ISIC_1", "nv", "train"],
        ["ISIC_2", "nv", "validation"],
        ["ISIC_1", "mel", "test"],
        ["ISIC_3", "mel", "test"],
    ]
    assert leaks.leak_report(rows).query("split == 'test'")["same_image"].tolist() == [1, 1]
    assert "ISIC_1_copy" in set(leaks.rows_from_folders(tmp_path)["image_id"])
    with pytest.raises(LesionsError, match="finds no image id"):
        leaks.rows_from_folders(tmp_path, pattern="HAM")


@pytest.mark.parametrize(
    "names, words",
    [
        ({"train/nv": ["a.jpg"]}, "no folder test"),
        ({"train/nv": ["a.jpg"], "test/nv": []}, "no images"),
        ({"train/nv": ["a.jpg"], "test": ["b.jpg"]}, "no images"),
        ({}, "no folder train"),
    ],
)
def test_a_folder_that_is_no_split(tmp_path: Path, names: dict, words: str) -> None:
    with pytest.raises(LesionsError, match=words):
        leaks.rows_from_folders(folder_tree(tmp_path, names))
    with pytest.raises(LesionsError, match="is no folder"):
        leaks.rows_from_folders(tmp_path / "nowhere")


def test_reads_a_csv_a_part(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("image;dx;lesion_id\nimages/I1.jpg;nv;L1\nI2;mel;L2\n")
    (tmp_path / "test.csv").write_bytes(b"\xef\xbb\xbfimage,dx,lesion_id\nC:\\data\\I3.jpg,nv,L1\n")
    rows = leaks.rows_from_csvs({"train": tmp_path / "train.csv", "test": tmp_path / "test.csv"})
    assert rows.to_numpy().tolist() == [
        ["I1", "L1", "nv", "train"],
        ["I2", "L2", "mel", "train"],
        ["I3", "L1", "nv", "test"],
    ]
    assert leaks.leak_report(rows).loc[0, "same_lesion"] == 1


def test_reads_one_csv_with_a_column_for_the_part(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    path.write_text("name,kind,fold\nI1,nv,Train\nI2,nv,val\nI3,nv,test\n")
    rows = leaks.rows_from_csvs(path, image="name", label="kind", split="fold")
    assert rows["split"].tolist() == ["train", "validation", "test"]
    assert rows["lesion_id"].unique().tolist() == ["unknown"]
    assert leaks.leak_report(rows)["same_lesion"].isna().all()


@pytest.mark.parametrize(
    "text, words",
    [
        (None, "not there"),
        ("", "is empty"),
        ("image_id,dx,split\n1,nv,train\n2,nv\n", "line 3"),
        ("a,b,split\n1,2,train\n", "no column image_id"),
        ("image_id,b,split\n1,2,train\n", "no column dx"),
        ("image_id,dx\n1,2\n", "no column split"),
        ("image_id,dx,split\n1,2,holdout\n", "got holdout"),
        ("image_id,dx,split\n1,2,\n", "train, validation or test"),
    ],
)
def test_a_csv_that_is_no_split(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "split.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(LesionsError, match=words) as error:
        leaks.rows_from_csvs(path)
    assert "\n" not in str(error.value)
