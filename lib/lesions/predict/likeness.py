"""Is a picture like the training images? A density of 21 simple numbers of an image.

The mean colour of each quarter (12), the contrast of each colour (3), and how much neighbouring
pixels differ, downwards and sideways (6). A Gaussian is fitted to those of the training images; how
far a picture lies from its middle is the Mahalanobis distance (Lee and others 2018 use it on a
network's features; on these numbers it is the same for every network, and cannot be fooled by what
a network has learnt to ignore). It sees colours and sharpness, and knows nothing of medicine.

The four quarters were chosen among 1, 2, 4 and 8 parts a side on HAM10000, by noise, plain colours
and scikit-learn's two photographs. So what it finds of those is flattering; of others it need not
be true.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.covariance import LedoitWolf

from lesions.core.errors import LesionsError
from lesions.networks.backend import full_precision, keras

NUMBERS = 21
LEAST = 2 * NUMBERS  # images to fit a Gaussian of so many numbers to, at least
SMALL = 0.003  # added before a logarithm: below one step of 255 there is no texture, only rounding
BATCH = 256


def numbers(images):
    """The numbers of images, (n, 21).

    Args:
        images: float32 (n, size, size, 3) in [0, 1]; an array, or what Keras builds a model from.
    """
    ops, half = keras.ops, images.shape[1] // 2
    upper, lower = images[:, :half], images[:, half:]
    quarters = [upper[:, :, :half], upper[:, :, half:], lower[:, :, :half], lower[:, :, half:]]
    colours = [ops.mean(quarter, axis=(1, 2)) for quarter in quarters]
    down, right = images[:, 1:] - images[:, :-1], images[:, :, 1:] - images[:, :, :-1]
    texture = [ops.std(images, axis=(1, 2))]
    texture += [ops.mean(ops.abs(steps), axis=(1, 2)) for steps in (down, right)]
    return ops.concatenate([*colours, *(ops.log(one + SMALL) for one in texture)], axis=1)


def numbers_of(pixels: np.ndarray, positions: np.ndarray | None = None) -> np.ndarray:
    """`numbers` of images as the pixel store keeps them, float64 (n, 21).

    Args:
        pixels: uint8 (images, size, size, 3), may be memory-mapped.
        positions: int (n,), which of them; None: all.
    """
    positions = np.arange(len(pixels)) if positions is None else np.asarray(positions)
    parts = [positions[i : i + BATCH] for i in range(0, len(positions), BATCH)]
    found = [np.asarray(numbers(np.float32(pixels[part]) / 255)) for part in parts]
    return np.concatenate(found).astype(np.float64)


@dataclass(frozen=True)
class Likeness:
    """A Gaussian over the numbers of the training images."""

    mean: np.ndarray  # float64 (21,)
    scale: np.ndarray  # float64 (21, 21): what it turns differences into has variance 1 / 21 each

    def distances(self, pixels: np.ndarray, positions: np.ndarray | None = None) -> np.ndarray:
        """How far images lie from the middle, float64 (n,); about 1 for a training image.

        Args:
            pixels, positions: as `numbers_of` takes them.
        """
        return np.linalg.norm((numbers_of(pixels, positions) - self.mean) @ self.scale, axis=1)

    @full_precision()
    def layer(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """The same as a part of a Keras model, from images in [0, 1]: (n,)."""
        dense = keras.layers.Dense(NUMBERS, name="likeness")
        scaled = dense(numbers(images))
        dense.set_weights([self.scale, -self.mean @ self.scale])
        return keras.ops.sqrt(keras.ops.sum(keras.ops.square(scaled), axis=1))


def fit(pixels: np.ndarray, positions: np.ndarray | None = None) -> Likeness:
    """The Gaussian of some images; its covariance shrunk (Ledoit and Wolf 2004), so that few do.

    Args:
        pixels, positions: as `numbers_of` takes them; the training part, each image once.

    Raises:
        LesionsError: there are too few of them.
    """
    count = len(pixels) if positions is None else len(positions)
    if count < LEAST:
        raise LesionsError(
            f"{count} training images are too few to say what is like them: {LEAST} at least."
        )
    found = numbers_of(pixels, positions)
    # The numbers have units of their own; shrinking towards equal variances wants them alike.
    spread = found.std(axis=0) + 1e-6
    gaussian = LedoitWolf().fit(found / spread)
    scale = np.linalg.cholesky(gaussian.precision_) / spread[:, None] / np.sqrt(NUMBERS)
    return Likeness(gaussian.location_ * spread, scale)
