"""How parameters are given: in a notebook's first cell, in a profile, on the command line."""

import ast
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT, write_json
from lesions.settings.assignments import split_assignments
from lesions.settings.parameters import (
    PARAMETERS,
    Settings,
    as_number,
    check_value,
    nearest,
)

PROFILES = ROOT / "notebooks" / "profiles"
FIRST_LINE = "# Parameters"  # papermill begins the cell that it injects with the same comment
START = "params.start("


# ---------------------------------------------------------------- in a notebook


def _stored_names(source: str) -> tuple[set[str], bool]:
    """The names that a cell sets, and whether it is a notebook's own: those give types, too."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:  # then it has set nothing
        return set(), False
    names = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return names, any(isinstance(node, ast.AnnAssign) for node in nodes)


def names_in_history(history: Sequence[str]) -> set[str]:
    """The names that a notebook's parameters cells set, as these cells stand now.

    Papermill only warns of a name that the notebook does not have, and exits 0; so we read the
    cells' own text. The notebook's own cell counts as it was run last, with the cells after it: it
    sets all of its names anew. Elsewhere an unknown name counts until the next of these cells is
    run: whoever was told of it corrects it in place, and the wrong text is there no longer.

    Args:
        history: the sources of all cells run so far, in order, as IPython keeps them in `In`.
    """
    own: set[str] = set()
    others: set[str] = set()
    latest: set[str] = set()
    answered = False
    for source in history:
        if source.lstrip().startswith(FIRST_LINE):
            names, is_own = _stored_names(source)
            if is_own:
                own, others, latest = names, set(), set()
            else:
                others, latest = others | names, names if answered else latest | names
            answered = False
        elif START in source:
            answered = True
    return own | latest | {name for name in others if name in PARAMETERS}


def given_in(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a notebook's parameters cells set, with their values of now.

    Where the kernel keeps no history, as under nbval, there are only the names to go by.

    Args:
        namespace: the notebook's `globals()`.
    """
    names = names_in_history(namespace.get("In", []))
    names = names or {name for name in namespace if name in PARAMETERS}
    return {name: namespace[name] for name in sorted(names) if name in namespace}


def line_of(given: Mapping[str, Any]) -> str:
    """Some parameters in one line, in the order of their declaration."""
    return "   ".join(f"{name}={given[name]!r}" for name in PARAMETERS if name in given)


def show_whole_sentences() -> None:
    """Have pandas show long texts in tables to their end."""
    import pandas as pd  # `make` reads this module too, and has no use for tables

    pd.set_option("display.max_colwidth", None)


def start(notebook: str, namespace: Mapping[str, Any]) -> Settings:
    """The settings of a notebook, from its parameters cells; printed, and kept in a file.

    Args:
        notebook: the notebook's number, such as "03".
        namespace: the notebook's `globals()`.

    Raises:
        LesionsError: a parameter is unknown, mistyped, out of range or of the wrong type.
    """
    given = given_in(namespace)
    settings = Settings.of(given)
    show_whole_sentences()
    print(line_of(given))
    write_json(settings.folder / "params" / f"{notebook}.json", given)
    return settings


# ---------------------------------------------------------------- in files and on the command line


def read_profile(name: str, folder: Path = PROFILES) -> dict[str, Any]:
    """The parameters in `notebooks/profiles/<name>.yaml`, checked.

    Raises:
        LesionsError: there is no such profile, it is not YAML, or a value in it is refused.
    """
    path = folder / f"{name}.yaml"
    if not path.exists():
        known = sorted(item.stem for item in folder.glob("*.yaml"))
        raise LesionsError(
            f"Unknown profile {name}.{nearest(name, known)} There are: {', '.join(known)}."
        )
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        where = str(error).replace("\n", " ")
        raise LesionsError(f"{path} is not valid YAML ({where}); mend the file.") from error
    if not isinstance(values, dict):
        raise LesionsError(f"{path} must hold lines of the form NAME: value.")
    return {key: check_value(key, _from_yaml(key, value)) for key, value in values.items()}


def _from_yaml(name: str, value: Any) -> Any:
    """The value as it was meant: YAML 1.1 wants a point and a sign in 1.0e-3, and few know."""
    wants_float = name in PARAMETERS and isinstance(PARAMETERS[name].default, float)
    number = as_number(value) if wants_float else None
    return value if number is None else number


def _parse(name: str, raw: str) -> Any:
    """The value that a text on the command line stands for, as papermill reads it."""
    if name in PARAMETERS and isinstance(PARAMETERS[name].default, str):
        return raw
    if raw.lower() in ("true", "false"):
        return raw.lower() == "true"
    for kind in (int, float):
        with suppress(ValueError):
            return kind(raw)
    return raw


def read_assignments(text: str) -> dict[str, Any]:
    """Parameters from a command line such as `EPOCHS=3 SEED=7 BINARY_RUNS=cnn:sex,fcnn_l2:sex`.

    Raises:
        LesionsError: a part is not NAME=value, or the value is refused.
    """
    values = {}
    for part in split_assignments(text):
        name, equals, raw = part.partition("=")
        if not equals:
            raise LesionsError(f"Parameters are given as NAME=value; got {part!r}.")
        values[name] = check_value(name, _parse(name, raw))
    return values
