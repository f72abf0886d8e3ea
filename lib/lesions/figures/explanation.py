"""The figures of explanations: covers, maps over images, and what holds them to account."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lesions.figures.plots import COLOURS, SHADES

LOOKS = {"trained": (COLOURS[0], "o"), "untrained": (COLOURS[1], "s"), "no network": ("0.45", "D")}


def _bare(axis: Axes) -> None:
    axis.set(xticks=[], yticks=[])
    axis.grid(False)


def covers(rows: Mapping[str, Sequence[np.ndarray]], titles: Sequence[str]) -> Figure:
    """Some images, a line for each cover.

    Args:
        rows: for each cover its images, uint8 (size, size, 3).
        titles: of the images.
    """
    figure, axes = plt.subplots(
        len(rows), len(titles), figsize=(1.1 * len(titles) + 1, 1.12 * len(rows)), squeeze=False
    )
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for axis, image in zip(line, images, strict=True):
            axis.imshow(image)
            _bare(axis)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=8)
    figure.subplots_adjust(wspace=0.04, hspace=0.04)
    return figure


def cover_scores(scores: pd.DataFrame) -> Figure:
    """A panel a target: the AUC of each cover with its interval; one half is chance.

    Args:
        scores: learner, target, cover, value, low, high; one line each.
    """
    learners = list(dict.fromkeys(scores["learner"]))
    least = min(0.4, scores["low"].min() - 0.02)
    targets, names = list(dict.fromkeys(scores["target"])), list(dict.fromkeys(scores["cover"]))
    figure, axes = plt.subplots(1, len(targets), figsize=(3 * len(targets) + 1, 2.4), sharey=True,
                                squeeze=False)  # fmt: skip
    for axis, target in zip(axes[0], targets, strict=True):
        for number, (learner, marker) in enumerate(zip(learners, "os", strict=False)):
            part = scores[(scores["target"] == target) & (scores["learner"] == learner)]
            part = part.set_index("cover").reindex(names[::-1])
            y = np.arange(len(names)) - 0.22 * (number - (len(learners) - 1) / 2)
            axis.hlines(y, part["low"], part["high"], color=COLOURS[number], lw=2)
            axis.scatter(part["value"], y, color=COLOURS[number], marker=marker, zorder=3,
                         label=learner)  # fmt: skip
        axis.axvline(0.5, color="0.4", ls=":", lw=1.5)
        axis.set(title=target, xlim=(least, 1.0), xlabel="macro AUC on the test part")
        axis.set_yticks(range(len(names)), names[::-1])
    if len(learners) > 1:
        axes[0, -1].legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8)
    figure.tight_layout()
    return figure


def maps_beside(
    images: np.ndarray,
    masks: np.ndarray,
    maps: Mapping[str, np.ndarray],
    titles: Sequence[str],
) -> Figure:
    """A line an image: the image with its mask's outline, then each method's map.

    Args:
        images: float32 (n, size, size, 3) in [0, 1].
        masks: bool (n, size, size).
        maps: for each method (n, size, size); what is below 0 is left out.
        titles: of the lines.
    """
    figure, axes = plt.subplots(
        len(images), len(maps) + 1, figsize=(1.3 * (len(maps) + 1) + 1, 1.33 * len(images)),
        squeeze=False,
    )  # fmt: skip
    for number, line in enumerate(axes):
        line[0].imshow(images[number])
        for axis, of in zip(line[1:], maps.values(), strict=True):
            values = np.maximum(of[number], 0)
            # One pixel must not set the scale for all others.
            axis.imshow(values, cmap=SHADES, vmin=0, vmax=np.quantile(values, 0.995) or 1)
        for axis in line:
            axis.contour(masks[number], [0.5], colors="white", linewidths=1.2)
            axis.contour(masks[number], [0.5], colors="black", linewidths=0.5)
            _bare(axis)
        line[0].set_ylabel(titles[number], rotation=0, ha="right", va="center", fontsize=8)
    for axis, name in zip(axes[0], ["image", *maps], strict=True):
        axis.set_title(name, fontsize=8)
    figure.subplots_adjust(wspace=0.04, hspace=0.04)
    return figure


def localised(table: pd.DataFrame, measures: Sequence[str]) -> Figure:
    """A panel a measure: each map's mean with its interval, chance as a dotted line.

    Args:
        table: network ("trained", "untrained", "no network"), map, measure, value, low, high,
            chance.
        measures: which ones.
    """
    names = list(dict.fromkeys(table["map"]))[::-1]
    figure, axes = plt.subplots(1, len(measures), figsize=(3.1 * len(measures) + 1.4, 3.2),
                                sharey=True, squeeze=False)  # fmt: skip
    for axis, measure in zip(axes[0], measures, strict=True):
        part = table[table["measure"] == measure]
        for network, shift in (("trained", 0.14), ("untrained", -0.14), ("no network", 0.0)):
            colour, marker = LOOKS[network]
            some = part[part["network"] == network]
            y = some["map"].map(names.index) + shift
            axis.hlines(y, some["low"], some["high"], color=colour, lw=2)
            axis.scatter(some["value"], y, color=colour, marker=marker, s=30, zorder=3,
                         label=network)  # fmt: skip
        axis.axvline(part["chance"].mean(), color="0.4", ls=":", lw=1.5, label="chance")
        axis.set(title=measure, xlim=(0, 1))
        axis.set_yticks(range(len(names)), names)
    axes[0, -1].legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8)
    figure.tight_layout()
    return figure


def forgetting(steps: pd.DataFrame) -> Figure:
    """How alike each map stays as more and more layers are randomised from the top.

    Args:
        steps: from `faithfulness.randomisation`.
    """
    figure, axis = plt.subplots(figsize=(6.2, 3.3))
    for (name, part), style in zip(steps.groupby("map", sort=False), "osD^vPX*" * 2, strict=False):
        axis.plot(100 * part["share"], part["likeness"], marker=style, ms=4, label=name)
    axis.axhline(0, color="0.4", ls=":", lw=1.5)
    axis.set(xlabel="layers randomised, from the top (%)", ylim=(-0.6, 1.05),
             ylabel="rank correlation with the\ntrained network's map")  # fmt: skip
    axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8)
    figure.tight_layout()
    return figure


def flips(table: pd.DataFrame, by: str = "truth") -> Figure:
    """The share of answers that an artefact flips, for all images and for each class.

    Args:
        table: from `artefacts.flip_table`.
    """
    groups = list(dict.fromkeys(table[by]))
    kinds = list(dict.fromkeys(table["artefact"]))
    figure, axis = plt.subplots(figsize=(8, 3))
    width = 0.8 / len(kinds)
    for number, kind in enumerate(kinds):
        part = table[table["artefact"] == kind].set_index(by).reindex(groups)
        x = np.arange(len(groups)) + (number - (len(kinds) - 1) / 2) * width
        axis.bar(x, 100 * part["share"], width, color=COLOURS[number], label=kind)
        axis.vlines(x, 100 * part["low"], 100 * part["high"], color="0.2", lw=1)
    images = table.drop_duplicates(by).set_index(by)["images"]
    axis.set_xticks(range(len(groups)), [f"{group}\n{images[group]}" for group in groups])
    axis.set(ylabel="answers flipped (%)", xlabel="true class, and its images")
    axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8)
    figure.tight_layout()
    return figure


def covered_share(
    curves: Mapping[str, np.ndarray],
    image: np.ndarray,
    order: np.ndarray,
    share: float | None = None,
) -> Figure:
    """The answer's probability as the pixels of highest worth are covered; one image beside it.

    Args:
        curves: for each map the mean probability at equal steps from 0 to 1, (steps + 1,).
        image: float32 (size, size, 3).
        order: int (pixels,), in which order this image's pixels are covered.
        share: what part is covered, from 0 to 1; None: the curves, and a quarter covered.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), width_ratios=[2.2, 1])
    for (name, values), style in zip(curves.items(), ("-", "--", "-.", ":") * 3, strict=False):
        left.plot(np.linspace(0, 100, len(values)), values, style, label=name)
    left.set(xlabel="covered (%), the most important pixels first", ylim=(0, 1),
             ylabel="mean probability of the answer")  # fmt: skip
    left.legend(fontsize=7, loc="upper right")
    shown = 0.25 if share is None else share
    if share is not None:
        left.axvline(100 * share, color="black", lw=1)
    covered = image.copy().reshape(-1, 3)
    covered[order[: round(shown * len(order))]] = image.mean(axis=(0, 1))
    right.imshow(covered.reshape(image.shape))
    right.set_title(f"{shown:.0%} covered", fontsize=9)
    _bare(right)
    figure.tight_layout()
    return figure
