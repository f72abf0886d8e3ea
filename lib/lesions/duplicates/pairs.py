"""Search all pairs of 64-bit hashes that differ in few bits: exact, and fast enough for 400,000."""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.progress import track

# Compared at a time: few enough to fit into a processor's fast memory, and enough that threads
# seldom wait for each other.
ROWS, COLUMNS = 64, 4096
STRIPE = 256  # rows that one thread takes at a time
MOST = 20_000_000  # pairs; more are no use to anyone, and fill the memory
Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]


def pairs_within(
    hashes: np.ndarray, threshold: int, most: int = MOST, workers: int | None = None
) -> Pairs:
    """All pairs of hashes that differ in at most `threshold` bits.

    Every pair is compared, in blocks: exclusive or, then a count of the ones. Where the threshold
    is so small that hashes near each other must agree in a stretch of bits, only those that do
    are compared (`_candidates`). Both ways find exactly the same pairs.

    Args:
        hashes: uint64 (n,).
        threshold: 0 to 64 bits.
        most: give up when there are more pairs than this.
        workers: threads; None: one for each processor.

    Returns:
        i, j (int32, i < j) and distance (uint8, in bits), sorted by i, then j.

    Raises:
        LesionsError: the hashes are not uint64, the threshold is out of range, or there are more
            than `most` pairs.
    """
    hashes = _checked(hashes, threshold)
    if buckets_help(hashes, threshold):
        return _sorted([_candidates(hashes, threshold, most)])
    return pairs_between(hashes, hashes, threshold, most, workers, upper=True)


def pairs_between(
    left: np.ndarray,
    right: np.ndarray,
    threshold: int,
    most: int = MOST,
    workers: int | None = None,
    upper: bool = False,
) -> Pairs:
    """All pairs of a hash of `left` and one of `right` within `threshold` bits.

    Args, raises: as `pairs_within`.
        upper: take only pairs with i < j.

    Returns:
        i (into left), j (into right), distance; sorted by i, then j.
    """
    left, right = _checked(left, threshold), _checked(right, threshold)

    def compare(start: int) -> Pairs:
        return _stripe(left, right, start, threshold, upper, most)

    found, total = [], 0
    threads = ThreadPoolExecutor(workers or os.cpu_count())
    try:
        stripes = range(0, len(left), STRIPE)
        for part in track(threads.map(compare, stripes), "Comparing hashes", len(stripes)):
            found.append(part)
            total += len(part[0])
            if total > most:
                raise _too_many(most, threshold)
    finally:
        threads.shutdown(cancel_futures=True)
    return _sorted(found)


def _stripe(
    left: np.ndarray, right: np.ndarray, start: int, threshold: int, upper: bool, most: int
) -> Pairs:
    """Compare STRIPE rows of `left` with all of `right` (from the same place on, if `upper`)."""
    found: list[Pairs] = []
    total = 0
    differing = np.empty((ROWS, COLUMNS), dtype=np.uint64)
    distance = np.empty((ROWS, COLUMNS), dtype=np.uint8)
    near = np.empty((ROWS, COLUMNS), dtype=bool)
    for top in range(start, min(start + STRIPE, len(left)), ROWS):
        rows = left[top : min(top + ROWS, start + STRIPE), None]
        for first in range(top if upper else 0, len(right), COLUMNS):
            columns = right[None, first : first + COLUMNS]
            here = np.s_[: len(rows), : columns.shape[1]]
            np.bitwise_xor(rows, columns, out=differing[here])
            np.bitwise_count(differing[here], out=distance[here])
            np.less_equal(distance[here], threshold, out=near[here])
            hits = np.flatnonzero(near[here])  # in one dimension, because that is far quicker
            if not len(hits):
                continue
            i, j = np.divmod(hits, columns.shape[1])
            bits = distance[i, j]
            i, j = i + top, j + first
            if upper:
                i, j, bits = (values[i < j] for values in (i, j, bits))
            found.append((i.astype(np.int32), j.astype(np.int32), bits))
            total += len(i)
            if total > most:
                raise _too_many(most, threshold)
    return _joined(found)


