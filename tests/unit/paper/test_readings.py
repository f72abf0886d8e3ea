"""Readings of a row: what is possible is found, what is impossible is proved, never the reverse."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesions.data.datacard import DATA_CARD
from lesions.data.metadata import CLASSES
from lesions.paper import audit, matrices, mixtures, published, readings
from lesions.paper.matrices import EDGE, IMPOSSIBLE, POSSIBLE

ROWS = published.scores().set_index("row", drop=False)


def margins(matrix):
    matrix = np.asarray(matrix)
    return [
        (int(matrix[c].sum()), int(matrix[c, c]), int(matrix[:, c].sum()))
        for c in range(len(matrix))
    ]


@st.composite
def confusions(draw, classes):
    k = draw(st.sampled_from(classes))
    cells = st.lists(st.integers(0, 15), min_size=k, max_size=k).filter(any)
    return np.array(draw(st.lists(cells, min_size=k, max_size=k)))


def rounded(scores):
    return {name: round(value, 2) for name, value in scores.items()}


@settings(max_examples=30, deadline=None)
@given(confusions([2]))
def test_a_true_row_of_two_classes_is_possible(matrix):
    true = margins(matrix)
    verdict, found = matrices.fit(rounded(matrices.scores_of(true)), [m[0] for m in true])
    assert verdict in (POSSIBLE, EDGE)
    scores, wanted = matrices.scores_of(found), rounded(matrices.scores_of(true))
    assert all(abs(scores[name] - wanted[name]) <= 0.005 + 1e-6 for name in audit.SCORES)


@settings(max_examples=8, deadline=None)
@given(confusions([3, 4]))
def test_a_true_row_of_more_classes_is_never_disproved(matrix):
    true = margins(matrix)
    assert matrices.is_a_matrix(true)
    row, sizes = rounded(matrices.scores_of(true)), [size for size, _, _ in true]
    low, high = mixtures.limits(row, audit.SCORES, 0.00501, len(true))
    assert not mixtures.disproved(sizes, audit.SCORES, low, high, nodes=30)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 4), st.integers(0, 4)), min_size=3,
                max_size=3))  # fmt: skip
def test_which_margins_belong_to_a_matrix(wanted):
    """Against all 3 x 3 matrices with these row sums and diagonals."""
    sizes, found, answered = zip(*wanted, strict=True)
    exists = False
    if all(t <= s for s, t in zip(sizes, found, strict=True)):
        rest = [s - t for s, t in zip(sizes, found, strict=True)]
        for a in range(rest[0] + 1):
            for b in range(rest[1] + 1):
                for c in range(rest[2] + 1):
                    columns = (
                        found[0] + b + c,
                        found[1] + a + rest[2] - c,
                        found[2] + rest[0] - a + rest[1] - b,
                    )
                    exists |= columns == answered
    assert matrices.is_a_matrix(list(wanted)) is exists


def test_scores_of_a_matrix_are_scikit_learns():
    from sklearn.metrics import precision_recall_fscore_support

    matrix = np.array([[5, 1, 0], [2, 3, 1], [0, 0, 4]])
    truth, chosen = (axis.ravel().repeat(matrix.ravel()) for axis in np.indices((3, 3)))
    scores = matrices.scores_of(margins(matrix))
    for kind in ("macro", "weighted"):
        values = precision_recall_fscore_support(truth, chosen, average=kind)[:3]
        mine = [scores[f"{kind}_{part}"] for part in ("precision", "recall", "f1")]
        assert mine == pytest.approx(values)


def test_sizes_of_a_test_part_add_up():
    for target in ("sex", "dx", "dx_type", "localization"):
        counts = readings.class_counts(target)
        sizes = readings.test_sizes(counts.to_list(), readings.TEST_IMAGES)
        assert sum(sizes) == 1444 and min(sizes) >= 1
        exact = counts / counts.sum() * 1444
        assert (abs(np.array(sizes) - exact) <= 1).all()
    assert readings.test_sizes([1] * 7, 1444) == [207, 207, 206, 206, 206, 206, 206]


def test_the_counts_are_ham10000s(ham_dir):
    table = pd.read_csv(ham_dir / "HAM10000_metadata.csv")
    for target in ("dx", "dx_type", "localization", "sex"):
        counted = table.loc[~((target == "sex") & (table[target] == "unknown")), target]
        expected = counted.value_counts().to_dict()
        assert readings.class_counts(target).to_dict() == expected


def test_the_counts_of_dx_are_the_datacards():
    assert readings.class_counts("dx").to_dict() == DATA_CARD["counts"]
    assert set(readings.class_counts("dx").index) == set(CLASSES)


@pytest.fixture(scope="module")
def found():
    return readings.readings(published.scores())


def allowed(found, row):
    part = found[(found["row"] == row) & (found["verdict"] == POSSIBLE)]
    return set(part["reading"])


def test_the_readings_of_the_papers_rows(found):
    """What 07 and README say: four rows impossible as printed, only row 7 needs equal classes."""
    assert readings.impossible_as_printed(found) == [4, 6, 8, 9]
    elsewhere, copied = "equal, accuracy from elsewhere", "natural, macro copied"
    assert allowed(found, 1) == {"as printed", copied, "natural, weighted copied"}
    assert {"as printed", "one answer for all"} <= allowed(found, 2)
    assert "as printed" in allowed(found, 3)
    for row in (4, 8, 9):
        assert allowed(found, row) == {elsewhere, copied}
    assert allowed(found, 5) == {elsewhere, copied}
    assert allowed(found, 6) == {copied}
    assert allowed(found, 7) == {"equal classes", elsewhere, "one answer for all"}
    edge = found[found["verdict"] == EDGE]
    assert set(edge["row"]) == {5}
    for one in found.dropna(subset=["matrix"]).itertuples():
        assert matrices.is_a_matrix(one.matrix)
        scores, names = matrices.scores_of(one.matrix), readings.READINGS[one.reading][1]
        assert all(abs(scores[n] - ROWS.loc[one.row, n]) <= 0.00501 for n in names)
    assert len(readings.grid(found)) == 9


def test_a_changed_number_turns_a_reading():
    row = ROWS.loc[7].to_dict()
    assert matrices.fit(row, [361] * 4)[0] == POSSIBLE
    assert matrices.fit(row | {"macro_recall": 0.31}, [361] * 4)[0] == IMPOSSIBLE
    row = ROWS.loc[4].to_dict()
    natural = readings.test_sizes(readings.class_counts("dx").to_list(), 1444)
    assert matrices.fit(row, natural, readings.MACRO)[0] == POSSIBLE
    assert matrices.fit(row | {"macro_f1": 0.80}, natural, readings.MACRO)[0] == IMPOSSIBLE
    says = matrices.contradiction(row, True, ("accuracy", "macro_recall"))
    assert says == "with equal classes the two are one number: accuracy 0.64, macro recall 0.73"
    pair = ("accuracy", "weighted_recall")
    assert "0.64, weighted recall 0.73" in matrices.contradiction(row, False, pair)
    assert matrices.contradiction(row | {"weighted_recall": 0.64}, False, pair) is None


def test_the_three_rows_on_sex_fit_one_test_part():
    together = readings.common_test_parts(ROWS.loc[[1, 2, 3]])
    assert together[["images", "larger"]].to_numpy().tolist() == [[1435, 783], [1494, 815]]
    sizes, chance = readings.fitting_sizes(ROWS.loc[2].to_dict(), [5406, 4552], 1435)
    assert min(sizes) / 1435 > 5406 / 9958 and 0.1 < chance < 0.3
