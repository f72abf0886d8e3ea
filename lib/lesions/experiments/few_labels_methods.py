"""The methods of notebook 09: each takes a task and answers its validation and test images.

The networks that learn here from new weights are the same one (`strided`), and those that learn
from labels have the same number of steps of as many labelled images; what has seen ImageNet is
larger and says so (`outside`). A method is a function and a line in `METHODS`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from lesions.baselines.histograms import colour_histograms
from lesions.experiments.few_labels import UNLABELLED
from lesions.experiments.few_labels_shared import (
    Answers,
    Method,
    Place,
    answers_of,
    kept_array,
    learnt_encoder,
    new_encoder,
    of_all_images,
    of_both,
    regression,
    taught,
    with_logits,
)
from lesions.networks import autoencoder, quick, registry
from lesions.networks.augmentation import Augmentation, augment
from lesions.networks.backend import keras, tf
from lesions.training import contrastive, features, semi_supervised
from lesions.training.recipes.tuned import freeze_first
from lesions.training.steps import learn, scaled, taken

BACKBONE = "efficientnet_lite0"
TUNED_RATE = 1e-3  # of the pretrained network, as in the recipe `tuned`
# A network that has learnt without labels is changed more gently than a new one.
FINE_RATE = 1e-3


# ---------------------------------------------------------------- the methods


def colours(at: Place) -> Answers:
    """Colour histograms and logistic regression: the floor."""
    x = kept_array("colours", at, lambda: colour_histograms(np.asarray(at.task.pixels)))
    return regression(x, at)


def frozen(at: Place) -> Answers:
    """Features of a network that knows ImageNet, and logistic regression."""

    def make() -> np.ndarray:
        network, _ = features.frozen_backbone(BACKBONE, at.size, "imagenet", 0)
        return features.of_all_images(network, at.task.pixels, BACKBONE)

    return regression(kept_array(BACKBONE, at, make), at)


def tuned(at: Place) -> Answers:
    """The same network, tuned on whole: no more steps than the others, on half as many images."""
    keras.utils.set_random_seed(at.number("the last layer"))
    body = registry.entry(f"tuned_{BACKBONE[-5:]}").build(at.size, len(at.task.classes))
    learner = quick.quickened(keras.Model(body.input, body.get_layer("features").output))
    freeze_first(learner, 2)
    model = with_logits(learner, at)
    semi_supervised.supervised(
        model, at.task.pixels[at.task.of("train")], at.task.labels("train"), at.budget.steps,
        at.budget.tuned_batch, at.seed, at.label, peak=TUNED_RATE,
    )  # fmt: skip
    return of_both(model, at)


def scratch(at: Place) -> Answers:
    """The network from random weights, on the labelled images alone."""
    return of_both(taught(new_encoder(at), at), at)


def untrained(at: Place) -> Answers:
    """The network as it is before any training, and logistic regression: what shape alone gives."""
    return regression(of_all_images(new_encoder(at), at), at)


def code(at: Place) -> Answers:
    """The paper's way: an autoencoder on all training images, logistic regression on its code."""

    def make() -> np.ndarray:
        keras.utils.set_random_seed(at.number("the autoencoder"))
        encoder, whole = autoencoder.autoencoder(at.size)
        images = at.task.of("train", UNLABELLED)
        rows = taken(len(images), at.budget.batch, at.seed, "images of the autoencoder")

        def rebuilding(number: tf.Tensor, pixels: tf.Tensor) -> tf.Tensor:
            wanted = augment(
                scaled(pixels), semi_supervised.WEAK,
                tf.stack([number, at.number("views of the autoencoder")]),
            )  # fmt: skip
            return tf.reduce_mean(tf.square(whole(wanted, training=True) - wanted))

        learn(whole, rebuilding, lambda step: (at.task.pixels[images[rows(step)]],),
              at.budget.pretraining // 2, f"{at.label}, rebuilding")  # fmt: skip
        return of_all_images(encoder, at)

    name = f"code-seed{at.seed}"
    images = np.sort(at.task.of("train", UNLABELLED))
    return regression(kept_array(name, at, make, images, at.budget.pretraining), at)


def contrasted(
    at: Place, name: str = "simclr", across: bool = False, ranges: Augmentation = contrastive.VIEWS
) -> keras.Model:
    """The network after contrastive learning on all training images, without their labels."""
    images = at.task.of("train", UNLABELLED)
    lesion = at.task.rows.set_index(at.task.position)["lesion_id"]

    def train(encoder: keras.Model, unfinished: Path) -> None:
        images_once = np.sort(images)  # the same order whatever the share of labels
        contrastive.pretrain(
            encoder, at.task.pixels[images_once], lesion.loc[images_once].to_numpy(),
            at.budget.pretraining, at.budget.batch, at.seed, f"{at.label}, {name}",
            ranges=ranges, across=across, unfinished=unfinished,
        )  # fmt: skip

    return learnt_encoder(name, at, train)


def probe(at: Place, **options: object) -> Answers:
    """Contrastive learning, then logistic regression: what the frozen features are worth."""
    return regression(of_all_images(contrasted(at, **options), at), at)


def fine_tuned(at: Place) -> Answers:
    """Contrastive learning, then all layers learn on from the labels."""
    return of_both(taught(contrasted(at), at, peak=FINE_RATE), at)


def pseudo(at: Place) -> Answers:
    """The network from scratch gives labels to the unlabelled images; a new one learns from all."""
    pixels, first = at.task.pixels, taught(new_encoder(at), at)
    if not len(at.task.of(UNLABELLED)):
        return of_both(first, at)
    p = answers_of(first, at, UNLABELLED)
    sure, given = semi_supervised.pseudo_labels(p, at.task.shares())
    images = np.concatenate([pixels[at.task.of("train")], pixels[at.task.of(UNLABELLED)[sure]]])
    labels = np.concatenate([at.task.labels("train"), given])
    model = with_logits(new_encoder(at), at)
    semi_supervised.supervised(
        model, images, labels, at.budget.steps, at.budget.batch, at.seed, f"{at.label}, second"
    )
    return of_both(model, at)


def fixmatch(at: Place, start: Callable[[Place], keras.Model] = new_encoder) -> Answers:
    """FixMatch with distribution alignment; what it believes at each look is kept."""
    pixels, hidden = at.task.pixels, at.task.of(UNLABELLED)
    if not len(hidden):
        return of_both(taught(start(at), at), at)
    model = with_logits(start(at), at)
    beliefs: list[np.ndarray] = []
    semi_supervised.fixmatch(
        model, pixels[at.task.of("train")], at.task.labels("train"), pixels[hidden],
        at.budget.steps, at.budget.batch, at.seed, at.label, len(at.task.classes),
        look=lambda step: beliefs.append(answers_of(model, at, UNLABELLED)),
    )  # fmt: skip
    return of_both(model, at) | {"beliefs": np.stack(beliefs)}


@dataclass(frozen=True)
class About:
    """A method: its function, what it is called, and what else it has been given."""

    function: Method
    name: str
    outside: bool = False  # has seen ImageNet
    unlabelled: bool = False  # has seen the images without labels
    network: bool = True  # trains the network on labels


METHODS: dict[str, About] = {
    "colours": About(colours, "colours, logistic regression", network=False),
    "untrained": About(untrained, "untrained network, logistic regression", network=False),
    "scratch": About(scratch, "from scratch"),
    "code": About(code, "autoencoder's code (the paper's)", unlabelled=True, network=False),
    "simclr_probe": About(
        probe, "SimCLR, logistic regression", unlabelled=True, network=False
    ),
    "lesion_probe": About(
        partial(probe, name="simclr-lesions", across=True),
        "SimCLR, pairs of one lesion, logistic regression", unlabelled=True, network=False,
    ),
    # The same with views that differ in shape only, or in colour as much as in SimCLR's own recipe.
    "shape_probe": About(
        partial(probe, name="simclr-shape", ranges=replace(contrastive.VIEWS, colour=0.0)),
        "SimCLR without changes of colour, logistic regression", unlabelled=True, network=False,
    ),
    "jitter_probe": About(
        partial(probe, name="simclr-jitter", ranges=replace(contrastive.VIEWS, colour=0.8)),
        "SimCLR with strong changes of colour, logistic regression", unlabelled=True,
        network=False,
    ),
    "simclr_tuned": About(fine_tuned, "SimCLR, fine-tuned", unlabelled=True),
    "pseudo": About(pseudo, "pseudo-labels", unlabelled=True),
    "fixmatch": About(fixmatch, "FixMatch with alignment", unlabelled=True),
    "simclr_fixmatch": About(
        partial(fixmatch, start=contrasted), "SimCLR, then FixMatch", unlabelled=True
    ),
    "lite0": About(frozen, "ImageNet, logistic regression", outside=True, network=False),
    "lite0_tuned": About(tuned, "ImageNet, fine-tuned", outside=True),
}  # fmt: skip
