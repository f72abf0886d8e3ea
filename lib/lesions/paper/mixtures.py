"""Proof that no confusion matrix gives some scores: linear programs over mixtures of matrices.

A matrix is given by a pair for each class, how many of its images are found and how often it is
answered. All scores are sums over these pairs. If not even a mixture of pairs gives the scores, no
matrix does. Where a mixture does, a class is cut into those with few and those with many found.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linprog

from lesions.paper.audit import SCORES
from lesions.paper.margins import points

GRID = 28  # values of each count that the search begins with
ROUNDS = 60
Box = Sequence[tuple[int, int]]  # for each class: the least and the most images found


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
        each = points(sizes, self.images, k, found, answered)
        room = np.tile(found, (k, 1)) / self.images
        mine = (sizes + answered - 2 * found) / self.images
        room[owner, np.arange(len(owner))] += mine
        return np.vstack([each[:, self.wanted].T, answered[None] / self.images, room])


def limits(
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


def disproved(
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
    for c in range(len(columns.sizes)):
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
