"""The figures of notebooks 06 and 07: ours beside the paper, baselines, the leak, for whom."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lesions.figures import plots
from lesions.figures.plots import COLOURS
from lesions.scores import calibration

PROTOCOL_LOOK = {"paper": (COLOURS[1], "s", 0.2), "honest": (COLOURS[0], "o", -0.2)}
METRIC_NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_auc": "macro AUC",
}


def nine_rows(table: pd.DataFrame, measure: str = "accuracy") -> Figure:
    """A line a model: published, ours under each protocol, majority class, cheap baseline.

    Args:
        table: from `comparison.nine_rows`.
        measure: names the axis.
    """
    figure, axis = plt.subplots(figsize=(9, 0.62 * len(table) + 1.4))
    places = np.arange(len(table))[::-1]
    if measure == "accuracy":
        axis.scatter(table["published"], places, marker="x", s=60, color="black",
                     label="published", zorder=4)  # fmt: skip
    for protocol, (colour, marker, shift) in PROTOCOL_LOOK.items():
        if protocol not in table:
            continue
        y = places + shift
        axis.hlines(y, table[f"{protocol}_low"], table[f"{protocol}_high"], color=colour, lw=2)
        axis.scatter(table[protocol], y, marker=marker, s=40, color=colour, zorder=3,
                     label=f"ours, {protocol}")  # fmt: skip
        axis.scatter(table[f"{protocol}_majority"], y, marker="|", s=170, color=colour, lw=2.5,
                     label=f"majority class, {protocol}")  # fmt: skip
        axis.scatter(table[f"{protocol}_cheap"], y, marker=marker, s=40, facecolors="none",
                     edgecolors=colour, lw=1.5, zorder=3,
                     label=f"colours + logistic, {protocol}")  # fmt: skip
    axis.set_yticks(places, table["model"] + " · " + table["target"])
    axis.set(xlim=(0, 1), xlabel=f"{METRIC_NAMES.get(measure, measure)} on the test part")
    axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8)
    return figure


def gaps(table: pd.DataFrame) -> Figure:
    """From what `paper` promises to what `honest` leaves, a line a model.

    Args:
        table: from `comparison.gap`.
    """
    if table.empty:
        return plots.nothing_to_show("one protocol was run, so there is no gap")
    figure, axis = plt.subplots(figsize=(7.5, 0.36 * len(table) + 1.3))
    y = np.arange(len(table))[::-1]
    axis.hlines(y, table["honest"], table["paper"], color="0.75", lw=3, zorder=1)
    for protocol, (colour, marker, _) in PROTOCOL_LOOK.items():
        axis.scatter(table[protocol], y, color=colour, marker=marker, s=42, label=protocol)
    axis.set_yticks(y, table["model"] + " · " + table["target"])
    axis.set(xlim=(0, 1), xlabel="balanced accuracy on the test part")
    axis.legend(title="protocol", loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8)
    return figure


def dial(table: pd.DataFrame, chance: float) -> Figure:
    """The leak as a dial: what never stands in two parts, and when images are repeated.

    Args:
        table: from `experiments.dial`; a dot a seed, the line joins their means.
        chance: the balanced accuracy of any constant answer.
    """
    learners = list(dict.fromkeys(table["learner"]))
    kinds = list(dict.fromkeys(table["resampling"]))
    figure, axes = plt.subplots(
        1, len(learners), figsize=(3.4 * len(learners), 3.6), sharey=True, squeeze=False
    )
    looks = zip(dict.fromkeys(table["split"]), COLOURS[1:2] + COLOURS[2:3] + COLOURS[0:1], "s^o",
                (-0.08, 0.0, 0.08), strict=False)  # fmt: skip
    for split, colour, marker, shift in looks:
        for axis, learner in zip(axes[0], learners, strict=True):
            part = table[(table["split"] == split) & (table["learner"] == learner)]
            x = part["resampling"].map(kinds.index).to_numpy() + shift
            axis.scatter(x, part["balanced_accuracy"], color=colour, marker=marker, s=18, alpha=0.6)
            means = part.groupby("resampling")["balanced_accuracy"].mean().reindex(kinds)
            axis.plot(
                np.arange(len(kinds)) + shift, means, color=colour, marker=marker, label=split
            )
    for axis, learner in zip(axes[0], learners, strict=True):
        axis.axhline(chance, color="0.4", ls=":", lw=1.5)
        axis.set_xticks(range(len(kinds)), [kind.replace(" ", "\n", 1) for kind in kinds])
        axis.set(title=learner, ylim=(0, 1), xlim=(-0.4, len(kinds) - 0.6))
    axes[0, 0].set_ylabel("balanced accuracy on the test part")
    axes[0, 0].annotate("one answer for all", (-0.35, chance + 0.015), fontsize=8, color="0.3")
    figure.supxlabel("RandomOverSampler is applied …", fontsize=10)
    axes[0, -1].legend(title="split", loc="upper right", fontsize=8)
    figure.tight_layout()
    return figure


def board(table: pd.DataFrame, target: str, highlight: float | None = None) -> Figure:
    """Networks and baselines of one target on the same axes, each with its interval.

    Args:
        table: from `comparison.board`.
        target: which of its targets.
        highlight: a published accuracy, drawn as an upright line.
    """
    part = table[table["target"] == target]
    order = part[part["metric"] == "balanced_accuracy"].sort_values("value")["name"]
    metrics = [metric for metric in METRIC_NAMES if metric in set(part["metric"])]
    figure, axes = plt.subplots(
        1, len(metrics), figsize=(10.5, 0.3 * len(order) + 1.2), sharey=True
    )
    places = {name: place for place, name in enumerate(order)}
    for axis, metric in zip(axes, metrics, strict=True):
        for kind, colour, marker in (("baseline", COLOURS[7], "D"), ("network", COLOURS[0], "o")):
            some = part[(part["metric"] == metric) & (part["kind"] == kind)]
            y = some["name"].map(places)
            axis.hlines(y, some["low"], some["high"], color=colour, lw=2)
            axis.scatter(some["value"], y, color=colour, marker=marker, s=34, label=kind, zorder=3)
        axis.set(xlim=(0, 1), xlabel=METRIC_NAMES[metric])
    if highlight is not None:
        axes[0].axvline(highlight, color="black", ls="--", lw=1, label="published")
    axes[0].set_yticks(range(len(order)), order)
    axes[0].set_title(target, fontsize=10, loc="left")
    # Above the panels: inside, it would cover a row.
    axes[-1].legend(
        *axes[0].get_legend_handles_labels(),
        fontsize=8, loc="lower right", bbox_to_anchor=(1, 1), ncol=3, frameon=False,
    )  # fmt: skip
    figure.tight_layout()
    return figure


def reliability(models: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]], bins: int = 10) -> Figure:
    """How often a model is right against how sure it is; before and after temperature scaling.

    Args:
        models: validation and test predictions by name, from `comparison.with_validation`.
    """
    columns = min(4, len(models))
    rows = -(-len(models) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(2.6 * columns, 2.7 * rows), sharey=True,
                                squeeze=False)  # fmt: skip
    for axis in axes.ravel()[len(models) :]:
        axis.remove()
    for axis, (name, (validation, test)) in zip(axes.ravel(), models.items(), strict=False):
        scaled = calibration.calibrate(test, calibration.temperature(validation))
        axis.plot([0, 1], [0, 1], color="0.5", ls=":", lw=1)
        looks = ((test, COLOURS[1], "s-", "as trained"), (scaled, COLOURS[0], "o-", "scaled"))
        for predictions, colour, style, label in looks:
            table = calibration.reliability(predictions, bins)
            table = table[table["images"] >= 5]  # a bin of one image is right or wrong, no more
            axis.plot(table["confidence"], table["accuracy"], style, color=colour, label=label)
        axis.set(title=name, xlabel="highest probability", xlim=(0, 1), ylim=(0, 1))
    for axis in axes[:, 0]:
        axis.set_ylabel("share of right answers")
    axes[0, 0].legend(fontsize=8)
    figure.tight_layout()
    return figure


def subgroup_scores(table: pd.DataFrame, metric: str = "accuracy") -> Figure:
    """A panel a column: each group's score with its interval, and how many images it rests on.

    Args:
        table: from `comparison.by_subgroups`.
        metric: which of its metrics.
    """
    table = table[table["metric"] == metric]
    columns = list(dict.fromkeys(table["column"]))
    if not columns:
        return plots.nothing_to_show("no subgroups are known")
    heights = [table["column"].eq(column).sum() for column in columns]
    figure, axes = plt.subplots(
        len(columns), 1, figsize=(7, 0.27 * sum(heights) + 0.45 * len(columns) + 0.6),
        height_ratios=heights, sharex=True, squeeze=False,
    )  # fmt: skip
    for axis, column in zip(axes[:, 0], columns, strict=True):
        part = table[table["column"] == column].iloc[::-1]
        y = np.arange(len(part))
        axis.hlines(y, part["low"], part["high"], color=COLOURS[0], lw=2)
        axis.scatter(part["value"], y, color=COLOURS[0], s=30, zorder=3)
        labels = part["group"] + "  (" + part["images"].astype(str) + ")"
        axis.set_yticks(y, labels, fontsize=8)
        axis.set(xlim=(0, 1), ylim=(-0.6, len(part) - 0.4))
        axis.set_title(column, fontsize=9, loc="left")
    axes[-1, 0].set_xlabel(f"{METRIC_NAMES[metric]} on the test part (images in brackets)")
    figure.tight_layout()
    return figure


def cohorts(table: pd.DataFrame, metric: str = "accuracy") -> Figure:
    """Tested on each cohort: trained without it, and trained with some of it.

    Args:
        table: from `rules.across_cohorts`.
    """
    table = table[table["metric"] == metric]
    names = sorted(set(table["cohort"]), reverse=True)
    figure, axis = plt.subplots(figsize=(7, 0.5 * len(names) + 1.2))
    for trained, colour, marker, shift in (
        ("with it", COLOURS[1], "s", 0.2),
        ("without it, told its shares", COLOURS[2], "^", 0.0),
        ("without it", COLOURS[0], "o", -0.2),
    ):
        part = table[table["trained"] == trained]
        if part.empty:
            continue
        y = part["cohort"].map(names.index) + shift
        axis.hlines(y, part["low"], part["high"], color=colour, lw=2)
        axis.scatter(part["value"], y, color=colour, marker=marker, s=38, zorder=3,
                     label=f"trained {trained}")  # fmt: skip
    axis.set_yticks(range(len(names)), names)
    axis.set(xlim=(0, 1), xlabel=f"{METRIC_NAMES[metric]} on the images of the cohort")
    axis.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


def distances(table: pd.DataFrame) -> Figure:
    """How far each way to resample lies from the printed scores, a panel a row of the paper.

    Args:
        table: from `forensic.distances`; the best length of training of each way is drawn.
    """
    rows = list(dict.fromkeys(table["row"]))
    table = table.assign(way=table["resampling"] + ", " + table["when"])
    ways = list(dict.fromkeys(table.sort_values(["when", "resampling"])["way"]))[::-1]
    figure, axes = plt.subplots(
        1, len(rows), figsize=(2.1 * len(rows) + 1.4, 2.6), sharey=True, squeeze=False
    )
    for axis, row in zip(axes[0], rows, strict=True):
        best = table[table["row"] == row].drop_duplicates("way").set_index("way").reindex(ways)
        y = np.arange(len(ways))
        axis.hlines(y, best["nearest"], best["farthest"], color=COLOURS[0], lw=2)
        axis.scatter(best["distance"], y, color=COLOURS[0], s=30, zorder=3)
        axis.set(
            title=f"row {row}", xlim=(0, 1.1 * best["farthest"].max()), ylim=(-0.6, len(ways) - 0.4)
        )
        axis.set_yticks(y, [way.replace("none, never", "not resampled") for way in ways])
    figure.supxlabel("mean distance from the printed scores", fontsize=10)
    figure.tight_layout()
    return figure
