"""The figures with a slider: what they show, and that no slider is where nobody can move it."""

import base64
import io
import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from course import sliders as widgets
from lesions.figures import plots, thresholds
from lesions.settings.parameters import Settings


@pytest.fixture
def displayed(monkeypatch):
    """All that is displayed, in place of the display: figures as objects, not as pictures."""
    shown = []
    keep = plots.show
    monkeypatch.setattr(widgets, "display", lambda *things, **_: shown.extend(things))
    monkeypatch.setattr(plots, "display", lambda *_, **__: None)
    monkeypatch.setattr(
        plots, "show", lambda figure, *rest: (shown.append(figure), keep(figure, *rest))
    )
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    yield shown
    plt.close("all")


def hashes() -> pd.DataFrame:
    """Four images: two with equal hashes, one that differs in 3 bits, one in all."""
    values = np.array([0, 0, 0b111, 2**64 - 1], np.uint64)
    return pd.DataFrame({"image_id": list("abcd"), "phash": values, "problem": ""})


TRUTH = pd.DataFrame({"image_a": ["a", "a"], "image_b": ["b", "d"]})
PREDICTIONS = pd.DataFrame(
    {
        "truth": ["mel", "mel", "nv", "nv"],
        "p_mel": [0.9, 0.4, 0.6, 0.1],
        "p_nv": [0.1, 0.6, 0.4, 0.9],
    }
)


def draw(which: str, folder, **options) -> None:
    if which == "hash":
        widgets.hash_threshold(hashes(), TRUTH, folder, **options)
    elif which == "decision":
        widgets.decision_threshold(PREDICTIONS, folder, **options)
    else:
        settings = Settings(folder=folder)
        image = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
        widgets.augmentation_strength(image, settings, **options)


@pytest.mark.parametrize("which", ["hash", "decision", "augmentation"])
def test_without_a_reader_there_is_a_figure_and_nothing_else(which, displayed, tmp_path):
    draw(which, tmp_path)
    assert len(displayed) == 1 and isinstance(displayed[0], plt.Figure)
    assert len(list((tmp_path / "figures").glob("*.png"))) == 1


@pytest.mark.parametrize("which", ["hash", "decision", "augmentation"])
def test_with_a_reader_there_is_a_slider_and_no_second_figure(
    which, displayed, tmp_path, monkeypatch
):
    monkeypatch.setenv("JPY_SESSION_NAME", "01_exploration.ipynb")
    draw(which, tmp_path)
    (shown,) = displayed
    page = shown["text/html"]
    pictures = json.loads(re.search(r"pictures = (\[.*?\])", page)[1])
    values = json.loads(re.search(r"values = (\[.*?\])", page)[1])
    last = int(re.search(r'max="(\d+)"', page)[1])
    assert len(pictures) == len(values) == last + 1 and len(set(pictures)) > last / 4
    for picture in pictures:
        with Image.open(io.BytesIO(base64.b64decode(picture.partition(",")[2]))) as opened:
            assert opened.size[0] > 200
    # Without its script, there is one of the pictures, its text, and a line that says what to do.
    bare = page.partition("<script>")[0]
    at = int(re.search(r'value="(\d+)"', bare)[1])
    assert f'src="{pictures[at]}"' in bare
    assert widgets.STILL in bare and re.search(r'alt="[^"]{30,}"', bare)
    assert len(page) < 1_000_000 and "http" not in page
    assert len(list((tmp_path / "figures").glob("*.png"))) == 1  # for the results page
    draw(which, tmp_path, slider=False)
    assert isinstance(displayed[-1], plt.Figure)


def test_precision_and_recall_at_each_threshold(displayed, tmp_path):
    draw("hash", tmp_path)
    precision, recall = (line.get_ydata() for line in displayed[0].axes[0].lines)
    # 0 to 2 bits: only a and b. From 3 on also a and c, b and c, which are of two lesions.
    assert list(precision[:3]) == [100] * 3 and precision[3] == pytest.approx(100 / 3)
    assert set(recall) == {50} and len(recall) == 17


def test_sensitivity_and_specificity_at_each_threshold(displayed, tmp_path):
    draw("decision", tmp_path)
    lines = displayed[0].axes[0].lines
    sensitivity, specificity = (dict(zip(x.get_xdata().round(2), x.get_ydata(), strict=True))
                                for x in lines)  # fmt: skip
    assert (sensitivity[0.0], sensitivity[0.5], sensitivity[0.95]) == (100, 50, 0)
    assert (specificity[0.0], specificity[0.5], specificity[0.95]) == (0, 50, 100)
    figure = thresholds.decision(np.array([True, True, False]), np.array([0.5, 0.1, 0.5]),
                                      "mel", 0.5)  # fmt: skip
    assert figure.axes[0].get_title() == "1 of 2 mel found; false alarms: 1 of 1 others"


def test_a_part_without_melanomas_has_one_line(displayed, tmp_path):
    widgets.decision_threshold(PREDICTIONS.query("truth == 'nv'"), tmp_path)
    assert [line.get_label() for line in displayed[0].axes[0].lines] == ["specificity"]


def test_no_strength_leaves_the_image_alone_and_more_changes_more(displayed, tmp_path):
    draw("augmentation", tmp_path)
    pictures = [axis.images[0].get_array() for axis in displayed[0].axes]
    none, once, thrice = pictures[:4], pictures[4:8], pictures[8:]
    assert all(np.allclose(picture, none[0], atol=1e-5) for picture in none)
    assert not any(np.allclose(picture, none[0], atol=1e-2) for picture in once + thrice)
