"""The page of results, docs/real_images.md, from the kept tables: python tools/results_table.py

With a profile's name it prints that run's nine rows instead: python tools/results_table.py quick
"""

import sys

import pandas as pd

from lesions.core.files import BUILD, ROOT, write_text
from lesions.experiments import forensic
from lesions.paper import claims, comparison, evidence, published, readings, verdict_words

PAGE = ROOT / "docs" / "real_images.md"
HEAD = """# Results on the real images

Computed by `tools/results_table.py` from the tables in [data/results](../data/results/README.md).
Nothing here is typed. `paper` is our reading of the study (resampled first, then split by image),
`honest` splits by lesion and tests on the classes as they occur. In brackets stands the 95 %
interval over test lesions of one seed: it covers neither another seed nor another training part.

The tables of the paper's nine models and of our own compact network are older than three changes
of the course: batch normalisation's momentum fits the number of steps, each random choice has a
stream of its own, and fewer photographs are tied into one lesion, so the splits differ. They have
not been run again; the pretrained network, explanations, few labels and the search are newer.
"""


def cell(value: object) -> str:
    """.64 for 0.64; a dash for what was not run; words as they are."""
    if isinstance(value, str):
        return value.replace("|", "/")
    if pd.isna(value):
        return "-"
    if float(value).is_integer() and abs(value) >= 1:
        return f"{int(value):,}"
    return f"{value:.2f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.2f}"


def markdown(table: pd.DataFrame) -> str:
    """A table, numbers right."""
    numbers = [pd.api.types.is_numeric_dtype(table[name]) for name in table]
    lines = ["| " + " | ".join(str(name).replace("_", " ") for name in table) + " |"]
    lines.append("|" + "|".join("---:" if number else "---" for number in numbers) + "|")
    for values in table.itertuples(index=False, name=None):
        lines.append("| " + " | ".join(map(cell, values)) + " |")
    return "\n".join(lines)


def nine_rows(accuracy: pd.DataFrame) -> pd.DataFrame:
    """The paper's rows with ours and the baselines', readable."""
    shown = comparison.readable(accuracy)
    return shown.drop(columns="published").assign(
        published=accuracy["published"], init=accuracy["honest_init"]
    )[["model", "target", "published", *shown.columns[3:], "init"]]


def without_rule(board: pd.DataFrame) -> pd.DataFrame:
    """Macro AUC of every model under honest, the best first."""
    auc = board[board["metric"] == "macro_auc"].sort_values(
        ["target", "value"], ascending=[True, False]
    )
    interval = [f"{cell(low)} to {cell(high)}" for low, high in zip(auc["low"], auc["high"],
                                                                    strict=True)]  # fmt: skip
    return auc[["target", "name", "kind"]].assign(macro_auc=auc["value"], over_lesions=interval)


def seeds(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean and range over seeds, for what was run with several."""
    table = comparison.seeds_of(runs)
    return table[table["seeds"] > 1]


def pretrained(runs: pd.DataFrame) -> pd.DataFrame:
    """What a network that knows ImageNet reaches in the test part: mean and range over seeds."""
    tested = runs[runs["part"] == "test"].groupby(["model", "init"], sort=False)
    scores = ["accuracy", "balanced_accuracy", "macro_auc"]
    found = tested.size().rename("seeds").to_frame()
    for name in scores:
        found[name] = tested[name].mean()
        low, high = tested[name].min().map(cell), tested[name].max().map(cell)
        found[f"{name}, seeds"] = (low + " to " + high).where(found["seeds"] > 1, "one seed")
    return found.reset_index()


def added(table: pd.DataFrame) -> pd.DataFrame:
    """What age, sex and place add to the tuned network, one left out at a time; mean over seeds."""
    scores = ["accuracy", "balanced_accuracy", "macro_auc", "log_loss"]
    means = table.groupby(["model", "answers"], sort=False)[scores].mean()
    return means.assign(seeds=table.groupby(["model", "answers"]).size()).reset_index()


def page() -> str:
    """The whole page."""
    kept = {name: published.kept("paper", name) for name in
            ("accuracy", "balanced_accuracy", "board", "gap", "runs", "decisions")}  # fmt: skip
    said = verdict_words.kept_study(kept["accuracy"], kept["board"], kept["gap"],
                                    evidence.kept_scores())  # fmt: skip
    found = readings.readings(published.scores())
    grid = readings.grid(found)
    tried = forensic.distances(published.kept("forensic", "tried"), published.scores())
    near = forensic.closest(tried)
    judged = claims.verdicts(claims.load(), published.scores(), evidence.kept_scores(),
                             evidence.kept_facts(), found=found)  # fmt: skip
    counts = judged["verdict"].value_counts().rename_axis("verdict").reset_index(name="claims")
    parts = [
        HEAD.strip(), said.replace("\n", "\n\n"),
        "## Ranking, without a decision rule", markdown(without_rule(kept["board"])),
        "## The nine rows: accuracy", markdown(nine_rows(kept["accuracy"])),
        "## Balanced accuracy", markdown(nine_rows(kept["balanced_accuracy"])),
        "## Several seeds",
        "In accuracy; each seed has its own split. All other rows are one seed.",
        markdown(seeds(kept["runs"])),
        "## What the leak is worth", "In balanced accuracy; the range is over seeds.",
        markdown(comparison.without_single_range(kept["gap"])),
        "## Two decision rules on dx", markdown(kept["decisions"]),
        "## The longer run of our own network", markdown(published.kept("own", "decisions")),
        "## A network that knows ImageNet",
        "On dx, 128 pixels, honest split, classes as in nature; each seed has its own split. "
        "Accuracy is that of the most probable class, balanced accuracy that of a rule chosen on "
        "validation. `efficientnet_lite0` is frozen with a head on it, `tuned_lite0` is trained on "
        "as a whole.",
        markdown(pretrained(published.kept("transfer", "transfer"))),
        "What age, sex and place add to it, by late fusion with a logistic regression:",
        markdown(added(published.kept("transfer", "ablation"))),
        "The differences, with paired intervals over test lesions, are in "
        "[data/results](../data/results/README.md), and the AUC of each class.",
        "## What the paper's numbers allow", verdict_words.arithmetic(grid), markdown(grid),
        "## A guess at what was done",
        "The paper's models, small images, every way to resample; the closest to each row. "
        "**This is a guess**: other ways were not tried.",
        verdict_words.guess(near).replace("\n", "\n\n"),
        "## The claims", markdown(counts),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def main() -> None:
    if len(sys.argv) > 1:
        folder = BUILD / sys.argv[1] / "results"
        print(markdown(nine_rows(pd.read_csv(folder / "comparison_accuracy.csv"))))
        return
    write_text(PAGE, page())
    print(f"Written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
