"""The exercises of notebook 03: what counts as right, and what is said of what is not."""

from typing import Any

import numpy as np
import pandas as pd

from course.exercise import Exercise
from course.feedback import call, number, require, show


def _lesions(seed: int, photographs: int = 3) -> pd.DataFrame:
    """Made rows: 60 naevi and 20 melanomas, each lesion with up to so many photographs."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"i{lesion}_{view}", f"L{lesion}", "mel" if lesion % 4 == 0 else "nv")
        for lesion in range(80)
        for view in range(rng.integers(1, photographs + 1))
    ]
    return pd.DataFrame(rows, columns=["image_id", "lesion_id", "dx"])


def _training_rows(function: Any) -> str:
    for name, table in (("with one image a lesion", _lesions(0, 1)), ("with several", _lesions(1))):
        shown = f"prepare(table, 0) on 80 made lesions {name}"
        rows = call(function, table.copy(), 0, shown=shown)
        columns = {"image_id", "lesion_id", "label", "split"}
        require(
            isinstance(rows, pd.DataFrame) and columns <= set(rows),
            f"{shown} should give a table with {', '.join(sorted(columns))}.",
        )
        parts = {part: rows[rows["split"] == part] for part in ("train", "validation", "test")}
        for part, some in parts.items():
            require(len(some) > 0, f"{shown} gives no rows of {part}.")
        train = parts["train"]
        for part in ("test", "validation"):
            some = parts[part]
            copies = some["image_id"].isin(train["image_id"]).sum()
            require(
                copies == 0,
                f"{shown}: {copies} of {len(some)} {part} rows show an image that is "
                "in training too. Split first, then resample.",
            )
            shared = some["lesion_id"].isin(train["lesion_id"]).sum()
            require(
                shared == 0,
                f"{shown}: {shared} of {len(some)} {part} rows have their lesion in "
                "training. Split by lesion, not by image.",
            )
            require(
                not some["image_id"].duplicated().any(),
                f"{shown}: images of {part} stand there several times. "
                "Resample the training part only.",
            )
        lost = set(table["image_id"]) - set(rows["image_id"])
        require(not lost, f'{shown} loses {len(lost)} images. With "over" every image stays.')
        counts = train["label"].value_counts()
        require(
            counts.min() == counts.max(),
            f"{shown}: the training part has {counts.to_dict()}. It should "
            "be resampled, so that its classes are equally large.",
        )
    return "Nothing leaks, the training part is balanced, and the test part is as nature has it."


def _weights(function: Any) -> str:
    cases = (
        ("10 labels of 3 classes", ["nv"] * 6 + ["mel"] * 3 + ["df"]),
        ("two classes of equal size", ["a", "b", "a", "b"]),
        ("one class only", ["nv"] * 3),
        ("a Series with another index", pd.Series(["a", "b", "b"], index=[7, 8, 9])),
    )
    for name, labels in cases:
        shown = f"balanced_weights(labels) on {name}"
        got = call(function, labels, shown=shown)
        require(hasattr(got, "items"), f"{shown} should give a dict from class to weight.")
        got = {key: number(value, shown) for key, value in got.items()}
        counts = pd.Series(list(labels)).value_counts()
        right = {key: len(labels) / (len(counts) * n) for key, n in counts.items()}
        require(
            set(got) == set(right), f"{shown} has weights for {sorted(got)}, not {sorted(right)}."
        )
        for key in sorted(right):
            upside = abs(got[key] - 1 / right[key]) < 1e-9 and got[key] != right[key]
            require(
                not upside,
                f"{shown} gives {key} the weight {show(got[key])}: upside down. The "
                "rarer a class, the larger its weight.",
            )
            require(
                abs(got[key] - right[key]) < 1e-9,
                f"{shown} gives {key} the weight {show(got[key])}, not {show(right[key])}. The "
                "weights of all images should add up to their number, and those of each class to "
                "the same part of it.",
            )
    return 'These are scikit-learn\'s "balanced" weights.'


EXERCISES = (
    Exercise(
        "03.1",
        "predict",
        "Undersampling",
        (
            "Undersampling makes every class as large as the smallest.",
            "Which class is smallest in the training part of `honest`, before resampling? "
            "Times seven.",
        ),
        unit="rows",
    ),
    Exercise(
        "03.2",
        "find the flaw",
        "The score that jumps",
        (
            "When the classes are balanced first, where do the copies of one image go?",
            "splits.split_by_lesion first; then balance.resample for the rows of train; then "
            "pd.concat with the rest.",
        ),
        _training_rows,
    ),
    Exercise(
        "03.3",
        "fill in",
        "Class weights",
        (
            "Let n be the number of labels, k the number of classes. A class with n / k labels "
            "should get the weight 1.",
            "A class with n_c labels gets n / (k * n_c).",
        ),
        _weights,
    ),
    Exercise(
        "03.4",
        "think",
        "When mirroring is wrong",
        (
            "Which organs are not the same on the left and on the right?",
            "The question behind it: does the label stay true when the image is changed?",
        ),
    ),
)
