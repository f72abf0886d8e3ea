"""Which changes of an image keep its diagnosis, and what a network without strangers ends as.

To say that two views show the same thing is a claim, and one can test it: change all images, those
to learn from and those to be asked, and see how well the diagnosis is still read.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from lesions.baselines import classifiers
from lesions.core import seeds
from lesions.core.progress import track
from lesions.experiments.few_labels import Task
from lesions.experiments.few_labels_methods import BACKBONE
from lesions.experiments.few_labels_shared import Place, new_encoder
from lesions.networks.augmentation import Augmentation, augment, recolour
from lesions.networks.backend import tf
from lesions.scores import evaluation
from lesions.training import contrastive, features

BATCH = 64


def grey(images: tf.Tensor) -> tf.Tensor:
    """Images without colour, float32 (batch, size, size, 3)."""
    return tf.repeat(tf.reduce_mean(images, axis=-1, keepdims=True), 3, axis=-1)


def changed(images: tf.Tensor, what: str, seed: tf.Tensor) -> tf.Tensor:
    """One change of a batch of images, drawn at random for each.

    Args:
        images: float32 (batch, size, size, 3) in [0, 1].
        what: a key of `CHANGES`.
        seed: int (2,).
    """
    return CHANGES[what](images, seed)


CHANGES = {
    "as it is": lambda images, seed: images,
    "turned, mirrored": lambda images, seed: augment(
        images, Augmentation(rotation=45, flip=True, quarter_turns=True), seed
    ),
    "shifted, zoomed, sheared": lambda images, seed: augment(
        images, Augmentation(shift=0.15, zoom=0.4, shear=8), seed
    ),
    "colours, a little (0.2)": lambda images, seed: recolour(images, 0.2, seed),
    "colours, strongly (0.8)": lambda images, seed: recolour(images, 0.8, seed),
    "grey": lambda images, seed: grey(images),
}


def kept_diagnosis(task: Task, seed: int, most: int = 500, draws: int = 1) -> pd.DataFrame:
    """How well the diagnosis is read from changed images, learnt from and asked on validation.

    The reader is the frozen network that knows ImageNet, with logistic regression. The test part
    is not looked at: this is a choice.

    Args:
        task: of all labels (share 1).
        seed: of the changes.
        most: use about so many training and so many validation images, each class alike in share.
        draws: views of each image.

    Returns:
        a row a change: change, macro_auc, low, high (95 % over the validation lesions).
    """
    network, _ = features.frozen_backbone(BACKBONE, task.pixels.shape[1], "imagenet", 0)
    random = seeds.stream(seed, "images of the changes")
    chosen = {}
    for part in ("train", "validation"):
        count = len(task.of(part))
        chosen[part] = np.sort(random.permutation(count)[:most])
    images = {part: task.pixels[task.of(part)[rows]] for part, rows in chosen.items()}
    labels = {part: task.labels(part)[rows] for part, rows in chosen.items()}
    lines = []
    for what in track(CHANGES, "changes of the images"):
        x = {
            part: np.concatenate([
                _read(network, images[part], what, seeds.number(seed, part, draw))
                for draw in range(draws)
            ])
            for part in images
        }  # fmt: skip
        y = {part: np.tile(labels[part], draws) for part in images}
        parts = [classifiers.Part(x[part], y[part], np.ones(len(y[part]))) for part in x]
        known = np.isin(parts[1].y, parts[0].y)
        parts[1] = classifiers.Part(*(a[known] for a in (parts[1].x, parts[1].y, parts[1].weight)))
        with threadpool_limits(1):
            model = classifiers.logistic(*parts, seed)
        p = pd.DataFrame(model.predict_proba(parts[1].x),
                         columns=[f"p_{task.classes[c]}" for c in model.classes_])  # fmt: skip
        rows = task.rows[task.rows["split"] == "validation"].iloc[
            np.tile(chosen["validation"], draws)
        ]
        about = rows[["image_id", "lesion_id", "split"]].assign(truth=rows["label"])
        about = about.reset_index(drop=True)[known].reset_index(drop=True)
        found = evaluation.bootstrap(pd.concat([about, p], axis=1), "macro_auc", n=200)
        value, low, high = found.loc["macro_auc"]
        lines.append({"change": what, "macro_auc": value, "low": low, "high": high})
    return pd.DataFrame(lines)


def _read(network, images: np.ndarray, what: str, seed: int) -> np.ndarray:
    """Features of changed images, float32 (images, channels)."""
    parts = []
    for step, start in enumerate(range(0, len(images), BATCH)):
        batch = tf.cast(images[start : start + BATCH], tf.float32) / 255
        parts.append(np.asarray(network(changed(batch, what, tf.constant([step, seed])))))
    return np.concatenate(parts).astype(np.float32)


def representations(at: Place, images: np.ndarray, steps: int) -> dict[str, np.ndarray]:
    """What three networks say of some images: one untrained, one with strangers, one without.

    Args:
        at: whose training images are learnt from.
        images: positions in the task's pixels.
        steps: of each training.

    Returns:
        for each network its projections, float32 (images, d), before any is scaled to length 1.
    """
    known = np.sort(at.task.of("train"))
    lesions = at.task.rows.set_index(at.task.position)["lesion_id"].loc[known].to_numpy()
    asked = np.float32(at.task.pixels[images]) / 255
    found = {}
    for name, loss in LOSSES.items():
        encoder = new_encoder(at)
        whole = contrastive.projected(encoder)
        if loss:
            contrastive.pretrain(
                whole, at.task.pixels[known], lesions, steps, at.budget.batch, at.seed,
                f"{at.label}, {name}", loss=loss, head=False,
            )  # fmt: skip
        found[name] = whole.predict(asked, verbose=0)
    return found


LOSSES: Mapping = {
    "untrained": None,
    "SimCLR": contrastive.nt_xent,
    "without strangers": contrastive.likeness_only,
}


def likeness(vectors: np.ndarray) -> np.ndarray:
    """The cosine of each pair of different images, from -1 to 1, as one list."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return (unit @ unit.T)[np.triu_indices(len(unit), 1)]


def collapse_table(found: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """A row a network: the two numbers of `contrastive.collapse`, and the median likeness."""
    rows = {
        name: contrastive.collapse(of) | {"likeness of two images": float(np.median(likeness(of)))}
        for name, of in found.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")
