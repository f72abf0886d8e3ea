"""Where a network breaks: what is left of its scores under each corruption."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lesions.figures.plots import COLOURS

PANELS = {
    "accuracy": "accuracy of the\nlikeliest class (%)",
    "balanced_accuracy": "balanced accuracy\nby the rule (%)",
    "answered": "answered, where it is\nsilent when unsure (%)",
    "right": "right among\nthe answered (%)",
    "unlike": "flagged as not like\nthe training images (%)",
}
MARKERS = "osD^v"
CLEAN = 0  # the strength of images as they are


def left_of_scores(table: pd.DataFrame) -> Figure:
    """A panel a score: a line for each corruption, a mark for each strength, with its interval.

    Args:
        table: corruption, severity, metric, value, low, high, from `shift.score`.
    """
    names = list(dict.fromkeys(table["corruption"])) or ["no network here"]
    severities = sorted(set(table["severity"]) - {CLEAN})
    figure, axes = plt.subplots(1, len(PANELS), figsize=(12, 0.36 * len(names) + 1.5), sharey=True)
    for axis, (metric, title) in zip(axes, PANELS.items(), strict=True):
        of = table[table["metric"] == metric]
        clean = of.loc[of["severity"] == CLEAN, "value"]
        for value in clean:
            axis.axvline(100 * value, color="0.5", ls=":", lw=1.2)
        for number, severity in enumerate([CLEAN, *severities]):
            part = of[of["severity"] == severity]
            shift = 0 if severity == CLEAN else 0.5 * (number - 1) / max(1, len(severities) - 1)
            y = np.array([names.index(name) for name in part["corruption"]]) + shift - 0.25
            y = y + 0.25 if severity == CLEAN else y
            colour = "0.25" if severity == CLEAN else COLOURS[(number - 1) % len(COLOURS)]
            axis.hlines(y, 100 * part["low"], 100 * part["high"], color=colour, lw=1)
            label = "as it is" if severity == CLEAN else f"strength {severity}"
            axis.plot(100 * part["value"], y, MARKERS[number % 5], color=colour, ms=4, label=label)
        axis.set(title=title, xlim=(-3, 103))
        axis.title.set_fontsize(9)
        axis.set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=len(labels), fontsize=8)
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    return figure
