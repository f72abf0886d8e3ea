"""`pairs`: exactly the pairs that brute force finds, however they are searched for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesions.core.errors import LesionsError
from lesions.duplicates import pairs


def brute_force(left: np.ndarray, right: np.ndarray, threshold: int, upper: bool) -> list[tuple]:
    """Written as plainly as can be: Python's own integers, one pair after the other."""
    found = []
    for i, a in enumerate(left.tolist()):
        for j, b in enumerate(right.tolist()):
            distance = (a ^ b).bit_count()
            if distance <= threshold and (i < j or not upper):
                found.append((i, j, distance))
    return found


def as_list(found: pairs.Pairs) -> list[tuple]:
    return [tuple(row) for row in zip(*(values.tolist() for values in found), strict=True)]


@st.composite
def clustered(draw: st.DrawFn, most: int = 40) -> np.ndarray:
    """Hashes as real ones are: many equal or nearly so, some with all bits 0 or 1."""
    centres = [0, 2**64 - 1, *draw(st.lists(st.integers(0, 2**64 - 1), max_size=4))]
    count = draw(st.integers(0, most))
    values = []
    for _ in range(count):
        value = draw(st.sampled_from(centres))
        for bit in draw(st.lists(st.integers(0, 63), max_size=6)):
            value ^= 1 << bit
        values.append(value)
    return np.array(values, dtype=np.uint64)


@settings(deadline=None)
@given(clustered(), st.integers(0, 64))
def test_all_pairs_and_no_others(hashes: np.ndarray, threshold: int) -> None:
    wanted = brute_force(hashes, hashes, threshold, upper=True)
    assert as_list(pairs.pairs_within(hashes, threshold, workers=1)) == wanted


@settings(deadline=None)
@given(clustered(), st.integers(0, 12))
def test_both_ways_of_searching_agree(hashes: np.ndarray, threshold: int) -> None:
    wanted = brute_force(hashes, hashes, threshold, upper=True)
    blocks = pairs.pairs_between(hashes, hashes, threshold, workers=1, upper=True)
    buckets = pairs._sorted([pairs._candidates(hashes, threshold, 10**6)])
    assert as_list(blocks) == wanted
    assert as_list(buckets) == wanted


@settings(deadline=None)
@given(clustered(12), clustered(12), st.integers(0, 64))
def test_pairs_between_two_sets(left: np.ndarray, right: np.ndarray, threshold: int) -> None:
    wanted = brute_force(left, right, threshold, upper=False)
    assert as_list(pairs.pairs_between(left, right, threshold, workers=1)) == wanted


@pytest.mark.parametrize("rows, columns, stripe", [(4, 16, 8), (3, 7, 10), (64, 4096, 256)])
@pytest.mark.parametrize("workers", [1, 3])
def test_edges_of_blocks(
    monkeypatch: pytest.MonkeyPatch, rows: int, columns: int, stripe: int, workers: int
) -> None:
    monkeypatch.setattr(pairs, "ROWS", rows)
    monkeypatch.setattr(pairs, "COLUMNS", columns)
    monkeypatch.setattr(pairs, "STRIPE", stripe)
    hashes = np.random.default_rng(0).integers(0, 1 << 12, 101, dtype=np.uint64)
    wanted = brute_force(hashes, hashes, 3, upper=True)
    found = pairs.pairs_between(hashes, hashes, 3, workers=workers, upper=True)
    assert as_list(found) == wanted
    assert len(wanted) > 100


@pytest.mark.parametrize("threshold", range(9))
def test_many_hashes_with_planted_pairs(threshold: int) -> None:
    rng = np.random.default_rng(threshold)
    hashes = rng.integers(0, 2**64, 5000, dtype=np.uint64)
    twin = rng.permutation(5000)[:2000].reshape(2, 1000)
    flips = np.zeros(1000, dtype=np.uint64)
    for row, count in enumerate(rng.integers(0, 12, 1000)):
        for bit in rng.choice(64, count, replace=False):
            flips[row] |= np.uint64(1) << np.uint64(bit)
    hashes[twin[1]] = hashes[twin[0]] ^ flips
    near = np.bitwise_count(flips) <= threshold
    wanted = {tuple(sorted(pair)) for pair in twin[:, near].T.tolist()}
    i, j, _ = pairs.pairs_within(hashes, threshold)
    # At up to 8 bits of 64, two random hashes are never so near among 5,000.
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == wanted


@pytest.mark.parametrize("threshold, uses", [(2, True), (10, False)])
def test_buckets_are_used_where_they_help(threshold: int, uses: bool) -> None:
    hashes = np.random.default_rng(0).integers(0, 2**64, 5000, dtype=np.uint64)
    assert pairs.buckets_help(hashes, threshold) == uses
    assert not pairs.buckets_help(np.zeros(5000, dtype=np.uint64), threshold)


def test_too_many_pairs_is_said_before_the_memory_is_full() -> None:
    hashes = np.zeros(300, dtype=np.uint64)
    with pytest.raises(LesionsError, match="smaller threshold"):
        pairs.pairs_within(hashes, 5, most=1000)
    with pytest.raises(LesionsError, match="smaller threshold"):
        pairs._candidates(hashes, 5, most=1000)


@pytest.mark.parametrize(
    "hashes, threshold",
    [
        (np.zeros(3, dtype=np.int64), 1),
        (np.zeros((3, 2), dtype=np.uint64), 1),
        (np.zeros(3, dtype=np.uint64), -1),
        (np.zeros(3, dtype=np.uint64), 65),
    ],
)
def test_refuses_what_are_no_hashes(hashes: np.ndarray, threshold: int) -> None:
    with pytest.raises(LesionsError) as error:
        pairs.pairs_within(hashes, threshold)
    assert "\n" not in str(error.value)


def test_types_of_the_result() -> None:
    i, j, distance = pairs.pairs_within(np.array([5, 5, 4], dtype=np.uint64), 1)
    assert (i.dtype, j.dtype, distance.dtype) == (np.int32, np.int32, np.uint8)
    assert as_list((i, j, distance)) == [(0, 1, 0), (0, 2, 1), (1, 2, 1)]


def test_the_cost_table_has_a_row_a_size() -> None:
    cost = pairs.search_cost((10, 20))
    assert cost["compared"].tolist() == [45, 190]
    assert (cost["seconds"] > 0).all()
