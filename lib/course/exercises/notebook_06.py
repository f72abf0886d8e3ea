"""The exercises of notebook 06: what counts as right, and what is said of what is not."""

from typing import Any

import numpy as np
import pandas as pd

from course.exercise import Exercise
from course.feedback import call, require

MUCH_PHOTOGRAPHED = 7  # the lesion with most images
DRAWS = 12
SHARES = (
    # p, learnt, there, right, why
    ((0.5, 0.5), (0.5, 0.5), (0.9, 0.1), (0.9, 0.1),
     "Both classes were equally frequent in training and looked equally likely, so only the new "
     "shares speak."),
    ((0.2, 0.8), (0.2, 0.8), (0.2, 0.8), (0.2, 0.8), "The shares are the same: nothing changes."),
    ((0.2, 0.8), (0.2, 0.8), (0.5, 0.5), (0.5, 0.5),
     "Divide by the shares of training: the model gave back no more than these."),
    ((0.6, 0.3, 0.1), (1 / 3, 1 / 3, 1 / 3), (0.1, 0.1, 0.8), (6 / 17, 3 / 17, 8 / 17),
     "Multiply by the new share, divide by the old one, then make them sum to 1."),
    ((0.7, 0.2, 0.1), (0.5, 0.3, 0.2), (0.2, 0.3, 0.5), (0.28 / 0.73, 0.2 / 0.73, 0.25 / 0.73),
     "Multiply by the new share and divide by the old one, not the reverse."),
)  # fmt: skip


def _other_shares(function: Any) -> str:
    for p, learnt, there, right, why in SHARES:
        given = [np.array(values, float) for values in (p, learnt, there)]
        texts = ", ".join(
            str([round(value, 2) for value in values]) for values in (p, learnt, there)
        )
        shown = f"for_other_shares({texts})"
        got = call(function, *given, shown=shown)
        try:
            got = np.asarray(got, float)
        except (TypeError, ValueError):
            got = np.empty(0)
        require(got.shape == (len(p),), f"{shown} should give {len(p)} numbers, one a class.")
        require(
            all(np.array_equal(a, b) for a, b in zip(given, (p, learnt, there), strict=True)),
            f"{shown} changes the arrays that it is given: make new ones.",
        )
        require(
            abs(got.sum() - 1) < 1e-6,
            f"The numbers of {shown} sum to {got.sum():.3f}, not to 1. Divide by their sum.",
        )
        values = ", ".join(f"{value:.3f}" for value in got)
        wanted = ", ".join(f"{value:.3f}" for value in right)
        require(np.allclose(got, right, atol=1e-6), f"{shown} gives {values}, not {wanted}. {why}")
    return "With it a network trained on equal classes can be asked about a clinic as it is."


def _predictions() -> pd.DataFrame:
    """30 lesions with 1 to 4 photographs each, and one of them with 40."""
    rng = np.random.default_rng(3)
    sizes = rng.integers(1, 5, 30)
    sizes[MUCH_PHOTOGRAPHED] = 40
    lesions = np.repeat(np.arange(30), sizes)
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
    draws, often = [], pd.Series(0, index=sorted(set(table["lesion_id"])))
    shown = "draw(table, rng) on 30 made lesions"
    for seed in range(DRAWS):
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
        often = often.add(times["max"], fill_value=0)
    require(len(set(draws)) > 1, f"{shown} draws the same for every rng: use the rng it is given.")
    # Each lesion comes once a draw on average; drawn by rows, the large one comes ten times.
    much = int(often[f"L{MUCH_PHOTOGRAPHED}"])
    require(
        much < 3 * DRAWS,
        f"The lesion with 40 of the {len(table)} images came {much} times in {DRAWS} draws, the "
        f"others about {(often.sum() - much) / 29:.0f} times: you draw from rows, so lesions with "
        "many images come more often. Draw from the list of lesions, each once in it.",
    )
    never = int((often == 0).sum())
    require(
        never == 0,
        f"{never} of 30 lesions never came in {DRAWS} draws: give each lesion the same chance.",
    )
    same = [
        tuple(call(function, table.copy(), np.random.default_rng(5), shown=shown)["image_id"])
        for _ in range(2)
    ]
    require(same[0] == same[1], f"{shown} differs for the same rng: use no other random numbers.")
    return "Images of one lesion now come and go together, as they would with new patients."


EXERCISES = (
    Exercise(
        "06.1",
        "find the flaw",
        "An interval that is too narrow",
        (
            "What does the colleague draw? And what is independent in this dataset?",
            "rng.choice(lesions, len(lesions)) draws lesions; pd.concat joins the rows of each.",
        ),
        _resample,
    ),
    Exercise(
        "06.2",
        "fill in",
        "Other class shares",
        (
            "Bayes' rule: a probability is the class's share times how well the image fits it.",
            "Take the old share out by dividing, put the new one in by multiplying, then scale.",
        ),
        _other_shares,
    ),
    Exercise(
        "06.3",
        "predict",
        "The largest gap",
        (
            "A gap needs a network that can learn images by heart, and images that it meets again.",
            "Oversampling makes most copies where the classes are most uneven. Which target is "
            "that?",
        ),
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
