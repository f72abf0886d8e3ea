"""Is there a confusion matrix, with classes of given sizes, that gives scores as printed?

For two classes all matrices are tried. For more there are too many, and none is written out: for the
scores only counts, for each class, how many of its images are found and how often it is answered.
If not even a mixture of such pairs gives the scores (linear programming), no matrix does, and that
is a proof. Else whole numbers are looked for; where none turn up, nothing is proved.

The package mlscorecheck tests printed scores in this spirit (Fazekas and Kovács 2024).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linprog

from lesions.paper.audit import SCORES, f1_is_possible, may_be_equal, rounding

POSSIBLE, EDGE, IMPOSSIBLE, OPEN = "possible", "on the edge", "impossible", "not decided"
GRID = 28  # values of each count that the search begins with
ROUNDS = 60
POPULATION = 48  # matrices that are changed side by side
NODES = 200  # linear programs at most
Box = Sequence[tuple[int, int]]  # for each class: the least and the most images found
Matrix = list[tuple[int, int, int]]  # for each class: images, found, answered


# ---------------------------------------------------------------- the scores of a matrix


def _points(size: int, images: int, classes: int, found: np.ndarray, answered: np.ndarray):
    """What one class adds to each score, (points, 7), for found and answered images of it."""
    precision = np.divide(found, answered, out=np.zeros(len(found)), where=answered > 0)
    recall, f1 = found / size, 2 * found / (size + answered)
    each = np.stack([precision, recall, f1], axis=1)
    share = np.reshape(size, (-1, 1)) / images
    return np.column_stack([found / images, each / classes, each * share])


def scores_of(matrix: Matrix) -> dict[str, float]:
    """The seven scores of a matrix given by images, found and answered of each class."""
    images = sum(size for size, _, _ in matrix)
    total = sum(
        _points(size, images, len(matrix), np.array([found]), np.array([answered]))[0]
        for size, found, answered in matrix
    )
    return dict(zip(SCORES, map(float, total), strict=True))


def is_a_matrix(matrix: Matrix) -> bool:
    """Whether a confusion matrix with these diagonals, row sums and column sums exists.

    The mistakes are a table with an empty diagonal. One exists if misses and false alarms add up
    to the same number, and for no class those two together are more than all mistakes.
    """
    images = sum(size for size, _, _ in matrix)
    mistakes = images - sum(found for _, found, _ in matrix)
    return (
        sum(answered for _, _, answered in matrix) == images
        and all(0 <= found <= min(size, answered) for size, found, answered in matrix)
        and all(size + answered - 2 * found <= mistakes for size, found, answered in matrix)
    )


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
    values = _points(a, a + b, 2, one, answers) + _points(b, a + b, 2, two, a + b - answers)
    wanted = [SCORES.index(name) for name in names]
    off = np.abs(values[:, wanted] - [row[name] for name in names]).max(axis=1)
    best = int(off.argmin())
    if off[best] > half:
        return None
    other = a + b - int(answers[best])
    return [(a, int(one[best]), int(answers[best])), (b, int(two[best]), other)]


# ---------------------------------------------------------------- more classes: mixtures


class _Columns:
    """Pairs (found, answered) of each class, as columns of a linear program."""

    def __init__(self, sizes: Sequence[int], names: Sequence[str], box: Box) -> None:
        self.sizes, self.images, self.box = list(sizes), sum(sizes), box
        self.wanted = [SCORES.index(name) for name in names]
        self.pairs: list[set[tuple[int, int]]] = []
        for size, (least, most) in zip(sizes, box, strict=True):
            count = min(GRID, most - least + 1)
            found = np.unique(np.linspace(least, most, count).round().astype(int))
            more = np.unique(np.geomspace(1, self.images - size + 1, GRID).astype(int) - 1)
            self.pairs.append({(int(t), int(t + m)) for t in found for m in more
                               if t + m <= self.images})  # fmt: skip

    def matrix(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scores (m, n), other rows (k + 1, n), and the class of each of the n columns."""
        parts = [np.array(sorted(pairs)) for pairs in self.pairs]
        owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        found, answered = np.concatenate(parts).T
        return self.rows(owner, found, answered), owner

    def rows(self, owner: np.ndarray, found: np.ndarray, answered: np.ndarray) -> np.ndarray:
        """Coefficients (scores + 1 + classes, columns): scores, answers, room for mistakes."""
        k, sizes = len(self.sizes), np.array(self.sizes)[owner]
        points = _points(sizes, self.images, k, found, answered)
        room = np.tile(found, (k, 1)) / self.images
        mine = (sizes + answered - 2 * found) / self.images
        room[owner, np.arange(len(owner))] += mine
        return np.vstack([points[:, self.wanted].T, answered[None] / self.images, room])


def _limits(
    row: Mapping[str, float], names: Sequence[str], half: float, k: int
) -> tuple[np.ndarray, np.ndarray]:
    printed = np.array([row[name] for name in names])
    low = np.concatenate([printed - half, [1.0], np.full(k, -np.inf)])
    return low, np.concatenate([printed + half, [1.0], np.ones(k)])


