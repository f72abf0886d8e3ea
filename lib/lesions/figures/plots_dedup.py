"""The figures of notebook 02: what each rule finds, how sure it is, and what searching costs."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from lesions.data.images import read_image
from lesions.figures.plots import COLOURS, SHADES


def found_by_rule(shares: pd.DataFrame) -> Figure:
    """Which planted pairs each rule finds, in percent.

    Args:
        shares: a row a rule, a column a kind of plant; shares from 0 to 1.
    """
    figure, axis = plt.subplots(figsize=(8.5, 0.34 * len(shares) + 1.6))
    sns.heatmap(shares * 100, annot=True, fmt=".0f", cmap=SHADES, vmin=0, vmax=100, ax=axis,
                cbar_kws={"label": "% of the planted pairs found"})  # fmt: skip
    axis.set(xlabel="what was planted", ylabel="rule")
    axis.set_xticks(axis.get_xticks(), axis.get_xticklabels(), rotation=30, ha="right")
    return figure


def rules_compared(
    curves: Mapping[str, Sequence[Mapping[str, float]]], labels: Mapping[str, Sequence[int]]
) -> Figure:
    """Precision against recall of several rules as their threshold moves, on the same axes.

    Args:
        curves: for each rule the scores at each threshold, from `dedup.score_pairs`.
        labels: for each rule its thresholds, written at the points.
    """
    figure, axis = plt.subplots(figsize=(7.5, 4))
    for (rule, points), marker in zip(curves.items(), "osD^v", strict=False):
        recall = [100 * point["recall"] for point in points]
        precision = [100 * point["precision"] for point in points]
        axis.plot(recall, precision, marker=marker, label=rule)
        for text, x, y in zip(labels[rule], recall, precision, strict=True):
            axis.annotate(str(text), (x, y), textcoords="offset points", xytext=(4, 5), fontsize=8)
    axis.set(xlabel="recall (%): pairs of one lesion that are found", ylabel="precision (%)",
             xlim=(-2, 100), ylim=(0, 105))  # fmt: skip
    axis.legend(title="numbers: bits or matches", fontsize=9, title_fontsize=9, loc="center")
    return figure


def pair_sheet(pairs: pd.DataFrame, table: pd.DataFrame, columns: int = 4) -> Figure:
    """Pairs of images, one above the other, each with its lesion and diagnosis.

    Args:
        pairs: image_a, image_b and, optionally, matches; a column of the sheet each.
        table: image_id, lesion_id, dx and path.
        columns: pairs in a line.
    """
    about = table.set_index("image_id")
    lines = -(-len(pairs) // columns)
    figure, axes = plt.subplots(
        2 * lines, columns, figsize=(2.3 * columns, 4.3 * lines), squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    for place, pair in enumerate(pairs.to_dict("records")):
        line, column = divmod(place, columns)
        for below, name in enumerate((pair["image_a"], pair["image_b"])):
            axis = axes[2 * line + below, column]
            axis.imshow(read_image(about.loc[name, "path"]))
            title = f"{about.loc[name, 'lesion_id']}\n{about.loc[name, 'dx']}"
            if below and "matches" in pair:
                title += f", {pair['matches']} points"
            axis.set_title(title, fontsize=10)
    figure.tight_layout()
    return figure


def search_cost(
    measured: pd.DataFrame, images: Sequence[int] = (10_015, 100_000, 400_000)
) -> Figure:
    """Seconds of the pair search against the number of images, and where it leads.

    Args:
        measured: from `pairs.search_cost`.
        images: numbers to read off, by the quadratic law through the largest measurement.
    """
    last = measured.iloc[-1]
    grid = np.geomspace(measured["hashes"].min(), 1e6, 50)
    law = last["seconds"] * (grid / last["hashes"]) ** 2
    figure, axis = plt.subplots(figsize=(6.5, 3.6))
    axis.loglog(grid, law, color="0.6", ls=":", label="seconds grow as images squared")
    axis.loglog(measured["hashes"], measured["seconds"], "o", color=COLOURS[0], label="measured")
    for count in images:
        seconds = last["seconds"] * (count / last["hashes"]) ** 2
        text = f"{seconds:,.0f}" if seconds >= 10 else f"{seconds:.2g}"
        axis.annotate(f"{count:,}: {text} s", (count, seconds), fontsize=8,
                      textcoords="offset points", xytext=(-4, 6), ha="right")  # fmt: skip
        axis.plot(count, seconds, "x", color="black")
    # Powers of ten would be written as mathematics, which is off for the sake of labels with a `$`.
    for one in (axis.xaxis, axis.yaxis):
        one.set_major_formatter(lambda value, _: f"{value:,g}" if value < 1 else f"{value:,.0f}")
    axis.set(xlabel="images", ylabel="seconds for all pairs")
    axis.legend(fontsize=8, loc="lower right")
    return figure
