"""What a frozen network says of every image, computed once and kept."""

from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from lesions.core import cache
from lesions.core.progress import track
from lesions.networks import models
from lesions.networks.augmentation import augment
from lesions.networks.backend import FEW_STEPS, keras, tf
from lesions.networks.input_pipeline import batches

# What decides how an augmented view looks.
AUGMENTATION = ("SEED", "BATCH_SIZE", "ROTATION", "SHIFT", "ZOOM", "SHEAR", "FLIP", "QUARTER_TURNS")


@lru_cache(maxsize=len(models.BACKBONES))
def frozen_backbone(name: str, size: int, weights: str, seed: int) -> tuple[keras.Model, str]:
    """`models.backbone`, built once however many runs put a head on it.

    Args:
        name, size, weights: as in `models.backbone`.
        seed: fixes the weights where they are random.

    Returns:
        the frozen network, and where its weights come from.
    """
    keras.utils.set_random_seed(seed)
    return models.backbone(name, size, weights)


def of_all_images(
    network: keras.Model,
    pixels: np.ndarray,
    settings: SimpleNamespace,
    label: str,
    view: int = 0,
) -> np.ndarray:
    """A frozen network's output for every cached image, float32 (images, features).

    Args:
        view: 0 for the images as they are; each other number augments them in another way.
    """
    everything = np.arange(len(pixels))
    nothing = np.zeros((len(everything), 1), np.float32)
    images = batches(pixels, everything, nothing, settings).map(lambda image, _: image)
    if view:
        images = images.enumerate().map(
            lambda step, image: augment(image, settings, tf.stack([step, settings.SEED + view]))
        )
    count = -(-len(everything) // settings.BATCH_SIZE)
    predict = network.predict_on_batch if count >= FEW_STEPS else network
    of = f"{label} features, view {view}" if view else f"{label} features"
    steps = track(images, f"{of}, batches", count)
    return np.concatenate([np.asarray(predict(batch), np.float32) for batch in steps])


def cached_features(
    network: keras.Model,
    name: str,
    origin: str,
    pixels: np.ndarray,
    settings: SimpleNamespace,
    label: str,
    view: int = 0,
) -> np.ndarray:
    """The backbone's features of all cached images, from disk if they were computed before.

    Args:
        network, origin: from `frozen_backbone`.
        name: the backbone, which names the file.
        pixels: memory-mapped, from `pixel_store.open_pixels`.
        label: begins each line of progress.
        view: see `of_all_images`.

    Returns:
        float32 (images, channels), in the order of the pixel cache.
    """
    how = [getattr(settings, part) for part in AUGMENTATION] if view else []
    images = Path(pixels.filename).parent.name  # which holds the key of the pixels' content
    key = cache.key(
        *(images, name, origin, network.compute_dtype, network.get_weights(), view, how),
        code=[cached_features],
    )

    def make(path: Path) -> None:
        np.save(path, of_all_images(network, pixels, settings, label, view))

    return np.load(cache.shared("features", f"{name}-{origin}.npy", key, make))
