"""What can have been done, so that a row of scores comes out as printed?

Rules such as "weighted recall is accuracy" show that a row is impossible, and not what else it may
be. A *reading* says what the classes of the test part were like, and which of the printed numbers
come from it; `matrices` then looks for a confusion matrix. Several readings stand side by side.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from lesions.core.files import ROOT
from lesions.paper import matrices
from lesions.paper.audit import SCORES, constant_share, rounding
from lesions.paper.matrices import EDGE, IMPOSSIBLE, OPEN, POSSIBLE

COUNTS = ROOT / "data" / "class_counts.csv"
TEST_IMAGES = 1444  # 15 % of the 9,624 images that the paper says it kept
# The same without the 57 images of unknown sex, and 15 % of all images, with and without them.
TWO_CLASS_SIZES = (1444, 1435, 1494, 1502)
MACRO = SCORES[:4]  # accuracy and the macro triple
WEIGHTED = (SCORES[0], *SCORES[4:])
# reading: equal classes or natural ones, which scores come from that test part, in words
READINGS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "as printed": ("natural", SCORES, "classes as in the dataset, all seven numbers"),
    "equal classes": ("equal", SCORES, "classes made equally large, all seven numbers"),
    "equal, accuracy from elsewhere": (
        "equal", SCORES[1:], "classes made equally large, the accuracy from another test part"),
    "natural, macro copied": (
        "natural", MACRO, "classes as in the dataset, what stands under weighted is not theirs"),
    "natural, weighted copied": (
        "natural", WEIGHTED, "classes as in the dataset, what stands under macro is not theirs"),
}  # fmt: skip
CONSTANT = "one answer for all"


def class_counts(target: str) -> pd.Series:
    """How many images of HAM10000 each class of a target has, the largest class first."""
    table = pd.read_csv(COUNTS, keep_default_na=False)
    return table[table["target"] == target].set_index("class")["images"]


def test_sizes(counts: Sequence[int], images: int) -> list[int]:
    """Class sizes of a stratified test part: the shares of `counts`, rounded to add up.

    What is left over after rounding down goes to the largest remainders; no class is empty.
    """
    exact = np.asarray(counts, float) / np.sum(counts) * images
    sizes = np.maximum(np.floor(exact).astype(int), 1)
    for place in np.argsort(sizes - exact)[: max(0, images - sizes.sum())]:
        sizes[place] += 1
    sizes[0] -= sizes.sum() - images  # a class lifted to 1 takes it from the largest
    return [int(size) for size in sizes]


# ---------------------------------------------------------------- a row, and all rows


def fitting_sizes(
    row: Mapping[str, float], counts: Sequence[int], images: int, names: Sequence[str] = SCORES
) -> tuple[list[int], float]:
    """For two classes: sizes of the first class with which a row is possible, and their chance.

    Args:
        counts: images of both classes in the dataset.
        images: the size of the test part, drawn from it without regard to the classes.

    Returns:
        the sizes, of those that a draw gives (within four standard deviations); and how likely a
        draw has one of them.
    """
    draw = hypergeom(sum(counts), counts[0], images)
    middle, spread = draw.mean(), draw.std()
    tried = range(int(middle - 4 * spread), int(middle + 4 * spread) + 1)
    fits = [s for s in tried if matrices.two_classes(row, (s, images - s), names, rounding())]
    return fits, float(draw.pmf(fits).sum())


def _drawn(row: dict, counts: pd.Series, names: Sequence[str]) -> str | None:
    """In which test parts, drawn without regard to two classes, a row is possible; in words."""
    found = {n: fitting_sizes(row, counts.to_list(), n, names) for n in TWO_CLASS_SIZES}
    shares = [size / n for n, (sizes, _) in found.items() for size in sizes]
    if not shares:
        return None
    chances = [chance for _, chance in found.values()]
    sizes = [f"{n:,}" for n, (fits, _) in found.items() if fits]
    return (
        f"only if {min(shares):.1%} to {max(shares):.1%} of the test part are {counts.index[0]} "
        f"(in the dataset {counts.iloc[0] / counts.sum():.1%}): a random test part is so with a "
        f"chance of {min(chances):.2f} to {max(chances):.2f}, whether it has "
        f"{', '.join(f'{n:,}' for n in TWO_CLASS_SIZES[:-1])} or {TWO_CLASS_SIZES[-1]:,} images"
        + ("" if len(sizes) == len(found) else f"; none fits unless it has {' or '.join(sizes)}")
    )


def _one_reading(row: dict, counts: pd.Series, reading: str, images: int) -> dict:
    kind, names, _ = READINGS[reading]
    equal = kind == "equal"
    sizes = test_sizes([1] * len(counts) if equal else counts.to_list(), images)
    verdict, matrix = matrices.fit(row, sizes, names)
    says = matrices.contradiction(row, equal, names)
    if says is None:
        says = {POSSIBLE: "a matrix was found", EDGE: "only if a value was rounded both ways",
                IMPOSSIBLE: "no matrix gives these scores",
                OPEN: "no matrix was found, and none proved impossible"}[verdict]  # fmt: skip
        if len(counts) == 2 and not equal and verdict != POSSIBLE:
            drawn = _drawn(row, counts, names)
            verdict, says = (POSSIBLE, drawn) if drawn else (verdict, says)
    return {"reading": reading, "verdict": verdict, "says": says, "matrix": matrix}


def readings(table: pd.DataFrame, images: int = TEST_IMAGES) -> pd.DataFrame:
    """For each row of the paper's table, which readings its seven numbers allow.

    Args:
        table: the paper's table: row, model, target, classes and the scores.
        images: the size of the test part; with equal classes as well, where it matters little.

    Returns:
        row, model, target, reading (one of `READINGS`, or "one answer for all"), verdict
        ("possible", "on the edge", "impossible", "not decided"), says, matrix (images, found and
        answered of each class, the largest first; None where there is none).
    """
    lines = []
    for row in table.to_dict("records"):
        about = {name: row[name] for name in ("row", "model", "target")}
        counts = class_counts(row["target"])
        lines += [about | _one_reading(row, counts, reading, images) for reading in READINGS]
        shares = constant_share(row, int(row["classes"]))
        says = "no class share gives these scores"
        if shares:
            says = f"of a class with {shares[0]:.1%} to {shares[1]:.1%} of the images"
        constant = {"reading": CONSTANT, "verdict": POSSIBLE if shares else IMPOSSIBLE}
        lines.append(about | constant | {"says": says, "matrix": None})
    return pd.DataFrame(lines)


def grid(found: pd.DataFrame) -> pd.DataFrame:
    """`readings` as a table: a line a row of the paper, a column a reading."""
    wide = found.pivot(index=["row", "model", "target"], columns="reading", values="verdict")
    return wide[[*READINGS, CONSTANT]].rename_axis(columns=None).reset_index()


def impossible_as_printed(found: pd.DataFrame) -> list[int]:
    """The rows whose seven numbers no matrix gives, neither with natural classes nor equal ones."""
    both = found[found["reading"].isin(["as printed", "equal classes"])]
    worst = both.groupby("row")["verdict"].agg(lambda v: set(v) == {IMPOSSIBLE})
    constant = found[(found["reading"] == CONSTANT) & (found["verdict"] == POSSIBLE)]["row"]
    return [int(row) for row in worst.index[worst] if row not in set(constant)]


def common_test_parts(table: pd.DataFrame, images: Sequence[int] = TWO_CLASS_SIZES) -> pd.DataFrame:
    """Test parts of two classes in which several rows are possible at once.

    Three models on one target were hardly tested on three test parts, so their rows narrow it down
    together.

    Args:
        table: rows of the paper's table with the same target, of two classes.
        images: sizes of the test part that are tried.

    Returns:
        images, and for each size that is left: larger (images of the larger class) and its share.
    """
    counts = class_counts(table["target"].iloc[0])
    lines = []
    for n in images:
        sizes = [set(fitting_sizes(row, counts.to_list(), n)[0])
                 for row in table.to_dict("records")]  # fmt: skip
        lines += [(n, size, size / n) for size in sorted(set.intersection(*sizes))]
    return pd.DataFrame(lines, columns=["images", "larger", "share"])
