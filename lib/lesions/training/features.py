"""What a frozen network says of every image, computed once and kept."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from lesions.core import cache, seeds
from lesions.core.progress import track
from lesions.networks import registry
from lesions.networks.augmentation import Augmentation, augment
from lesions.networks.backend import FEW_STEPS, keras, tf
from lesions.networks.input_pipeline import images_only

BATCH = 32


@lru_cache(maxsize=4)
def frozen_backbone(name: str, size: int, weights: str, seed: int) -> tuple[keras.Model, str]:
    """A pretrained model of the registry, built once however many runs put a head on it.

    Args:
        name: one of `registry.names("head")`.
        size: height and width of its images in pixels.
        weights: what WEIGHTS says.
        seed: fixes the weights where they are random.

    Returns:
        the frozen network from images to features, and where its weights come from.
    """
    keras.utils.set_random_seed(seeds.number(seed, "frozen backbone"))
    return registry.entry(name).build(size, weights=weights)


def of_all_images(
    network: keras.Model,
    pixels: np.ndarray,
    label: str,
    batch_size: int = BATCH,
    view: int = 0,
    ranges: Augmentation | None = None,
    seed: int = 0,
) -> np.ndarray:
    """A frozen network's output for every cached image, float32 (images, features).

    Args:
        network: from images to features.
        pixels: uint8 (images, size, size, 3), may be memory-mapped.
        label: begins each line of progress.
        batch_size: images at a time.
        view: 0 for the images as they are; each other number augments them in another way.
        ranges, seed: of the augmentation.
    """
    images = images_only(pixels, batch_size)
    if view:
        draws = seeds.number(seed, "view of an image", view)
        images = images.enumerate().map(
            lambda step, image: augment(image, ranges, tf.stack([step, draws]))
        )
    count = -(-len(pixels) // batch_size)
    predict = network.predict_on_batch if count >= FEW_STEPS else network
    of = f"{label} features, view {view}" if view else f"{label} features"
    steps = track(images, f"{of}, batches", count)
    return np.concatenate([np.asarray(predict(batch), np.float32) for batch in steps])


def cached_features(
    network: keras.Model,
    name: str,
    origin: str,
    pixels: np.ndarray,
    label: str,
    batch_size: int = BATCH,
    view: int = 0,
    ranges: Augmentation | None = None,
    seed: int = 0,
) -> np.ndarray:
    """The backbone's features of all cached images, from disk if they were computed before.

    Args:
        network, origin: from `frozen_backbone`.
        name: the backbone, which names the file.
        pixels: memory-mapped, from `pixel_store.open_pixels`.
        label, batch_size, view, ranges, seed: as in `of_all_images`.

    Returns:
        float32 (images, channels), in the order of the pixel cache.
    """
    how = [ranges, batch_size, seed] if view else []
    images = Path(pixels.filename).parent.name  # which holds the key of the pixels' content
    key = cache.key(
        *(images, name, origin, network.compute_dtype, network.get_weights(), view, how),
        code=[cached_features, registry.module_of(name)],
    )

    def make(path: Path) -> None:
        np.save(path, of_all_images(network, pixels, label, batch_size, view, ranges, seed))

    return np.load(cache.shared("features", f"{name}-{origin}.npy", key, make))
