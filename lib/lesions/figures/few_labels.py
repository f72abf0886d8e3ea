"""The figures of few labels: curves over shares, pairs of views, collapse, own labels."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from lesions.experiments.few_labels_methods import METHODS
from lesions.experiments.few_labels_tables import curves
from lesions.figures.plots import COLOURS, SHADES

TITLES = {"balanced_accuracy": "balanced accuracy", "macro_auc": "macro AUC"}
# Colour and marker of each method: squares have seen ImageNet, diamonds train no network on labels.
LOOKS = {
    "colours": ("0.45", "D"),
    "untrained": ("0.7", "D"),
    "scratch": ("black", "o"),
    "code": (COLOURS[5], "D"),
    "simclr_probe": (COLOURS[0], "D"),
    "simclr_tuned": (COLOURS[6], "o"),
    "pseudo": (COLOURS[8], "^"),
    "fixmatch": (COLOURS[3], "^"),
    "simclr_fixmatch": (COLOURS[4], "^"),
    "lite0": (COLOURS[2], "s"),
    "lite0_tuned": (COLOURS[1], "s"),
}


def label_curves(scores: pd.DataFrame, chance: Mapping[str, float], part: str = "test") -> Figure:
    """A panel a measure: score against the share of labelled lesions, a line a method.

    Thick strokes reach from the lowest to the highest seed, thin ones are the widest of the
    intervals over test lesions.

    Args:
        scores: from `few_labels_tables.scores`.
        chance: the score of no knowledge, by measure.
    """
    names = [name for name in LOOKS if name in set(scores["method"])]
    figure, axes = plt.subplots(1, len(TITLES), figsize=(10.5, 4.4))
    for axis, (measure, title) in zip(axes, TITLES.items(), strict=True):
        found = curves(scores, measure, part)
        for number, name in enumerate(names):
            line = found[found["method"] == name]
            colour, marker = LOOKS[name]
            # Each method a little to the side of the one before, so that strokes do not cover.
            x = 100 * line["share"] * 1.035 ** (number - (len(names) - 1) / 2)
            axis.vlines(x, line["low"], line["high"], color=colour, lw=0.8, alpha=0.7)
            axis.vlines(x, line["lowest"], line["highest"], color=colour, lw=3)
            dash = "--" if METHODS[name].outside else "-"
            axis.plot(x, line["value"], ls=dash, marker=marker, ms=5, lw=1, color=colour,
                      label=METHODS[name].name)  # fmt: skip
        axis.axhline(chance[measure], color="0.4", ls=":", lw=1.5)
        shares = sorted(100 * found["share"].unique())
        axis.set(xscale="log", xlabel="lesions with a label (%)", ylabel=title)
        axis.set_xticks(shares, [f"{share:g}" for share in shares])
        axis.xaxis.set_minor_formatter(NullFormatter())
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=3, fontsize=8)
    figure.tight_layout(rect=(0, 0.06 + 0.045 * -(-len(names) // 3), 1, 1))
    return figure


def pairs_of_views(rows: Sequence[Sequence[np.ndarray]], names: Sequence[str]) -> Figure:
    """Pairs of images that are to look alike to the network, a line a kind of pair.

    Args:
        rows: for each kind, images in pairs, float32 (size, size, 3) in [0, 1].
        names: of the kinds.
    """
    count = len(rows[0])
    figure, axes = plt.subplots(
        len(rows), count, figsize=(1.15 * count + 1.4, 1.25 * len(rows)), squeeze=False
    )
    for line, images, name in zip(axes, rows, names, strict=True):
        for number, (axis, image) in enumerate(zip(line, images, strict=True)):
            axis.imshow(image)
            axis.set(xticks=[], yticks=[])
            axis.grid(False)
            if number % 2 == 0:
                box = axis.get_position()
                axis.set_position([box.x0 + 0.012, box.y0, box.width, box.height])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    return figure


def kept_diagnosis(table: pd.DataFrame) -> Figure:
    """How well the diagnosis is read after each change, with its interval; one half is chance.

    Args:
        table: change, macro_auc, low, high; the first row is of unchanged images.
    """
    figure, axis = plt.subplots(figsize=(6, 2.6))
    y = np.arange(len(table))[::-1]
    axis.hlines(y, table["low"], table["high"], color=COLOURS[0], lw=2)
    axis.scatter(table["macro_auc"], y, color=COLOURS[0], zorder=3)
    axis.axvline(table["macro_auc"].iloc[0], color="0.7", lw=1, zorder=0)
    axis.axvline(0.5, color="0.4", ls=":", lw=1.5)
    axis.set_yticks(y, table["change"])
    axis.set(xlabel="macro AUC on the validation part", xlim=(0.45, 1.0))
    figure.tight_layout()
    return figure


def likeness(pairs: Mapping[str, np.ndarray]) -> Figure:
    """How alike different images are to each network: the share of pairs that are closer together.

    Args:
        pairs: for each network the cosines of all pairs of images.
    """
    figure, axis = plt.subplots(figsize=(6.5, 2.8))
    for number, (name, values) in enumerate(pairs.items()):
        # On a logarithmic axis .99 and .9999 are not one bar.
        apart = np.sort(np.maximum(1 - values, 1e-6))
        axis.plot(apart, np.linspace(0, 1, len(apart)), ("-", "--", "-.")[number % 3],
                  color=COLOURS[number], label=name)  # fmt: skip
    axis.set(xscale="log", xlabel="1 - likeness (cosine) of two different images",
             ylabel="share of pairs below")  # fmt: skip
    axis.xaxis.set_major_formatter("{x:g}")
    axis.legend(fontsize=8, loc="upper left")
    figure.tight_layout()
    return figure


def believed(table: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """What FixMatch takes the unlabelled images for, at its first look and at its last.

    Args:
        table: truth, answer, sure, look; of one run, from `few_labels_beliefs.beliefs`.
        classes: in the order of the axes.
    """
    looks = sorted(table["look"].unique())
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.3), width_ratios=[1, 1, 1.1])
    for axis, look in zip(axes, (looks[0], looks[-1]), strict=False):
        part = table[table["look"] == look].pivot_table(
            index="truth", columns="answer", values="sure", aggfunc="sum", fill_value=0
        )
        part = part.reindex(index=classes, columns=classes, fill_value=0)
        share = 100 * part.div(part.sum(axis=1).clip(lower=1), axis=0)
        axis.imshow(share, cmap=SHADES, vmin=0, vmax=100)
        for row, truth in enumerate(classes):
            for column, answer in enumerate(classes):
                shade = "black" if share.loc[truth, answer] > 55 else "white"
                axis.text(column, row, int(part.loc[truth, answer]), ha="center", va="center",
                          fontsize=7, color=shade)  # fmt: skip
        axis.set_xticks(range(len(classes)), classes, rotation=45, fontsize=8)
        axis.set_yticks(range(len(classes)), classes, fontsize=8)
        axis.grid(False)
        axis.set(xlabel="taken for", title=f"after {100 * look:.0f} % of the steps")
    axes[0].set_ylabel("truth")
    sure = table.groupby("look")["sure"].sum()
    right = table[table["truth"] == table["answer"]].groupby("look")["sure"].sum()
    axes[2].plot(100 * sure.index, 100 * sure / table.groupby("look")["images"].sum(), "-o",
                 color=COLOURS[0], label="images with a sure answer")  # fmt: skip
    axes[2].plot(100 * sure.index, 100 * right.reindex(sure.index, fill_value=0) / sure.clip(1),
                 "--s", color=COLOURS[1], label="of these, right")  # fmt: skip
    axes[2].set(xlabel="steps (%)", ylabel="%", ylim=(0, 102))
    axes[2].legend(fontsize=8, loc="lower right")
    figure.tight_layout()
    return figure
