"""Our compact network, narrow and for a few epochs: what a cover-up can train dozens of times.

It is what `residual.compact_cnn` is, with a quarter of the channels, trained as `recipes.own` does.
One that is trained on shuffled labels stands beside it: what its maps show was not learnt from the
diagnoses.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lesions.core import seeds
from lesions.core.progress import track
from lesions.explain import maps, opened
from lesions.explain.covering import Learner
from lesions.explain.faithfulness import likeness
from lesions.explain.localisation import CONTROLS, mean_interval
from lesions.networks import quick
from lesions.networks.backend import keras
from lesions.networks.input_pipeline import images_only, training_batches
from lesions.networks.normalisation import fit_momentum
from lesions.networks.residual import compact_cnn
from lesions.scores.evaluation import scores
from lesions.splits.encoding import encode, one_hot
from lesions.training.fitting import probabilities
from lesions.training.recipes.own import optimizer, smoothed_loss

WIDTH = 8  # channels of the first stage
BATCH = 64
EPOCHS = 2  # each training image once in each
# The thumbnail is a question to colours: so short a training finds no fine structures anyway.
COVERS = ("whole image", "only the lesion", "only the skin", "only the outline")
NAME = "short network"
LABEL_EPOCHS = 8  # with shuffled labels, which take longer to learn

# A compiled network and its optimizer's state at the start, by what decides its graph.
Compiled = dict[tuple[int, int, int], tuple[keras.Model, list[np.ndarray]]]


def _fresh(size: int, classes: int, steps: int, seed: int, compiled: Compiled) -> keras.Model:
    """A network before its training, by the seed; to make a graph takes longer than to train."""
    keras.utils.set_random_seed(seeds.number(seed, "network of the cover-up"))
    network = quick.quickened(compact_cnn(size, classes, WIDTH))
    key = (size, classes, steps)
    if key not in compiled:
        fit_momentum(network, steps)
        network.compile(optimizer(steps), loss=smoothed_loss(classes))
        network.optimizer.build(network.trainable_variables)
        compiled[key] = network, [np.array(v) for v in network.optimizer.variables]
    model, start = compiled[key]
    model.set_weights(network.get_weights())
    for variable, value in zip(model.optimizer.variables, start, strict=True):
        variable.assign(value)
    for variable in model.non_trainable_variables:
        if "seed_generator_state" in variable.path:  # dropout's
            variable.assign([seed, 0])
    return model


def trained_shortly(
    rows: pd.DataFrame,
    pixels: np.ndarray,
    image_ids: pd.Index,
    epochs: int = EPOCHS,
    seed: int = 0,
    compiled: Compiled | None = None,
) -> keras.Model:
    """A network trained on the training rows, in the class shares that they have.

    Args:
        rows: image_id, label, split.
        pixels, image_ids: uint8 (images, size, size, 3), and their names.
        epochs: passes over the training rows; there is no early stopping.
        seed: of its first weights and of the order of the images.
        compiled: hand the same dictionary to each call that trains networks of one kind. The model
            that comes back is then the same object, with other weights.
    """
    classes = sorted(rows["label"].unique())
    train = rows[rows["split"] == "train"]
    steps = epochs * -(-len(train) // BATCH)
    model = _fresh(pixels.shape[1], len(classes), steps, seed, {} if compiled is None else compiled)
    codes = encode(train["label"], classes)
    two = len(classes) == 2  # one sigmoid unit then
    wanted = codes[:, None].astype(np.float32) if two else one_hot(codes, len(classes))
    places = image_ids.get_indexer(train["image_id"])
    batches = training_batches(pixels, places, wanted, BATCH, seed, range(epochs))
    model.fit(batches, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)
    return model


def answers(
    model: keras.Model, rows: pd.DataFrame, pixels: np.ndarray, image_ids: pd.Index
) -> np.ndarray:
    """Probabilities for rows, float64 (rows, classes)."""
    places = image_ids.get_indexer(rows["image_id"])
    return probabilities(model, images_only(pixels, 4 * BATCH, places))


def network_learner(table: pd.DataFrame, epochs: int = EPOCHS) -> Learner:
    """A learner for `covering.cover_up`: the short network, of whatever is left of the images.

    Args:
        table: the images in the order of the pixels.
        epochs: as in `trained_shortly`.
    """
    compiled: Compiled = {}
    image_ids = pd.Index(table["image_id"])

    def learn(rows: pd.DataFrame, target: str, pixels: np.ndarray, seed: int) -> pd.DataFrame:
        model = trained_shortly(rows, pixels, image_ids, epochs, seed, compiled)
        test = rows[rows["split"] == "test"].reset_index(drop=True)
        p = answers(model, test, pixels, image_ids)
        classes = [f"p_{name}" for name in sorted(rows["label"].unique())]
        found = test[["image_id", "lesion_id", "split"]].assign(truth=test["label"])
        return pd.concat([found, pd.DataFrame(p, columns=classes)], axis=1)

    return learn


# ---------------------------------------------------------------- shuffled labels


def shuffled(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Rows whose training labels are dealt out anew; each class has as many as before."""
    train = (rows["split"] == "train").to_numpy()
    labels = rows["label"].to_numpy(object).copy()
    labels[train] = seeds.stream(seed, "shuffled labels of a network").permutation(labels[train])
    return rows.assign(label=labels)


