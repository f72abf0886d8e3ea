"""Labels as numbers: whole ones by scikit-learn's LabelEncoder, or one-hot."""

from collections.abc import Sequence

import numpy as np
from sklearn.preprocessing import LabelEncoder

from lesions.core.errors import LesionsError


def encode(labels: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Labels as whole numbers, by scikit-learn's LabelEncoder.

    Args:
        labels: (n,) texts.
        classes: all classes, in alphabetical order.

    Returns:
        int32 (n,), the position of each label in `classes`.

    Raises:
        LesionsError: a label is not among the classes.
    """
    encoder = LabelEncoder().fit(list(classes))
    try:
        return encoder.transform(list(labels)).astype(np.int32)
    except ValueError as error:
        strange = sorted(set(labels) - set(classes))
        raise LesionsError(
            f"Label {strange[0]!r} is not among the classes {', '.join(classes)}; split again (03)."
        ) from error


def one_hot(codes: np.ndarray, classes: int) -> np.ndarray:
    """Whole numbers (n,) as float32 (n, classes): a one in the column of the class, else zeros."""
    return np.eye(classes, dtype=np.float32)[codes]
