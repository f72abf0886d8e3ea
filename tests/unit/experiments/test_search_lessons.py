"""What a table of trials teaches: regret, importance, the best of N, on tables that are known."""

import itertools

import numpy as np
import pandas as pd
import pytest

from lesions.experiments import search_lessons, search_space
from lesions.settings.parameters import Settings


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    """All cells of the grid; the learning rate decides nearly all, and .001 is best."""
    table = pd.DataFrame(search_space.cells(Settings()))
    off = np.abs(np.log10(table["LEARNING_RATE"]) + 3)
    table["validation"] = 0.8 - 0.1 * off + 0.004 * table["CNN_WIDTH"]
    return table.assign(state="complete", number=range(len(table)))


def test_regret_never_rises_and_ends_at_nothing():
    found = search_lessons.regret([0.7, 0.6, 0.8, 0.75])
    np.testing.assert_allclose(found, [0.1, 0.1, 0, 0])


def test_each_way_goes_through_cells_without_repeating_one(cells):
    rng = np.random.default_rng(0)
    for order in (search_lessons.by_chance(cells, rng, 40), search_lessons.by_grid(cells, rng, 40)):
        assert sorted(order) == list(range(len(cells)))
    order = search_lessons.by_tpe(cells, rng, 20)
    assert len(order) == len(set(order)) == 20


def test_a_grid_changes_the_inner_parameter_first(cells):
    order = search_lessons.by_grid(cells, np.random.default_rng(1), 40)
    changes = (cells.iloc[order][list(search_space.GRID)].diff().iloc[1:] != 0).sum()
    assert sorted(changes)[0] < len(cells) / 4 and max(changes) == len(cells) - 1


def test_regrets_are_those_of_every_way_at_the_same_budget(cells):
    found = search_lessons.regrets(cells, most=10, orders=3)
    assert found.groupby(["sampler", "order"]).size().eq(10).all()
    assert (found["regret"] >= 0).all()
    again = search_lessons.regrets(cells, most=10, orders=3)
    pd.testing.assert_frame_equal(found, again)


def test_chance_comes_near_after_as_many_trials_as_arithmetic_says(cells):
    """With k of n cells good enough, the first of them comes after (n + 1) / (k + 1) on average."""
    near = 0.01
    good = (cells["validation"] >= cells["validation"].max() - near).sum()
    found = search_lessons.regrets(cells, most=len(cells), orders=300, samplers=["random"])
    some = found[found["regret"] <= near]
    mean = some.groupby("order")["trials"].min().mean()
    assert mean == pytest.approx((len(cells) + 1) / (good + 1), rel=0.15)


def test_what_never_comes_near_counts_as_more_than_all():
    found = pd.DataFrame({"sampler": np.repeat(["grid", "random", "tpe"], 2), "order": 0})
    found = found.assign(trials=[1, 2] * 3, regret=[0.5, 0.4, 0.5, 0.0, 0.0, 0.0])
    assert search_lessons.to_come_near(found, 0.1)["median"].to_list() == [3, 2, 1]


def test_the_parameter_that_decides_is_the_important_one(cells):
    share = search_lessons.importance(cells)
    assert share.index[0] == "LEARNING_RATE" and share.iloc[0] > 0.9
    assert share.sum() == pytest.approx(1)


def test_the_heat_map_has_the_mean_of_each_cell(cells):
    heat = search_lessons.heat(cells)
    assert heat.shape == (5, 4) and heat.loc[1e-3, 1.0] == heat.max().max()


def test_the_best_of_n_is_the_mean_over_every_choice():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"validation": rng.random(6), "test": rng.random(6)})
    found = search_lessons.best_of(table).set_index("trials")
    for n in range(1, 7):
        drawn = [table.iloc[list(some)] for some in itertools.combinations(range(6), n)]
        best = [part.loc[part["validation"].idxmax()] for part in drawn]
        mean = pd.DataFrame(best).mean()
        assert found.loc[n, "validation"] == pytest.approx(mean["validation"])
        assert found.loc[n, "test"] == pytest.approx(mean["test"])


def test_luck_alone_is_all_optimism():
    """Scores without any difference between the settings: validation rises, the test does not."""
    rng = np.random.default_rng(1)
    gaps = []
    for _ in range(200):
        table = pd.DataFrame(rng.normal(0.8, 0.02, (40, 2)), columns=["validation", "test"])
        gaps.append(search_lessons.best_of(table)["optimism"].iloc[-1])
    assert np.mean(gaps) == pytest.approx(2.16 * 0.02, rel=0.1)  # the mean maximum of 40 normals


def test_without_test_scores_there_is_no_optimism(cells):
    assert search_lessons.best_of(cells)["optimism"].isna().all()
