"""Batches: their order, their pixels, their augmentation."""

import numpy as np

from lesions.networks import input_pipeline
from lesions.networks.augmentation import Augmentation
from lesions.settings.parameters import Settings


def made_batches(training: bool, seed: int = 0) -> list:
    pixels = np.arange(8 * 32 * 32 * 3, dtype=np.uint32).reshape(8, 32, 32, 3).astype(np.uint8)
    targets = np.arange(8, dtype=np.float32)[:, None]
    if training:
        ranges = Augmentation.of(Settings())
        dataset = input_pipeline.training_batches(
            pixels, np.arange(8), targets, 3, seed, ranges=ranges
        )
    else:
        dataset = input_pipeline.batches(pixels, np.arange(8), targets, 3)
    return [(images.numpy(), labels.numpy()) for images, labels in dataset]


def test_batches_keep_order_and_pixels_outside_training():
    found = made_batches(training=False)
    assert [len(images) for images, _ in found] == [3, 3, 2]
    assert np.concatenate([labels for _, labels in found]).ravel().tolist() == list(range(8))
    assert found[0][0].dtype == np.float32
    assert found[0][0].min() >= 0 and found[0][0].max() <= 1


def test_training_batches_are_shuffled_augmented_and_repeatable():
    first, second = (made_batches(training=True, seed=3) for _ in range(2))
    order = np.concatenate([labels for _, labels in first]).ravel().tolist()
    assert sorted(order) == list(range(8)) and order != list(range(8))
    for (a, _), (b, _) in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    other = np.concatenate([labels for _, labels in made_batches(True, seed=4)]).ravel().tolist()
    assert other != order


def test_an_epoch_takes_at_most_so_many_images():
    pixels = np.zeros((8, 32, 32, 3), np.uint8)
    dataset = input_pipeline.training_batches(
        pixels, np.arange(8), np.zeros((8, 1)), batch_size=3, seed=0, most=4
    )
    assert sum(len(images) for images, _ in dataset) == 4
