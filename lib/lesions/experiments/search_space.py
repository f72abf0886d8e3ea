"""What is searched: each parameter with its range, declared once. The names are those of settings.

A setting is a dictionary of parameters by name. It is all that travels to a worker of a cluster.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lesions.settings.parameters import Settings, Value

MODEL = "cnn"
TARGET = "dx"


@dataclass(frozen=True)
class Range:
    """The values that a parameter may take: from low to high, or one of some choices."""

    low: float = 0.0
    high: float = 0.0
    log: bool = False  # a factor counts, not a difference
    choices: tuple[Value, ...] = ()


SPACE: dict[str, Range] = {
    "LEARNING_RATE": Range(1e-4, 1e-2, log=True),
    "CNN_WIDTH": Range(choices=(0.125, 0.25, 0.5, 1.0, 2.0)),
    "CNN_DROPOUT": Range(0.0, 0.6),
    "BATCH_SIZE": Range(choices=(16, 32, 64)),
    "AUGMENT": Range(choices=(False, True)),
    "RESAMPLE": Range(choices=("over", "none")),
}
# The table on which samplers are compared: every cell was trained. What it leaves out has its
# default.
GRID: dict[str, tuple[Value, ...]] = {
    "LEARNING_RATE": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
    "CNN_WIDTH": (0.125, 0.25, 0.5, 1.0),
    "AUGMENT": (False, True),
}


def suggest(trial: Any) -> dict[str, Value]:
    """A setting, each value asked of an Optuna trial as it is needed ("define by run")."""
    setting = {}
    for name, known in SPACE.items():
        if known.choices:
            setting[name] = trial.suggest_categorical(name, known.choices)
        else:
            setting[name] = trial.suggest_float(name, known.low, known.high, log=known.log)
    return setting


def defaults(settings: Settings) -> dict[str, Value]:
    """The setting that the study uses: what every search has to beat."""
    return {name: getattr(settings, name) for name in SPACE}


def cells(settings: Settings) -> list[dict[str, Value]]:
    """Every setting of `GRID`, row by row; the parameters that it leaves out as in `settings`."""
    rest = defaults(settings)
    return [
        rest | dict(zip(GRID, values, strict=True)) for values in itertools.product(*GRID.values())
    ]


def profile_text(setting: Mapping[str, Value], base: Mapping[str, Value], name: str) -> str:
    """A profile file with a setting over the parameters of another profile.

    Args:
        setting: the parameters that were found.
        base: those that were given when it was searched.
        name: of the new profile, which is also its folder under build/.

    Returns:
        YAML, one parameter a line, as `params.read_profile` reads it.
    """
    import yaml

    values = dict(base) | dict(setting) | {"PROFILE": name}
    lines = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    return "# Written by `make search`: the best setting by its validation score.\n" + lines