def _stretches(threshold: int) -> list[tuple[int, int]]:
    """Cut 64 bits into threshold + 1 stretches; as (lowest bit, length)."""
    edges = np.linspace(0, 64, threshold + 2).round().astype(int)
    return [(int(low), int(high - low)) for low, high in pairwise(edges)]


def _keys(hashes: np.ndarray, low: int, length: int) -> np.ndarray:
    """The bits of one stretch."""
    if length == 64:
        return hashes
    return (hashes >> np.uint64(low)) & np.uint64((1 << length) - 1)


def buckets_help(hashes: np.ndarray, threshold: int) -> bool:
    """True if looking up candidates is less work than comparing all pairs.

    A candidate costs some fifty times as much as a pair in a block. Real hashes crowd together,
    so the candidates are counted, not estimated from the threshold.
    """
    if threshold > 7:  # stretches of under eight bits tell too little apart
        return False
    count = 0
    for low, length in _stretches(threshold):
        sizes = np.unique(_keys(hashes, low, length), return_counts=True)[1]
        count += int((sizes * (sizes - 1) // 2).sum())
    return count * 50 < len(hashes) ** 2 / 2


def _candidates(hashes: np.ndarray, threshold: int, most: int) -> Pairs:
    """Pairs within the threshold, by the pigeonhole principle.

    Cut each hash into threshold + 1 stretches. Two hashes that differ in at most `threshold` bits
    agree in at least one stretch entirely: so sort by one stretch after the other, and compare
    only neighbours that agree in it.
    """
    found: list[Pairs] = []
    total = 0
    for number, (low, length) in enumerate(_stretches(threshold)):
        keys = _keys(hashes, low, length)
        order = np.argsort(keys, kind="stable").astype(np.int32)
        keys = keys[order]
        at = np.arange(len(hashes) - 1)
        step = 1
        while len(at):  # compare with the next one, the one after it, … while the keys agree
            at = at[at + step < len(keys)]
            at = at[keys[at] == keys[at + step]]
            i, j = order[at], order[at + step]
            distance = np.bitwise_count(hashes[i] ^ hashes[j])
            near = distance <= threshold
            for earlier, bits in _stretches(threshold)[:number]:  # found there already
                near &= _keys(hashes[i], earlier, bits) != _keys(hashes[j], earlier, bits)
            found.append((i[near], j[near], distance[near]))
            total += int(near.sum())
            if total > most:
                raise _too_many(most, threshold)
            step += 1
    return _joined(found)


def _checked(hashes: np.ndarray, threshold: int) -> np.ndarray:
    hashes = np.asarray(hashes)
    if hashes.dtype != np.uint64 or hashes.ndim != 1:
        raise LesionsError(
            f"Hashes must be a row of uint64; got {hashes.dtype} of shape {hashes.shape}."
        )
    if not 0 <= threshold <= 64:
        raise LesionsError(f"The threshold must lie from 0 to 64 bits; got {threshold}.")
    return np.ascontiguousarray(hashes)


def _too_many(most: int, threshold: int) -> LesionsError:
    return LesionsError(
        f"More than {most:,} pairs differ in at most {threshold} bits; choose a smaller threshold."
    )


def _joined(parts: list[Pairs]) -> Pairs:
    if not parts:
        return np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.uint8)
    i, j, distance = (np.concatenate(values) for values in zip(*parts, strict=True))
    return i, j, distance


def _sorted(parts: list[Pairs]) -> Pairs:
    i, j, distance = _joined(parts)
    order = np.lexsort((j, i))
    return i[order], j[order], distance[order]


def search_cost(
    sizes: Sequence[int] = (1000, 2000, 5000, 10_000, 20_000), threshold: int = 8, seed: int = 0
) -> pd.DataFrame:
    """Time the search among so many random hashes: four times the time for twice as many.

    Returns:
        hashes, compared (pairs of hashes), seconds.
    """
    rng = np.random.default_rng(seed)
    lines = []
    for size in sizes:
        hashes = rng.integers(0, 2**64, size, dtype=np.uint64)
        start = time.perf_counter()
        pairs_within(hashes, threshold)
        seconds = time.perf_counter() - start
        lines.append({"hashes": size, "compared": size * (size - 1) // 2, "seconds": seconds})
    return pd.DataFrame(lines)
