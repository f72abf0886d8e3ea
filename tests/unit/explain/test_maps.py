"""Explanations on networks whose answer is known, and held against second computations."""

import numpy as np
import pytest

from lesions.core.errors import LesionsError
from lesions.explain import maps, opened
from lesions.networks import pieces
from lesions.networks.backend import keras, tf

layers = keras.layers
SIZE = 32


def linear(weights: np.ndarray) -> keras.Model:
    """A network whose score of class 0 is a weighted sum of pixels, and of class 1 its negative."""
    images = keras.Input((*weights.shape, 3))
    scores = layers.Dense(2, activation="softmax")(layers.Flatten()(images))
    model = keras.Model(images, scores)
    column = np.repeat(weights.reshape(-1, 1), 3, axis=1).reshape(-1, 1)
    model.layers[-1].set_weights([np.hstack([column, -column]), np.zeros(2)])
    return model


def small(classes: int = 3, seed: int = 0) -> keras.Model:
    keras.utils.set_random_seed(seed)
    images = keras.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="first")(images)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(12, 3, padding="same", activation="relu", name="late")(x)
    x = layers.Dense(16, activation="relu")(layers.GlobalAveragePooling2D()(x))
    kind = {"units": 1, "activation": "sigmoid"} if classes == 2 else {
        "units": classes, "activation": "softmax"}  # fmt: skip
    return keras.Model(images, layers.Dense(**kind)(x))


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(1).random((5, SIZE, SIZE, 3)).astype(np.float32)


CLASSES = np.array([0, 1, 2, 1, 0])


# ---------------------------------------------------------------- scores and flat networks


@pytest.mark.parametrize("classes", [2, 3])
def test_a_softmax_over_the_scores_gives_the_network_s_probabilities(classes, images):
    model = small(classes)
    p = maps.probabilities(opened.with_scores(model), images)
    wanted = model.predict(images, verbose=0)
    wanted = np.hstack([1 - wanted, wanted]) if classes == 2 else wanted
    assert p == pytest.approx(wanted, abs=1e-5)


def test_networks_inside_networks_are_laid_flat(images):
    inner = small()
    body = keras.Model(inner.input, inner.layers[-2].output)
    shell_in = keras.Input((SIZE, SIZE, 3))
    shell = keras.Model(shell_in, body(shell_in * 2.0 - 1.0, training=False))
    head = keras.Sequential([keras.Input((16,)), layers.Dense(3, activation="softmax")])
    whole = keras.Sequential([keras.Input((SIZE, SIZE, 3)), shell, head])
    found = opened.flat(whole)
    assert not any(isinstance(layer, keras.Model) for layer in found.layers)
    assert maps.last_places(opened.with_scores(whole)) == "late"
    assert found.predict(images, verbose=0) == pytest.approx(
        whole.predict(images, verbose=0), abs=1e-5
    )


def test_a_network_asked_about_mirror_images_is_taken_out(images):
    inner = small()
    shell = keras.Input((SIZE, SIZE, 3))
    answers = [inner(shell), inner(keras.ops.flip(shell, axis=2))]
    found = opened.flat(keras.Model(shell, layers.Average()(answers)))
    assert found.predict(images, verbose=0) == pytest.approx(
        inner.predict(images, verbose=0), abs=1e-6
    )


def test_a_network_asked_about_eight_views_gives_its_own_scores(images):
    """So a record of `tuned_lite0` is saved."""
    inner = small()
    network = opened.with_scores(pieces.with_eight_views(inner))
    assert maps.last_places(network) == "late"
    assert maps.probabilities(network, images) == pytest.approx(
        inner.predict(images, verbose=0), abs=1e-5
    )


def test_a_network_without_scores_is_refused():
    images = keras.Input((8, 8, 3))
    with pytest.raises(LesionsError, match="needs a dense layer"):
        opened.with_scores(keras.Model(images, layers.Conv2D(1, 3)(images)))


# ---------------------------------------------------------------- a network whose maps are known


def board() -> np.ndarray:
    weights = np.zeros((SIZE, SIZE), np.float32)
    weights[4:12, 20:28] = 1
    weights[20:28, 4:12] = -1
    return weights


def test_gradients_of_a_weighted_sum_are_its_weights(images):
    model = opened.with_scores(linear(board()))
    found = maps.gradient(model, images, np.zeros(5, int))
    assert found == pytest.approx(np.repeat(np.abs(board())[None], 5, axis=0), abs=1e-6)


def test_integrated_gradients_of_a_weighted_sum_are_exact(images):
    model = opened.with_scores(linear(board()))
    found = maps.integrated_gradients(model, images, np.zeros(5, int), steps=2)
    away = images - images.mean(axis=(1, 2), keepdims=True)
    assert found == pytest.approx(board() * away.sum(axis=-1), abs=1e-4)
    assert maps.completeness_error(model, images, np.zeros(5, int), found).max() < 1e-3


