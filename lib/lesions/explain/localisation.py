"""Maps held against lesion masks: how much of what a map marks lies in the lesion.

Six measures, by the names and definitions of Quantus (Hedström and others 2023). What each gives to
a map that says nothing stands beside it as chance: a lesion fills a good part of its image and lies
in the middle, so a map that knows nothing of the network can score well.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.scores.intervals import mean_interval

TOP = 0.05  # the share of pixels that count as the top of a map
FEWEST = 10  # lesions: to resample fewer tells nothing of others

# ---------------------------------------------------------------- six measures


def _flat(maps: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maps float64 and masks bool, both (n, pixels); a map without any value counts as even."""
    if maps.shape != masks.shape or maps.ndim != 3:
        raise LesionsError(f"Maps {maps.shape} and masks {masks.shape} must be (n, size, size).")
    values = maps.reshape(len(maps), -1).astype(np.float64)
    if not np.isfinite(values).all():
        raise LesionsError("A map has values that are no numbers; was the network trained?")
    return values, masks.reshape(len(masks), -1).astype(bool)


def _share_inside(weights: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The share of weights (n, pixels) >= 0 that lies inside; even where they are all 0."""
    total = weights.sum(axis=1, keepdims=True)
    even = np.full_like(weights, 1 / weights.shape[1])
    shares = np.where(total > 0, weights / np.where(total > 0, total, 1), even)
    return (shares * inside).sum(axis=1)


def _top(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Weights (n, pixels) of the `counts` largest values; ties at the edge share what is left."""
    ordered = -np.sort(-values, axis=1)
    edge = ordered[np.arange(len(values)), counts - 1][:, None]
    above, tied = values > edge, values == edge
    left = counts[:, None] - above.sum(axis=1, keepdims=True)
    return above + tied * left / tied.sum(axis=1, keepdims=True)


def pointing_game(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """1 if the map's largest value lies in the lesion, else 0 (Zhang and others 2018).

    Where several are largest, the share of them that does; in Quantus one is enough, and an even
    map always wins.
    """
    values, inside = _flat(maps, masks)
    return _share_inside((values == values.max(axis=1, keepdims=True)).astype(float), inside)


def attribution_localisation(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The share of the evidence *for* the class, values above 0, that lies in the lesion.

    Kohlbrenner and others (2020).
    """
    values, inside = _flat(maps, masks)
    return _share_inside(np.maximum(values, 0), inside)


def relevance_mass_accuracy(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The share of all that matters, for or against, that lies in the lesion (Arras 2022)."""
    values, inside = _flat(maps, masks)
    return _share_inside(np.abs(values), inside)


def relevance_rank_accuracy(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Of as many top pixels as the lesion has, the share that lies in it (Arras 2022)."""
    values, inside = _flat(maps, masks)
    return _share_inside(_top(values, np.maximum(inside.sum(axis=1), 1)), inside)


def top_k_intersection(maps: np.ndarray, masks: np.ndarray, top: float = TOP) -> np.ndarray:
    """Of a fixed share of top pixels, the share that lies in the lesion (Theiner 2021)."""
    values, inside = _flat(maps, masks)
    counts = np.full(len(values), max(1, round(top * values.shape[1])))
    return _share_inside(_top(values, counts), inside)


def auc(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The chance that a pixel of the lesion has a larger value than one outside of it."""
    values, inside = _flat(maps, masks)
    ranks = pd.DataFrame(values.T).rank().to_numpy().T  # ties get their mean rank
    many = inside.sum(axis=1)
    others = inside.shape[1] - many
    above = (ranks * inside).sum(axis=1) - many * (many + 1) / 2
    return above / np.where(many * others > 0, many * others, np.nan)


def mean_values(maps: np.ndarray, masks: np.ndarray) -> pd.DataFrame:
    """What published work reports of Grad-CAM: mean values inside and outside of a region.

    The maps are scaled to a largest value of 1; what is below 0 is left out.

    Returns:
        a row a map: inside, outside, and quotient (outside over inside; NaN where inside is 0).
    """
    values, inside = _flat(maps, masks)
    values = np.maximum(values, 0)
    values = values / np.maximum(values.max(axis=1, keepdims=True), 1e-12)
    many = inside.sum(axis=1)
    within = (values * inside).sum(axis=1) / np.maximum(many, 1)
    without = (values * ~inside).sum(axis=1) / np.maximum(inside.shape[1] - many, 1)
    quotient = np.where(within > 0, without / np.where(within > 0, within, 1), np.nan)
    return pd.DataFrame({"inside": within, "outside": without, "quotient": quotient})


Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]
MEASURES: Mapping[str, Measure] = {
    "pointing game": pointing_game,
    "attribution localisation": attribution_localisation,
    "relevance mass accuracy": relevance_mass_accuracy,
    "relevance rank accuracy": relevance_rank_accuracy,
    "top-k intersection": top_k_intersection,
    "AUC": auc,
}


# ---------------------------------------------------------------- maps that know no network


def centre_gaussian(images: np.ndarray, spread: float = 0.25) -> np.ndarray:
    """The same round hill in the middle of every image; `spread` is its width, as a share."""
    size = images.shape[1]
    x = (np.arange(size) + 0.5) / size - 0.5
    hill = np.exp(-(x[:, None] ** 2 + x[None, :] ** 2) / (2 * spread**2))
    return np.repeat(hill[None].astype(np.float32), len(images), axis=0)


def edges(images: np.ndarray) -> np.ndarray:
    """How steeply each image's brightness changes: Sobel's edge detector."""
    grey = images.mean(axis=-1).astype(np.float32)
    slopes = [(cv2.Sobel(g, cv2.CV_32F, 1, 0), cv2.Sobel(g, cv2.CV_32F, 0, 1)) for g in grey]
    return np.stack([np.hypot(x, y) for x, y in slopes])


def darkness(images: np.ndarray) -> np.ndarray:
    """How dark each pixel is: lesions are darker than skin."""
    return 1 - images.mean(axis=-1).astype(np.float32)


CONTROLS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "even map": lambda images: np.ones(images.shape[:3], np.float32),
    "centre Gaussian": centre_gaussian,
    "edge detector": edges,
    "darkness": darkness,
}


# ---------------------------------------------------------------- tables


def measure(maps: Mapping[str, np.ndarray], masks: np.ndarray, about: pd.DataFrame) -> pd.DataFrame:
    """Every measure of every map, image by image.

    Args:
        maps: by name, each (n, size, size).
        masks: bool (n, size, size); images without a mask must be left out before.
        about: n rows with whatever is to be kept of the images, such as lesion_id and truth.

    Returns:
        `about` repeated, with the columns map, measure, value, and chance: the mask's share of the
        image, one half for the AUC.

    Raises:
        LesionsError: a mask is empty, or shapes differ.
    """
    if not masks.any(axis=(1, 2)).all():
        raise LesionsError("An image without a mask cannot be measured; leave it out first.")
    share = masks.mean(axis=(1, 2))
    parts = []
    for name, of in maps.items():
        for kind, function in MEASURES.items():
            line = about.assign(map=name, measure=kind, value=function(of, masks))
            parts.append(line.assign(chance=0.5 if kind == "AUC" else share))
    return pd.concat(parts, ignore_index=True)


def summary(
    measured: pd.DataFrame, by: tuple[str, ...] = ("map", "measure"), n: int = 1000
) -> pd.DataFrame:
    """Means of `measure`'s values with intervals over lesions, beside the mean chance level.

    Args:
        measured: from `measure`, with lesion_id.
        by: the columns that name a line; `("map", "measure", "truth")` for each class.
    """
    lines = []
    for names, part in measured.groupby(list(by), sort=False):
        value, low, high = mean_interval(part["value"], part["lesion_id"], n)
        lines.append((*names, len(part), value, low, high, part["chance"].mean()))
    return pd.DataFrame(lines, columns=[*by, "images", "value", "low", "high", "chance"])


def above_controls(line: Mapping[str, float], controls: Mapping[str, float]) -> bool:
    """Whether a measure's whole interval lies above every control.

    Args:
        line: with low, as `summary` has it.
        controls: means by name.
    """
    return bool(line["low"] > max(controls.values()))


def passing(table: pd.DataFrame) -> pd.DataFrame:
    """Which methods rise above chance, every map without a network and no training at all.

    Args:
        table: from `summary`, by network, map and measure. The bars are the controls' means on the
            same images; their own uncertainty is left out.

    Returns:
        True or False: a row a method, a column a measure.
    """
    found = {}
    for measure, part in table.groupby("measure", sort=False):
        lines = part.set_index(["network", "map"])
        bars = lines.loc["no network", "value"].to_dict()
        untrained = lines.loc["untrained", "value"]
        found[measure] = {
            name: above_controls(
                line, bars | {"chance": line["chance"], "untrained": untrained[name]}
            )
            for name, line in lines.loc["trained"].iterrows()
        }
    return pd.DataFrame(found)
