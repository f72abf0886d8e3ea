"""The exercises of notebook 05: what counts as right, and what is said of what is not."""

from typing import Any

import numpy as np
import pandas as pd

from course.exercise import Exercise
from course.feedback import call, expect_number, number, require, show

# What the weights that Keras offers were trained with: the means and spreads of ImageNet's colours.
MEAN_BGR = np.array([103.939, 116.779, 123.68])
MEAN_RGB = np.array([0.485, 0.456, 0.406])
SPREAD_RGB = np.array([0.229, 0.224, 0.225])


def _expected(name: str, pixels: np.ndarray) -> np.ndarray:
    if name == "densenet121":
        return (pixels - MEAN_RGB) / SPREAD_RGB
    return pixels[..., ::-1] * 255.0 - MEAN_BGR


def _backbone_input(function: Any) -> str:
    rng = np.random.default_rng(0)
    batches = {
        "four random images": rng.random((4, 8, 8, 3), dtype="float32"),
        "a batch of one red image": np.tile(np.float32([1, 0, 0]), (1, 8, 8, 1)),
    }
    for what, pixels in batches.items():
        for name in ("vgg16", "resnet50", "densenet121"):
            shown = f'backbone_input(pixels, "{name}") on {what}'
            given = pixels.copy()
            got = np.asarray(call(function, given, name, shown=shown), dtype="float64")
            right = _expected(name, pixels.astype("float64"))
            require(
                got.shape == right.shape, f"{shown} has the shape {got.shape}, not {right.shape}."
            )
            require(
                np.array_equal(given, pixels),
                f"{shown} changes the pixels that it is given: the "
                "next backbone gets them spoiled. Make a new array, such as pixels * 255.0.",
            )
            small = _expected(name, pixels.astype("float64") / 255)
            require(
                not np.allclose(got, small, atol=1e-2),
                f"{shown}: the picture is nearly black to "
                "the network. Keras wants pixels from 0 to 255 here, yours end at 1.",
            )
            darker = _expected(name, pixels.astype("float64") / 255**2)
            require(
                not np.allclose(got, darker, atol=1e-3),
                f"{shown}: the picture is even darker now. Keras wants pixels from 0 to 255 here, "
                "so multiply.",
            )
            require(
                not np.allclose(got, pixels, atol=1e-2)
                and not np.allclose(got, pixels * 255.0, atol=1e-2),
                f"{shown} gives the bare pixels. Each backbone has a function that "
                "prepares them: see backbones.BACKBONES.",
            )
            turned = _expected(name, pixels[..., ::-1].astype("float64"))
            require(
                what == "four random images" or not np.allclose(got, turned, atol=1e-2),
                f"{shown}: red and blue are in each other's place.",
            )
            other = "vgg16" if name == "densenet121" else "densenet121"
            alike = np.allclose(got, _expected(other, pixels.astype("float64")), atol=1e-2)
            require(not alike, f"{shown} gives what {other} expects. Use the name you are given.")
            require(
                np.allclose(got, right, atol=1e-2),
                f"{shown} starts with {got[0, 0, 0].round(2).tolist()}, not with "
                f"{right[0, 0, 0].round(2).tolist()}.",
            )
    return "Each backbone sees what it was trained on."


def _balanced(function: Any) -> str:
    def matrix(rows: list[list[int]]) -> pd.DataFrame:
        names = ["bkl", "mel", "nv"][: len(rows)]
        return pd.DataFrame(rows, index=names, columns=names)

    shown = "balanced_accuracy(matrix) for [[8, 0, 2], [1, 1, 2], [0, 0, 100]]"
    got = matrix([[8, 0, 2], [1, 1, 2], [0, 0, 100]])
    why = (
        "The recalls are 8/10, 1/4 and 100/100; average these three. Rows are true classes, so "
        "divide each number on the diagonal by the sum of its row."
    )
    value = number(call(function, got.copy(), shown=shown), shown)
    right = (0.8 + 0.25 + 1) / 3
    require(
        abs(value - 100 * right) > 1e-4,
        f"{shown} gives {show(value)}: a share from 0 to 1 is asked for, not a percentage.",
    )
    require(
        abs(value - 109 / 114) > 1e-6,
        f"{shown} gives {show(value)}, the accuracy: there each image counts alike, and here each "
        "class should. " + why,
    )
    expect_number(function, (got.copy(),), shown, right, why)
    sure = matrix([[10, 0, 0], [0, 4, 0], [0, 0, 100]])
    expect_number(function, (sure,), "balanced_accuracy of answers that are all right", 1.0, why)
    shown = "balanced_accuracy of one answer for all, with 3 classes"
    constant = matrix([[0, 0, 5], [0, 0, 5], [0, 0, 90]])
    expect_number(function, (constant,), shown, 1 / 3, "One class is found whole, two never.")
    shown = "balanced_accuracy where the test part has no bkl"
    empty = matrix([[0, 0, 0], [1, 1, 2], [0, 0, 100]])
    why = "A class without images has no recall: 0 / 0. Leave it out of the mean."
    expect_number(function, (empty,), shown, (0.25 + 1) / 2, why)
    return "It is what `evaluation.scores` calls balanced_accuracy."


EXERCISES = (
    Exercise(
        "05.1",
        "predict",
        "Twice the size of the image",
        (
            "Which layer of the table above has the most weights, and what do they depend on?",
            "A convolution's weights do not depend on the size of the image. The dense layer has a "
            "weight for every place that is left.",
        ),
        unit="times as many",
    ),
    Exercise(
        "05.2",
        "find the flaw",
        "The picture is nearly black",
        (
            "Print the smallest and the largest number that goes into the backbone.",
            "backbones.BACKBONES[name].preprocess prepares pixels from 0 to 255.",
        ),
        _backbone_input,
    ),
    Exercise(
        "05.3",
        "fill in",
        "Balanced accuracy from a confusion matrix",
        (
            "np.diag(matrix) holds what is right, matrix.sum(axis=1) the images of each class.",
            "A pandas Series leaves NaN out when you take its mean.",
        ),
        _balanced,
    ),
    Exercise(
        "05.4",
        "think",
        "The autoencoder that outperformed",
        (
            "In the paper's table, which other model has the target of the autoencoder?",
            "What has to be the same for two models so that the difference is theirs?",
        ),
    ),
)
