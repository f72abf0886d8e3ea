"""Figures with a slider: where a number is chosen, its effect is best seen by moving it.

The slider is a piece of HTML with one picture for each of its positions, so it moves without a
kernel: after the notebook was saved and opened again, too. A run without a reader has nobody to
move it; it leaves the figure that stands for itself, and so does a page that runs no script.
"""

import html
import io
import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure

from lesions.duplicates import dedup
from lesions.figures import augmented, explanation, plots, thresholds
from lesions.figures.captions import ALTERNATIVE_TEXT
from lesions.scores import evaluation
from lesions.settings.parameters import Settings

# Without its script the slider is this picture and this line. JupyterLab takes the arrow keys for
# itself, unless the element says that it wants them.
STILL = "Run this cell (Shift and Enter) for a slider that moves this figure."
PAGE = """<div id="{key}"><p class="still">{still}</p>
<p class="moved" hidden data-lm-suppress-shortcuts="true"><label for="{key}-at">{label}:</label>
<input id="{key}-at" type="range" min="0" max="{last}" step="1" value="{start}"
 aria-valuetext="{value}" style="width: 20em; max-width: 60%; vertical-align: middle">
<output for="{key}-at">{value}</output></p>
<img src="{picture}" alt="{alt}" style="max-width: 100%"></div>
<script>
(function () {{
  const place = document.getElementById("{key}");
  const pictures = {pictures}, values = {values};
  const slider = place.querySelector("input");
  place.querySelector(".still").remove();
  place.querySelector(".moved").hidden = false;
  function show() {{
    place.querySelector("img").src = pictures[slider.value];
    place.querySelector("output").textContent = values[slider.value];
    slider.setAttribute("aria-valuetext", values[slider.value]);
  }}
  const steps = {{ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, Home: -999, End: 999}};
  slider.addEventListener("input", show);
  slider.addEventListener("keydown", function (event) {{
    if (!(event.key in steps)) return;
    event.preventDefault();
    event.stopPropagation();
    slider.value = Number(slider.value) + steps[event.key];
    show();
  }});
}})();
</script>"""


def has_reader() -> bool:
    """Whether a Jupyter server started this kernel for an open notebook."""
    return "JPY_SESSION_NAME" in os.environ


def _picture(figure: Figure) -> str:
    """A figure as the address of a picture that holds all of itself."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=80)
    plt.close(figure)
    return f"data:image/png;base64,{plots.small_png(drawn)}"


def _show(
    still: Figure,
    name: str,
    folder: Path,
    draw: Callable[[float], Figure],
    values: np.ndarray,
    start: float,
    label: str,
    slider: bool | None,
) -> None:
    """A slider with the figure that it moves, or the figure that stands for itself: never both.

    Args:
        still: that figure, which is kept under its name in any case.
        draw: the figure for a value.
        values: what can be chosen.
        start: the value chosen first.
        label: what the slider chooses.
        slider: True, False; None: only where `has_reader`.
    """
    if not (has_reader() if slider is None else slider):
        plots.show(still, name, folder)
        return
    plots.keep(still, name, folder)
    pictures = [_picture(draw(value)) for value in values]
    texts = [f"{value:g}" for value in values]
    at = int(np.argmin(np.abs(np.asarray(values) - start)))
    page = PAGE.format(
        key=f"slider-{uuid.uuid4().hex}", still=STILL, label=html.escape(label), start=at,
        last=len(pictures) - 1, value=texts[at], picture=pictures[at],
        alt=html.escape(ALTERNATIVE_TEXT[name]), pictures=json.dumps(pictures),
        values=json.dumps(texts),
    )  # fmt: skip
    display({"text/html": page, "text/plain": f"<slider {name}>"}, raw=True)


def hash_threshold(
    hashes: pd.DataFrame,
    truth: pd.DataFrame,
    folder: Path,
    method: str = "phash",
    most: int = 16,
    slider: bool | None = None,
) -> None:
    """Precision and recall of a hash for each threshold up to `most` bits (02).

    Args:
        hashes: from `dedup.hash_images`.
        truth: the pairs that should be found, image_a and image_b.
        folder: the profile's build folder.
        slider: True shows it wherever you are; None: only in JupyterLab.
    """
    pairs = dedup.find_pairs(hashes, method, most)
    marks = [dedup.score_pairs(pairs[pairs["distance"] <= bits], truth) for bits in range(most + 1)]
    _show(
        thresholds.hash_threshold(marks, method), "02_threshold_slider", folder,
        lambda bits: thresholds.hash_threshold(marks, method, int(bits)),
        np.arange(most + 1), 4, "threshold (bits)", slider,
    )  # fmt: skip


def augmentation_strength(
    image: np.ndarray, settings: Settings, slider: bool | None = None
) -> None:
    """One image augmented with none, all and three times the amounts of the parameters (03).

    Args:
        image: uint8 (size, size, 3).
        settings: ROTATION, SHIFT, ZOOM, SHEAR and FLIP, SEED and `folder`.
        slider: as in `hash_threshold`.
    """
    _show(
        augmented.strengths(image, settings, (0.0, 1.0, 3.0)), "03_strength_slider",
        settings.folder, lambda times: augmented.strengths(image, settings, (times,)),
        np.arange(0, 4.5, 0.5), 1, "times the parameters", slider,
    )  # fmt: skip


def decision_threshold(
    predictions: pd.DataFrame, folder: Path, cls: str = "mel", slider: bool | None = None
) -> None:
    """Sensitivity and specificity for one class as its threshold moves (06).

    Args:
        predictions: lines of one part, with `truth` and `p_<class>`.
        folder: the profile's build folder.
        cls: an image is called this class when its probability reaches the threshold; if there is
            no such class, the rarest one.
        slider: as in `hash_threshold`.
    """
    cls = evaluation.looked_at(predictions, cls)
    truth = (predictions["truth"] == cls).to_numpy()
    score = predictions[f"p_{cls}"].to_numpy()
    _show(
        thresholds.decision(truth, score, cls), "06_decision_slider", folder,
        lambda threshold: thresholds.decision(truth, score, cls, threshold),
        np.linspace(0, 1, 21), 0.5, f"called {cls} from", slider,
    )  # fmt: skip


def covered_share(
    curves: dict[str, np.ndarray],
    image: np.ndarray,
    order: np.ndarray,
    folder: Path,
    slider: bool | None = None,
) -> None:
    """The answer's probability as more and more of the image is covered (08).

    Args:
        curves, image, order: as in `figures.explanation.covered_share`.
        folder: the profile's build folder.
        slider: True, False; None: only in JupyterLab.
    """
    _show(
        explanation.covered_share(curves, image, order), "08_covered_slider", folder,
        lambda percent: explanation.covered_share(curves, image, order, percent / 100),
        np.arange(0, 101, 5), 10, "covered (%)", slider,
    )  # fmt: skip
