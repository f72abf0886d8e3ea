"""The exercises of notebook 04: what counts as right, and what is said of what is not."""

from typing import Any

import pandas as pd

from course.exercise import Exercise
from course.feedback import call, expect_number, number, require, show

MEANS = {
    "accuracy": "All images of the larger class are right.",
    "macro_precision": "Of all answers `share` are right, so that is the precision of the "
    "answered class; that of the other is counted as 0. Average the two.",
    "macro_recall": "The answered class is found whole, the other never: the mean of 1 and 0.",
    "macro_f1": "The F1 of the answered class is 2 p r / (p + r) with p = share and r = 1; that of "
    "the other is 0. Average the two.",
}


def _constant(function: Any) -> str:
    for share in (0.5, 0.55, 0.9):
        shown = f"constant_scores({share})"
        got = call(function, share, shown=shown)
        require(hasattr(got, "keys"), f"{shown} should give a dict with {', '.join(MEANS)}.")
        got = {str(name).strip(): value for name, value in dict(got).items()}
        missing = [name for name in MEANS if name not in got]
        require(not missing, f"{shown} has no {', '.join(missing)}.")
        right = (share, share / 2, 0.5, share / (1 + share))
        for name, value in zip(MEANS, right, strict=True):
            have = number(got[name], f"{shown}[{name!r}]")
            require(
                abs(have - 100 * value) > 1e-6,
                f"{shown}: {name} is {show(have)}; give a share from 0 to 1, not a percentage.",
            )
            require(
                abs(have - value) < 1e-6,
                f"{shown}: {name} is {show(have)}, not {show(value)}. {MEANS[name]}",
            )
    return "Now put in the share of men, and compare with the paper's second row."


def _momentum(function: Any) -> str:
    for steps in (31, 188, 2):
        shown = f"momentum_for({steps})"
        got = number(call(function, steps, shown=shown), shown)
        right = 0.01 ** (1 / steps)
        require(
            0 <= got < 1,
            f"{shown} gives {show(got)}, but a momentum lies from 0 to 1, 1 not among them: the "
            "averages would never leave their beginning.",
        )
        left = f"{got:.4g} ** {steps} = {got**steps:.2g}"
        require(
            got**steps <= 0.011,
            f"{shown} gives {show(got)}, and {left} of the beginning is left, more than a "
            "hundredth. Solve momentum ** steps = 0.01 for the momentum.",
        )
        require(
            got**steps >= 0.009,
            f"{shown} gives {show(got)}, and {left}: the averages forget faster than they need "
            f"to, so they follow the last batches alone. The largest that will do is {right:.4g}.",
        )
    return "Asked in both ways, a network that has learnt something now says so."


def _pick(function: Any) -> str:
    def table(*rows: tuple[float, float]) -> pd.DataFrame:
        return pd.DataFrame(list(rows), columns=["validation", "test"])

    cases = (
        (
            "three networks",
            table((0.60, 0.70), (0.80, 0.50), (0.70, 0.88)),
            0.50,
            "The second is best on validation, so its test score is reported, good or bad.",
        ),
        ("one network", table((0.40, 0.45)), 0.45, "There is nothing to choose."),
        (
            "a tie on validation",
            table((0.70, 0.55), (0.70, 0.65)),
            0.55,
            "Of equals take the first: to look at the test part for help would be choosing by it.",
        ),
        (
            "another index",
            table((0.5, 0.6), (0.9, 0.7)).set_axis([5, 3]),
            0.7,
            "Find the row by its place or its own label, not by the numbers 0, 1, 2.",
        ),
    )
    for name, scores, right, why in cases:
        shown = f"score_to_report(scores) on {name}"
        got = number(call(function, scores.copy(), shown=shown), shown)
        require(
            got == right or 0 < got < 1,
            f"{shown} gives {show(got)}; it should be a score of the table, not a row's place.",
        )
        chosen = scores["validation"].max()
        require(
            got == right or got != scores["test"].max(),
            f"{shown} gives {show(got)}, the best test score there is. The test part must not "
            "choose. " + why,
        )
        require(
            got == right or got != chosen,
            f"{shown} gives {show(got)}, a validation score: "
            "it did the choosing, so it is too good as well. Report the test score.",
        )
        expect_number(function, (scores.copy(),), shown, right, why)
    return "Chosen by validation, reported from test: on average, coins get one half."


EXERCISES = (
    Exercise(
        "04.1",
        "predict",
        "Labels that mean nothing",
        (
            "How many parameters has the network for each of these images?",
            "Nothing can be learnt about new images. But these can be learnt by heart.",
        ),
        unit="%",
    ),
    Exercise(
        "04.2",
        "find the flaw",
        "Averages that have not caught up",
        (
            "After one step the beginning counts m, after two m * m. And after n?",
            "From m ** n = 0.01, take the n-th root on both sides: a power of 1 / n.",
        ),
        _momentum,
    ),
    Exercise(
        "04.3",
        "find the flaw",
        "The best of many on the test part",
        (
            "All of these networks toss coins. Why does the best one score above one half?",
            "scores['validation'].idxmax() is the label of the row that validation likes best.",
        ),
        _pick,
    ),
    Exercise(
        "04.4",
        "fill in",
        "The scores of one answer for all",
        (
            "Write down precision, recall and F1 of the class that is answered, then of the other.",
            "The other class: recall 0, precision 0 / 0, which is counted as 0, so F1 0.",
        ),
        _constant,
    ),
    Exercise(
        "04.5",
        "think",
        "Above one half under `paper`",
        (
            "Which images of the test part has the network met before under `paper`?",
            "And what goes with sex in the table, apart from the skin?",
        ),
    ),
)
