"""Pictures as another camera would have taken them: how much does a network still know?

The corruptions and their five strengths are after MedMNIST-C (Di Salvo and others 2024), which has
them for each kind of medical image. They work on the squares that a network sees, so strengths that
are lengths are shares of the width. Everything that decides (temperature, decision rule, when to be
silent, what is unlike) was chosen on clean validation images, as it would be in use.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd

from lesions.core.progress import track
from lesions.explain import artefacts
from lesions.predict import answers, calibrating
from lesions.scores import evaluation
from lesions.scores.intervals import mean_interval

CLEAN = "as it is"
METRICS = ("accuracy", "balanced_accuracy")
COLUMNS = ("corruption", "severity", "images", "lesions", "metric", "value", "low", "high")


def _clipped(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def light(image: np.ndarray, gain: float, rng: np.random.Generator) -> np.ndarray:
    """More light (gain above 1) or less."""
    return _clipped(image * gain)


def contrast(image: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Everything closer to the image's mean colour; 1 changes nothing."""
    mean = image.mean(axis=(0, 1))
    return _clipped(mean + share * (image - mean))


def blur(image: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Out of focus: a Gaussian whose standard deviation is a share of the width."""
    return cv2.GaussianBlur(image, (0, 0), share * image.shape[1])


def jpeg(image: np.ndarray, quality: int, rng: np.random.Generator) -> np.ndarray:
    """Saved as JPEG with a quality of 0 to 100, and read again."""
    blue_first = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", blue_first, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)


def noise(image: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise in each pixel and colour, its standard deviation in steps of 255."""
    return _clipped(image + rng.normal(0, deviation, image.shape))


def cast(image: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """A warm or a cool cast: red and blue change in opposite directions by a share."""
    turn = share if rng.random() < 0.5 else -share
    return _clipped(image * np.array([1 + turn, 1, 1 - turn]))


def crop(image: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Closer: only the middle, a share of the width, drawn large again."""
    size = image.shape[0]
    side = max(8, round(size * share))
    top = (size - side) // 2
    part = image[top : top + side, top : top + side]
    return cv2.resize(part, (size, size), interpolation=cv2.INTER_LINEAR)


def hairs(image: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    """So many bent hairs."""
    return artefacts.hairs(image, rng, number)


def ruler(image: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    """A scale along one side; it has one strength."""
    return artefacts.ruler(image, rng)


# What is done, and how strongly: the strengths 1 to 5 (a ruler is there or not).
CORRUPTIONS: dict[str, tuple[Callable, tuple[float, ...]]] = {
    "brighter": (light, (1.1, 1.2, 1.35, 1.5, 1.7)),
    "darker": (light, (0.9, 0.8, 0.7, 0.6, 0.5)),
    "less contrast": (contrast, (0.85, 0.7, 0.55, 0.4, 0.3)),
    "blur": (blur, (0.012, 0.018, 0.026, 0.034, 0.044)),
    "JPEG": (jpeg, (60, 40, 25, 15, 8)),
    "noise": (noise, (4, 8, 14, 22, 32)),
    "colour cast": (cast, (0.04, 0.08, 0.12, 0.18, 0.25)),
    "closer crop": (crop, (0.95, 0.85, 0.75, 0.65, 0.5)),
    "hairs": (hairs, (2, 4, 6, 9, 12)),
    "ruler": (ruler, (1,)),
}


def corrupt(pixels: np.ndarray, what: str, severity: int, seed: int = 0) -> np.ndarray:
    """Images with a corruption, uint8 (n, size, size, 3); the same for the same seed.

    Args:
        pixels: uint8 (n, size, size, 3).
        what: a key of `CORRUPTIONS`.
        severity: from 1 (weak) to 5.
    """
    change, strengths = CORRUPTIONS[what]
    strength = strengths[severity - 1]
    kinds = list(CORRUPTIONS).index(what)
    return np.stack([
        change(np.ascontiguousarray(image), strength, np.random.default_rng([seed, kinds, number]))
        for number, image in enumerate(pixels)
    ])  # fmt: skip


def settings_of(severities: Iterable[int]) -> list[tuple[str, int]]:
    """The corruptions at some strengths, in order; first the images as they are, as strength 0."""
    found = [(CLEAN, 0)]
    for what, (_, strengths) in CORRUPTIONS.items():
        found += [(what, s) for s in severities if s <= len(strengths)] or [(what, 1)]
    return found


# ---------------------------------------------------------------- what the network says of them


@dataclass(frozen=True)
class Chosen:
    """What was chosen on the validation part beside what the network's file holds."""

    model: answers.Answering
    sure: float  # an answer less sure than this is not given

    @classmethod
    def on(
        cls, model: answers.Answering, validation: pd.DataFrame, wanted: float = 0.9
    ) -> "Chosen":
        """Choose from how sure on the network is right in a share `wanted` of its answers.

        Args:
            validation: the record's predictions of the validation part, not yet calibrated.
        """
        given = calibrating.Calibration(**model.about["calibration"])
        return cls(model, calibrating.most_sure(given.apply(validation), wanted))


def answers_to(
    chosen: Chosen, pixels: np.ndarray, rows: pd.DataFrame, what: str, severity: int, seed: int = 0
) -> pd.DataFrame:
    """The network's answers to images with one corruption, or as they are.

    Args:
        pixels: uint8 (n, size, size, 3), the squares that it was trained on.
        rows: n rows of the test part: image_id, lesion_id, truth.
        what, severity: one of `settings_of`.

    Returns:
        `rows` with corruption, severity, and what `answers.answer` gives.
    """
    seen = pixels if what == CLEAN else corrupt(pixels, what, severity, seed)
    parts = [seen[i : i + answers.BATCH] for i in range(0, len(seen), answers.BATCH)]
    found = pd.concat([answers.answer(chosen.model, part) for part in parts], ignore_index=True)
    about = rows.reset_index(drop=True).assign(corruption=what, severity=severity)
    return pd.concat([about, found], axis=1)


def answered(
    chosen: Chosen, pixels: np.ndarray, rows: pd.DataFrame, severities: Sequence[int], seed: int = 0
) -> pd.DataFrame:
    """`answers_to` images as they are, and to all corruptions of them at some strengths."""
    steps = track(settings_of(severities), "corruptions")
    return pd.concat([answers_to(chosen, pixels, rows, *step, seed) for step in steps],
                     ignore_index=True)  # fmt: skip


def scores_of(found: pd.DataFrame, chosen: Chosen, n: int = 500) -> dict[str, tuple]:
    """The scores of some answers, each as value, low, high; intervals over lesions.

    Returns:
        accuracy of the likeliest class; balanced_accuracy of the answer by the decision rule;
        calibration, the expected calibration error (no interval: resamples repeat images, which
        makes it larger); answered, the share of images that are answered where it is silent when
        unsure; right, the accuracy of those answers; unlike, the share that is flagged.
    """
    weights = chosen.model.about["decision"]["weights"]
    table = found[["image_id", "lesion_id", "truth", *(f"p_{c}" for c in chosen.model.classes)]]
    likely = evaluation.bootstrap(table, "accuracy", n=n).loc["accuracy"]
    ruled = evaluation.bootstrap(table, "balanced_accuracy", n=n, decision=weights)
    confidence, right = calibrating.confident(table)
    given = confidence >= chosen.sure
    lesions = found["lesion_id"].to_numpy()
    return {
        "accuracy": tuple(likely),
        "balanced_accuracy": tuple(ruled.loc["balanced_accuracy"]),
        "calibration": (evaluation.scores(table)["ece"], np.nan, np.nan),
        "answered": mean_interval(given, lesions, n),
        "right": mean_interval(np.where(given, right, np.nan), lesions, n),
        "unlike": mean_interval(found["unlike"], lesions, n),
    }


def score(found: pd.DataFrame, chosen: Chosen, n: int = 500) -> pd.DataFrame:
    """`scores_of` each corruption and strength.

    Returns:
        tidy: corruption, severity, images, lesions, metric, value, low, high.
    """
    lines = []
    for (what, severity), part in found.groupby(["corruption", "severity"], sort=False):
        size = len(part), part["lesion_id"].nunique()
        lines += [(what, severity, *size, name, *values)
                  for name, values in scores_of(part, chosen, n).items()]  # fmt: skip
    return pd.DataFrame(lines, columns=list(COLUMNS))
