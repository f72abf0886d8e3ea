"""The figures of notebook 02 hold what they were given."""

import cv2
import numpy as np
import pandas as pd

from lesions.figures import plots_dedup


def test_planted_pairs_are_shown_in_percent():
    shares = pd.DataFrame({"mirrored": [0.0, 1.0], "cropped": [0.25, 0.5]}, index=["phash", "SIFT"])
    texts = [text.get_text() for text in plots_dedup.found_by_rule(shares).axes[0].texts]
    assert texts == ["0", "25", "100", "50"]


def test_each_rule_is_a_line_with_its_thresholds():
    scores = [{"precision": 1.0, "recall": 0.1}, {"precision": 0.5, "recall": 0.2}]
    curves = {"phash": scores, "descriptor": scores}
    figure = plots_dedup.rules_compared(curves, {"phash": (0, 8), "descriptor": (20, 6)})
    (axis,) = figure.axes
    assert [line.get_label() for line in axis.lines] == ["phash", "descriptor"]
    np.testing.assert_allclose(axis.lines[0].get_xdata(), [10, 20])
    assert [text.get_text() for text in axis.texts] == ["0", "8", "20", "6"]


def test_a_sheet_has_both_images_of_every_pair(tmp_path):
    for name in "abcd":
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros((30, 40, 3), np.uint8))
    table = pd.DataFrame({"image_id": list("abcd"), "lesion_id": list("wxyz"), "dx": "nv"})
    table["path"] = [str(tmp_path / f"{name}.png") for name in "abcd"]
    pairs = pd.DataFrame({"image_a": ["a", "c"], "image_b": ["b", "d"], "matches": [9, 7]})
    figure = plots_dedup.pair_sheet(pairs, table, columns=2)
    assert sum(len(axis.images) for axis in figure.axes) == 4
    titles = {axis.get_title() for axis in figure.axes}
    assert {"w\nnv", "x\nnv, 9 points", "z\nnv, 7 points"} <= titles


def test_the_cost_follows_the_square_law():
    measured = pd.DataFrame({"hashes": [1000, 10_000], "seconds": [0.001, 0.1]})
    (axis,) = plots_dedup.search_cost(measured, images=(100_000,)).axes
    assert [text.get_text() for text in axis.texts] == ["100,000: 10 s"]
    ticks = [label.get_text() for one in (axis.xaxis, axis.yaxis) for label in one.get_ticklabels()]
    assert "10,000" in ticks and "0.01" in ticks and not any("$" in text for text in ticks)
