"""Few labels: by lesion, nested, stratified, for validation as well; and no label leaks."""

import itertools

import numpy as np
import pandas as pd
import pytest

import made
from lesions.core.errors import LesionsError
from lesions.experiments import few_labels
from lesions.experiments.few_labels import UNLABELLED, labelled_lesions, task, with_few_labels
from lesions.splits import splits

SHARES = (0.01, 0.05, 0.1, 0.5, 1.0)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    table = made.made_table(900)
    return splits.split_by_lesion(table, "dx")


def small_task(rows: pd.DataFrame, share: float = 0.2) -> few_labels.Task:
    pixels = np.zeros((len(rows), 8, 8, 3), np.uint8)
    return task(rows, pixels, pd.Index(rows["image_id"]), share, 0)


@pytest.mark.parametrize("share", SHARES)
def test_no_lesion_is_labelled_and_unlabelled_and_none_crosses_the_split(rows, share):
    few = with_few_labels(rows, share, seed=0)
    assert few.groupby("lesion_id")["split"].nunique().max() == 1
    assert few.loc[few["split"] == UNLABELLED, "label"].isna().all()
    assert few.loc[few["split"] != UNLABELLED, "label"].notna().all()
    # Nothing of the test part is missing or added, and its rows are as they were.
    pd.testing.assert_frame_equal(
        few[few["split"] == "test"].reset_index(drop=True),
        rows[rows["split"] == "test"].reset_index(drop=True),
        check_dtype=False,
    )
    training = few[few["split"].isin(["train", UNLABELLED])]["image_id"]
    assert set(training) == set(rows.loc[rows["split"] == "train", "image_id"])


def test_the_shares_are_nested_and_the_validation_part_shrinks(rows):
    for part in ("train", "validation"):
        of = [
            set(few.loc[few["split"] == part, "lesion_id"])
            for few in (with_few_labels(rows, share, seed=3) for share in SHARES)
        ]
        assert all(small <= large for small, large in itertools.pairwise(of))
        assert len(of[0]) < len(of[2]) < len(of[4])
        assert of[4] == set(rows.loc[rows["split"] == part, "lesion_id"])


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_each_class_keeps_its_share_of_lesions_and_at_least_one(rows, share):
    train = rows[rows["split"] == "train"].drop_duplicates("lesion_id")
    chosen = train[train["lesion_id"].isin(labelled_lesions(train, share, 0))]
    all_of, some = train["label"].value_counts(), chosen["label"].value_counts()
    assert set(some.index) == set(all_of.index)
    assert ((some - share * all_of).abs() <= 1).all()
    one = labelled_lesions(train, 1e-6, 0)
    assert len(one) == train["label"].nunique()


def test_another_seed_labels_other_lesions_and_the_same_seed_the_same(rows):
    first, again, other = (set(labelled_lesions(rows, 0.2, seed)) for seed in (0, 0, 1))
    assert first == again != other


def test_repeated_rows_count_once(rows):
    train = rows[rows["split"] == "train"]
    twice = pd.concat([train, train.iloc[:50], rows[rows["split"] != "train"]], ignore_index=True)
    once = with_few_labels(rows, 0.2, 0).sort_values("image_id", ignore_index=True)
    pd.testing.assert_frame_equal(
        with_few_labels(twice, 0.2, 0).sort_values("image_id", ignore_index=True), once
    )


@pytest.mark.parametrize("share", [0, -0.1, 1.5])
def test_a_share_that_is_none_is_refused(rows, share):
    with pytest.raises(LesionsError, match="above 0"):
        labelled_lesions(rows, share, 0)


# ---------------------------------------------------------------- leaks


def test_a_lesion_in_two_parts_is_refused_by_name(rows):
    leaking = rows.copy()
    several = leaking[leaking["split"] == "test"].iloc[0]
    copy = several.to_frame().T.assign(image_id="another photograph", split="train")
    with pytest.raises(LesionsError, match=f"lesion {several['lesion_id']} is in test and"):
        with_few_labels(pd.concat([leaking, copy], ignore_index=True), 1.0, 0)


def test_a_label_that_was_not_put_away_is_refused(rows):
    few = with_few_labels(rows, 0.2, 0)
    hidden = few.index[few["split"] == UNLABELLED][0]
    few.loc[hidden, "label"] = "class 0"
    with pytest.raises(LesionsError, match="is unlabelled and has a label"):
        few_labels.refuse_leaks(few)


def test_a_mutant_that_leaves_labels_where_they_were_is_caught(rows, monkeypatch):
    """The line that puts labels away, without effect: the rows refuse to be used."""
    assign = pd.DataFrame.assign

    def forgetful(self, **new):
        new.pop("label", None)
        return assign(self, **new)

    monkeypatch.setattr(pd.DataFrame, "assign", forgetful)
    with pytest.raises(LesionsError, match="is unlabelled and has a label"):
        with_few_labels(rows, 0.2, 0)


def test_what_a_method_gets_does_not_change_with_the_hidden_labels(rows):
    """Two unlabelled lesions exchange their diagnoses: every method is handed the same."""
    here = small_task(rows)
    hidden = here.rows[here.rows["split"] == UNLABELLED]
    label = rows.set_index("image_id")["label"]
    lesions = hidden.assign(label=label.loc[hidden["image_id"]].to_numpy()).drop_duplicates(
        "lesion_id"
    )
    changed = 0
    for (_, a), (_, b) in zip(
        lesions[lesions["label"] == "class 0"].iloc[:8].iterrows(),
        lesions[lesions["label"] == "class 1"].iloc[:8].iterrows(),
        strict=True,
    ):
        other = rows.copy()
        other.loc[other["lesion_id"] == a["lesion_id"], "label"] = "class 1"
        other.loc[other["lesion_id"] == b["lesion_id"], "label"] = "class 0"
        there = small_task(other)
        if set(there.rows.loc[there.rows["split"] == "train", "lesion_id"]) != set(
            here.rows.loc[here.rows["split"] == "train", "lesion_id"]
        ):
            continue  # the exchange has moved a place in the list, and so who is labelled
        changed += 1
        pd.testing.assert_frame_equal(here.rows, there.rows)
        assert (here.position == there.position).all()
    assert changed


def test_a_task_gives_no_labels_of_unlabelled_images(rows):
    here = small_task(rows)
    with pytest.raises(LesionsError, match="have no labels"):
        here.labels(UNLABELLED)
    assert (here.labels("train") >= 0).all() and (here.labels("validation") >= 0).all()
    assert here.shares().sum() == pytest.approx(1)
    counts = here.counts()
    assert counts["train_images"] + counts["unlabelled_images"] == (rows["split"] == "train").sum()


def test_images_without_pixels_are_counted(rows):
    with pytest.raises(LesionsError, match="1 images of the split have no pixels"):
        task(rows, np.zeros((len(rows), 8, 8, 3), np.uint8), pd.Index(rows["image_id"][1:]), 1.0, 0)
