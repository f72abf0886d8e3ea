"""A first look: photographs a lesion, in the whole and within each cohort."""

import pandas as pd
import pytest

from lesions.data import exploration
from lesions.data.datacard import DATA_CARD
from lesions.figures import plots_cohorts


def test_lesions_of_a_table():
    table = pd.DataFrame(
        [("a", "L1", "nv", "x"), ("b", "L1", "nv", "x"), ("c", "L2", "mel", "y")],
        columns=["image_id", "lesion_id", "dx", "dataset"],
    )
    lesions = exploration.lesions_of(table)
    assert lesions.loc["L1"].tolist() == [2, "nv", "x"]
    assert lesions.loc["L2"].tolist() == [1, "mel", "y"]


def test_the_counted_lesions_are_those_of_the_data_card():
    lesions = exploration.counted_lesions()
    assert (len(lesions), lesions["images"].sum()) == (DATA_CARD["lesions"], DATA_CARD["images"])
    images = lesions.groupby("dx")["images"].sum()
    assert images.to_dict() == DATA_CARD["counts"]


def test_the_counts_give_what_the_real_table_gives(ham_dir):
    table = pd.read_csv(ham_dir / "HAM10000_metadata")
    real = exploration.several_within(exploration.lesions_of(table))
    counted = exploration.several_within(exploration.counted_lesions())
    pd.testing.assert_frame_equal(real, counted)


@pytest.fixture
def shares() -> pd.DataFrame:
    """Two cohorts; in each the naevi are photographed more often, in the whole less often."""
    lesions = [("nv", "one", 1)] * 90 + [("nv", "one", 2)] * 10 + [("bkl", "one", 1)] * 10
    lesions += [("nv", "two", 2)] * 9 + [("nv", "two", 1)] * 1
    lesions += [("bkl", "two", 3)] * 80 + [("bkl", "two", 1)] * 20 + [("df", "two", 1)]
    return exploration.several_within(pd.DataFrame(lesions, columns=["dx", "dataset", "images"]))


def test_an_association_of_the_whole_may_be_turned_round_within_each_cohort(shares):
    assert shares.index.tolist() == [exploration.TOGETHER, "two", "one"]
    whole, two, one = (shares.loc[name] for name in (exploration.TOGETHER, "two", "one"))
    assert whole["bkl"] > 3 * whole["nv"]
    assert (two["nv"], two["bkl"], one["nv"], one["bkl"]) == (90, 80, 10, 0)
    assert pd.isna(one["df"])


def test_the_figure_has_a_line_for_each_cohort_that_has_both(shares):
    figure = plots_cohorts.paradox(shares, [("bkl", "nv"), ("df", "nv")])
    left, right = figure.axes
    assert [line.get_label() for line in left.lines] == [exploration.TOGETHER, "two", "one"]
    assert [line.get_label() for line in right.lines] == [exploration.TOGETHER, "two"]
    assert left.lines[1].get_ydata().tolist() == [80, 90]
    plots_cohorts.paradox(shares, [("bkl", "not there")])


def test_what_notebook_01_says_of_the_cohorts():
    """The numbers in its prose are those of the counts; see `test_prose` for the notebook."""
    shares = exploration.several_within(exploration.counted_lesions())
    whole, cohorts = shares.iloc[0], shares.iloc[1:]
    assert (whole["bkl"].round(), whole["mel"].round(), whole["nv"].round()) == (39, 63, 18)
    assert (cohorts["bkl"] <= cohorts["nv"]).all()
    assert ((cohorts["mel"] - cohorts["nv"]).abs() < 7).all()
    assert whole["mel"] - whole["nv"] > 40
    assert (cohorts.loc["vidir_molemax"].dropna() == 0).all()
