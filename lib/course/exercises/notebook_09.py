"""The exercises of notebook 09: what counts as right, and what is said of what is not."""

from typing import Any

import numpy as np
import pandas as pd

from course.exercise import Exercise
from course.feedback import call, number, off_by_form, require, show


def right_loss(views: np.ndarray, temperature: float) -> float:
    """The contrastive loss in NumPy; `contrastive.nt_xent` gives the same."""
    unit = views / np.linalg.norm(views, axis=1, keepdims=True)
    count = len(unit)
    likeness = unit @ unit.T / temperature
    np.fill_diagonal(likeness, -np.inf)
    partner = (np.arange(count) + count // 2) % count
    chosen = likeness[np.arange(count), partner]
    return float((np.log(np.exp(likeness).sum(axis=1)) - chosen).mean())


def _contrastive(function: Any) -> str:
    rng = np.random.default_rng(0)
    for what, views, temperature in (
        ("random views", rng.normal(size=(8, 5)), 0.5),
        ("views of other lengths", rng.normal(size=(6, 3)) * [[1], [2], [3], [4], [5], [6]], 0.2),
    ):
        shown = f"contrastive_loss(views, {temperature}) for {what}"
        got = number(call(function, views.copy(), temperature, shown=shown), shown)
        right = right_loss(views, temperature)
        require(not off_by_form(got, right), f"{shown}: {off_by_form(got, right)}")
        unit = views / np.linalg.norm(views, axis=1, keepdims=True)
        count, here = len(views), np.arange(len(views))
        partner = (here + count // 2) % count
        likeness = unit @ unit.T / temperature
        chosen = likeness[here, partner]
        with_itself = (np.log(np.exp(likeness).sum(axis=1)) - chosen).mean()
        require(
            not np.isclose(got, with_itself),
            f"{shown} is {show(got)}: you let each view be its own partner. Nothing is more like a "
            "view than itself; take it out of the sum.",
        )
        others = ~np.eye(count, dtype=bool)
        strangers = others.copy()
        strangers[here, partner] = False
        only = (np.log((np.exp(likeness) * strangers).sum(axis=1)) - chosen).mean()
        require(
            not np.isclose(got, only),
            f"{shown} is {show(got)}: the partner is missing in the sum. It is one of the 2 n - 1 "
            "that the view is held against.",
        )
        product = views @ views.T / temperature
        long = (np.log((np.exp(product - product.max()) * others).sum(axis=1)) + product.max()
                - product[here, partner]).mean()  # fmt: skip
        require(
            not np.isclose(got, long),
            f"{shown} is {show(got)}: scale each view to length 1 first, or long ones win.",
        )
        require(
            not np.isclose(got, right * count),
            f"{shown}: take the mean over all views, not the sum.",
        )
        require(np.isclose(got, right), f"{shown} gives {show(got)}, not {show(right)}.")
    return "It is the loss that `contrastive.nt_xent` computes."


def _photographs(seed: int, lesions: int = 200) -> pd.DataFrame:
    """Rows of lesions with one to three photographs."""
    rng = np.random.default_rng(seed)
    lesion = np.repeat(np.arange(lesions), rng.choice([1, 2, 3], lesions, p=[0.6, 0.3, 0.1]))
    rows = pd.DataFrame({
        "image_id": [f"I{n}" for n in range(len(lesion))],
        "lesion_id": [f"L{n}" for n in lesion],
        "label": np.where(lesion % 4, "nv", "mel"),
    })  # fmt: skip
    return rows.sample(frac=1, random_state=seed, ignore_index=True)


def _labelled(function: Any) -> str:
    for seed in (0, 1):
        rows = _photographs(seed)
        chosen = {}
        for share in (0.1, 0.5):
            shown = f"labelled(rows, {share}, seed={seed})"
            got = call(function, rows.copy(), share, seed, shown=shown)
            got = np.asarray(got)
            require(
                got.shape == (len(rows),) and got.dtype == bool,
                f"{shown} should give True or False for each of the {len(rows)} rows, and gives "
                f"{got.dtype} of shape {got.shape}.",
            )
            both = set(rows.loc[got, "lesion_id"]) & set(rows.loc[~got, "lesion_id"])
            require(
                not both,
                f"{shown}: {len(both)} lesions are labelled and unlabelled at once. Draw lesions, "
                "then take all of their photographs.",
            )
            count, most = rows.loc[got, "lesion_id"].nunique(), rows["lesion_id"].nunique()
            require(
                abs(count - share * most) <= 1.5,
                f"{shown} labels {count} of {most} lesions, not {share:.0%}. Count lesions, not "
                "photographs.",
            )
            chosen[share] = got
        require(
            bool((chosen[0.5] | ~chosen[0.1]).all()),
            "The lesions of the 10 % are not all among those of the 50 %. Shuffle once by the "
            "seed, then take the first ones: so the curve adds labels and does not exchange them.",
        )
        require(
            not np.array_equal(function(rows.copy(), 0.5, seed + 7), chosen[0.5]),
            "Another seed chooses the same lesions: use it.",
        )
    return "No lesion is on both sides, and more labels only add to fewer."


EXERCISES = (
    Exercise(
        "09.1",
        "predict",
        "A tenth of the labels",
        (
            "A curve of learning is steep at its beginning. Where is 10 % on it, near the "
            "beginning or near the end?",
            "The colours of a lesion are 192 numbers, not millions. How many examples does that "
            "take?",
        ),
        unit="%",
        most=150,
    ),
    Exercise(
        "09.2",
        "find the flaw",
        "A tenth of the photographs",
        (
            "Look at one lesion with two photographs. What does `rng.random(len(rows))` say of "
            "each of them?",
            "Shuffle the unique lesion_ids with the seed, take the first share of them, and use "
            "`rows['lesion_id'].isin(…)`.",
        ),
        _labelled,
    ),
    Exercise(
        "09.3",
        "fill in",
        "The contrastive loss",
        (
            "Scale the rows to length 1; `views @ views.T / temperature` then has all the "
            "likenesses. `np.fill_diagonal(likeness, -np.inf)` takes out each view itself.",
            "For row i the partner is row (i + n) % (2 n). The loss of a row is "
            "log(sum(exp(likeness))) minus the partner's likeness; take the mean.",
        ),
        _contrastive,
    ),
    Exercise(
        "09.4",
        "think",
        "Test images without their labels",
        (
            "What does the network know of the test images after it was trained on them, even "
            "without a label?",
            "Will the images of next year's patients be there when the network is trained?",
        ),
    ),
)  # fmt: skip
