"""More networks at the same budget: what each change does, and what the table may say of it."""

import numpy as np
import pandas as pd
import pytest

from lesions.experiments import more_networks, search_space
from lesions.experiments.search_space import MODEL
from lesions.networks import registry
from lesions.networks.backend import keras, tf
from lesions.settings.parameters import Settings


def test_mixup_mixes_images_and_labels_by_the_same_share():
    images = np.arange(4, dtype=np.float32)[:, None, None, None] * np.ones((1, 2, 2, 3), np.float32)
    targets = np.eye(4, dtype=np.float32)
    batches = tf.data.Dataset.from_tensors((images, targets))
    (mixed, labels) = next(iter(more_networks.mixed(batches, 0)))
    labels = labels.numpy()
    np.testing.assert_allclose(labels.sum(axis=1), 1, rtol=1e-6)
    for row in range(4):  # each with the one before it, by its own share
        share = labels[row, row]
        assert 0 <= share <= 1
        wanted = share * images[row] + (1 - share) * images[row - 1]
        np.testing.assert_allclose(mixed[row], wanted, atol=1e-6)
    again = next(iter(more_networks.mixed(batches, 0)))[1]
    np.testing.assert_array_equal(labels, again)
    assert len(set(np.diag(labels).round(4))) > 1


@pytest.mark.parametrize("loss", [more_networks.smoothed, more_networks.focal])
def test_the_losses_fit_two_classes_and_more(loss):
    two = loss(2)(np.float32([[1], [0]]), np.float32([[0.8], [0.3]]))
    three = loss(3)(np.eye(3, dtype=np.float32), np.full((3, 3), 1 / 3, np.float32))
    assert 0 < float(two) < 1 and float(three) > 0


def test_the_focal_loss_makes_little_of_what_is_answered_well():
    plain, focal = keras.losses.CategoricalCrossentropy(), more_networks.focal(2 + 1)
    truth = np.float32([[1, 0, 0]])
    well, badly = np.float32([[0.9, 0.05, 0.05]]), np.float32([[0.1, 0.45, 0.45]])
    of_plain = float(plain(truth, badly)) / float(plain(truth, well))
    assert float(focal(truth, badly)) / float(focal(truth, well)) > 3 * of_plain


def test_the_networks_change_in_size_as_they_say():
    def weights(name: str) -> int:
        own = Settings(**more_networks.VARIANTS[name].changes)
        return registry.build(MODEL, 32, 7, own).count_params()

    first = weights(more_networks.FIRST)
    assert 2 * first < weights("twice the channels") < 4 * first
    assert first < weights("twice the convolutions") < 2 * first
    layers = registry.build(MODEL, 32, 7, Settings(CNN_REPEATS=2)).layers
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in layers) == 6


def test_every_cell_of_the_table_and_the_study_s_setting_lie_in_the_space():
    settings = [*search_space.cells(Settings()), search_space.defaults(Settings())]
    for setting in settings:
        for name, value in setting.items():
            known = search_space.SPACE[name]
            assert value in known.choices if known.choices else known.low <= value <= known.high


def table(**scores: list[float]) -> pd.DataFrame:
    lines = [(n, s, v) for n, values in scores.items() for s, v in enumerate(values)]
    found = pd.DataFrame(lines, columns=["variant", "seed", "validation"])
    return found.replace({"variant": {"first": more_networks.FIRST}})


def test_only_ranges_that_do_not_overlap_are_called_a_difference():
    found = more_networks.summary(
        table(
            first=[0.70, 0.72, 0.74], up=[0.75, 0.8, 0.9], down=[0.6, 0.65, 0.69], both=[0.5, 0.9]
        )
    )["says"]
    assert found.to_dict() == {
        more_networks.FIRST: "", "up": "better", "down": "worse", "both": "within the seeds"
    }  # fmt: skip


def test_one_seed_says_nothing():
    found = more_networks.summary(table(first=[0.7], up=[0.9]))["says"]
    assert found["up"] == "one seed says nothing"
