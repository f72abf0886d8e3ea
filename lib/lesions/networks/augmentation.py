"""Rotation, shift, zoom, shear and flip as one affine map an image."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from lesions.networks.backend import keras, tf
from lesions.settings.parameters import Settings


@dataclass(frozen=True)
class Augmentation:
    """How far training images are changed at random; the widest of each kind."""

    rotation: float = 0.0  # degrees
    shift: float = 0.0  # as a share of width and height
    zoom: float = 0.0  # in or out, as a share
    shear: float = 0.0  # degrees
    flip: bool = False  # mirror half of the images
    quarter_turns: bool = False  # turn by 0, 90, 180 or 270 degrees, too
    colour: float = 0.0  # brightness and contrast, as a share; the tint by half of it

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The ranges that the parameters set, whether AUGMENT is set or not."""
        return cls(
            settings.ROTATION,
            settings.SHIFT,
            settings.ZOOM,
            settings.SHEAR,
            settings.FLIP,
            settings.QUARTER_TURNS,
        )


def affine(
    size: int,
    angle: tf.Tensor | float = 0.0,
    shear: tf.Tensor | float = 0.0,
    zoom: tuple = (1.0, 1.0),
    shift: tuple = (0.0, 0.0),
    mirror: tf.Tensor | float = 1.0,
) -> tf.Tensor:
    """The map that gives, for each pixel of the result, its place in the original.

    Args:
        size: height and width of the image in pixels.
        angle, shear: in degrees; numbers or float32 (count,), as all that follow.
        zoom: factors for x and y; over 1 shows more, smaller.
        shift: for x and y, as shares of the size.
        mirror: -1 mirrors left and right, 1 does not.

    Returns:
        float32 (count, 8), as `keras.ops.image.affine_transform` wants it: x = a x' + b y' + dx and
        y = c x' + d y' + dy, in the order a, b, dx, c, d, dy, 0, 0.
    """
    turn, slant = angle * np.pi / 180, shear * np.pi / 180
    # Rotation times shear times zoom times mirror, multiplied out.
    a = tf.cos(turn) * zoom[0] * mirror
    b = -tf.sin(turn + slant) * zoom[1]
    c = tf.sin(turn) * zoom[0] * mirror
    d = tf.cos(turn + slant) * zoom[1]
    # Turn around the centre of the image, not around its corner.
    centre = (size - 1) / 2
    x = centre - a * centre - b * centre + shift[0] * size
    y = centre - c * centre - d * centre + shift[1] * size
    numbers = [tf.reshape(tf.cast(n, tf.float32), [-1]) for n in (a, b, x, c, d, y, 0.0, 0.0)]
    count = tf.reduce_max([tf.size(n) for n in numbers])
    return tf.stack([tf.broadcast_to(n, [count]) for n in numbers], axis=1)


def random_affine(count: int, size: int, ranges: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """One random map per image.

    Args:
        count: number of images.
        size: their height and width in pixels.
        ranges: the widest of each change.
        seed: int (2,), fixes the result.

    Returns:
        float32 (count, 8), see `affine`.
    """
    draws = tf.random.stateless_uniform((8, count), seed, -1.0, 1.0)
    quarters = tf.floor(draws[7] * 2) if ranges.quarter_turns else 0.0
    return affine(
        size,
        angle=draws[0] * ranges.rotation + quarters * 90,
        shear=draws[1] * ranges.shear,
        zoom=(1 + draws[2] * ranges.zoom, 1 + draws[3] * ranges.zoom),
        shift=(draws[4] * ranges.shift, draws[5] * ranges.shift),
        mirror=tf.where(draws[6] < 0, -1.0, 1.0) if ranges.flip else 1.0,
    )


def largest_of_each(size: int, ranges: Augmentation) -> dict[str, tf.Tensor]:
    """Each of the five augmentations alone, at the largest amount that is allowed."""
    return {
        f"rotation {ranges.rotation:g}°": affine(size, angle=ranges.rotation),
        f"shift {ranges.shift:.0%}": affine(size, shift=(ranges.shift, ranges.shift)),
        f"zoom out {ranges.zoom:.0%}": affine(size, zoom=(1 + ranges.zoom,) * 2),
        f"zoom in {ranges.zoom:.0%}": affine(size, zoom=(1 - ranges.zoom,) * 2),
        f"shear {ranges.shear:g}°": affine(size, shear=ranges.shear),
        "flip": affine(size, mirror=-1.0),
    }


def warp(images: tf.Tensor, maps: tf.Tensor) -> tf.Tensor:
    """Apply affine maps to images.

    Args:
        images: float32 or uint8 (batch, size, size, 3).
        maps: float32 (batch, 8), or (1, 8) for one map for all.

    Returns:
        the same shape and dtype. Pixels from outside the image repeat its edge.
    """
    return keras.ops.image.affine_transform(images, maps, fill_mode="nearest")


def recolour(images: tf.Tensor, amount: float, seed: tf.Tensor) -> tf.Tensor:
    """Change each image's brightness, contrast and tint a little at random.

    Args:
        images: float32 (batch, size, size, 3) in [0, 1].
        amount: the largest change, as a share; of the tint, half of it.
        seed: int (2,).

    Returns:
        the same shape and dtype, in [0, 1].
    """
    draws = 1 + amount * tf.random.stateless_uniform((5, tf.shape(images)[0], 1, 1, 1), seed, -1, 1)
    tint = (1 + tf.concat([draws[2], draws[3], draws[4]], axis=-1)) / 2
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return tf.clip_by_value((images - mean) * (draws[0] * tint) + mean * (draws[1] * tint), 0, 1)


def augment(images: tf.Tensor, ranges: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """Augment a batch at random; each pixel is read once, where five steps would blur five times.

    Args:
        images: float32 (batch, size, size, 3).
        ranges, seed: see `random_affine`.

    Returns:
        the same shape and dtype.
    """
    maps = random_affine(tf.shape(images)[0], images.shape[1], ranges, seed)
    moved = warp(images, maps)
    if not ranges.colour:
        return moved
    # Other numbers than the map was drawn with, so that turn and colour have nothing in common.
    others = tf.random.experimental.stateless_fold_in(seed, 1)
    return recolour(moved, ranges.colour, others)
