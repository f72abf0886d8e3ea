"""Made patients: a table with HAM10000's columns, drawn from counts that keep its dependences."""

import json
from functools import cache

import numpy as np
import pandas as pd

from lesions.core.files import ROOT

COUNTS = ROOT / "data" / "ham10000_counts.json"
COLUMNS = [
    "lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "dataset",
]  # fmt: skip
CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
TYPES = ("histo", "follow_up", "consensus", "confocal")


@cache
def counts() -> dict[str, dict]:
    """The tables in `data/ham10000_counts.json`: `"sex by dx / localization"` and so on."""
    return json.loads(COUNTS.read_text(encoding="utf-8"))


def pick(table: dict[str, int], rng: np.random.Generator) -> str:
    """One of the table's keys, as often as its count says."""
    shares = np.array(list(table.values()), float)
    return list(table)[rng.choice(len(shares), p=shares / shares.sum())]


def _kinds(lesions: int, fewest: int) -> list[str]:
    """`"dx / dx_type / dataset"` of so many lesions, in the real shares, rounded.

    The shares are met as nearly as whole numbers allow (largest remainders), instead of drawn,
    so that a rare class cannot be missing by chance; each class and each dx_type has at least
    `fewest` lesions.
    """
    table = pd.Series(counts()["lesions by dx / dx_type / dataset"])
    exact = table / table.sum() * lesions
    whole = np.floor(exact).astype(int)
    whole[(exact - whole).nlargest(lesions - whole.sum()).index] += 1
    parts = table.index.str.split(" / ")
    for part, names in ((0, CLASSES), (1, TYPES)):
        for name in names:
            own = table[parts.str[part] == name].sort_values(ascending=False).index
            for turn in range(max(0, fewest - whole[own].sum())):
                whole[own[turn % len(own)]] += 1
                whole[whole.idxmax()] -= 1  # the largest kind, nevi, has lesions to give
    return [kind for kind, number in whole.items() for _ in range(number)]


def make_lesions(images: int, rng: np.random.Generator, fewest: int = 3) -> pd.DataFrame:
    """Draw lesions until they have `images` photographs.

    Age, sex and place are drawn one after the other, each given what it depends on most in the
    real table; so pairs of columns depend on each other as there, and no real row is needed.

    Args:
        images: rows wanted in the table of photographs.
        fewest: lesions that each diagnosis has at least.

    Returns:
        one row a lesion: dx, dx_type, age (NaN = missing), sex, localization, dataset, and
        photographs, their number. The photographs add up to `images`.
    """
    tables = counts()
    # HAM10000 has 1.34 images a lesion; so many lesions come close, and the rest is adjusted.
    lesions = round(images * 7470 / 10015)
    rows = []
    for kind in _kinds(lesions, fewest):
        dx, dx_type, dataset = kind.split(" / ")
        place = pick(tables["localization by dx / dataset"][f"{dx} / {dataset}"], rng)
        sex = pick(tables["sex by dx / localization"][f"{dx} / {place}"], rng)
        by_sex = tables["age by dx / dx_type / sex"]
        age = pick(by_sex.get(f"{dx} / {dx_type} / {sex}") or by_sex[f"{dx} / {dx_type} / male"],
                   rng)  # fmt: skip
        number = int(pick(tables["photographs by dx / dx_type / dataset"][kind], rng))
        age = np.nan if age == "missing" else float(age)
        rows.append((dx, dx_type, age, sex, place, dataset, number))
    names = ["dx", "dx_type", "age", "sex", "localization", "dataset", "photographs"]
    table = pd.DataFrame(rows, columns=names)
    return _adjust(table, images, rng).sample(frac=1, random_state=rng).reset_index(drop=True)


def _adjust(table: pd.DataFrame, images: int, rng: np.random.Generator) -> pd.DataFrame:
    """Give lesions a photograph more, or one less, until they have `images`; nevi come first."""
    order = rng.permutation(table.index)
    order = order[np.argsort(table.loc[order, "dx"] != "nv", kind="stable")]
    while difference := images - int(table["photographs"].sum()):
        # There are fewer lesions than images, so someone has a photograph to give.
        able = order if difference > 0 else order[table.loc[order, "photographs"] > 1]
        table.loc[able[: abs(difference)], "photographs"] += np.sign(difference)
    return table
