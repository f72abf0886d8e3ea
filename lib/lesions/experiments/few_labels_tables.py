"""Tables of notebook 09: scores by method and share, what beats what, and what is kept of it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from lesions.core.files import ROOT
from lesions.experiments.few_labels_beliefs import beliefs, nearest_share
from lesions.experiments.few_labels_methods import METHODS
from lesions.experiments.few_labels_runs import Run, Setting
from lesions.experiments.few_labels_shared import Budget
from lesions.scores import calibration, evaluation
from lesions.training import semi_supervised

KEPT = ROOT / "data" / "results" / "few_labels"
MEASURES = ("balanced_accuracy", "macro_auc")
SCRATCH = "scratch"
FEWEST_SEEDS = 3
REAL = "the real images"


def asked(run: Run, part: str) -> dict[str, pd.DataFrame]:
    """The answers that each of `MEASURES` is computed from.

    All methods learn with the natural class shares of their labels. For balanced accuracy the
    answers are turned to equal shares, for every method alike; nothing is chosen for it. The AUC
    has no rule, and takes them as they are.
    """
    answers, learnt = run.answers(part), run.about()["learnt"]
    equal = pd.Series(1 / len(learnt), index=list(learnt))
    turned = calibration.with_decision(answers, calibration.prior_weights(learnt, equal))
    return {"balanced_accuracy": turned, "macro_auc": answers}


def finished(folder: Path) -> list[Run]:
    """The runs that lie in a folder, whole."""
    found = []
    for path in sorted(Path(folder).glob("*-seed*/about.json")):
        method, share, seed = path.parent.name.rsplit("-", 2)
        seed = int(seed.removeprefix("seed"))
        if method in METHODS:
            found.append(Run(method, float(share) / 100, seed, path.parent))
    order = list(METHODS)
    return sorted(found, key=lambda run: (order.index(run.method), run.share, run.seed))


def scores(runs: Sequence[Run], n: int = 500) -> pd.DataFrame:
    """Each run's scores on its validation images and on the test part.

    Args:
        runs: that have ended.
        n: bootstrap samples; 0: no intervals.

    Returns:
        a row a run and part: method, share, seed, part, lesions and images (labelled, to train),
        validation_images, accuracy, then each of `MEASURES` with `_low` and `_high`, 95 % over the
        part's lesions. accuracy is that of the most probable class, majority that of the most
        frequent one for every image.
    """
    lines = []
    for run in runs:
        about = run.about()
        for part in ("validation", "test"):
            given = run.answers(part)
            line = {"method": run.method, "share": run.share, "seed": run.seed, "part": part,
                    "lesions": about["train_lesions"], "images": about["train_images"],
                    "validation_images": about["validation_images"],
                    "accuracy": evaluation.scores(given)["accuracy"],
                    "majority": given["truth"].value_counts(normalize=True).max()}  # fmt: skip
            for name, answers in asked(run, part).items():
                found = evaluation.bootstrap(answers, name, n=n if part == "test" else 0)
                value, low, high = found.loc[name]
                line |= {name: value, f"{name}_low": low, f"{name}_high": high}
            lines.append(line)
    return pd.DataFrame(lines)


def curves(table: pd.DataFrame, measure: str, part: str = "test") -> pd.DataFrame:
    """A row a method and share: the mean over seeds, their range, and the widest interval.

    Args:
        table: from `scores`.

    Returns:
        method, share, lesions, seeds, value, lowest, highest (of the seeds), low, high (from the
        lowest to the highest limit of the seeds' intervals over test lesions).
    """
    by = table[table["part"] == part].groupby(["method", "share"], sort=False)
    return by.agg(
        lesions=("lesions", "first"),
        seeds=("seed", "nunique"),
        value=(measure, "mean"),
        lowest=(measure, "min"),
        highest=(measure, "max"),
        low=(f"{measure}_low", "min"),
        high=(f"{measure}_high", "max"),
    ).reset_index()


def gains(runs: Sequence[Run], n: int = 500, against: str = SCRATCH) -> pd.DataFrame:
    """How much better each method is than another one at the same share and seed.

    Returns:
        a row a method, share, seed and measure: difference, low, high (95 % over test lesions, the
        same resamples for both).
    """
    by = {(run.method, run.share, run.seed): run for run in runs}
    lines = []
    for (method, share, seed), run in by.items():
        other = by.get((against, share, seed))
        if other is None or method == against:
            continue
        ours, theirs = asked(run, "test"), asked(other, "test")
        for measure in MEASURES:
            line = evaluation.paired_difference(ours[measure], theirs[measure], measure, n=n)
            line = line.loc[measure, ["difference", "low", "high"]].to_dict()
            lines.append(
                {"method": method, "share": share, "seed": seed, "measure": measure} | line
            )
    return pd.DataFrame(
        lines, columns=["method", "share", "seed", "measure", "difference", "low", "high"]
    )


def compared(
    table: pd.DataFrame,
    share: float,
    methods: Sequence[str],
    against: str = SCRATCH,
    measure: str = MEASURES[0],
) -> pd.Series:
    """The best of some methods, chosen on validation, against another one on the test part.

    Args:
        table: from `scores`.
        methods: the candidates; those without a run at this share are passed over.
        share: of the labels; the nearest one in the table is taken.

    Returns:
        share, best, value and other (means on the test part), gain, spread (the larger of the two
        methods' ranges over seeds), seeds, and verdict: from `FEWEST_SEEDS` on, whether the gain is
        more than the spread.
        Without a candidate: best is None.
    """
    share = nearest_share(table, share)
    here = table[table["share"] == share]
    validation = here[here["part"] == "validation"].groupby("method")[measure].mean()
    test = here[here["part"] == "test"]
    # Only seeds that both have: a method with one easy seed is not compared with three of another.
    by = test.pivot_table(index="seed", columns="method", values=measure)
    candidates = [
        name for name in methods
        if {name, against} <= set(by) and name != against and len(by[[name, against]].dropna())
    ]  # fmt: skip
    if not candidates:
        run = set(test["method"])
        apart = against in run and bool(run & (set(methods) - {against}))
        verdict = "no seed in common: no verdict" if apart else "no run to judge by"
        return pd.Series({"share": share, "best": None, "verdict": verdict})
    best = str(validation.loc[candidates].idxmax())
    both = by[[best, against]].dropna()
    gain = float((both[best] - both[against]).mean())
    spread = float((both.max() - both.min()).max())
    if len(both) < FEWEST_SEEDS:  # the range of two is passed by chance in one case of five
        verdict = "one seed: no verdict" if len(both) < 2 else "two seeds: no verdict"
    elif gain > spread:
        verdict = "better, by more than the seeds differ"
    elif gain < -spread:
        verdict = "worse, by more than the seeds differ"
    else:
        verdict = "no difference that seeds alone could not make"
    return pd.Series({
        "share": share, "best": best, "value": float(both[best].mean()),
        "other": float(both[against].mean()), "gain": gain, "spread": spread,
        "seeds": len(both), "verdict": verdict,
    })  # fmt: skip


def said(found: pd.Series) -> str:
    """A comparison by `compared` as a line of a table."""
    if found["best"] is None:
        nothing = found["verdict"] == "no run to judge by"
        return "not run" if nothing else "run, on other lesions each"
    seeds = (f"seeds differ by up to {found['spread']:.2f}; seeds: {found['seeds']}"
             if found["seeds"] > 1 else "one seed")  # fmt: skip
    return (f"{METHODS[found['best']].name}: {found['value']:.2f} against {found['other']:.2f} "
            f"at {100 * found['share']:g} % (gain {found['gain']:+.2f}; {seeds})")  # fmt: skip


def left_of_the_way(table: pd.DataFrame, method: str, share: float) -> float:
    """How much of its AUC above chance with all labels a method keeps with a share, in percent."""
    share = nearest_share(table, share)
    by = curves(table, "macro_auc").set_index(["method", "share"])["value"]
    return 100 * (by[method, share] - 0.5) / (by[method, by[method].index.max()] - 0.5)


def summary(table: pd.DataFrame, measure: str = MEASURES[0]) -> pd.DataFrame:
    """The curves as text: a row a method, a column a share, the mean and the seeds' range."""
    found = curves(table, measure)
    text = [f"{line.value:.2f}"
            + (f" ({line.lowest:.2f} to {line.highest:.2f})" if line.seeds > 1 else "")
            for line in found.itertuples()]  # fmt: skip
    wide = found.assign(text=text).pivot(index="method", columns="share", values="text")
    wide = wide.loc[[name for name in METHODS if name in wide.index]].fillna("")
    wide.columns = [f"{100 * share:g} %" for share in wide.columns]
    wide.index = [METHODS[name].name for name in wide.index]
    return wide


def kept(
    name: str, otherwise: pd.DataFrame | Callable[[], pd.DataFrame]
) -> tuple[pd.DataFrame, str]:
    """A table of the real images, `data/results/few_labels/<name>.csv`, and whose it is.

    Args:
        otherwise: this run's own table, or what makes it, for where none is kept.

    Returns:
        the table; and "the real images" or "this run's images".
    """
    path = KEPT / f"{name}.csv"
    if path.exists():
        return pd.read_csv(path), REAL
    return otherwise() if callable(otherwise) else otherwise, "this run's images"


def budget_in_words(table: pd.DataFrame, whose: str, budget: Budget, size: int) -> str:
    """What each method was given, in a sentence.

    Args:
        table: from `scores`.
        whose: from `kept`; of the real images the budget is read from `about.json`.
        budget, size: this run's, and its images' height and width in pixels.
    """
    if whose == REAL:
        about = json.loads((KEPT / "about.json").read_text(encoding="utf-8"))
        budget, size = Budget(**about["budget"]), about["IMAGE_SIZE"]
    seeds = table.groupby("method")["seed"].nunique()
    most = f"{seeds.max()}" if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()}"
    return (
        f"Of {whose}, {size} pixels: {budget.steps:,} steps of {budget.batch} images with labels, "
        f"{budget.pretraining:,} steps of {budget.batch} pairs without; seeds a method: {most}."
    )


def all_of(setting: Setting, n: int = 500) -> dict[str, pd.DataFrame]:
    """The tables that are kept: `scores`, `gains`, `beliefs`, of all runs in the folder."""
    runs = finished(setting.folder)
    return {
        "scores": scores(runs, n),
        "gains": gains(runs, n),
        "beliefs": beliefs(runs, setting, semi_supervised.THRESHOLD),
    }


def anchors() -> pd.DataFrame:
    """Published numbers and how they came about, `data/few_labels_anchors.csv`."""
    return pd.read_csv(ROOT / "data" / "few_labels_anchors.csv", dtype=str)
