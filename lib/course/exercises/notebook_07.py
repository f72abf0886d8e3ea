"""The exercises of notebook 07: what counts as right, and what is said of what is not."""

from typing import Any

import numpy as np

from course.exercise import Exercise
from course.feedback import call, require, show

ROUNDED = (
    (0.64, 0.73, False, "They are 9 hundredths apart."),
    (0.50, 0.50, True, "They are the same."),
    (0.29, 0.28, True, "A value of .285 may have been rounded up once and down once."),
    # 0.58 - 0.57 is a little more than 0.01 in a computer's arithmetic.
    (
        0.58,
        0.57,
        True,
        "One hundredth apart, as .29 and .28. Print 0.58 - 0.57: leave room for the "
        "computer's own rounding.",
    ),
    (0.57, 0.58, True, "The order of the two must not matter."),
    (0.41, 0.50, False, "The order of the two must not matter."),
    (0.50, 0.48, False, "No value rounds to both .50 and .48."),
    # 0.35 - 0.33 is a little less than 0.02 in a computer's arithmetic.
    (0.35, 0.33, False, "No value rounds to both .35 and .33: they are two hundredths apart."),
    (0.53, 0.51, False, "No value rounds to both .53 and .51: they are two hundredths apart."),
    (0.07, 0.05, False, "No value rounds to both .07 and .05: they are two hundredths apart."),
)


def _possible(function: Any) -> str:
    for accuracy, recall, right, why in ROUNDED:
        shown = f"can_both_be_right({accuracy}, {recall})"
        got = call(function, accuracy, recall, shown=shown)
        require(
            isinstance(got, bool | np.bool_), f"{shown} should give True or False, not {got!r}."
        )
        require(bool(got) == right, f"{shown} gives {bool(got)}, not {right}. {why}")
    return "Now you can check any table that prints both columns."


def _matrix(got: Any, images: int, shown: str) -> np.ndarray:
    """The answer as a confusion matrix; WrongError if it is none."""
    asked = f"{shown} should give a list of rows, one a class, as long as there are classes"
    try:
        matrix = np.array(got, dtype=float)
    except (TypeError, ValueError):
        require(False, f"{asked}; this is no table of numbers.")
    require(matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1], f"{asked}.")
    require(len(matrix) >= 2, f"{shown} has one class only: give two or more.")
    whole = (matrix >= 0).all() and (matrix == np.round(matrix)).all()
    require(bool(whole), f"{shown} holds numbers that count no images: whole ones from 0 on.")
    sums = matrix.sum(axis=1)
    require(
        bool((sums == images).all()),
        f"The rows of {shown} add up to {', '.join(show(float(s)) for s in sums)}; each class has "
        f"{images} images. Rows are the truth.",
    )
    return matrix


def _counterexample(function: Any) -> str:
    for images in (100, 40):
        shown = f"counterexample({images})"
        matrix = _matrix(call(function, images, shown=shown), images, shown)
        found, answered = np.diag(matrix), matrix.sum(axis=0)
        precision = np.divide(found, answered, out=np.zeros(len(found)), where=answered > 0)
        recall, f1 = found / images, 2 * found / (images + answered)
        p, r, macro = precision.mean(), recall.mean(), f1.mean()
        harmonic = 2 * p * r / (p + r) if p + r else 0.0
        require(
            harmonic - macro >= 0.05 - 1e-9,
            f"{shown} has macro precision {p:.3f}, macro recall {r:.3f}, their harmonic mean "
            f"{harmonic:.3f}, and macro F1 {macro:.3f}: {harmonic - macro:.3f} apart, not .05. Let "
            "one class have a high precision and a low recall, and another the reverse.",
        )
    return "The harmonic mean is an upper bound. The colleague would have blamed a right table."


EXERCISES = (
    Exercise(
        "07.1",
        "predict",
        "Rows that cannot be",
        (
            "Compare two columns that must be equal in every row: which two?",
            "Weighted recall is accuracy. Allow .01 for rounding, and count.",
        ),
        unit="rows",
    ),
    Exercise(
        "07.2",
        "fill in",
        "Can both numbers be right?",
        (
            "A number printed as .52 was anything from .515 to .525.",
            "So two printed numbers may differ by .01, and not by more.",
        ),
        _possible,
    ),
    Exercise(
        "07.3",
        "find the flaw",
        "The mean of the F1, and the F1 of the means",
        (
            "Take two classes. What if the model nearly always answers the second?",
            "Of the first class only a tenth is found, and never called by mistake: its precision "
            "is 1, its recall .1. What of the second?",
        ),
        _counterexample,
    ),
    Exercise(
        "07.4",
        "think",
        "Three things to ask for",
        (
            "What do all seven numbers of a row follow from?",
            "No score shows whether a test image was in training. What would?",
        ),
    ),
)
