"""The exercises of notebook 01: what counts as right, and what is said of what is not."""

from typing import Any

import numpy as np
import pandas as pd

from course.exercise import Exercise
from course.feedback import expect_number, require


def _naming(function: Any) -> str:
    table = pd.DataFrame(
        {
            "place": ["back", "back", "back", "face", "face", "ear"],
            "dx": ["nv", "nv", "mel", "bkl", "bkl", "mel"],
        }
    )
    before = table.copy()
    shown = 'accuracy_of_naming(table, "place", "dx") on six made rows'
    why = (
        "Name the most frequent dx of each place: 2 of 3 on the back, 2 of 2 in the face, 1 of 1 "
        "at the ear. Then divide by all rows, so that a place counts by its size."
    )
    expect_number(function, (table, "place", "dx"), shown, 5 / 6, why)
    require(
        table.equals(before), "Your function changes the table that it is given: work on a copy."
    )
    turned = 'accuracy_of_naming(table, "dx", "place") on six made rows'
    why = "Here dx is known and the place is wanted: use both column names that you are given."
    expect_number(function, (table, "dx", "place"), turned, 5 / 6, why)
    one = pd.DataFrame({"known": ["a"] * 4, "wanted": ["x", "x", "x", "y"]})
    shown = "accuracy_of_naming on a known column with one value"
    why = "A column with one value tells nothing, so the majority class is left: 3 of 4."
    expect_number(function, (one, "known", "wanted"), shown, 3 / 4, why)
    ties = pd.DataFrame({"known": list("aabb"), "wanted": list("xyxy")})
    shown = "accuracy_of_naming where two answers are equally frequent"
    why = "Of two equally frequent answers you can only give one: half of the rows are right."
    expect_number(function, (ties, "known", "wanted"), shown, 1 / 2, why)
    return (
        "Beware of columns with nearly as many values as rows: they name everything they have seen."
    )


def _fair(function: Any) -> str:
    truth = np.array([True] * 2 + [False] * 8)
    none = np.zeros(10, bool)
    shown = "fair_score(truth, answers) for 2 melanomas of 10 and the answer no for all"
    why = (
        "None of the melanomas is found (0) and all others are spared (1); the mean of the two is "
        "0.5. Average the two shares, not the ten answers."
    )
    expect_number(function, (truth, none), shown, 0.5, why)
    expect_number(
        function, (truth, truth), "fair_score of perfect answers", 1.0, "Both shares are 1."
    )
    expect_number(
        function,
        (truth, ~truth),
        "fair_score of answers that are all wrong",
        0.0,
        "Both shares are 0.",
    )
    some = np.array([True, False] + [True] * 2 + [False] * 6)
    shown = "fair_score where 1 of 2 melanomas is found and 6 of 8 others are spared"
    why = "That is the mean of 1/2 and 6/8. Divide each count by the size of its own class."
    expect_number(function, (truth, some), shown, 0.625, why)
    shown = "fair_score where there is no melanoma at all"
    why = "With only one class there is one share to average: here 3 of 4 are spared."
    one = np.array([True] + [False] * 3)
    expect_number(function, (np.zeros(4, bool), one), shown, 0.75, why)
    shown = "fair_score where all are melanomas"
    why = "With only one class there is one share to average: here 1 of 4 is found."
    expect_number(function, (np.ones(4, bool), one), shown, 0.25, why)
    return "Any constant answer now scores 0.5, however rare melanomas are."


EXERCISES = (
    Exercise(
        "01.0",
        "predict",
        "Nine published accuracies",
        (
            "A program that never opens an image can still give an answer. Which one, if it wants "
            "to be right often?",
            "For each of the four targets: how large is its largest class?",
        ),
        unit="networks",
        most=9,
    ),
    Exercise(
        "01.1",
        "predict",
        "Melanomas photographed more than once",
        (
            "The right panel of the figure above counts lesions; this question counts images.",
            "A lesion with three photographs adds one to the lesions and three to the images.",
        ),
        unit="%",
    ),
    Exercise(
        "01.2",
        "fill in",
        "How much one column tells of another",
        (
            "Count how often each pair of values occurs: pd.crosstab(table[known], table[wanted]).",
            "In each row of that table only the largest number is right. Add these up.",
        ),
        _naming,
    ),
    Exercise(
        "01.3",
        "find the flaw",
        "A melanoma detector that is nearly always right",
        (
            "How many melanomas does this detector find?",
            "answers[truth].mean() is the share of melanomas that is found, unless there are none.",
        ),
        _fair,
    ),
    Exercise(
        "01.4",
        "think",
        "What a network sees in dx_type",
        (
            "What do images with the same kind of proof have in common, besides the skin?",
            "Think of an experiment: what could you hold fixed, or test on?",
        ),
    ),
)
