"""Confusion matrices: in percent of the true class, legible, and white where there is no image."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from lesions.figures import plots


def matrix(rows: list[list[int]]) -> pd.DataFrame:
    names = [f"class {number}" for number in range(len(rows))]
    return pd.DataFrame(rows, index=names, columns=names)


def test_numbers_are_percent_of_the_true_class_and_say_so():
    figure = plots.confusion_matrices({"a": matrix([[3, 1], [0, 4]])})
    axis = figure.axes[0]
    assert [text.get_text() for text in axis.texts] == ["75", "25", "", "100"]
    assert "100 %" in axis.get_ylabel() and axis.get_title() == "a"
    assert all(text.get_fontsize() >= 8 for text in axis.texts)
    assert figure.get_size_inches()[0] <= 10  # not made smaller on a small screen
    plt.close(figure)


def test_a_class_without_images_stays_white():
    figure = plots.confusion_matrices({"a": matrix([[0, 0, 0], [1, 2, 1], [0, 0, 9]])})
    (mesh,) = figure.axes[0].collections
    assert np.ma.getmaskarray(mesh.get_array()).reshape(3, 3).all(axis=1).tolist() == [
        True, False, False]  # fmt: skip
    plt.close(figure)


def test_many_classes_stand_two_in_a_row_and_small_ones_three():
    large = {str(n): matrix(np.eye(15, dtype=int).tolist()) for n in range(3)}
    small = {str(n): matrix([[1, 0], [0, 1]]) for n in range(6)}
    for matrices, shape in ((large, (2, 2)), (small, (2, 3))):
        figure = plots.confusion_matrices(matrices)
        assert len(figure.axes) == shape[0] * shape[1]
        assert all(label.get_fontsize() >= 8 for label in figure.axes[0].get_xticklabels())
        plt.close(figure)
