"""One affine map an image: what it moves, and how far."""

import numpy as np

from lesions.networks import augmentation
from lesions.networks.augmentation import Augmentation
from lesions.networks.backend import tf


def test_the_identity_map_changes_nothing_and_a_flip_mirrors():
    images = tf.random.stateless_uniform((2, 33, 33, 3), [1, 2])
    same = augmentation.warp(images, augmentation.affine(33))
    np.testing.assert_allclose(same, images, atol=1e-6)
    mirrored = augmentation.warp(images, augmentation.affine(33, mirror=-1.0))
    np.testing.assert_allclose(mirrored, images[:, :, ::-1], atol=1e-5)


def test_a_shift_and_a_quarter_turn_go_where_they_should():
    image = np.zeros((1, 21, 21, 1), np.float32)
    image[0, 10, 15] = 1  # right of the centre
    shifted = augmentation.warp(image, augmentation.affine(21, shift=(5 / 21, 0.0))).numpy()
    assert np.unravel_index(shifted.argmax(), shifted.shape)[1:3] == (10, 10)
    turned = augmentation.warp(image, augmentation.affine(21, angle=90.0)).numpy()
    assert np.unravel_index(turned.argmax(), turned.shape)[1:3] in [(5, 10), (15, 10)]


def test_random_maps_stay_within_their_ranges():
    chosen = Augmentation(shift=0.1)
    maps = augmentation.random_affine(500, 100, chosen, [0, 1]).numpy()
    assert np.abs(maps[:, [2, 5]]).max() <= 10 and np.abs(maps[:, [2, 5]]).max() > 9
    np.testing.assert_allclose(maps[:, [0, 4]], 1, atol=1e-6)
    still = Augmentation(flip=True)
    mirrored = augmentation.random_affine(500, 100, still, [0, 1]).numpy()[:, 0]
    assert set(mirrored) == {-1.0, 1.0} and 0.4 < (mirrored < 0).mean() < 0.6


def test_quarter_turns_are_exact():
    size = 16
    chosen = Augmentation(quarter_turns=True)
    image = np.random.default_rng(0).random((size, size, 3), dtype=np.float32)
    images = np.repeat(image[None], 40, axis=0)
    maps = augmentation.random_affine(40, size, chosen, [0, 1])
    turned = augmentation.warp(images, maps).numpy()
    quarters = [np.rot90(image, n) for n in range(4)]
    which = [[np.allclose(one, quarter, atol=1e-4) for quarter in quarters] for one in turned]
    assert np.sum(which, axis=1).tolist() == [1] * 40 and np.any(which, axis=0).all()