def shuffled_labels(
    rows: pd.DataFrame,
    pixels: np.ndarray,
    image_ids: pd.Index,
    shown: Sequence[str],
    epochs: int = LABEL_EPOCHS,
    seed: int = 0,
    methods: Sequence[str] = tuple(maps.METHODS),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Do maps change when the labels mean nothing? Adebayo and others (2018), section 3.2.

    Three networks are trained alike: on the labels as they are, on shuffled ones, and on those as
    they are from other first weights. The last says how alike maps of one thing learnt twice are.

    Args:
        rows, pixels, image_ids, epochs, seed: as in `trained_shortly`; images that resampling
            repeated are taken once.
        shown: the images whose maps are compared, of the test part.

    Returns:
        a row a map, controls included: likeness (rank correlation of the first network's maps with
        those of the one of shuffled labels) with low and high over lesions, again (with those of
        the one trained twice), verdict. And a row a network: network, macro AUC on the
        training labels that it was given, and on the true ones of the test part.
    """
    compiled: Compiled = {}
    rows = rows.drop_duplicates(["image_id", "split"], ignore_index=True)
    ways = {"true labels": (rows, seed), "shuffled labels": (shuffled(rows, seed), seed),
            "true labels, again": (rows, seed + 1000)}  # fmt: skip
    images = np.float32(pixels[image_ids.get_indexer(shown)]) / 255
    columns = [f"p_{name}" for name in sorted(rows["label"].unique())]
    found, learnt, asked = {}, [], None
    for name, (labels, start) in track(ways.items(), "networks"):
        model = trained_shortly(labels, pixels, image_ids, epochs, start, compiled)
        line = {"network": name}
        for part, of in (("train", labels), ("test", rows)):
            some = of[of["split"] == part].reset_index(drop=True)
            p = pd.DataFrame(answers(model, some, pixels, image_ids), columns=columns)
            about = some[["image_id", "lesion_id", "split"]].assign(truth=some["label"])
            line[f"{part}_macro_auc"] = scores(pd.concat([about, p], axis=1))["macro_auc"]
        learnt.append(line)
        network = opened.with_scores(model)
        if asked is None:  # what the first network answers is explained of all three
            asked = maps.class_scores(network, images).argmax(axis=1)
        found[name] = maps.explain(network, images, asked, methods)
    lesions = rows.drop_duplicates("image_id").set_index("image_id").loc[list(shown), "lesion_id"]
    lines = []
    first, other, again = found.values()
    for name in methods:
        alike = mean_interval(likeness(first[name], other[name]), lesions)
        twice = float(likeness(first[name], again[name]).mean())
        lines.append((name, *alike, twice))
    for name in ("centre Gaussian", "edge detector"):
        of = CONTROLS[name](images)
        lines.append((name, *mean_interval(likeness(of, of), lesions), 1.0))
    table = pd.DataFrame(lines, columns=["map", "likeness", "low", "high", "again"])
    fails = "fails: shuffled labels change it no more than a second training"
    says = np.where(table["high"] >= table["again"], fails, "changes")
    return table.assign(verdict=says), pd.DataFrame(learnt)
