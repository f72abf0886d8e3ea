"""Is there a confusion matrix, with classes of given sizes, that gives scores as printed?

For two classes all matrices are tried. For more there are too many: whole numbers are looked for
step by step, and where none turn up, `mixtures` tries to prove that there are none.

The package mlscorecheck tests printed scores in this spirit (Fazekas and Kovács 2023).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from lesions.paper.audit import SCORES, f1_is_possible, may_be_equal, rounding
from lesions.paper.margins import Matrix, is_a_matrix, points, scores_of
from lesions.paper.mixtures import disproved, limits

__all__ = ["contradiction", "fit", "is_a_matrix", "scores_of", "two_classes"]

POSSIBLE, EDGE, IMPOSSIBLE, OPEN = "possible", "on the edge", "impossible", "not decided"
POPULATION = 48  # matrices that are changed side by side
NODES = 60  # linear programs at most


# ---------------------------------------------------------------- two classes: all of them


def two_classes(
    row: Mapping[str, float], sizes: Sequence[int], names: Sequence[str], half: float
) -> Matrix | None:
    """A matrix that fits, the one with the scores nearest to the printed ones; all are tried."""
    a, b = sizes
    one = np.arange(a + 1)
    if "accuracy" in names:  # it leaves few sums of both
        least, most = (np.array([-half, half]) + row["accuracy"]) * (a + b)
        right = np.arange(int(np.ceil(least)), int(np.floor(most)) + 1)
        one, two = (part.ravel() for part in np.meshgrid(one, right))
        two = two - one
    else:
        one, two = (part.ravel() for part in np.meshgrid(one, np.arange(b + 1)))
    one, two = one[(two >= 0) & (two <= b)], two[(two >= 0) & (two <= b)]
    if not len(one):
        return None
    answers = one + b - two
    values = points(a, a + b, 2, one, answers) + points(b, a + b, 2, two, a + b - answers)
    wanted = [SCORES.index(name) for name in names]
    off = np.abs(values[:, wanted] - [row[name] for name in names]).max(axis=1)
    best = int(off.argmin())
    if off[best] > half:
        return None
    other = a + b - int(answers[best])
    return [(a, int(one[best]), int(answers[best])), (b, int(two[best]), other)]


# ---------------------------------------------------------------- more classes: a search


def _search(
    sizes: Sequence[int], names: Sequence[str], low: np.ndarray, high: np.ndarray, steps: int
) -> Matrix | None:
    """Look for whole numbers within the limits: many matrices at once, changed step by step.

    A step moves a few images in or out of the diagonal, or answers from one class to another; it
    stays if the scores come nearer, and now and then if not. None: not found, which proves nothing.
    """
    rng = np.random.default_rng(0)
    k, n, sizes = len(sizes), sum(sizes), np.array(sizes)
    many = np.arange(POPULATION)
    answered = np.stack([np.floor(n * rng.dirichlet(np.ones(k) / 2)) for _ in many]).astype(int)
    answered[:, 0] += n - answered.sum(axis=1)
    found = (rng.random((POPULATION, k)) * np.minimum(answered, sizes)).astype(int)
    wanted = [SCORES.index(name) for name in names]
    least, most = low[: len(names)], high[: len(names)]

    def off(found: np.ndarray, answered: np.ndarray) -> np.ndarray:
        precision = np.divide(found, answered, out=np.zeros(found.shape), where=answered > 0)
        each = np.stack([precision, found / sizes, 2 * found / (sizes + answered)], axis=2)
        total = found.sum(axis=1)
        values = np.column_stack(
            [total / n, each.mean(axis=1), (each * (sizes / n)[None, :, None]).sum(axis=1)]
        )[:, wanted]
        room = sizes + answered - 2 * found - (n - total)[:, None]
        return (
            np.maximum(least - values, 0).sum(axis=1)
            + np.maximum(values - most, 0).sum(axis=1)
            + np.maximum(room, 0).sum(axis=1) / n
        )

    now = off(found, answered)
    for step in range(steps):
        t, a = found.copy(), answered.copy()
        one, two = rng.integers(k, size=(2, POPULATION))
        size = np.ceil(np.exp(rng.random(POPULATION) * np.log(1 + n / 6))).astype(int)
        moves = rng.random(POPULATION) < 0.5
        t[many, one] += np.where(moves, 0, rng.choice([-1, 1], POPULATION) * size)
        a[many, one] += np.where(moves, size, 0)
        a[many, two] -= np.where(moves, size, 0)
        a = np.maximum(a, 0)
        a[many, one] -= a.sum(axis=1) - n
        ok = (a >= 0).all(axis=1)
        t = np.clip(t, 0, np.minimum(sizes, np.maximum(a, 0)))
        then = np.where(ok, off(t, np.maximum(a, 0)), np.inf)
        heat = 0.01 * (1 - step / steps) ** 2
        better = then < now + rng.exponential(heat + 1e-12, POPULATION) * (rng.random() < 0.5)
        found[better], answered[better], now[better] = t[better], a[better], then[better]
        if now.min() <= 0:
            best = int(now.argmin())
            return [tuple(map(int, each)) for each in zip(sizes, found[best], answered[best],
                                                          strict=True)]  # fmt: skip
    return None


def _several_classes(
    row: Mapping[str, float], sizes: Sequence[int], names: Sequence[str], half: float, steps: int
) -> tuple[bool, Matrix | None]:
    low, high = limits(row, names, half, len(sizes))
    # A short search finds most matrices, a proof is next, and a long search the last resort.
    for count in (steps // 10, steps):
        matrix = _search(sizes, names, low, high, count) if count else None
        if matrix is not None or not _mixes(row, sizes, names, half, NODES):
            return matrix is not None, matrix
    return True, None


def _mixes(
    row: Mapping[str, float], sizes: Sequence[int], names: Sequence[str], half: float, nodes: int
) -> bool:
    """Whether it is not proved that no matrix exists."""
    low, high = limits(row, names, half, len(sizes))
    return not disproved(sizes, names, low, high, nodes)


# ---------------------------------------------------------------- whether there is one


def contradiction(
    row: Mapping[str, float], equal: bool, names: Sequence[str], digits: int = 2
) -> str | None:
    """The rule that a row breaks under a reading, in words; None if it breaks none.

    Rules hold whatever the matrix: weighted recall is accuracy; with equal classes macro recall is
    accuracy too, and macro averages are weighted ones; an average F1 has bounds.
    """
    pairs = [("accuracy", "weighted_recall")]
    if equal:
        pairs += [("accuracy", "macro_recall")]
        pairs += [(f"macro_{part}", f"weighted_{part}") for part in ("precision", "recall", "f1")]
    for one, two in pairs:
        if {one, two} <= set(names) and not may_be_equal(row[one], row[two], digits):
            because = "with equal classes " if one != "accuracy" or two == "macro_recall" else ""
            one, two = (f"{name.replace('_', ' ')} {row[name]:.{digits}f}" for name in (one, two))
            return f"{because}the two are one number: {one}, {two}"
    for kind in ("macro", "weighted"):
        triple = [f"{kind}_{part}" for part in ("f1", "precision", "recall")]
        if {*triple} <= set(names) and not f1_is_possible(*(row[n] for n in triple), digits):
            return (
                f"no {kind} F1 of {row[triple[0]]:.{digits}f} goes with that precision and recall"
            )
    return None


def fit(
    row: Mapping[str, float],
    sizes: Sequence[int],
    names: Sequence[str] = SCORES,
    digits: int = 2,
    steps: int = 15000,
) -> tuple[str, Matrix | None]:
    """Whether a confusion matrix with these class sizes gives the printed scores.

    Args:
        row: the printed scores, by name.
        sizes: images of each class in the test part.
        names: which of the scores are to come from it.
        digits: how many decimals were printed.
        steps: how long whole numbers are looked for, where there are more than two classes.

    Returns:
        "possible", "on the edge" (only if a value lies exactly between two printed ones, and was
        rounded both ways), "impossible" or "not decided"; and a matrix, where one was found.
    """
    if contradiction(row, max(sizes) - min(sizes) <= 1, names, digits):
        return IMPOSSIBLE, None
    inner = 0.5 * 10.0**-digits * (1 - 1e-3)
    pair = ("accuracy", "weighted_recall")
    if {*pair} <= set(names) and abs(row[pair[0]] - row[pair[1]]) > 2 * inner:
        # One value for both, exactly between: whether some test part has it depends on its size.
        mixed = len(sizes) == 2 or _mixes(row, sizes, names, rounding(digits), 1)
        return (EDGE if mixed else IMPOSSIBLE), None
    verdict, matrix = _fit(row, sizes, names, rounding(digits), steps)
    if verdict == IMPOSSIBLE or (matrix and _farthest(matrix, row, names) <= inner):
        return verdict, matrix
    # Once more with a hair less room: an edge has none to give.
    if _fit(row, sizes, names, inner, steps if matrix else 0)[0] == IMPOSSIBLE:
        return EDGE, matrix
    return verdict, matrix


def _farthest(matrix: Matrix, row: Mapping[str, float], names: Sequence[str]) -> float:
    """How far the score that fits worst lies from what is printed."""
    scores = scores_of(matrix)
    return max(abs(scores[name] - row[name]) for name in names)


def _fit(row, sizes, names, half, steps) -> tuple[str, Matrix | None]:
    if len(sizes) == 2:
        matrix = two_classes(row, sizes, names, half)
        return (POSSIBLE if matrix else IMPOSSIBLE), matrix
    mixed, matrix = _several_classes(row, sizes, names, half, steps)
    return (POSSIBLE if matrix else OPEN if mixed else IMPOSSIBLE), matrix
