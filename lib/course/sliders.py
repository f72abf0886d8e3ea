"""Three figures with a slider: where a number is chosen, its effect is best seen by moving it.

Every function draws a figure that stands for itself. In JupyterLab a slider follows; elsewhere (a
run without a reader, a printed page) there is nobody to move it, so there is none.
"""

import os
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure

from lesions.duplicates import dedup
from lesions.figures import plots
from lesions.settings.parameters import Settings


def has_reader() -> bool:
    """Whether a Jupyter server started this kernel for an open notebook."""
    return "JPY_SESSION_NAME" in os.environ


def _with_slider(draw: Callable[[float], Figure], slider: dict, show: bool | None) -> None:
    """A slider above the figure that it changes, if somebody is there to move it.

    Args:
        draw: the figure for a value.
        slider: the arguments of ipywidgets' FloatSlider.
        show: None: only where `has_reader`.
    """
    if not (has_reader() if show is None else show):
        return
    import ipywidgets

    chosen = ipywidgets.FloatSlider(
        continuous_update=False,
        style={"description_width": "initial"},
        layout={"width": "30em"},
        **slider,
    )

    def redraw(value: float) -> None:
        figure = draw(value)
        display(figure)
        plt.close(figure)

    display(chosen, ipywidgets.interactive_output(redraw, {"value": chosen}))


# ---------------------------------------------------------------- 02: the threshold of a hash


def hash_threshold(
    hashes: pd.DataFrame,
    truth: pd.DataFrame,
    folder: Path,
    method: str = "phash",
    most: int = 16,
    slider: bool | None = None,
) -> None:
    """Precision and recall of a hash for each threshold up to `most` bits.

    Args:
        hashes: from `dedup.hash_images`.
        truth: the pairs that should be found, image_a and image_b.
        folder: the profile's build folder.
        slider: True shows it wherever you are; None: only in JupyterLab.
    """
    pairs = dedup.find_pairs(hashes, method, most)
    marks = [dedup.score_pairs(pairs[pairs["distance"] <= bits], truth) for bits in range(most + 1)]
    plots.show(_threshold_figure(marks, method), "02_threshold_slider", folder)
    _with_slider(
        lambda bits: _threshold_figure(marks, method, int(bits)),
        {"min": 0, "max": most, "step": 1, "value": 4, "description": "threshold (bits)",
         "readout_format": "d"},
        slider,
    )  # fmt: skip


def _threshold_figure(marks: list[dict], method: str, bits: int | None = None) -> Figure:
    figure, axis = plt.subplots(figsize=(6.5, 3.4))
    for name, style in (("precision", "o-"), ("recall", "s--")):
        axis.plot([100 * mark[name] for mark in marks], style, ms=4, label=name)
    axis.set(xlabel=f"threshold of {method} (bits of 64)", ylabel="%", ylim=(0, 103))
    if bits is not None:
        axis.axvline(bits, color="black", lw=1)
        mark = marks[bits]
        axis.set_title(f"{bits} bits: {mark['found']:,} pairs found, {mark['right']:,} of them "
                       f"of one lesion; {mark['true']:,} there are", fontsize=9)  # fmt: skip
    axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    figure.tight_layout()
    return figure


# ---------------------------------------------------------------- 03: how strong augmentation is


def augmentation_strength(
    image: np.ndarray, settings: Settings, slider: bool | None = None
) -> None:
    """One image augmented with none, all and three times the amounts of the parameters.

    Args:
        image: uint8 (size, size, 3).
        settings: ROTATION, SHIFT, ZOOM, SHEAR and FLIP, SEED and `folder`.
        slider: as in `hash_threshold`.
    """
    figure = _strength_figure(image, settings, (0.0, 1.0, 3.0))
    plots.show(figure, "03_strength_slider", settings.folder)
    _with_slider(
        lambda strength: _strength_figure(image, settings, (strength,)),
        {"min": 0, "max": 4, "step": 0.5, "value": 1, "description": "times the parameters"},
        slider,
    )


def _strength_figure(
    image: np.ndarray, settings: Settings, strengths: tuple[float, ...], draws: int = 4
) -> Figure:
    from lesions.networks import augmentation  # TensorFlow is slow to import, and only needed here
    from lesions.networks.backend import tf

    batch = tf.repeat(image[None].astype("float32") / 255, draws, axis=0)
    pictures, titles = [], []
    for strength in strengths:
        ranges = augmentation.Augmentation(
            rotation=strength * settings.ROTATION,
            shift=strength * settings.SHIFT,
            # A zoom by the whole size would leave nothing of the image.
            zoom=min(strength * settings.ZOOM, 0.9),
            shear=strength * settings.SHEAR,
            flip=settings.FLIP and strength > 0,
        )
        seed = tf.constant([settings.SEED, 1])  # the same draws at every strength
        pictures += list(augmentation.augment(batch, ranges, seed).numpy())
        titles += [f"{strength:g} times, draw {n + 1}" for n in range(draws)]
    figure = plots.picture_row(pictures, titles, columns=draws)
    figure.set_size_inches(figure.get_size_inches() * 0.75)  # a stored picture takes its room
    return figure


# ---------------------------------------------------------------- 06: where to draw the line


def decision_threshold(
    predictions: pd.DataFrame, folder: Path, cls: str = "mel", slider: bool | None = None
) -> None:
    """Sensitivity and specificity for one class as its threshold moves.

    Args:
        predictions: lines of one part, with `truth` and `p_<class>`.
        folder: the profile's build folder.
        cls: an image is called this class when its probability reaches the threshold.
        slider: as in `hash_threshold`.
    """
    truth = (predictions["truth"] == cls).to_numpy()
    score = predictions[f"p_{cls}"].to_numpy()
    figure = _decision_figure(truth, score, cls)
    plots.show(figure, "06_decision_slider", folder)
    _with_slider(
        lambda threshold: _decision_figure(truth, score, cls, threshold),
        {"min": 0, "max": 1, "step": 0.02, "value": 0.5, "description": f"called {cls} from"},
        slider,
    )


def _decision_figure(
    truth: np.ndarray, score: np.ndarray, cls: str, threshold: float | None = None
) -> Figure:
    steps = np.linspace(0, 1, 101)
    called = score[None, :] >= steps[:, None]
    figure, axis = plt.subplots(figsize=(6.5, 3.4))
    # A part without one of the two kinds has no line for it.
    for name, share, style in (
        ("sensitivity", called[:, truth], "-"),
        ("specificity", ~called[:, ~truth], "--"),
    ):
        if share.shape[1]:
            axis.plot(steps, 100 * share.mean(axis=1), style, label=name)
    axis.set(xlabel=f"called {cls} from this probability on", ylabel="%", ylim=(-2, 103))
    if threshold is not None:
        axis.axvline(threshold, color="black", lw=1)
        now = score >= threshold
        axis.set_title(f"{(now & truth).sum()} of {truth.sum()} {cls} found; "
                       f"false alarms: {(now & ~truth).sum()} of {(~truth).sum()} others",
                       fontsize=9)  # fmt: skip
    axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    figure.tight_layout()
    return figure
