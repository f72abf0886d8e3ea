"""All models by name. A model is added by a file in this folder that has `MODELS`, and no more."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any

from lesions import networks
from lesions.core.errors import LesionsError
from lesions.settings.parameters import Settings, nearest


@dataclass(frozen=True)
class Entry:
    """A model: how it is built, how it is trained, and what may be chosen about it.

    The recipe is the name of a module in `lesions.training.recipes`; it says what `build` takes
    beside its options, and what it returns.
    """

    build: Callable
    recipe: str
    about: str  # in one line
    options: Mapping[str, str] = field(default_factory=dict)  # argument of `build` -> parameter
    units: tuple[int, ...] = ()  # widths of the dense layers of its head, where it gets one
    pretrained: bool = False  # whether it begins with the weights that WEIGHTS names
    fine_tune: bool = False  # whether FINE_TUNE_LAYERS of it may be trained on


@cache
def _modules() -> dict[str, ModuleType]:
    """The module of each model, by the model's name, in alphabetical order of the modules."""
    found: dict[str, ModuleType] = {}
    for about in pkgutil.iter_modules(networks.__path__):
        module = importlib.import_module(f"{networks.__name__}.{about.name}")
        for name in getattr(module, "MODELS", {}):
            if name in found:
                raise LesionsError(
                    f"Two files have a model {name}: {found[name].__name__} and {module.__name__}; "
                    "rename one of the two."
                )
            found[name] = module
    return found


def names(recipe: str | None = None) -> list[str]:
    """The names of all models, or of those that are trained by one recipe."""
    return [name for name in _modules() if recipe in (None, entry(name).recipe)]


def module_of(name: str) -> ModuleType:
    """The module that a model is declared in.

    Raises:
        LesionsError: there is no such model.
    """
    if name not in _modules():
        raise LesionsError(
            f"Unknown model {name}.{nearest(name, list(_modules()))} "
            f"There are: {', '.join(_modules())}."
        )
    return _modules()[name]


def entry(name: str) -> Entry:
    """What is declared of a model; raises as `module_of`."""
    return module_of(name).MODELS[name]


def options(name: str, settings: Settings) -> dict[str, Any]:
    """What a model takes from the settings, as keyword arguments of its `build`."""
    return {option: getattr(settings, p) for option, p in entry(name).options.items()}


def build(name: str, size: int, classes: int, settings: Settings) -> Any:
    """A model of a recipe that wants the size of the images and the number of classes."""
    return entry(name).build(size, classes, **options(name, settings))
