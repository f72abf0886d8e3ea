"""The identities hold for every confusion matrix, rounded or not, and catch what breaks them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from lesions.paper import audit


@st.composite
def matrices(draw):
    """Confusion matrices in which each class has an image."""
    k = draw(st.integers(2, 6))
    cells = st.lists(st.integers(0, 40), min_size=k, max_size=k).filter(any)
    return np.array(draw(st.lists(cells, min_size=k, max_size=k)))


def scores_of(matrix):
    """The seven scores, from scikit-learn."""
    k = len(matrix)
    truth, chosen = (axis.ravel().repeat(matrix.ravel()) for axis in np.indices((k, k)))
    result = {"accuracy": accuracy_score(truth, chosen)}
    for kind in ("macro", "weighted"):
        values = precision_recall_fscore_support(
            truth, chosen, labels=range(k), average=kind, zero_division=0
        )
        names = (f"{kind}_precision", f"{kind}_recall", f"{kind}_f1")
        result |= dict(zip(names, values, strict=False))
    return {name: float(result[name]) for name in audit.SCORES}


def rounded(scores, digits=2):
    return {name: round(value, digits) for name, value in scores.items()}


def paper():
    return pd.read_csv(ROOT / "data" / "paper_results.csv")


# ---------------------------------------------------------------- identities


@settings(max_examples=100, deadline=None)
@given(matrices(), st.integers(1, 4))
def test_no_true_table_is_called_impossible(matrix, digits):
    """Whatever the matrix and however it is rounded: real scores break no rule."""
    table = pd.DataFrame([rounded(scores_of(matrix), digits)]).assign(classes=len(matrix))
    findings = audit.audit_table(table, digits)
    assert audit.IMPOSSIBLE not in set(findings["finding"])


@settings(max_examples=100, deadline=None)
@given(matrices())
def test_identities_hold_exactly(matrix):
    scores = scores_of(matrix)
    assert scores["weighted_recall"] == pytest.approx(scores["accuracy"], abs=1e-12)
    for kind in ("macro", "weighted"):
        precision, recall = scores[f"{kind}_precision"], scores[f"{kind}_recall"]
        least, largest = audit.f1_bounds(precision, recall)
        assert least - 1e-12 <= scores[f"{kind}_f1"] <= largest + 1e-12
        assert largest <= (precision + recall) / 2 + 1e-12


def test_f1_bounds_are_reached():
    """So no narrower bounds hold in general."""
    same_ratio = np.array([[6, 4], [4, 6]])
    scores = scores_of(same_ratio)
    largest = audit.f1_bounds(scores["macro_precision"], scores["macro_recall"])[1]
    assert scores["macro_f1"] == pytest.approx(largest)
    # A tiny class that is always found, among many false alarms: F1 comes near P + R - 1.
    scores = scores_of(np.array([[100_000, 500], [0, 1]]))
    least = audit.f1_bounds(scores["macro_precision"], scores["macro_recall"])[0]
    assert least <= scores["macro_f1"] < least + 0.003


def test_average_f1_may_exceed_the_smaller_of_precision_and_recall():
    """That it may not is often said, and false: the bound is the harmonic mean."""
    scores = scores_of(np.array([[4, 0], [4, 81]]))
    assert scores["macro_f1"] > scores["macro_precision"] + 0.07
    assert scores["macro_f1"] < scores["macro_recall"]
    assert audit.f1_is_possible(0.54, 0.5, 0.6)
    assert not audit.f1_is_possible(0.57, 0.5, 0.6)


@settings(max_examples=60, deadline=None)
@given(matrices())
def test_equal_class_sizes_make_both_averages_equal(matrix):
    sizes = matrix.sum(axis=1)
    # Each class as often as the least common multiple asks for: the same recalls, equal sizes.
    equal = matrix * (np.lcm.reduce(sizes) // sizes)[:, None]
    if equal.sum() < 200_000:
        assert audit.macro_equals_weighted(scores_of(equal))


def test_equal_averages_do_not_prove_equal_sizes():
    scores = scores_of(np.array([[10, 0], [0, 90]]))  # all right: every average is 1
    assert audit.macro_equals_weighted(scores)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 200), min_size=2, max_size=6), st.data())
def test_a_constant_answer_is_recognised(sizes, data):
    answer = data.draw(st.integers(0, len(sizes) - 1))
    matrix = np.zeros((len(sizes), len(sizes)), int)
    matrix[:, answer] = sizes
    share = sizes[answer] / sum(sizes)
    scores = scores_of(matrix)
    expected = audit.constant_scores(share, len(sizes))
    for name in audit.SCORES:
        assert scores[name] == pytest.approx(expected[name], abs=1e-12)
    low, high = audit.constant_share(rounded(scores), len(sizes))
    assert low - 1e-5 <= share <= high + 1e-5


def test_a_model_that_knows_something_is_not_called_constant():
    scores = scores_of(np.array([[60, 40], [30, 70]]))
    assert audit.constant_share(rounded(scores), 2) is None


# ---------------------------------------------------------------- rounding


@pytest.mark.parametrize(
    ("accuracy", "recall", "digits", "possible"),
    [(0.73, 0.73, 2, True), (0.52, 0.51, 2, True), (0.53, 0.51, 2, False),
     (0.73, 0.64, 2, False), (0.731, 0.733, 3, False), (0.7, 0.8, 1, True)],
)  # fmt: skip
def test_rounding_is_allowed_for(accuracy, recall, digits, possible):
    assert audit.weighted_recall_is_accuracy(accuracy, recall, digits) is possible


def test_f1_uses_what_rounding_leaves_open():
    assert audit.f1_bounds(0.42, 0.50)[1] == pytest.approx(0.4565, abs=1e-4)
    assert audit.f1_is_possible(0.46, 0.42, 0.50)
    assert not audit.f1_is_possible(0.47, 0.42, 0.50)
    assert audit.f1_bounds(0.90, 0.90)[0] == pytest.approx(0.80)
    assert audit.f1_is_possible(0.79, 0.90, 0.90)
    assert not audit.f1_is_possible(0.78, 0.90, 0.90)


# ---------------------------------------------------------------- the paper's table


def test_findings_in_the_papers_table():
    table = paper().assign(majority=[0.543] * 3 + [0.669] * 2 + [0.533] * 2 + [0.219] * 2)
    findings = audit.audit_table(table)
    rows = findings.groupby("finding")["row"].agg(lambda row: sorted(set(row))).to_dict()
    assert rows == {
        audit.IMPOSSIBLE: [4, 6, 8, 9],
        audit.CONSTANT: [2, 7],
        audit.NO_BETTER: [3],
        audit.SAME_AVERAGES: [4, 5, 7, 8, 9],
        audit.EDGE: [5],
        audit.BELOW: [1, 3, 4, 5, 6, 7],
    }
    f1 = findings[findings["scores"].str.contains("weighted_f1") & (findings["row"] == 6)]
    assert f1["says"].item().endswith("allow an F1 from 0.000 to 0.457, not 0.53")


def test_a_table_of_another_paper_needs_no_more_than_its_columns():
    table = pd.DataFrame(
        {"model": ["A", "B"], "accuracy": [0.9, 0.8], "weighted_recall": [0.9, 0.7]}
    )
    findings = audit.audit_table(table)
    assert findings[["row", "model", "finding"]].to_numpy().tolist() == [[1, "B", audit.IMPOSSIBLE]]
    assert audit.audit_table(table.iloc[:1]).empty
    assert audit.audit_table(table.assign(weighted_recall=np.nan)).empty


def test_tables_that_are_no_shares_are_refused():
    with pytest.raises(LesionsError, match="divide percentages by 100"):
        audit.audit_table(pd.DataFrame({"accuracy": [64.0]}))
    with pytest.raises(LesionsError, match="divide percentages by 100"):
        audit.audit_table(pd.DataFrame({"accuracy": ["64 %"]}))
    with pytest.raises(LesionsError, match="none of the columns accuracy"):
        audit.audit_table(pd.DataFrame({"acc": [0.64]}))


# ---------------------------------------------------------------- the matrix behind a row


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.data())
def test_the_true_matrix_is_among_the_possible_ones(a, b, data):
    larger, smaller = max(a, b), min(a, b)
    found = data.draw(st.integers(0, larger)), data.draw(st.integers(0, smaller))
    matrix = np.array([[found[0], larger - found[0]], [smaller - found[1], found[1]]])
    table = audit.possible_matrices(rounded(scores_of(matrix)), larger + smaller)
    here = table[["larger", "smaller", "found_larger", "found_smaller"]].to_numpy().tolist()
    assert [larger, smaller, *found] in here
    for row in table.itertuples():
        other = np.array(
            [
                [row.found_larger, row.larger - row.found_larger],
                [row.smaller - row.found_smaller, row.found_smaller],
            ]
        )
        assert other[:, 0].sum() == row.answers_larger
        for name, value in rounded(scores_of(matrix)).items():
            assert abs(scores_of(other)[name] - value) <= 0.005 + 1e-6


def test_row_two_answered_one_class_nearly_always():
    table = audit.possible_matrices(paper().iloc[1], 1435)
    assert len(table) > 0
    assert (table["answers_larger"] >= 1428).all()
    assert table["larger"].div(1435).between(0.54, 0.56).all()


def test_scores_that_no_matrix_gives():
    row = paper().iloc[0].copy()
    row["macro_precision"] = 0.95
    assert audit.possible_matrices(row, 300).empty
