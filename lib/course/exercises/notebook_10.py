"""The exercises of notebook 10: what counts as right, and what is said of what is not."""

from typing import Any

import numpy as np
import pandas as pd

from course.exercise import Exercise
from course.feedback import call, number, require

NAN = float("nan")
SEEN = (
    # scores in the order of the search, the best of the table, the regret after each
    ([0.70, 0.74, 0.72, 0.80], 0.80, [0.10, 0.06, 0.06, 0.0]),
    ([0.80, 0.70, 0.60], 0.85, [0.05, 0.05, 0.05]),
    ([0.60, NAN, 0.65], 0.75, [0.15, 0.15, 0.10]),
    ([NAN, 0.60], 0.70, [np.inf, 0.10]),
)


def _regret(function: Any) -> str:
    for scores, best, right in SEEN:
        shown = f"regret({scores}, {best})"
        given = call(function, list(scores), best, shown=shown)
        require(not np.isscalar(given), f"{shown} gives one number. Give one after each trial.")
        got = np.asarray(given, float)
        require(
            len(got) == len(right),
            f"{shown} has {len(got)} values. There is one after each of the {len(right)} trials.",
        )
        now = best - np.asarray(scores, float)
        require(
            np.allclose(got, right) or not np.allclose(got, now, equal_nan=True),
            f"{shown}: that is how far each trial is from the best. The regret keeps the best so "
            "far, so it never rises.",
        )
        require(
            not np.isnan(got).any(),
            f"{shown} has NaN after a trial that was stopped. Such a trial changes nothing.",
        )
        require(
            np.allclose(got, right),
            f"{shown} gives {np.round(got, 3).tolist()}, not {right}. It starts from the best of "
            "the whole table, which the search may not have seen.",
        )
    return "The mean of it over many orders is the curve of the next figure."


def _reported(function: Any) -> str:
    rng = np.random.default_rng(0)
    for count in (5, 12):
        table = pd.DataFrame(rng.random((count, 2)).round(3), columns=["validation", "test"])
        table.loc[1] = NAN
        table.index = rng.permutation(100)[:count]
        # The three numbers that one may take for it are all different.
        table.loc[table["validation"].idxmax(), "test"] = 0.4321
        shown = f"reported(trials) for a table of {count} trials"
        got = number(call(function, table.copy(), shown=shown), shown)
        require(not np.isnan(got), f"{shown} gives NaN: a trial that was stopped has no score.")
        require(
            got != table["test"].max(),
            f"{shown} gives the highest test score. Then the test part has chosen.",
        )
        require(
            got != table["validation"].max(),
            f"{shown} gives the best validation score. It was chosen because it is high; report "
            "what the same trial has on the test part.",
        )
        require(
            np.isclose(got, 0.4321),
            f"{shown} gives {got:.4g}, not 0.4321, the test score of the trial with the best "
            "validation score.",
        )
    return "It is one number of one trial, and the test part had no say in which."


EXERCISES = (
    Exercise(
        "10.1",
        "predict",
        "How many trials by chance",
        (
            "How many of the cells would be as good as the best, by the difference that the seed "
            "makes? You need only one of them.",
            "If k of n cells would do, the first of them comes after about (n + 1) / (k + 1) "
            "draws, on average.",
        ),
        unit="trials",
        most=40,
    ),
    Exercise(
        "10.2",
        "fill in",
        "Write the regret",
        (
            "Keep a variable for the best so far. It begins at minus infinity.",
            "score > so_far is False where the score is NaN, and that is what you want.",
        ),
        _regret,
    ),
    Exercise(
        "10.3",
        "find the flaw",
        "The highest test score",
        (
            "Which column may the search look at when it chooses?",
            "trials['validation'].idxmax() names the row; .loc takes the test score out of it.",
        ),
        _reported,
    ),
    Exercise(
        "10.4",
        "think",
        "A night on 256 cores",
        (
            "Where does the plan's curve become level, and what else could keep the workers busy?",
            "How large is the difference between two seeds, beside the one that you hope to find?",
        ),
    ),
)
