"""What the methods of notebook 09 share: budget, place, the network, and what is trained once.

What does not depend on the labels, such as features, is computed once for all shares of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from lesions.baselines import classifiers
from lesions.core import cache, seeds
from lesions.core.progress import say
from lesions.experiments.few_labels import UNLABELLED, Task
from lesions.networks import strided
from lesions.networks.backend import keras, tf
from lesions.networks.input_pipeline import images_only
from lesions.training import semi_supervised


@dataclass(frozen=True)
class Budget:
    """What every method is given alike."""

    steps: int = 250  # with labels
    pretraining: int = 1000  # without labels
    batch: int = 64  # labelled images a step; pairs, in contrastive learning
    tuned_batch: int = 32  # of the pretrained network, which is eight times as slow


@dataclass(frozen=True)
class Place:
    """Where a run stands: its task, budget and seed, and the folder that shares its pretraining."""

    task: Task
    budget: Budget
    seed: int
    folder: Path
    label: str

    @property
    def size(self) -> int:
        """Height and width of the images in pixels."""
        return self.task.pixels.shape[1]

    def number(self, purpose: str) -> int:
        """A seed for one purpose."""
        return seeds.number(self.seed, purpose)


Answers = dict[
    str, np.ndarray
]  # probabilities of "validation" and "test" images; what else is kept
Method = Callable[[Place], Answers]


def answers_of(model: keras.Model, at: Place, *parts: str) -> np.ndarray:
    """A network's probabilities, float64 (images, classes), of the images of some parts."""
    images = images_only(at.task.pixels, 256, at.task.of(*parts))
    logits = model.predict(images, verbose=0).astype(np.float64)
    return np.asarray(tf.nn.softmax(logits))


def of_both(model: keras.Model, at: Place) -> Answers:
    """A network's probabilities of the validation and of the test images."""
    return {part: answers_of(model, at, part) for part in ("validation", "test")}


def with_logits(encoder: keras.Model, at: Place) -> keras.Model:
    """The encoder and a new dense layer that gives a score to each class."""
    keras.utils.set_random_seed(at.number("the last layer"))
    scores = keras.layers.Dense(len(at.task.classes), dtype="float32")(encoder.output)
    return keras.Model(encoder.input, scores)


def new_encoder(at: Place) -> keras.Model:
    """The network of all methods, untrained; the same for every share of labels."""
    keras.utils.set_random_seed(at.number("the encoder"))
    return strided.encoder(at.size)


def regression(x: np.ndarray, at: Place) -> Answers:
    """Logistic regression on fixed features; the validation part chooses its strength.

    Args:
        x: float32 (images, features), of all images of the dataset.
    """
    parts = []
    for name in ("train", "validation"):
        labels = at.task.labels(name)
        parts.append(classifiers.Part(x[at.task.of(name)], labels, np.ones(len(labels))))
    with threadpool_limits(1):  # several threads wait for each other longer than they compute
        model = classifiers.logistic(*parts, at.seed)
    found = {}
    for part in ("validation", "test"):
        p = np.full((len(at.task.of(part)), len(at.task.classes)), 1e-9)
        p[:, model.classes_] = model.predict_proba(x[at.task.of(part)])
        found[part] = p / p.sum(axis=1, keepdims=True)
    return found


def kept_array(name: str, at: Place, make: Callable[[], np.ndarray], *inputs) -> np.ndarray:
    """An array that several runs share, such as features; made once."""
    key = cache.key(name, *inputs, len(at.task.pixels), at.size, code=[kept_array, make])
    path = at.folder / "shared" / f"{name}.npy"

    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            np.save(file, make())

    cache.named(path, key, write)
    return np.load(path)


def learnt_encoder(name: str, at: Place, train: Callable[[keras.Model, Path], object]):
    """An encoder that has learnt without labels, from disk if it was trained before.

    It does not depend on the share of labels: all training images are there, without labels.
    """
    encoder = new_encoder(at)
    images = at.task.of("train", UNLABELLED)
    key = cache.key(
        name, np.sort(images), at.budget.pretraining, at.budget.batch, at.seed, at.size,
        code=[learnt_encoder, train],
    )  # fmt: skip
    stem = at.folder / "shared" / f"{name}-seed{at.seed}"

    def write(partial: Path) -> None:
        train(encoder, stem.with_name(f"{stem.name}-{key}-unfinished.npz"))
        with partial.open("wb") as file:
            np.savez(file, *encoder.get_weights())

    if cache.named(stem.with_suffix(".npz"), key, write):
        say(f"{at.label}: {name} is kept from an earlier run")
    with np.load(stem.with_suffix(".npz")) as arrays:
        encoder.set_weights([arrays[f"arr_{n}"] for n in range(len(arrays.files))])
    return encoder


def of_all_images(encoder: keras.Model, at: Place) -> np.ndarray:
    """What an encoder says of every image of the dataset, float32 (images, features)."""
    return encoder.predict(images_only(at.task.pixels, 256), verbose=0)


def taught(encoder: keras.Model, at: Place, **options: float) -> keras.Model:
    """An encoder that goes on learning, from labels, with a new last layer."""
    model = with_logits(encoder, at)
    semi_supervised.supervised(
        model, at.task.pixels[at.task.of("train")], at.task.labels("train"), at.budget.steps,
        at.budget.batch, at.seed, at.label, **options,
    )  # fmt: skip
    return model
