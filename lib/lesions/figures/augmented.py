"""What augmentation does to an image, weaker and stronger than the parameters say."""

import numpy as np
from matplotlib.figure import Figure

from lesions.figures import plots
from lesions.settings.parameters import Settings


def strengths(
    image: np.ndarray, settings: Settings, times: tuple[float, ...], draws: int = 4
) -> Figure:
    """One image augmented with some times the amounts of the parameters.

    Args:
        image: uint8 (size, size, 3).
        settings: ROTATION, SHIFT, ZOOM, SHEAR, FLIP and SEED.
        times: a row of pictures for each; 0 leaves the image as it is.
        draws: pictures in a row; the same random draws at every strength.
    """
    from lesions.networks import augmentation  # TensorFlow is slow to import, and only needed here
    from lesions.networks.backend import tf

    batch = tf.repeat(image[None].astype("float32") / 255, draws, axis=0)
    pictures, titles = [], []
    for strength in times:
        ranges = augmentation.Augmentation(
            rotation=strength * settings.ROTATION,
            shift=strength * settings.SHIFT,
            # A zoom by the whole size would leave nothing of the image.
            zoom=min(strength * settings.ZOOM, 0.9),
            shear=strength * settings.SHEAR,
            flip=settings.FLIP and strength > 0,
        )
        seed = tf.constant([settings.SEED, 1])
        pictures += list(augmentation.augment(batch, ranges, seed).numpy())
        titles += [f"{strength:g} times, draw {n + 1}" for n in range(draws)]
    figure = plots.picture_row(pictures, titles, columns=draws)
    figure.set_size_inches(figure.get_size_inches() * 0.75)  # a stored picture takes its room
    return figure
