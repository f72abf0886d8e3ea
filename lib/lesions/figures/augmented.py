"""What augmentation does to an image, weaker and stronger than the parameters say."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lesions.figures import plots


def strengths(image: np.ndarray, settings: Any, times: tuple[float, ...], draws: int = 4) -> Figure:
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
        amounts = {n: strength * getattr(settings, n) for n in ("ROTATION", "SHIFT", "SHEAR")}
        # A zoom by the whole size would leave nothing of the image.
        amounts["ZOOM"] = min(strength * settings.ZOOM, 0.9)
        amounts["FLIP"] = settings.FLIP and strength > 0
        seed = tf.constant([settings.SEED, 1])
        pictures += list(augmentation.augment(batch, SimpleNamespace(**amounts), seed).numpy())
        titles += [f"{strength:g} times, draw {n + 1}" for n in range(draws)]
    figure = plots.picture_row(pictures, titles, columns=draws)
    figure.set_size_inches(figure.get_size_inches() * 0.75)  # a stored picture takes its room
    return figure
