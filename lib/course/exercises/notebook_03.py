"""The exercises of notebook 03: what counts as right, and what is said of what is not."""

from typing import Any

import numpy as np
import pandas as pd

from course.exercise import Exercise
from course.feedback import call, number, off_by_form, require, show


def _lesions(seed: int, photographs: int = 3) -> pd.DataFrame:
    """Made rows: 60 naevi and 20 melanomas, each lesion with up to so many photographs."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"i{lesion}_{view}", f"L{lesion}", "mel" if lesion % 4 == 0 else "nv")
        for lesion in range(80)
        for view in range(rng.integers(1, photographs + 1))
    ]
    return pd.DataFrame(rows, columns=["image_id", "lesion_id", "dx"])


PARTS = ("train", "validation", "test")
WANTED = {"image_id", "lesion_id", "label", "split"}


def _asked(function: Any, table: pd.DataFrame, seed: int, shown: str) -> pd.DataFrame:
    """What `prepare` gives, as far as its form is right."""
    given = table.copy()
    rows = call(function, given, seed, shown=shown)
    require(given.equals(table), "Your function changes the table that it is given: copy it.")
    require(
        isinstance(rows, pd.DataFrame) and set(rows) >= WANTED,
        f"{shown} should give a table with {', '.join(sorted(WANTED))}.",
    )
    strange = sorted(set(rows["split"].astype(str)) - set(PARTS))
    require(not strange, f"{shown}: split may say train, validation or test, not {strange}.")
    for part in PARTS:
        require((rows["split"] == part).any(), f"{shown} gives no rows of {part}.")
    truth = table.set_index("image_id")["dx"]
    require(
        bool((rows["label"].to_numpy() == rows["image_id"].map(truth).to_numpy()).all()),
        f"{shown}: label should hold the diagnosis of each image, its dx.",
    )
    return rows


def _nothing_shared(rows: pd.DataFrame, shown: str) -> None:
    for part, other in (("test", "train"), ("validation", "train"), ("test", "validation")):
        some, known = (rows[rows["split"] == name] for name in (part, other))
        of, where = f"{len(some)} {part} rows", "training" if other == "train" else other
        copies = some["image_id"].isin(known["image_id"]).sum()
        require(
            copies == 0,
            f"{shown}: {copies} of {of} show an image that is in {where} too. "
            "Split first, then resample.",
        )
        shared = some["lesion_id"].isin(known["lesion_id"]).sum()
        require(
            shared == 0,
            f"{shown}: {shared} of {of} have their lesion in {where}. "
            "Split by lesion, not by image.",
        )


def _as_in_nature(rows: pd.DataFrame, table: pd.DataFrame, shown: str) -> None:
    """Validation and test: each image once, of a fair size, the classes as in the whole table."""
    for part in ("validation", "test"):
        some = rows[rows["split"] == part]
        require(
            not some["image_id"].duplicated().any(),
            f"{shown}: images of {part} stand there several times. "
            "Resample the training part only.",
        )
        require(
            0.08 <= len(some) / len(table) <= 0.25,
            f"{shown}: {part} has {len(some)} of {len(table)} images. About 15 % are wanted: a "
            "small part measures badly, and a large one takes images from training.",
        )
        share = (some["label"] == "mel").mean()
        nature = (table["dx"] == "mel").mean()
        require(
            abs(share - nature) < 0.12,
            f"{shown}: {share:.0%} of {part} are melanomas, {nature:.0%} of the table. Each part "
            "should have the classes in about the shares of the whole.",
        )


def _training_rows(function: Any) -> str:
    for name, table in (("with one image a lesion", _lesions(0, 1)), ("with several", _lesions(1))):
        shown = f"prepare(table, 0) on 80 made lesions {name}"
        rows = _asked(function, table, 0, shown)
        _nothing_shared(rows, shown)
        _as_in_nature(rows, table, shown)
        lost = set(table["image_id"]) - set(rows["image_id"])
        require(not lost, f'{shown} loses {len(lost)} images. With "over" every image stays.')
        counts = rows.loc[rows["split"] == "train", "label"].value_counts()
        require(
            counts.min() == counts.max(),
            f"{shown}: the training part has {counts.to_dict()}. It should "
            "be resampled, so that its classes are equally large.",
        )
        test = [_test_images(rows)]
        test += [_test_images(_asked(function, table, seed, shown)) for seed in (0, 1, 2)]
        require(
            test[0] == test[1],
            "prepare(table, 0), called twice, gives two test parts: let `seed` fix the split.",
        )
        require(
            not test[0] == test[2] == test[3],
            "Three seeds give one and the same test part: hand `seed` on to the split.",
        )
    return (
        "No lesion is in two parts, the training part is balanced, and the test part is as nature "
        "has it."
    )


def _test_images(rows: pd.DataFrame) -> set[str]:
    return set(rows.loc[rows["split"] == "test", "image_id"])


def _weights(function: Any) -> str:
    cases = (
        ("10 labels of 3 classes", ["nv"] * 6 + ["mel"] * 3 + ["df"]),
        ("two classes of equal size", ["a", "b", "a", "b"]),
        ("one class only", ["nv"] * 3),
        ("seven labels in mixed order", ["b", "a", "b", "c", "b", "a", "b"]),
    )
    for name, labels in cases:
        shown = f"balanced_weights(labels) on {name}"
        given = list(labels)
        got = call(function, given, shown=shown)
        require(given == labels, "Your function changes the list that it is given: copy it.")
        require(hasattr(got, "items"), f"{shown} should give a dict from class to weight.")
        got = {key: number(value, shown) for key, value in got.items()}
        counts = pd.Series(labels).value_counts()
        right = {key: len(labels) / (len(counts) * n) for key, n in counts.items()}
        require(
            set(got) == set(right),
            f"{shown} has weights for {_listed(got)}, not for the classes {_listed(right)}.",
        )
        for key in sorted(right):
            says = _about_weight(got[key], right[key], len(labels) / counts[key])
            require(not says, f"{shown} gives {key} the weight {show(got[key])}{says}")
    return 'These are scikit-learn\'s "balanced" weights.'


def _listed(names: Any) -> str:
    return ", ".join(sorted(map(str, names)))


def _about_weight(got: float, right: float, inverse: float) -> str:
    """What is said of a weight; empty if it is right. `inverse`: all labels / labels of it."""
    if abs(got - right) < 1e-9:
        return ""
    if abs(got - 1 / right) < 1e-9:
        return ": upside down. The rarer a class, the larger its weight."
    if off_by_form(got, right):
        return f", not {right:.6g}: {off_by_form(got, right)}"
    if abs(got - inverse) < 1e-9:
        return f", not {show(right)}: divide by the number of classes, too."
    return (
        f", not {show(right)}. The weights of all images should add up to their number, and "
        "those of each class to the same part of it."
    )


EXERCISES = (
    Exercise(
        "03.1",
        "predict",
        "Undersampling",
        (
            "Undersampling makes every class as large as the smallest.",
            "Look at the smallest class of the training part before resampling. Then count the "
            "classes.",
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
