"""The scores of a confusion matrix from its margins: images, found and answered of each class."""

import numpy as np

from lesions.paper.audit import SCORES

Matrix = list[tuple[int, int, int]]  # for each class: images, found, answered


def points(size: int, images: int, classes: int, found: np.ndarray, answered: np.ndarray):
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
        points(size, images, len(matrix), np.array([found]), np.array([answered]))[0]
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
