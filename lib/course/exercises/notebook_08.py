"""The exercises of notebook 08: what counts as right, and what is said of what is not."""

from typing import Any

import numpy as np

from course.exercise import Exercise
from course.feedback import call, require


def _right_map(channels: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    return np.maximum((channels * slopes.mean(axis=(0, 1))).sum(axis=-1), 0)


def _grad_cam(function: Any) -> str:
    rng = np.random.default_rng(0)
    channels = rng.random((4, 5, 3))
    slopes = rng.normal(0.2, 1, (4, 5, 3))
    against = -np.abs(slopes)
    for what, of in (("random channels", slopes), ("slopes that all speak against", against)):
        shown = f"grad_cam(channels, slopes) for {what}"
        got = np.asarray(call(function, channels.copy(), of.copy(), shown=shown), float)
        right = _right_map(channels, of)
        require(got.shape != (4, 5, 3), f"{shown} still has its channels: add them up.")
        require(got.shape == right.shape, f"{shown} has the shape {got.shape}, not {right.shape}.")
        point = np.maximum((channels * of).sum(axis=-1), 0)
        require(
            np.allclose(got, right) or not np.allclose(got, point),
            f"{shown}: you weigh each cell by its own slope. A channel has one weight: the mean of "
            "its slopes over all cells.",
        )
        total = np.maximum((channels * of.sum(axis=(0, 1))).sum(axis=-1), 0)
        require(
            np.allclose(got, right) or not np.allclose(got, total),
            f"{shown}: the weight is the mean of the slopes over the cells, not their sum.",
        )
        require(
            (got >= 0).all(),
            f"{shown} has cells below 0. They speak against the class; Grad-CAM keeps what is "
            "above 0.",
        )
        require(
            np.allclose(got, right),
            f"{shown} starts with {got[0, 0]:.3f}, not with {right[0, 0]:.3f}.",
        )
    return "It is `maps.grad_cam` before the cells are drawn large."


CASES = (
    # value, low, high; controls; what is right; what is said otherwise
    ((0.80, 0.74, 0.86), {"chance": 0.3, "untrained": 0.5, "centre Gaussian": 0.6}, True,
     "All of the interval lies above every control."),
    ((0.80, 0.74, 0.86), {"chance": 0.3, "untrained": 0.79, "centre Gaussian": 0.6}, False,
     "The untrained network's maps do as well."),
    ((0.80, 0.74, 0.86), {"chance": 0.3, "untrained": 0.5, "centre Gaussian": 0.92}, False,
     "A hill in the middle of every image does better."),
    ((0.80, 0.62, 0.94), {"chance": 0.3, "untrained": 0.4, "centre Gaussian": 0.70}, False,
     "The mean is larger, but the interval reaches below the control."),
    ((0.40, 0.36, 0.44), {"chance": 0.1, "untrained": 0.2, "centre Gaussian": 0.3}, True,
     "One half is no bar: small lesions have a low chance level."),
    ((0.70, 0.64, 0.76), {"chance": 0.75}, False, "A mask of three quarters is hit by chance."),
)  # fmt: skip


def _convinces(function: Any) -> str:
    for (value, low, high), controls, right, why in CASES:
        shown = f"convinces({value}, {low}, {high}, {controls})"
        got = call(function, value, low, high, dict(controls), shown=shown)
        require(isinstance(got, bool | np.bool_), f"{shown} should give True or False.")
        require(bool(got) == right, f"{shown} gives {bool(got)}. {why}")
    return "Only now does a high number say something about the network."


EXERCISES = (
    Exercise(
        "08.1",
        "predict",
        "The skin around it",
        (
            "In 01 the source cohort alone told the kind of proof for most images. What does a "
            "cohort leave in the skin?",
            "Each clinic has its own camera and light, and each proved its diagnoses in its own "
            "way. Both are in every pixel, not only in those of the lesion.",
        ),
        unit="%",
    ),
    Exercise(
        "08.2",
        "fill in",
        "Write Grad-CAM",
        (
            "One weight a channel: slopes.mean(axis=(0, 1)).",
            "Multiply the channels by their weights, add them up over the last axis, and keep what "
            "is above 0 with np.maximum.",
        ),
        _grad_cam,
    ),
    Exercise(
        "08.3",
        "find the flaw",
        "A beautiful map of an untrained network",
        (
            "Which number of the table would the colleague's function call convincing, although no "
            "network was asked?",
            "Compare the lower limit of the interval with the largest of the controls.",
        ),
        _convinces,
    ),
    Exercise(
        "08.4",
        "think",
        "A heat map in the report",
        (
            "What would the heat map look like if the network read the camera and not the lesion?",
            "Where does a map change if the answer is wrong? Look at the figure of right and wrong "
            "answers.",
        ),
    ),
)
