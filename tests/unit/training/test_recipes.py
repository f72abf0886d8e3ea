"""The recipes: each model finds its own, and what is special about ours."""

import pytest

from lesions.networks import registry
from lesions.training import recipes
from lesions.training.recipes import own


@pytest.mark.parametrize("name", registry.names())
def test_every_model_has_a_recipe(name):
    module = __import__(recipes.module_of(name), fromlist=["train"])
    assert callable(module.train) and module.__doc__


def test_which_recipes_see_the_shares_of_nature():
    once = {
        registry.entry(name).recipe for name in registry.names() if recipes.each_image_once(name)
    }
    assert once == {"own", "tuned"}


def test_the_step_size_rises_and_falls_to_nothing():
    rate = own.optimizer(200)._learning_rate
    values = [float(rate(step)) for step in (0, 20, 110, 200)]
    assert values[1] == pytest.approx(own.PEAK_RATE, rel=1e-3)
    assert values[0] < values[2] < values[1] and values[3] == pytest.approx(0, abs=1e-8)
