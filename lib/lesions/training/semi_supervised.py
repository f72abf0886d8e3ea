"""Learning from images with labels and images without: the network's own answers as labels.

FixMatch (Sohn and others 2020, arXiv 2001.07685) with distribution alignment (Berthelot and others
2020, arXiv 1911.09785): the answer to a weakly changed image, where it is sure, is the label of
the strongly changed one. Pseudo-labels (Lee 2013) are its simplest form: answers given once, by a
network that has learnt from the labels, then taken for labels.
"""

from collections.abc import Callable

import numpy as np

from lesions.core import seeds
from lesions.networks.augmentation import Augmentation, augment
from lesions.networks.backend import keras, tf
from lesions.training.contrastive import VIEWS
from lesions.training.steps import PEAK_RATE, learn, scaled, taken

WEAK = Augmentation(rotation=20.0, shift=0.08, zoom=0.1, flip=True, quarter_turns=True)
STRONG = VIEWS
THRESHOLD = 0.8  # an answer that is less sure is no label
UNLABELLED = 2  # images without labels for each one with, in a step
MEMORY = 0.95  # of the running mean of answers


def aligned(p: tf.Tensor, seen: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """Answers, turned so that on average they have the class shares of the labelled images.

    Args:
        p: float32 (n, classes), probabilities.
        seen: float32 (classes,), the mean answer of late.
        wanted: float32 (classes,), the shares of the labelled images.
    """
    p = p * wanted / seen
    return p / tf.reduce_sum(p, axis=1, keepdims=True)


def consistency(target: tf.Tensor, logits: tf.Tensor, threshold: float = THRESHOLD) -> tf.Tensor:
    """The loss of images without labels: there is no argument that could hold one.

    Args:
        target: float32 (n, classes), the aligned answers to the weak views.
        logits: float32 (n, classes), of the strong views of the same images.
        threshold: targets below it count nothing.
    """
    target = tf.stop_gradient(target)
    sure = tf.cast(tf.reduce_max(target, axis=1) >= threshold, tf.float32)
    answer = tf.argmax(target, axis=1)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(answer, logits)
    return tf.reduce_mean(sure * losses)


def label_loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of images with labels, int (n,)."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


def supervised(
    model: keras.Model,
    pixels: np.ndarray,
    labels: np.ndarray,
    steps: int,
    batch: int,
    seed: int,
    label: str,
    peak: float = PEAK_RATE,
    ranges: Augmentation = STRONG,
) -> list[float]:
    """Train on labelled images alone: what all others are compared with.

    Args:
        model: from images to logits; is changed in place.
        pixels: uint8 (n, size, size, 3); labels: int (n,).
        steps, batch: how many steps, of how many images.
        label, peak: see `steps.learn`.
        ranges: how far images are changed.

    Returns:
        the loss of each step.
    """
    rows = taken(len(pixels), batch, seed, "labelled images of a step")
    draws = seeds.number(seed, "views of labelled images")

    def batch_of(step: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = rows(step)
        return pixels[chosen], labels[chosen]

    def loss_of(number: tf.Tensor, images: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
        views = augment(scaled(images), ranges, tf.stack([number, draws]))
        return label_loss(wanted, model(views, training=True))

    return learn(model, loss_of, batch_of, steps, label, peak=peak)


def fixmatch(
    model: keras.Model,
    pixels: np.ndarray,
    labels: np.ndarray,
    unlabelled: np.ndarray,
    steps: int,
    batch: int,
    seed: int,
    label: str,
    classes: int,
    look: Callable[[int], None] | None = None,
) -> list[float]:
    """Train on labelled images and, without labels, on others.

    Args:
        model, pixels, labels, steps, batch, label: as in `supervised`.
        unlabelled: uint8 (m, size, size, 3). Their labels are nowhere in here.
        classes: how many there are.
        look: see `steps.learn`.

    Returns:
        the loss of each step.
    """
    rows = taken(len(pixels), batch, seed, "labelled images of a step")
    others = taken(len(unlabelled), UNLABELLED * batch, seed, "unlabelled images of a step")
    draws = [seeds.number(seed, "views of a semi-supervised step", kind) for kind in range(3)]
    shares = np.bincount(labels, minlength=classes).clip(1).astype(np.float32)
    wanted = tf.constant(shares / shares.sum())
    seen = tf.Variable(wanted)

    def batch_of(step: int) -> tuple[np.ndarray, ...]:
        chosen = rows(step)
        return pixels[chosen], labels[chosen], unlabelled[others(step)]

    def loss_of(number, images, truth, unknown) -> tf.Tensor:
        seed_of = [tf.stack([number, draw]) for draw in draws]
        known = augment(scaled(images), STRONG, seed_of[0])
        weak = augment(scaled(unknown), WEAK, seed_of[1])
        strong = augment(scaled(unknown), STRONG, seed_of[2])
        p = tf.nn.softmax(model(weak, training=False))
        seen.assign(MEMORY * seen + (1 - MEMORY) * tf.reduce_mean(p, axis=0))
        # Both kinds go through the network together, so batch normalisation sees one crowd.
        logits = model(tf.concat([known, strong], axis=0), training=True)
        of_known, of_strong = tf.split(logits, [tf.shape(known)[0], tf.shape(strong)[0]])
        # A network that has hardly begun is no teacher: its answers come to count by and by.
        weight = tf.minimum(1.0, 4 * tf.cast(number, tf.float32) / steps)
        own_answers = consistency(aligned(p, seen, wanted), of_strong)
        return label_loss(truth, of_known) + weight * own_answers

    return learn(model, loss_of, batch_of, steps, label, extra=[seen], look=look)


def pseudo_labels(
    p: np.ndarray, wanted: np.ndarray, threshold: float = THRESHOLD
) -> tuple[np.ndarray, np.ndarray]:
    """Which unlabelled images get a label from the network's answers, and which one.

    Args:
        p: float (n, classes), answers to the unlabelled images.
        wanted: (classes,), class shares of the labelled images; the answers are aligned to them.

    Returns:
        the row numbers of sure answers, and the class of each.
    """
    turned = p * wanted / p.mean(axis=0)
    turned /= turned.sum(axis=1, keepdims=True)
    sure = np.flatnonzero(turned.max(axis=1) >= threshold)
    return sure, turned[sure].argmax(axis=1)
