"""Maps held against the network itself: do they follow what it computes?

A map that stays as it was when the network's weights are thrown away explains the image, not the
network. `verdicts` says so in words.
"""

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
import pandas as pd
from scipy.stats import rankdata

from lesions.core.progress import track
from lesions.explain import maps as explanations
from lesions.explain.localisation import mean_interval
from lesions.networks.backend import keras

# Above this rank correlation with the trained network's maps, those of a random one are "the same".
SAME = 0.5

# ---------------------------------------------------------------- insertion and deletion


def order_of(maps: np.ndarray, seed: int = 0) -> np.ndarray:
    """The pixels of each map from the largest value down, int (n, pixels); ties at random."""
    rows = maps.reshape(len(maps), -1)
    shuffle = np.random.default_rng(seed).permutation(rows.shape[1])
    return shuffle[np.argsort(-rows[:, shuffle], axis=1, kind="stable")]


def curve(
    model: keras.Model,
    images: np.ndarray,
    classes: np.ndarray,
    maps: np.ndarray,
    kind: str,
    steps: int = 16,
    seed: int = 0,
) -> np.ndarray:
    """The class's probability as pixels go, or come, in the order of a map; float32 (n, steps + 1).

    Petsiuk, Das and Saenko (2018), section 4: "deletion" replaces the top pixels first, by the
    image's mean colour, and a good map lets the probability fall soon; "insertion" begins with a
    blurred image and lets them appear, and a good map lets it rise soon.
    """
    rows, pixels = np.arange(len(images)), maps[0].size
    order = order_of(maps, seed)
    before, after = images, explanations.start_image(images)
    if kind == "insertion":
        sigma = images.shape[1] / 10
        before, after = np.stack([cv2.GaussianBlur(i, (0, 0), sigma) for i in images]), images
    found = []
    for step in track(range(steps + 1), kind):
        changed = np.zeros((len(images), pixels), bool)
        np.put_along_axis(changed, order[:, : round(pixels * step / steps)], True, axis=1)
        shown = np.where(changed.reshape(*maps.shape, 1), after, before)
        found.append(explanations.probabilities(model, shown)[rows, classes])
    return np.stack(found, axis=1)


def area(curves: np.ndarray) -> np.ndarray:
    """The area under each curve, (n,), from 0 to 1."""
    return np.trapezoid(curves, axis=1) / (curves.shape[1] - 1)


def insertion_deletion(
    model: keras.Model,
    images: np.ndarray,
    classes: np.ndarray,
    maps: Mapping[str, np.ndarray],
    lesions: Sequence[str],
    steps: int = 16,
    n: int = 1000,
) -> pd.DataFrame:
    """Areas under the curves of several maps, and of pixels in random order.

    Returns:
        one row a map: deletion (small is good) and insertion (large is good), each with _low and
        _high over lesions.
    """
    noise = np.random.default_rng(0).random(images.shape[:3]).astype(np.float32)
    lines = []
    for name, of in {**maps, "random order": noise}.items():
        line = {"map": name}
        for kind in ("deletion", "insertion"):
            areas = area(curve(model, images, classes, of, kind, steps))
            line |= dict(zip((kind, f"{kind}_low", f"{kind}_high"),
                             mean_interval(areas, lesions, n), strict=True))  # fmt: skip
        lines.append(line)
    return pd.DataFrame(lines)


# ---------------------------------------------------------------- small changes of the image


def max_sensitivity(
    method: explanations.Method,
    model: keras.Model,
    images: np.ndarray,
    classes: np.ndarray,
    radius: float = 0.02,
    draws: int = 4,
    seed: int = 0,
) -> np.ndarray:
    """How much a map may change, as a share of itself, when nobody would see the image change.

    Yeh and others (2019), definition 2: the largest of some draws of noise up to `radius`, (n,).
    """
    rng = np.random.default_rng(seed)
    before = method(model, images, classes)
    worst = np.zeros(len(images))
    size = np.maximum(np.linalg.norm(before.reshape(len(images), -1), axis=1), 1e-12)
    for _ in range(draws):
        noise = rng.uniform(-radius, radius, images.shape).astype(np.float32)
        after = method(model, np.clip(images + noise, 0, 1), classes)
        worst = np.maximum(worst, np.linalg.norm((after - before).reshape(len(images), -1), axis=1))
    return worst / size


# ---------------------------------------------------------------- a network without what it learnt


def layers_from_the_top(model: keras.Model) -> list[str]:
    """The names of the layers with weights, the last one first."""
    return [layer.name for layer in reversed(model.layers) if layer.get_weights()]


def randomised(model: keras.Model, layers: Sequence[str], seed: int = 0) -> keras.Model:
    """A copy of a flat model in which some layers have weights as before any training."""
    keras.utils.set_random_seed(seed)
    copy = keras.models.clone_model(model)
    for layer in model.layers:
        if layer.get_weights() and layer.name not in layers:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy


def likeness(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation of maps, by size and not sign, (n,); 0 where one is even."""
    ranks = [rankdata(np.abs(m).reshape(len(m), -1), axis=1) for m in (first, second)]
    a, b = (r - r.mean(axis=1, keepdims=True) for r in ranks)
    below = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.where(below > 0, (a * b).sum(axis=1) / np.where(below > 0, below, 1), 0.0)


def randomisation(
    model: keras.Model,
    images: np.ndarray,
    classes: np.ndarray,
    maps: Mapping[str, np.ndarray],
    seed: int = 0,
    stages: int = 6,
) -> pd.DataFrame:
    """How alike maps stay as the network forgets, layer by layer from the top (Adebayo 2018).

    Args:
        maps: the trained network's, by method; names that are no method (controls) do not change.
        stages: at most so many steps from the trained network to a random one.

    Returns:
        one row a map and stage: layers (how many of the top ones are random), share (of all), and
        likeness, the mean over the images of `likeness` to the trained network's map.
    """
    names = layers_from_the_top(model)
    counts = sorted({max(1, round(len(names) * k / stages)) for k in range(1, stages + 1)})
    lines = [(name, 0, 0.0, 1.0) for name in maps]
    for count in track(counts, "randomisation"):
        other = randomised(model, names[:count], seed)
        for name, before in maps.items():
            method: Callable | None = explanations.METHODS.get(name)
            after = method(other, images, classes) if method else before
            alike = float(likeness(before, after).mean())
            lines.append((name, count, count / len(names), alike))
    return pd.DataFrame(lines, columns=["map", "layers", "share", "likeness"])


def verdicts(randomised_: pd.DataFrame, same: float = SAME) -> pd.DataFrame:
    """In words: does a method notice that the network has been thrown away?

    Args:
        randomised_: from `randomisation`.
    """
    last = randomised_.sort_values("layers").groupby("map", sort=False).last().reset_index()
    fails = last["likeness"] > same
    says = np.where(fails, "fails: as good as the same map without any training", "changes")
    return last[["map", "likeness"]].assign(verdict=says)
