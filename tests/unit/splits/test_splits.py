"""`splits` and `groups`: nothing that belongs together is torn apart, and classes stay even."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from lesions.core.errors import LesionsError
from lesions.duplicates.groups import groups_of, merged_groups, pairs_of
from lesions.splits import splits
from lesions.splits.leaks import leak_report
from made import made_groups, made_table


def parts_of(rows: pd.DataFrame, labels: pd.Series) -> pd.Series:
    """In how many parts each label stands."""
    return rows["split"].groupby(rows["image_id"].map(labels).to_numpy()).nunique()


@settings(deadline=None, max_examples=60)
@given(
    st.integers(8, 200),
    st.integers(0, 30),
    st.integers(0, 5),
    st.sampled_from([(0.7, 0.15, 0.15), (0.5, 0.5, 0.0), (0.0, 0.1, 0.9)]),
)
def test_groups_are_never_torn_apart(
    images: int, pairs: int, seed: int, fractions: tuple[float, float, float]
) -> None:
    table = made_table(images, seed)
    groups = made_groups(table, pairs, seed)
    rows = splits.split_by_lesion(table, "dx", fractions, seed, groups)
    assert rows["image_id"].tolist() == table["image_id"].tolist()
    assert rows["label"].tolist() == table["dx"].tolist()
    assert list(rows.columns) == ["image_id", "lesion_id", "label", "split"]
    assert (parts_of(rows, table.set_index("image_id")["lesion_id"]) == 1).all()
    assert (parts_of(rows, groups) == 1).all()
    empty = {part for part, share in zip(splits.PARTS, fractions, strict=True) if share == 0}
    assert not empty & set(rows["split"])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("pairs", [0, 300])
def test_classes_stay_even(seed: int, pairs: int) -> None:
    """Within one point wherever a class has over 100 images, with duplicates merged too."""
    table = made_table(5000, seed)
    groups = made_groups(table, pairs, seed)
    rows = splits.split_by_lesion(table, "dx", seed=seed, groups=groups)
    counts = pd.crosstab(rows["label"], rows["split"])[list(splits.PARTS)]
    large = counts.sum(axis=1) > 100
    assert large.sum() >= 5
    share_of_part = counts / counts.sum()
    overall = counts.sum(axis=1) / len(rows)
    assert share_of_part.sub(overall, axis=0)[large].abs().max().max() < 0.01
    share_of_class = counts.div(counts.sum(axis=1), axis=0)[large]
    assert (share_of_class - np.array(splits.FRACTIONS)).abs().max().max() < 0.01


def test_no_worse_than_stratified_group_k_fold() -> None:
    table = made_table(3000, 1)

    def spread(fold: np.ndarray) -> float:
        counts = pd.crosstab(table["dx"], fold)
        return (counts.max(axis=1) - counts.min(axis=1)).max()

    theirs = np.zeros(len(table), dtype=int)
    folder = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    for number, (_, test) in enumerate(folder.split(table, table["dx"], table["lesion_id"])):
        theirs[test] = number
    ours = splits.folds(table, "dx", 5)["fold"].to_numpy()
    assert spread(ours) <= spread(theirs)


def test_lesions_with_many_images_go_to_all_parts() -> None:
    """They are another population; a greedy split would put all of them into training."""
    table = made_table(5000, 2)
    rows = splits.split_by_lesion(table, "dx")
    size = rows.groupby("lesion_id")["image_id"].transform("size")
    shares = pd.crosstab(size, rows["split"], normalize="index")
    assert (shares.loc[[1, 2, 3], "test"] - 0.15).abs().max() < 0.03


@pytest.mark.parametrize("split", [splits.split_by_image, splits.split_by_lesion])
def test_fixed_by_seed(split) -> None:
    table = made_table(300)
    same = [split(table, "dx", seed=3) for _ in range(2)]
    pd.testing.assert_frame_equal(*same)
    assert not same[0]["split"].equals(split(table, "dx", seed=4)["split"])


def test_by_image_deals_out_every_row() -> None:
    """After resampling, an image stands in several rows, and they fall into several parts."""
    table = made_table(40)
    rows = splits.split_by_image(pd.concat([table] * 20), "dx")
    assert len(rows) == 800
    assert (rows.groupby("image_id")["split"].nunique() == 3).mean() > 0.9
    assert rows["split"].value_counts(normalize=True)["test"] == pytest.approx(0.15, abs=0.01)


def test_by_cohort_tests_on_one_cohort_alone() -> None:
    table = made_table(600)
    straddling = table.index[table["dataset"] == "a"][:1]
    other = table.index[table["dataset"] == "b"][:1]
    table.loc[other, "lesion_id"] = table.loc[straddling, "lesion_id"].to_numpy()
    rows = splits.split_by_cohort(table, "dx", "a")
    cohort = rows["image_id"].map(table.set_index("image_id")["dataset"])
    assert set(cohort[rows["split"] == "test"]) == {"a"}
    assert "a" not in set(cohort[rows["split"] != "test"])
    assert leak_report(rows)["leaked"].sum() == 0
    left_out = set(table["image_id"]) - set(rows["image_id"])
    assert left_out and left_out <= set(table.loc[table["dataset"] == "b", "image_id"])
    order = table["image_id"][table["image_id"].isin(rows["image_id"])]
    assert rows["image_id"].tolist() == order.tolist()
    with pytest.raises(LesionsError, match="a, b, c"):
        splits.split_by_cohort(table, "dx", "d")
    with pytest.raises(LesionsError, match="dataset"):
        splits.split_by_cohort(table.drop(columns="dataset"), "dx", "a")


def test_every_fold_is_the_test_part_once() -> None:
    table = made_table(400)
    groups = made_groups(table, 40)
    folded = splits.folds(table, "dx", 4, seed=1, groups=groups)
    assert set(folded["fold"]) == {0, 1, 2, 3}
    tested = []
    for fold in range(4):
        rows = splits.fold_rows(folded, fold)
        assert (parts_of(rows, groups) == 1).all()
        assert set(rows["split"]) == set(splits.PARTS)
        tested += rows.loc[rows["split"] == "test", "image_id"].tolist()
    assert sorted(tested) == sorted(table["image_id"])
    with pytest.raises(LesionsError, match="0 to 3"):
        splits.fold_rows(folded, 4)
    with pytest.raises(LesionsError, match="k must"):
        splits.folds(table, "dx", 1)


def test_class_shares_add_up() -> None:
    shares = splits.class_shares(splits.split_by_lesion(made_table(500), "dx"))
    assert shares[list(splits.PARTS)].to_numpy().sum() == 500
    assert shares["test %"].sum() == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"target": "age"}, "no column age"),
        ({"fractions": (0.7, 0.3)}, "three shares"),
        ({"fractions": (0.7, 0.4, -0.1)}, "three shares"),
        ({"fractions": (0.7, 0.2, 0.2)}, "three shares"),
        ({"table": made_table(10).iloc[:0]}, "no rows"),
        ({"table": made_table(10).assign(dx=None)}, "empty for 10 images"),
    ],
)
def test_bad_input_gets_one_sentence(change: dict, words: str) -> None:
    arguments = {"table": made_table(10), "target": "dx"} | change
    with pytest.raises(LesionsError, match=words) as error:
        splits.split_by_lesion(**arguments)
    assert "\n" not in str(error.value)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=25))
def test_groups_are_what_union_find_gives(edges: list[tuple[int, int]]) -> None:
    parent = list(range(20))

    def root(node: int) -> int:
        return node if parent[node] == node else root(parent[node])

    for a, b in edges:
        low, high = sorted([root(a), root(b)])
        parent[high] = low
    names = [f"I{number:02}" for number in range(20)]
    pairs = pd.DataFrame(
        {"image_a": [names[a] for a, _ in edges], "image_b": [names[b] for _, b in edges]},
        dtype=str,
    )
    groups = groups_of(names, pairs)
    assert groups.tolist() == [names[root(number)] for number in range(20)]
    wanted = {
        (names[a], names[b]) for a in range(20) for b in range(a + 1, 20) if root(a) == root(b)
    }
    assert set(pairs_of(groups).itertuples(index=False, name=None)) == wanted


def test_groups_refuse_pairs_of_unknown_images() -> None:
    with pytest.raises(LesionsError, match="X9"):
        groups_of(["I1"], pd.DataFrame({"image_a": ["I1"], "image_b": ["X9"]}))


def test_lesions_and_duplicates_are_chained() -> None:
    table = pd.DataFrame({"image_id": list("abcde"), "lesion_id": ["1", "1", "2", "3", "4"]})
    number = merged_groups(table, {"b": "x", "c": "x", "d": "", "e": None})
    assert number.tolist() == [0, 0, 0, 1, 2]
    assert merged_groups(table).tolist() == [0, 0, 1, 2, 3]
