"""Insertion, deletion, sensitivity and randomisation where the answer is known."""

import numpy as np
import pandas as pd
import pytest

from lesions.explain import faithfulness as faith
from lesions.explain import localisation, maps, opened
from lesions.networks.backend import keras

layers = keras.layers
SIZE = 16


def spot_network() -> keras.Model:
    """Its class 1 is how bright one corner is."""
    images = keras.Input((SIZE, SIZE, 3))
    model = keras.Model(images, layers.Dense(1, activation="sigmoid")(layers.Flatten()(images)))
    weights = np.zeros((SIZE, SIZE, 3), np.float32)
    weights[2:6, 2:6] = 0.3
    model.layers[-1].set_weights([weights.reshape(-1, 1), np.array([-6.0])])
    return opened.with_scores(model)


@pytest.fixture
def images() -> np.ndarray:
    found = np.full((4, SIZE, SIZE, 3), 0.1, np.float32)
    found[:, 2:6, 2:6] = 1.0
    return found


ONES = np.ones(4, int)


def test_good_maps_delete_fast_and_insert_fast(images):
    model = spot_network()
    right = np.zeros((4, SIZE, SIZE), np.float32)
    right[:, 2:6, 2:6] = 1
    table = faith.insertion_deletion(
        model, images, ONES, {"right": right, "wrong": -right}, list("abcd"), n=50
    ).set_index("map")
    order = ["right", "random order", "wrong"]
    assert table.loc[order, "deletion"].is_monotonic_increasing
    assert table.loc[order, "insertion"].is_monotonic_decreasing
    assert (table["deletion_low"] <= table["deletion"]).all()


def test_curves_begin_and_end_where_they_must(images):
    model = spot_network()
    noise = np.random.default_rng(0).random(images.shape[:3])
    p = maps.probabilities(model, images)[:, 1]
    empty = maps.probabilities(model, np.array(maps.start_image(images)))[:, 1]
    deleted = faith.curve(model, images, ONES, noise, "deletion")
    inserted = faith.curve(model, images, ONES, noise, "insertion")
    assert deleted[:, 0] == pytest.approx(p) and deleted[:, -1] == pytest.approx(empty)
    assert inserted[:, -1] == pytest.approx(p)
    assert faith.area(np.ones((2, 5))) == pytest.approx(1)
    assert faith.area(np.linspace(0, 1, 5)[None]) == pytest.approx(0.5)


def test_the_order_is_by_value_and_ties_are_shuffled():
    one = np.zeros((1, 4, 4))
    one[0, 2, 1] = 3
    order = faith.order_of(one)
    assert order[0, 0] == 9 and sorted(order[0]) == list(range(16))
    assert list(order[0, 1:]) != sorted(order[0, 1:])


def test_a_steady_map_is_not_sensitive(images):
    model = spot_network()

    def steady(model, images, classes):
        return np.ones(images.shape[:3], np.float32)

    assert faith.max_sensitivity(steady, model, images, ONES) == pytest.approx(0)
    noisy = faith.max_sensitivity(
        lambda m, x, c: np.random.default_rng(int(x.sum() * 1e6) % 999).random(x.shape[:3]),
        model, images, ONES,
    )  # fmt: skip
    assert noisy.min() > 0.3


def convolutional() -> keras.Model:
    keras.utils.set_random_seed(3)
    pictures = keras.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(pictures)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    return opened.with_scores(keras.Model(pictures, x))


def test_layers_are_randomised_from_the_top_and_the_original_stays():
    model = convolutional()
    names = faith.layers_from_the_top(model)
    assert names[0] == "scores" and len(names) == 4
    kept = [w.copy() for w in model.get_weights()]
    other = faith.randomised(model, names[:2])
    for name in names[2:]:
        for a, b in zip(model.get_layer(name).get_weights(), other.get_layer(name).get_weights(),
                        strict=True):  # fmt: skip
            assert np.array_equal(a, b)
    assert not np.allclose(other.get_layer("scores").get_weights()[0],
                           model.get_layer("scores").get_weights()[0])  # fmt: skip
    assert all(np.array_equal(a, b) for a, b in zip(kept, model.get_weights(), strict=True))


def test_what_ignores_the_network_is_said_to_fail():
    model = convolutional()
    pictures = np.random.default_rng(0).random((6, SIZE, SIZE, 3)).astype(np.float32)
    classes = np.arange(6) % 4
    found = maps.explain(model, pictures, classes, ["gradient"])
    found["edge detector"] = localisation.edges(pictures)
    steps = faith.randomisation(model, pictures, classes, found, stages=3)
    assert isinstance(steps, pd.DataFrame) and set(steps["layers"]) == {0, 1, 3, 4}
    table = faith.verdicts(steps).set_index("map")
    assert table.loc["edge detector", "verdict"].startswith("fails")
    assert table.loc["edge detector", "likeness"] == pytest.approx(1)
    assert table.loc["gradient", "verdict"] == "changes"


def test_likeness_is_spearman_s():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    a, b = rng.random((2, 3, 5, 5))
    wanted = [spearmanr(x.ravel(), y.ravel()).statistic for x, y in zip(a, b, strict=True)]
    assert faith.likeness(a, b) == pytest.approx(wanted)
    assert faith.likeness(a, -a) == pytest.approx(1), "the sign does not count"
    assert faith.likeness(a, np.ones_like(a)) == pytest.approx(0)
