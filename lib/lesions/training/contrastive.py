"""Learning without labels: two views of one image shall look alike to the network, others not.

SimCLR (Chen and others 2020, arXiv 2002.05709), small enough to be read at once. A batch holds two
views of each image. For each view the network has to find the other one among all the rest of the
batch; the loss is that of a classification in which the classes are the images themselves.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lesions.core import seeds
from lesions.networks.augmentation import Augmentation, augment
from lesions.networks.backend import keras, tf
from lesions.training.steps import learn, scaled, taken

TEMPERATURE = 0.2
PROJECTION = (128, 64)  # widths of the two layers that are thrown away afterwards
# A lesion has no up, no fixed distance and no fixed lamp. Its colours say what it is, so they are
# changed a little only; SimCLR changes them by up to 0.8, and takes them away from a fifth.
VIEWS = Augmentation(
    rotation=45.0, shift=0.15, zoom=0.4, shear=8.0, flip=True, quarter_turns=True, colour=0.2
)


def nt_xent(views: tf.Tensor, temperature: float = TEMPERATURE) -> tf.Tensor:
    """The normalised, temperature-scaled cross-entropy of pairs of views (equation 1 of SimCLR).

    Args:
        views: float32 (2 n, d). Rows i and n + i are the two views of one image.
        temperature: small numbers make the loss look at the most similar strangers only.

    Returns:
        a number: the mean over all 2 n views. Guessing among them gives log(2 n - 1).
    """
    count = tf.shape(views)[0]
    views = tf.math.l2_normalize(views, axis=1)
    likeness = tf.matmul(views, views, transpose_b=True) / temperature
    likeness -= 1e9 * tf.eye(count)  # no view is its own partner
    partner = tf.roll(tf.range(count), count // 2, axis=0)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(partner, likeness)
    return tf.reduce_mean(losses)


def likeness_only(views: tf.Tensor) -> tf.Tensor:
    """The loss without strangers: partners shall be alike, and that is all.

    It is here to fail: a network that gives the same answer to every image is perfect by it.

    Args:
        views: as in `nt_xent`.
    """
    first, second = tf.split(tf.math.l2_normalize(views, axis=1), 2)
    return 1 - tf.reduce_mean(tf.reduce_sum(first * second, axis=1))


def projected(encoder: keras.Model) -> keras.Model:
    """The encoder with two more layers, in whose output views are compared."""
    x = encoder.output
    x = keras.layers.Dense(PROJECTION[0], activation="relu")(x)
    return keras.Model(encoder.input, keras.layers.Dense(PROJECTION[1])(x))


def partners(lesions: np.ndarray) -> list[np.ndarray]:
    """The photographs of each lesion, as row numbers; one array a lesion."""
    _, codes = np.unique(lesions, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def pairs(
    lesions: np.ndarray, batch: int, seed: int, across: bool
) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """Which two photographs each step makes its two views of.

    A step draws lesions, not photographs, so that no two pairs of it show the same lesion.

    Args:
        lesions: the lesion of each photograph.
        batch: pairs a step.
        across: take another photograph of the lesion for the second view, if there is one; False:
            take the same one twice.

    Returns:
        a function from a step's number to two int64 (batch,): the rows of the photographs.
    """
    photographs = partners(lesions)
    lesion_of = taken(len(photographs), batch, seed, "lesions of a contrastive step")

    def rows(step: int) -> tuple[np.ndarray, np.ndarray]:
        random = seeds.stream(seed, "photographs of a pair", step)
        shuffled = [random.permutation(photographs[number]) for number in lesion_of(step)]
        first = np.array([one[0] for one in shuffled])
        other = np.array([one[1] if len(one) > 1 else one[0] for one in shuffled])
        return first, other if across else first

    return rows


def pretrain(
    encoder: keras.Model,
    pixels: np.ndarray,
    lesions: np.ndarray,
    steps: int,
    batch: int,
    seed: int,
    label: str,
    ranges: Augmentation = VIEWS,
    across: bool = False,
    loss: Callable[[tf.Tensor], tf.Tensor] = nt_xent,
    unfinished: Path | None = None,
    head: bool = True,
) -> list[float]:
    """Train an encoder on images alone. There is no place for a label.

    Args:
        encoder: from images to features; is changed in place.
        pixels: uint8 (n, size, size, 3), of the training part.
        lesions: (n,), which photographs show the same lesion.
        steps, batch: how many steps, of how many pairs.
        ranges: how far the two views differ.
        across: see `pairs`.
        loss: takes the projected views, (2 batch, d).
        label, unfinished: see `steps.learn`.
        head: compare views after two more layers (`projected`), which are thrown away; False: the
            encoder has them already, or is to do without.

    Returns:
        the loss of each step.
    """
    whole = projected(encoder) if head else encoder
    rows = pairs(np.asarray(lesions), batch, seed, across)
    draws = seeds.number(seed, "views of a contrastive step")

    def loss_of(number: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        views = augment(scaled(images), ranges, tf.stack([number, draws]))
        return loss(whole(views, training=True))

    return learn(
        whole, loss_of, lambda step: (pixels[np.concatenate(rows(step))],), steps, label, unfinished
    )


def collapse(features: np.ndarray) -> dict[str, float]:
    """Two numbers by which a collapsed representation is seen.

    Args:
        features: float (n, d), of n images.

    Returns:
        spread: the mean standard deviation of a channel after each image's features are scaled to
        length 1, times the root of d: 1 if they point everywhere, 0 if all images are the same;
        directions: how many directions are in use, as the exponential of the entropy of the
        shares of variance (the effective rank: Roy and Vetterli 2007).
    """
    length = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.maximum(length, 1e-12)
    spread = unit.std(axis=0).mean() * np.sqrt(features.shape[1])
    variance = np.linalg.svd(unit - unit.mean(axis=0), compute_uv=False) ** 2
    share = variance / max(variance.sum(), 1e-12)
    share = share[share > 1e-12]
    directions = np.exp(-(share * np.log(share)).sum()) if len(share) else 1.0
    return {"spread": float(spread), "directions": float(directions)}
