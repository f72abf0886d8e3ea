"""Plans of independent tasks: bounds, order, and where more workers stop to help."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesions.experiments import scaling

DURATIONS = st.lists(st.floats(0.1, 100), min_size=1, max_size=30)


def test_a_plan_by_hand():
    assert scaling.finish([3, 3, 2, 2, 2], 2) == 7
    assert scaling.finish([1, 1, 4], 2, longest_first=False) == 5
    assert scaling.finish([1, 1, 4], 2) == 4


@given(DURATIONS, st.integers(1, 12))
def test_no_plan_is_shorter_than_its_bound_or_longer_than_the_known_one(durations, workers):
    """Graham (1969): the longest first needs at most 4/3 - 1/(3W) of the best plan's time."""
    time = scaling.finish(durations, workers)
    bound = max(max(durations), sum(durations) / workers)
    assert bound - 1e-9 <= time <= sum(durations) + 1e-9
    assert time <= bound + max(durations) * (1 - 1 / workers) + 1e-9


def test_more_workers_than_tasks_wait_for_the_longest():
    table = scaling.plan([3600, 1800, 1800], workers=(1, 2, 3, 8))
    assert table["hours"].to_list() == [2, 1, 1, 1]
    assert scaling.enough(table) == 2
    assert table["busy"].to_list() == pytest.approx([1, 1, 2 / 3, 1 / 4])


def test_what_a_task_costs_beside_its_work_is_in_the_plan():
    assert scaling.plan([10, 10], overhead=5, workers=(1,))["hours"][0] == pytest.approx(30 / 3600)
