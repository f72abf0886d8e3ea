"""Figures that look within source cohorts: what holds of the whole may hold in no part of it."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from lesions.figures.plots import COLOURS


def paradox(shares: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> Figure:
    """For each pair of diagnoses a panel: a thin line a cohort, and a thick one for the whole.

    Args:
        shares: from `exploration.several_within`; the first row is the whole.
        pairs: two columns of it each. A cohort that lacks one of the two has no line.
    """
    figure, axes = plt.subplots(1, len(pairs), figsize=(4.8 * len(pairs), 3.6), squeeze=False)
    colours = {cohort: COLOURS[n % len(COLOURS)] for n, cohort in enumerate(shares.index[1:])}
    for axis, pair in zip(axes[0], pairs, strict=True):
        known = shares.reindex(columns=pair).dropna()
        for n, (cohort, values) in enumerate(known.iterrows()):
            whole = cohort == shares.index[0]
            style = {"color": "black", "lw": 3} if whole else {"color": colours[cohort], "lw": 1.5}
            axis.plot(pair, values, "o-" if whole else "os^Dv"[n % 5] + "--", label=cohort, **style)
        axis.set(ylabel="lesions with several images (%)", ylim=(-4, 104), xlim=(-0.3, 1.3))
        axis.set_title(f"{pair[0]} against {pair[1]}", fontsize=10)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=9)
    figure.tight_layout()
    return figure
