"""Which notebooks there are, and what each needs: read from the notebooks themselves.

A notebook is a file `notebooks/NN_name.ipynb`. Its metadata say whose files it reads:
`"course": {"needs": ["03_preprocessing"]}`. No list of notebooks is kept anywhere else.
"""

import ast
import itertools
import json
import re
from typing import Any

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT

NOTEBOOKS = ROOT / "notebooks"
NAME = re.compile(r"\d{2,}_\w+")


def contents(name: str) -> dict[str, Any]:
    """A notebook's file as it stands.

    Raises:
        LesionsError: the file is no notebook.
    """
    path = NOTEBOOKS / f"{name}.ipynb"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {"cells": found["cells"], "metadata": found["metadata"]}
    except (ValueError, KeyError, TypeError) as error:
        raise LesionsError(f"{path} is no notebook ({error!r}): take it back from git.") from error


def number_of(name: str) -> str:
    """The number that a notebook's name begins with, such as "03"."""
    return name.partition("_")[0]


def names() -> list[str]:
    """The notebooks' names, by number.

    Raises:
        LesionsError: two notebooks have one number.
    """
    found = [path.stem for path in NOTEBOOKS.glob("*.ipynb") if NAME.fullmatch(path.stem)]
    found.sort(key=lambda name: (int(number_of(name)), name))
    for one, other in itertools.pairwise(found):
        if int(number_of(one)) == int(number_of(other)):
            raise LesionsError(f"{one} and {other} have one number: rename one of them.")
    return found


def needs() -> dict[str, list[str]]:
    """Each notebook, by number, with the earlier ones whose files it reads.

    Raises:
        LesionsError: a notebook needs one that is not there, or that comes after it.
    """
    found: dict[str, list[str]] = {}
    for name in names():
        course = contents(name)["metadata"].get("course", {})
        found[name] = list(course.get("needs", []))
        for need in found[name]:
            if need not in list(found)[:-1]:
                raise LesionsError(
                    f"{name} needs {need}, by its metadata, and no notebook before it has that "
                    f"name. There are: {', '.join(list(found)[:-1])}."
                )
    return found


def find(text: str, known: list[str]) -> str:
    """The full name for a number or a name: `3`, `03` and `03_preprocessing` are the same.

    Raises:
        LesionsError: there is no such notebook.
    """
    from lesions.settings import params  # `make help` needs none of it

    for name in known:
        if text == name or (text.isdecimal() and int(text) == int(number_of(name))):
            return name
    raise LesionsError(
        f"Unknown notebook {text}.{params.nearest(text, known)} There are: {', '.join(known)}."
    )


def with_needs(name: str, needed: dict[str, list[str]]) -> list[str]:
    """The notebook and all that it needs, in the order of running."""
    wanted = {name}
    for later in reversed(needed):
        if later in wanted:
            wanted.update(needed[later])
    return [item for item in needed if item in wanted]


def code(name: str) -> tuple[list[str], list[str]]:
    """The sources of a notebook's code cells, and the names in its `parameters` cell."""
    cells = [cell for cell in contents(name)["cells"] if cell["cell_type"] == "code"]
    given = [
        node.id
        for cell in cells
        if "parameters" in cell["metadata"].get("tags", [])
        for node in ast.walk(ast.parse("".join(cell["source"])))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    return ["".join(cell["source"]) for cell in cells], given
