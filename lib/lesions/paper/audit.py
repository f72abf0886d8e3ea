"""Arithmetic that any table of published scores must obey, and what it says where it does not.

A published number is rounded: 0.73 with two digits is anything from 0.725 to 0.735. A rule counts
as broken only if no numbers that round to the published ones obey it.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError

SCORES = (
    "accuracy",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "weighted_precision",
    "weighted_recall",
    "weighted_f1",
)
IMPOSSIBLE = "arithmetically impossible"
CONSTANT = "equals a constant predictor"
EDGE = "on the edge of rounding"
SAME_AVERAGES = "macro equals weighted"
NO_BETTER = "no better than a constant"
BELOW = "below the majority class"
SAYS = {
    "recall": "weighted recall is accuracy, but {weighted_recall} is not {accuracy}",
    "f1": "{} precision {} and recall {} allow an F1 from {:.3f} to {:.3f}, not {}",
    EDGE: "weighted recall is accuracy; {weighted_recall} and {accuracy} agree only if a value "
    "exactly between them was rounded both ways",
    SAME_AVERAGES: "all macro averages equal the weighted ones: classes of equal size (a resampled "
    "test part), or one triple copied from the other, or a coincidence",
    CONSTANT: "every score is that of one answer for all images, of a class with {:.1%} to {:.1%} "
    "of them",
    NO_BETTER: "one answer for all images has the same macro recall: 1 of {} classes",
    BELOW: "always answering the largest class has accuracy {:.3f}, if the test part has the class "
    "shares of the dataset",
}


def rounding(digits: int = 2) -> float:
    """How far a number may lie from what is printed with so many digits."""
    return 0.5 * 10.0**-digits + 1e-9


def may_be_equal(a: float, b: float, digits: int = 2) -> bool:
    """Whether two rounded numbers can come from the same value."""
    return abs(a - b) <= 2 * rounding(digits)


# ---------------------------------------------------------------- identities


def weighted_recall_is_accuracy(accuracy: float, weighted_recall: float, digits: int = 2) -> bool:
    """Whether an accuracy and a weighted recall can belong to the same predictions.

    They are the same number. With n_c images of class c, of which t_c are found, the recall of c is
    t_c / n_c and its weight n_c / n; the sum of (n_c / n) * (t_c / n_c) is (sum of t_c) / n. It
    holds when both are taken over all classes, as they are by default.
    """
    return may_be_equal(accuracy, weighted_recall, digits)


def f1_bounds(precision: float, recall: float) -> tuple[float, float]:
    """The least and the largest average F1 for an average precision and an average recall.

    All three are averages over the classes with the same weights w_c (macro: equal; weighted: by
    class size). The F1 of one class is f(p, r) = 2pr / (p + r), and 0 at p = r = 0.

    At most 2PR / (P + R): f is concave, so the average of f is at most f of the averages (Jensen;
    Opitz and Burst 2019). Concave, because for 0 <= t <= 1 f(p, r) <= 2 (t² p + (1 - t)² r), with
    equality at t = r / (p + r): f is the smallest of many linear functions. The harmonic mean is at
    most the arithmetic one, so the average F1 is at most (P + R) / 2, too.

    At least P + R - 1, and at least 0: (1 - p)(1 - r) >= 0 gives pr >= p + r - 1, and f(p, r) >= pr
    because p + r <= 2.
    """
    largest = 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
    return max(0.0, precision + recall - 1), largest


def f1_is_possible(f1: float, precision: float, recall: float, digits: int = 2) -> bool:
    """Whether rounded averages of F1, precision and recall can belong together: `f1_bounds`."""
    half = rounding(digits)
    # Both bounds grow with precision and recall, so the extreme corners decide.
    least = f1_bounds(max(precision - half, 0), max(recall - half, 0))[0]
    largest = f1_bounds(min(precision + half, 1), min(recall + half, 1))[1]
    return least - half <= f1 <= largest + half


def macro_equals_weighted(row: Mapping[str, float]) -> bool:
    """Whether precision, recall and F1 are printed with the same macro and weighted average.

    Classes of equal size make both averages the same, because all weights are 1 / k. The reverse
    does not follow: the averages may agree by coincidence, and one triple may have been copied from
    the other. On classes as uneven as 67 % and 1 % it is a strong hint at a resampled test part.
    """
    return all(
        abs(row[f"macro_{name}"] - row[f"weighted_{name}"]) < 1e-9
        for name in ("precision", "recall", "f1")
    )


def constant_scores(share: float | np.ndarray, classes: int) -> dict[str, float | np.ndarray]:
    """All seven scores of a model that gives the same answer to every image.

    Args:
        share: the share of test images that belong to the class it answers.
        classes: the number of classes in the test part.

    For the answered class precision is `share`, recall 1, F1 2 share / (1 + share); for all others
    each is 0 (their precision is 0 / 0, counted as 0, as scikit-learn does).
    """
    f1 = 2 * share / (1 + share)
    return {
        "accuracy": share,
        "macro_precision": share / classes,
        "macro_recall": 1 / classes + 0 * share,
        "macro_f1": f1 / classes,
        "weighted_precision": share**2,
        "weighted_recall": share,
        "weighted_f1": share * f1,
    }


def constant_share(
    row: Mapping[str, float], classes: int, digits: int = 2
) -> tuple[float, float] | None:
    """The class shares with which a constant answer gives exactly the printed scores.

    Args:
        row: some or all of `SCORES`, accuracy among them; others are ignored.
        classes: the number of classes.

    Returns:
        the smallest and the largest such share, or None if there is none.
    """
    half = rounding(digits)
    shares = np.clip(row["accuracy"] + np.linspace(-half, half, 2001), 0, 1)
    fits = np.ones(len(shares), bool)
    for name, values in constant_scores(shares, classes).items():
        if name in row:
            fits &= np.abs(values - row[name]) <= half
    return (float(shares[fits].min()), float(shares[fits].max())) if fits.any() else None


# ---------------------------------------------------------------- a whole table


def _check_table(table: pd.DataFrame) -> None:
    present = [name for name in SCORES if name in table]
    if not present:
        raise LesionsError(
            f"The table has none of the columns {', '.join(SCORES)}; it has "
            f"{', '.join(map(str, table.columns))}: rename yours to these."
        )
    for name in present:
        values = table[name]
        numeric = pd.api.types.is_numeric_dtype(values)
        if not numeric or not values.dropna().between(0, 1).all():
            raise LesionsError(
                f"The column {name} must hold shares from 0 to 1; divide percentages by 100."
            )


def _row_findings(row: dict, digits: int) -> Iterator[tuple[str, list[str], str]]:
    """The finding, the scores concerned and the sentence, for each rule that says something."""
    row = {name: value for name, value in row.items() if pd.notna(value)}
    has = [name for name in SCORES if name in row]
    printed = {name: f"{row[name]:.{digits}f}" for name in has}
    pair = ["accuracy", "weighted_recall"]
    if {*pair} <= {*has} and not weighted_recall_is_accuracy(*(row[n] for n in pair), digits):
        yield IMPOSSIBLE, pair, SAYS["recall"].format(**printed)
    elif {*pair} <= {*has} and abs(row[pair[0]] - row[pair[1]]) > rounding(digits):
        yield EDGE, pair, SAYS[EDGE].format(**printed)
    for kind in ("macro", "weighted"):
        triple = [f"{kind}_{part}" for part in ("f1", "precision", "recall")]
        if {*triple} <= {*has} and not f1_is_possible(*(row[n] for n in triple), digits):
            f1, precision, recall = (printed[name] for name in triple)
            least, largest = f1_bounds(float(precision), float(recall))
            yield IMPOSSIBLE, triple, SAYS["f1"].format(kind, precision, recall, least, largest, f1)
    if {*SCORES} <= {*has} and macro_equals_weighted(row):
        yield SAME_AVERAGES, list(SCORES[1:]), SAYS[SAME_AVERAGES]
    # Accuracy alone would fit any constant answer.
    if "classes" in row and {"accuracy", "macro_recall"} <= {*has}:
        shares = constant_share(row, int(row["classes"]), digits)
        if shares:
            yield CONSTANT, has, SAYS[CONSTANT].format(*shares)
        elif abs(row["macro_recall"] - 1 / row["classes"]) <= rounding(digits):
            yield NO_BETTER, ["macro_recall"], SAYS[NO_BETTER].format(int(row["classes"]))
    if {"majority", "accuracy"} <= {*row} and row["accuracy"] + rounding(digits) < row["majority"]:
        yield BELOW, ["accuracy"], SAYS[BELOW].format(row["majority"])


def audit_table(table: pd.DataFrame, digits: int = 2) -> pd.DataFrame:
    """Everything that arithmetic says about a table of published scores.

    Args:
        table: one row a model, with some of the columns in `SCORES` as shares. Optional columns:
            `classes` (how many; without it constant answers are not looked for) and `majority`
            (the share of the largest class). Other columns are left alone.
        digits: how many decimals were printed.

    Returns:
        one row a finding: row (the table's column `row`, else its index), model, target (both if
        the table has them), finding, scores (the columns concerned), says. Empty if all is well.
        Only "arithmetically impossible" is a proof of a mistake; the others are facts to explain.

    Raises:
        LesionsError: the table has none of the columns, or one does not hold shares.
    """
    _check_table(table)
    findings = []
    for index, row in zip(table.index, table.to_dict("records"), strict=True):
        about = {"row": row.get("row", index)}
        about |= {name: row[name] for name in ("model", "target") if name in row}
        for finding, scores, says in _row_findings(row, digits):
            scores = " ".join(scores)
            findings.append(about | {"finding": finding, "scores": scores, "says": says})
    columns = ["row", *(name for name in ("model", "target") if name in table)]
    return pd.DataFrame(findings, columns=[*columns, "finding", "scores", "says"])


# ---------------------------------------------------------------- the matrix behind a row


def possible_matrices(row: Mapping[str, float], images: int, digits: int = 2) -> pd.DataFrame:
    """Every 2 x 2 confusion matrix that gives the printed scores of a two-class model.

    Seven rounded numbers say more than they seem to: for a given number of test images only a few
    matrices are left. All are tried.

    Args:
        row: all of `SCORES`.
        images: the size of the test part.

    Returns:
        one row a matrix: larger, smaller (images of the two classes), found_larger, found_smaller
        (how many of them are recognised), answers_larger (how often the larger class is answered).
        Empty if no matrix gives these scores.
    """
    half = rounding(digits)
    low, high = (row["accuracy"] - half) * images, (row["accuracy"] + half) * images
    rows = []
    for larger in range((images + 1) // 2, images):
        smaller = images - larger
        found = np.arange(larger + 1)[:, None]
        right = np.arange(int(np.ceil(low)), int(np.floor(high)) + 1)[None, :]
        other = right - found
        keep = (other >= 0) & (other <= smaller)
        found, other = np.broadcast_to(found, keep.shape)[keep], other[keep]
        scores = _binary_scores(larger, smaller, found, other)
        fits = np.all([np.abs(scores[name] - row[name]) <= half for name in SCORES], axis=0)
        rows += [(larger, smaller, f, o) for f, o in zip(found[fits], other[fits], strict=True)]
    table = pd.DataFrame(rows, columns=["larger", "smaller", "found_larger", "found_smaller"])
    answers = table["found_larger"] + table["smaller"] - table["found_smaller"]
    return table.assign(answers_larger=answers).astype(int)


def _binary_scores(
    larger: int, smaller: int, found: np.ndarray, other: np.ndarray
) -> dict[str, np.ndarray]:
    """The seven scores of 2 x 2 matrices, as arrays, from class sizes and images recognised."""
    images = larger + smaller
    per_class = []
    for size, hits, misses in ((larger, found, smaller - other), (smaller, other, larger - found)):
        answered = hits + misses
        precision = np.divide(hits, answered, out=np.zeros(len(hits)), where=answered > 0)
        per_class.append((precision, hits / size, 2 * hits / (size + answered)))
    scores = {"accuracy": (found + other) / images}
    for name, one, two in zip(("precision", "recall", "f1"), *per_class, strict=True):
        scores[f"macro_{name}"] = (one + two) / 2
        scores[f"weighted_{name}"] = (larger * one + smaller * two) / images
    return scores
