"""What a notebook can reach: its parameters, and the code that makes it run again."""

from course import catalogue, plan
from lesions.core.files import ROOT
from lesions.settings import params


def test_every_parameter_reaches_a_notebook():
    used = {name for notebook in catalogue.names() for name in plan.reach(notebook)[1]}
    assert used == set(params.PARAMETERS)


def test_a_notebook_that_trains_reaches_every_recipe_and_its_parameters():
    recipes = {path.stem for path in (ROOT / "lib/lesions/training/recipes").glob("*.py")}
    modules, used = plan.reach("05_multiclass_cnn")
    assert {f"lesions.training.recipes.{name}" for name in recipes} <= set(modules)
    assert {"OWN_EPOCHS", "TUNE_EPOCHS", "HEAD_EPOCHS"} <= set(used)
