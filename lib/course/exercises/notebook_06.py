"""The exercises of notebook 06: what counts as right, and what is said of what is not."""

from typing import Any

import numpy as np
import pandas as pd

from course.exercise import Exercise
from course.feedback import call, require

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


def _predictions() -> pd.DataFrame:
    """30 lesions with 1 to 4 photographs each."""
    rng = np.random.default_rng(3)
    lesions = np.repeat(np.arange(30), rng.integers(1, 5, 30))
    return pd.DataFrame(
        {
            "image_id": [f"i{number}" for number in range(len(lesions))],
            "lesion_id": [f"L{lesion}" for lesion in lesions],
            "right": rng.random(len(lesions)) < 0.7,
        }
    )


def _resample(function: Any) -> str:
    table = _predictions()
    size = table.groupby("lesion_id")["image_id"].nunique()
    draws = []
    shown = "draw(table, rng) on 30 made lesions"
    for seed in range(6):
        got = call(function, table.copy(), np.random.default_rng(seed), shown=shown)
        require(
            isinstance(got, pd.DataFrame) and set(table) <= set(got),
            f"{shown} should give rows of the table, with all of its columns.",
        )
        require(len(got) > 0, f"{shown} gives no rows.")
        counts = got["image_id"].value_counts()
        times = counts.groupby(table.set_index("image_id")["lesion_id"]).agg(["min", "max", "size"])
        whole = (times["min"] == times["max"]) & (times["size"] == size[times.index])
        require(
            bool(whole.all()),
            f"{shown} tears {(~whole).sum()} lesions apart: some of their images "
            "come more often than others. Draw lesions, and take all images of each.",
        )
        drawn = int(times["max"].sum())
        again = (
            "Draw with replacement: some twice, some not at all. Each time a lesion is drawn, "
            "all of its rows come again."
        )
        require(
            drawn == 30 or times["max"].max() > 1,
            f"{shown} gives {drawn} lesions, each once. {again}",
        )
        require(drawn == 30, f"{shown} draws {drawn} lesions; there are 30, so draw 30.")
        require(
            times["max"].max() > 1, f"{shown} gives each lesion once, the table itself. {again}"
        )
        draws.append(tuple(got["image_id"]))
    require(len(set(draws)) > 1, f"{shown} draws the same for every rng: use the rng it is given.")
    same = [
        tuple(call(function, table.copy(), np.random.default_rng(5), shown=shown)["image_id"])
        for _ in range(2)
    ]
    require(same[0] == same[1], f"{shown} differs for the same rng: use no other random numbers.")
    return "Images of one lesion now come and go together, as they would with new patients."


EXERCISES = (
    Exercise(
        "06.1",
        "predict",
        "The largest gap",
        (
            "A gap needs a network that can learn images by heart, and images that it meets again.",
            "Oversampling makes most copies where the classes are most uneven. Which target is "
            "that?",
        ),
    ),
    Exercise(
        "06.2",
        "fill in",
        "Can both numbers be right?",
        (
            "A number printed as .52 was anything from .515 to .525.",
            "So two printed numbers may differ by .01, and not by more.",
        ),
        _possible,
    ),
    Exercise(
        "06.3",
        "find the flaw",
        "An interval that is too narrow",
        (
            "What does the colleague draw? And what is independent in this dataset?",
            "rng.choice(lesions, len(lesions)) draws lesions; pd.concat joins the rows of each.",
        ),
        _resample,
    ),
    Exercise(
        "06.4",
        "think",
        "Two points apart",
        (
            "The two models were tested on the same images. What does that make possible?",
            "What does the interval cover, and what not? Think of another seed.",
        ),
    ),
)
