"""The README's results table, from a finished run: python tools/results_table.py quick"""

import sys

import pandas as pd

from lesions.core.files import BUILD


def cell(value: float) -> str:
    """.64 for 0.64; a dash for what was not run."""
    return "-" if pd.isna(value) else f"{value:.2f}".replace("0.", ".", 1)


def main() -> None:
    folder = BUILD / (sys.argv[1] if len(sys.argv) > 1 else "quick") / "results"
    accuracy = pd.read_csv(folder / "comparison_accuracy.csv")
    balanced = pd.read_csv(folder / "comparison_balanced_accuracy.csv")
    heads = ["model", "target", "published", "ours, `paper`", "ours, `honest` (95 % interval)"]
    heads += ["majority, `honest`", "colours, `honest`", "balanced: `paper`", "`honest`", "init"]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for row, other in zip(accuracy.itertuples(), balanced.itertuples(), strict=True):
        honest = f"{cell(row.honest)} ({cell(row.honest_low)} to {cell(row.honest_high)})"
        cells = [row.model, row.target, cell(row.published), cell(row.paper), honest,
                 cell(row.honest_majority), cell(row.honest_cheap), cell(other.paper),
                 cell(other.honest), row.honest_init]  # fmt: skip
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
