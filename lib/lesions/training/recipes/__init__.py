"""The ways to train: one module each, with `train`, named as the registry's entries name them."""

import importlib

from lesions.networks import registry
from lesions.settings.parameters import Settings
from lesions.training.split_data import Data
from lesions.training.trained import Trained


def module_of(name: str) -> str:
    """The dotted name of the module that holds a model's recipe."""
    return f"{__name__}.{registry.entry(name).recipe}"


def each_image_once(name: str) -> bool:
    """Whether a model's recipe shows each training image once an epoch, however often it stands.

    Such a recipe says `EACH_IMAGE_ONCE = True`. Its model sees the class shares of nature, whatever
    the training part was resampled to.
    """
    return getattr(importlib.import_module(module_of(name)), "EACH_IMAGE_ONCE", False)


def train(name: str, data: Data, settings: Settings, label: str) -> Trained:
    """Train any model in the way that its entry names.

    Args:
        name: one of `registry.names()`.
        data: the split, from `split_data.prepare`.
        settings: all parameters; the recipe takes what it needs.
        label: begins each line of progress.
    """
    return importlib.import_module(module_of(name)).train(name, data, settings, label)