def _mixture(columns: _Columns, low: np.ndarray, high: np.ndarray) -> np.ndarray | None:
    """The weights of a mixture of pairs within the limits; pairs are added until none can help.

    None if there is no such mixture.
    """
    k = len(columns.sizes)
    for _ in range(ROUNDS):
        body, owner = columns.matrix()
        count = body.shape[1]
        # The least total violation: each limit may be missed, at a price.
        has_low = np.isfinite(low)
        upper = np.hstack([body, -np.eye(len(body))])
        lower = np.hstack([-body, -np.eye(len(body))])[has_low]
        one = np.zeros((k, count + len(body)))
        one[owner, np.arange(count)] = 1
        cost = np.concatenate([np.zeros(count), np.ones(len(body))])
        found = linprog(cost, np.vstack([upper, lower]), np.concatenate([high, -low[has_low]]),
                        one, np.ones(k), method="highs")  # fmt: skip
        if found.fun < 1e-9:
            return found.x[:count]
        dual = found.ineqlin.marginals[: len(body)].copy()
        dual[has_low] -= found.ineqlin.marginals[len(body) :]
        gain = _add_pairs(columns, dual, found.eqlin.marginals)
        # One unit of weight a class: no mixture at all can lower the violation by more than that.
        if found.fun + gain > 1e-9:
            return None
    return found.x[:count]


def _disproved(
    sizes: Sequence[int], names: Sequence[str], low: np.ndarray, high: np.ndarray, nodes: int
) -> bool:
    """Whether no matrix is within the limits: branch and bound over how many images are found.

    Where a mixture exists, the class whose images it mixes most widely is cut in two, and both
    halves are tried. A mixture within a narrow range is nearly a matrix, so wrong ones die out.
    """
    boxes = [tuple((0, size) for size in sizes)]
    for _ in range(nodes):
        if not boxes:
            return True
        box = boxes.pop()
        columns = _Columns(sizes, names, box)
        weights = _mixture(columns, low, high)
        if weights is None:
            continue
        _, owner = columns.matrix()
        found = np.concatenate([np.array(sorted(pairs))[:, 0] for pairs in columns.pairs])
        spread = np.zeros(len(sizes))
        middle = np.zeros(len(sizes))
        for c in range(len(sizes)):
            mine, share = found[owner == c], weights[owner == c]
            middle[c] = (mine * share).sum()
            spread[c] = np.sqrt((share * (mine - middle[c]) ** 2).sum())
        c = int(spread.argmax())
        least, most = box[c]
        if spread[c] < 0.5 or most == least:
            return False
        cut = int(np.clip(np.floor(middle[c]), least, most - 1))
        boxes += [(*box[:c], part, *box[c + 1 :]) for part in ((least, cut), (cut + 1, most))]
    return not boxes


def _add_pairs(columns: _Columns, dual: np.ndarray, price: np.ndarray) -> float:
    """Add the pairs of each class that lower the violation most; returns by how much, at best."""
    gain = 0.0
    for c, size in enumerate(columns.sizes):
        least = 0.0
        first, last = columns.box[c]
        for found in np.array_split(np.arange(first, last + 1), 1 + (last - first) // 200):
            t, a = (part.ravel() for part in np.meshgrid(found, np.arange(columns.images + 1)))
            keep = a >= t
            t, a = t[keep], a[keep]
            reduced = -dual @ columns.rows(np.full(len(t), c), t, a) - price[c]
            best = int(reduced.argmin())
            if reduced[best] < -1e-12:
                columns.pairs[c].add((int(t[best]), int(a[best])))
                least = min(least, float(reduced[best]))
        gain += least
    return gain


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
    low, high = _limits(row, names, half, len(sizes))
    matrix = _search(sizes, names, low, high, steps) if steps else None
    return matrix is not None or not _disproved(sizes, names, low, high, NODES), matrix


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
    verdict, matrix = _fit(row, sizes, names, rounding(digits), steps)
    if verdict == IMPOSSIBLE:
        return verdict, None
    # Once more with a hair less room: an edge has none to give.
    inner = 0.5 * 10.0**-digits * (1 - 1e-3)
    pair = ("accuracy", "weighted_recall")
    apart = {*pair} <= set(names) and abs(row[pair[0]] - row[pair[1]]) > 2 * inner
    if apart or _fit(row, sizes, names, inner, steps if matrix else 0)[0] == IMPOSSIBLE:
        return EDGE, matrix
    return verdict, matrix


def _fit(row, sizes, names, half, steps) -> tuple[str, Matrix | None]:
    if len(sizes) == 2:
        matrix = two_classes(row, sizes, names, half)
        return (POSSIBLE if matrix else IMPOSSIBLE), matrix
    mixed, matrix = _several_classes(row, sizes, names, half, steps)
    return (POSSIBLE if matrix else OPEN if mixed else IMPOSSIBLE), matrix
