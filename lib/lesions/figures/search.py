"""The figures of the search: heat map, regret, the best of N, the plan on many workers."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from lesions.figures.plots import COLOURS, SHADES

STYLE = {"grid": (COLOURS[2], ":", "s"), "random": (COLOURS[1], "--", "o"),
         "tpe": (COLOURS[0], "-", "D")}  # fmt: skip


def heat_map(scores: pd.DataFrame) -> Figure:
    """Mean validation score by two parameters; cells that no trial has are empty.

    Args:
        scores: from `search_lessons.heat`.
    """
    figure, axis = plt.subplots(figsize=(1.1 * scores.shape[1] + 2, 0.62 * len(scores) + 1.2))
    shown = axis.imshow(scores, cmap=SHADES, aspect="auto", origin="lower")
    middle = (np.nanmin(scores) + np.nanmax(scores)) / 2
    for (row, column), value in np.ndenumerate(scores.to_numpy()):
        if np.isfinite(value):
            ink = "black" if value > middle else "white"
            axis.text(column, row, f"{value:.3f}", ha="center", va="center", color=ink, fontsize=9)
    axis.set_xticks(range(scores.shape[1]), [f"{v:g}" for v in scores.columns])
    axis.set_yticks(range(len(scores)), [f"{v:g}" for v in scores.index])
    axis.set(xlabel=scores.columns.name, ylabel=scores.index.name)
    axis.grid(False)
    figure.colorbar(shown, label="macro AUC, validation")
    figure.tight_layout()
    return figure


def regret_curves(found: pd.DataFrame) -> Figure:
    """The mean regret of each way to search, with the middle half of its orders.

    Args:
        found: from `search_lessons.regrets`.
    """
    figure, axis = plt.subplots(figsize=(7, 3.6))
    for name, (colour, line, marker) in STYLE.items():
        by = found[found["sampler"] == name].groupby("trials")["regret"]
        mean, low, high = by.mean(), by.quantile(0.25), by.quantile(0.75)
        axis.fill_between(mean.index, low, high, color=colour, alpha=0.15, lw=0)
        axis.plot(mean.index, mean, line, color=colour, marker=marker, ms=4, label=name)
    axis.set(xlabel="trials", ylabel="macro AUC below the best cell", ylim=(0, None))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend(title="mean, middle half of the orders")
    figure.tight_layout()
    return figure


def best_of_n(table: pd.DataFrame) -> Figure:
    """The best validation score of N trials, and the test score of the trial that has it.

    Args:
        table: from `search_lessons.best_of`.
    """
    figure, axis = plt.subplots(figsize=(7, 3.6))
    axis.plot(table["trials"], table["validation"], "-", color=COLOURS[0], label="on validation")
    axis.plot(
        table["trials"], table["test"], "--", color=COLOURS[1], label="the same on the test part"
    )
    axis.fill_between(table["trials"], table["test"], table["validation"], color="0.85", lw=0)
    axis.set(xlabel="N, trials to choose from", ylabel="macro AUC of the chosen trial")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend(title="mean over all choices of N trials")
    figure.tight_layout()
    return figure


def plan(table: pd.DataFrame) -> Figure:
    """Hours against workers on logarithmic axes, with the bound that no plan can beat.

    Args:
        table: from `scaling.plan`.
    """
    figure, axis = plt.subplots(figsize=(7, 3.6))
    axis.plot(table["workers"], table["bound"], "-", color="0.8", lw=6, label="no plan is shorter")
    axis.plot(table["workers"], table["hours_as_listed"], ":", color=COLOURS[1], marker="s", ms=4,
              label="in the order of the list")  # fmt: skip
    axis.plot(table["workers"], table["hours"], "-", color=COLOURS[0], marker="o", ms=4,
              label="longest first")  # fmt: skip
    axis.set(xscale="log", yscale="log", xlabel="workers", ylabel="hours until the last run ends")
    axis.xaxis.set_major_locator(FixedLocator(table["workers"].to_list()))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_locator(NullLocator())
    ticks = [t for t in (0.25, 0.5, 1, 2, 4, 8, 16) if t < 2 * table["hours"].max()]
    axis.set_yticks(ticks, [f"{t:g}" for t in ticks])
    axis.yaxis.set_minor_locator(NullLocator())
    axis.legend()
    figure.tight_layout()
    return figure
