"""The exercises of notebook 02: what counts as right, and what is said of what is not."""

from typing import Any

import numpy as np
import pandas as pd

from course.exercise import Exercise
from course.feedback import call, number, require


def _bits(grey: np.ndarray) -> int:
    return int("".join("01"[int(bit)] for bit in (grey > grey.mean()).ravel()), 2)


def _hash(function: Any) -> str:
    def ask(grey: np.ndarray, shown: str) -> int:
        given = grey.copy()
        got = call(function, given, shown=shown)
        require(np.array_equal(given, grey), "Your function changes the picture it is given.")
        require(
            np.ndim(got) == 0, f"{shown} should give one whole number, not {np.shape(got)} bits."
        )
        require(
            not isinstance(got, str | bytes),
            f"{shown} gives a text; int(text, 2) makes the number of it.",
        )
        value = number(got, shown)
        # Above 2**53 a float no longer holds every whole number.
        require(
            not isinstance(got, float | np.floating),
            f"{shown} gives a float, which has no room for 64 bits: give an int.",
        )
        require(value >= 0, f"{shown} gives {got}: a hash has no sign. Use Python's int.")
        return int(got)

    rng = np.random.default_rng(0)
    first = np.zeros((8, 8), np.uint8)
    first[0, 0] = 255
    got = ask(first, "my_hash of a picture whose first pixel alone is bright")
    require(got != 1, "Your bits come in the wrong order: the first pixel is the highest bit.")
    require(
        got == 2**63,
        f"A picture whose first pixel alone is bright has one bit set, the highest: "
        f"{2**63}; you give {got}.",
    )
    second = np.zeros((8, 8), np.uint8)
    second[0, 1] = 255
    got = ask(second, "my_hash of a picture whose second pixel alone is bright")
    require(
        got == 2**62,
        "Go through the picture row by row: the second pixel of the first row is the second bit.",
    )
    flat = ask(np.full((8, 8), 90, np.uint8), "my_hash of a picture of one grey")
    require(
        flat == 0,
        "In a picture of one grey no pixel is brighter than the mean: all bits are 0. "
        "Compare with >, not with >=.",
    )
    for _ in range(5):
        grey = rng.integers(0, 256, (8, 8), dtype=np.uint8) // rng.integers(1, 9)
        got = ask(grey, "my_hash of a random picture")
        median = int("".join("01"[int(b)] for b in (grey > np.median(grey)).ravel()), 2)
        right = _bits(grey)
        require(
            got == right or got != median,
            "You compare with the median; average_hash compares with the mean.",
        )
        require(
            got == right,
            f"A random picture gives {got}, not {right}: {bin(got ^ right).count('1')}"
            " of 64 bits differ. Compare each pixel with the mean of all 64.",
        )
    return "Bit for bit what imagehash computes from the same 8 x 8 pixels."


def _made(rows: list[tuple[str, str | None, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image_id", "lesion_id", "group", "split"])


LEAKS = (
    (
        "an image that is in both parts",
        _made([("a", "L1", "a", "train"), ("a", "L1", "a", "test"), ("b", "L2", "b", "test")]),
        ["a"],
        "The image itself is in training.",
    ),
    (
        "two images of one lesion, one in each part",
        _made([("a", "L1", "a", "train"), ("b", "L1", "b", "test"), ("c", "L2", "c", "test")]),
        ["b"],
        "Look at lesion_id: another photograph of the lesion is in training.",
    ),
    (
        "two lesions in one group",
        _made([("a", "L1", "g", "train"), ("b", "L2", "g", "test")]),
        ["b"],
        "Look at group as well: it joins lesions that are near-duplicates.",
    ),
    (
        "a lesion that test shares with validation only",
        _made(
            [("a", "L1", "a", "validation"), ("b", "L1", "b", "test"), ("c", "L2", "c", "train")]
        ),
        [],
        "Only the training part counts here, not validation.",
    ),
    (
        "a validation image whose lesion is in training",
        _made(
            [("a", "L1", "a", "train"), ("b", "L1", "b", "validation"), ("c", "L2", "c", "test")]
        ),
        [],
        "Only images of the test part are asked for, not those of validation.",
    ),
    (
        "images without a lesion_id",
        _made([("a", None, "a", "train"), ("b", None, "b", "test")]),
        [],
        "Two empty lesion_ids do not make one lesion: `isin` takes them for equal.",
    ),
    (
        "several leaks in mixed order",
        _made(
            [
                ("z", "L1", "z", "test"),
                ("y", "L2", "y", "test"),
                ("x", "L1", "x", "train"),
                ("w", "L2", "w", "train"),
                ("z", "L1", "z", "test"),
            ]
        ),
        ["y", "z"],
        "Give each image once, in sorted order.",
    ),
)


def _leaked(function: Any) -> str:
    for name, rows, right, why in LEAKS:
        shown = f"leaked(rows) on {name}"
        given = rows.copy()
        got = call(function, given, shown=shown)
        require(given.equals(rows), "Your function changes the rows that it is given: copy them.")
        is_list = isinstance(got, list | tuple | np.ndarray | pd.Series | pd.Index)
        kind = f"{type(got).__name__}{' (it has no order)' if isinstance(got, set) else ''}"
        require(is_list, f"{shown} should give a sorted list of image ids, not a {kind}.")
        got = [str(one) for one in got]
        require(got == right, f"{shown} gives {got}, not {right}. {why}")
    return "That is what a split has to be asked; `leaks.leak_report` asks it for every class."


EXERCISES = (
    Exercise(
        "02.1",
        "predict",
        "How many pairs at 12 bits",
        (
            "Look at the table of scores: how many pairs does phash find at 0 bits? Then guess how "
            "fast the number grows.",
            "1,000 images make 499,500 pairs. A threshold of 12 bits is 12 of 64.",
        ),
        unit="pairs",
    ),
    Exercise(
        "02.2",
        "fill in",
        "Your own average_hash",
        (
            "small > small.mean() gives 64 truth values.",
            'A text of 64 zeros and ones becomes a number with int(text, 2), as in int("101", 2).',
        ),
        _hash,
    ),
    Exercise(
        "02.3",
        "find the flaw",
        "A split that looks clean",
        (
            "The colleague compares image ids. What else can two images have in common?",
            "rows.loc[rows['lesion_id'].notna(), …] leaves out the empty ones.",
        ),
        _leaked,
    ),
    Exercise(
        "02.4",
        "think",
        "Two sisters",
        (
            "What does the test part stand for: new photographs, new lesions, or new patients?",
            "What would a wrong group cost, and what a missed one?",
        ),
    ),
)