@pytest.mark.parametrize("method", ["occlusion", "RISE"])
def test_what_speaks_for_and_against_a_class_is_found_from_outside(method):
    pixels = np.full((2, SIZE, SIZE, 3), 0.4, np.float32)
    pixels[:, 4:12, 20:28] = pixels[:, 20:28, 4:12] = 1.0
    model = opened.with_scores(linear(board() / 40))
    found = maps.METHODS[method](model, pixels, np.array([0, 1]))
    for one, (good, bad) in zip(found, [((8, 24), (24, 8)), ((24, 8), (8, 24))], strict=True):
        assert one[good] > 0 > one[bad]
        assert np.unravel_index(one.argmax(), one.shape) == pytest.approx(good, abs=5)
        assert np.unravel_index(one.argmin(), one.shape) == pytest.approx(bad, abs=5)


# ---------------------------------------------------------------- held against second computations


def test_grad_cam_equals_a_second_computation(images):
    """By the chain rule through the dense layers by hand; no tape, no automatic gradient."""
    model = small()
    found = maps.grad_cam(opened.with_scores(model), images, CLASSES)
    late = keras.Model(model.input, model.get_layer("late").output).predict(images, verbose=0)
    (w1, b1), (w2, _) = model.layers[-2].get_weights(), model.layers[-1].get_weights()
    before = late.mean(axis=(1, 2)) @ w1 + b1
    of_score = w2.T[CLASSES] * (before > 0)  # the gradient at the hidden layer
    weights = of_score @ w1.T / late[0, ..., 0].size  # a mean passes on an equal part to each place
    cells = np.maximum(np.einsum("nhwc,nc->nhw", late, weights), 0)
    second = maps.enlarged(cells.astype(np.float32), SIZE)
    assert found == pytest.approx(second, abs=1e-5) and found.max() > 0


def test_a_gradient_equals_a_difference(images):
    model = opened.with_scores(small())
    found = maps.gradient(model, images, CLASSES)
    for y, x in ((3, 5), (16, 16)):
        slopes = []
        for colour in range(3):
            moved = [images.copy(), images.copy()]
            for sign, one in zip((1, -1), moved, strict=True):
                one[:, y, x, colour] += sign * 1e-2
            up, down = (maps.class_scores(model, one)[range(5), CLASSES] for one in moved)
            slopes.append(np.abs(up - down) / 2e-2)
        assert found[:, y, x] == pytest.approx(np.max(slopes, axis=0), rel=0.05, abs=1e-4)


def test_integrated_gradients_add_up(images):
    model = opened.with_scores(small())
    found = maps.integrated_gradients(model, images, CLASSES)
    assert np.median(maps.completeness_error(model, images, CLASSES, found)) < 0.02


def test_what_does_not_add_up_gets_more_steps(images):
    model = opened.with_scores(small())
    first = maps.integrated_gradients(model, images, CLASSES, steps=1, most=1)
    before = maps.completeness_error(model, images, CLASSES, first)
    found = maps.integrated_gradients(model, images, CLASSES, steps=1)
    after = maps.completeness_error(model, images, CLASSES, found)
    assert np.median(after) <= maps.OFF < np.median(before)
    stay = before <= maps.OFF
    assert np.array_equal(found[stay], first[stay])


# ---------------------------------------------------------------- form


def test_all_methods_give_maps_of_one_form_and_the_same_twice(images):
    model = opened.with_scores(small())
    first, again = (maps.explain(model, images, CLASSES) for _ in range(2))
    for name in maps.METHODS:
        assert first[name].shape == images.shape[:3] and first[name].dtype == np.float32
        assert np.array_equal(first[name], again[name]), name


def test_batches_change_nothing(images):
    model = opened.with_scores(small())
    whole = maps.in_batches(lambda x: model(x), images)
    assert maps.in_batches(lambda x: model(x), images, batch=2) == pytest.approx(whole, abs=1e-5)


def test_wrong_images_and_methods_are_refused(images):
    model = opened.with_scores(small())
    with pytest.raises(LesionsError, match="divide the pixels by 255"):
        maps.explain(model, (images * 255).astype(np.float32), CLASSES, ["gradient"])
    with pytest.raises(LesionsError, match="Unknown method"):
        maps.explain(model, images, CLASSES, ["LIME"])
    flattened = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2)])
    assert maps.last_places(opened.flat(flattened)) != ""
    tall = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    with pytest.raises(LesionsError, match="no layer with places"):
        maps.last_places(tall)


def test_half_of_a_random_mask_is_seen():
    rng = np.random.default_rng(0)
    masks = np.stack([maps.random_mask(32, 8, rng) for _ in range(300)])
    assert masks.mean() == pytest.approx(0.5, abs=0.02)
    assert masks.mean(axis=0).std() < 0.05, "no place is seen more often"
    assert tf.reduce_max(masks) <= 1 and masks.min() >= 0
