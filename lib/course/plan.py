"""Which notebooks have to run: a key of all that a notebook's results depend on, and its stamp."""

import ast
import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from course import catalogue
from lesions.core import cache as kept
from lesions.core.files import ROOT, write_json
from lesions.data import known
from lesions.settings import params


def _file_states(paths: list[Path]) -> dict[str, list[int]]:
    """Size and time of change of each file that is there: enough to see that it changed."""
    states = {}
    for path in sorted(paths):
        if path.is_file():
            about = path.stat()
            states[str(path)] = [about.st_size, about.st_mtime_ns]
    return states


def _beside(module: str, path: Path) -> list[str]:
    """The modules beside a module of the library that finds them in its folder, or by a word."""
    text = path.read_text(encoding="utf-8") if module.startswith("lesions.") else ""
    if "iter_modules" not in text and "import_module" not in text:
        return []
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    return [f"{package}.{other.stem}" for other in path.parent.glob("*.py")]


@cache
def _names_in(path: Path, _state: tuple[int, int]) -> frozenset[str]:
    """The parameters that a source file names."""
    words = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", path.read_text(encoding="utf-8")))
    return frozenset(words & set(params.PARAMETERS))


def reach(name: str) -> tuple[list[str], list[str]]:
    """The modules that a notebook can reach from its imports, and the parameters that it can use.

    Those of its own cells count, and those that a module of the library names; the room `settings`
    names them all and uses none.
    """
    code, given = catalogue.code(name)
    text = "\n".join(line for cell in code for line in cell.splitlines() if line[:1] not in "%!")
    imported = {f"course.exercises.notebook_{catalogue.number_of(name)}"}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    found = kept.reached(imported)
    found = kept.reached([*found, *(one for item in found.items() for one in _beside(*item))])
    used = set(given) | set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", text)) & set(params.PARAMETERS)
    for module, path in found.items():
        if module.startswith("lesions.") and not module.startswith("lesions.settings"):
            used |= _names_in(path, (path.stat().st_size, path.stat().st_mtime_ns))
    return list(found), [known for known in params.PARAMETERS if known in used]


def _kept_tables() -> dict[str, str]:
    """What the course keeps beside its code: reference tables and kept results, by content."""
    found = (path for pattern in ("*.csv", "*.json", "results/*/*.csv")
             for path in (ROOT / "data").glob(pattern))  # fmt: skip
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def _data_state(values: dict[str, Any]) -> Any:
    """What tells that the images changed: the data folder's entries with their sizes and times."""
    if known.entry(values["DATASET"]).draw:
        return values["DATASET"]  # its code and its parameters are in the key
    folder = known.place(values["DATASET"], values["DATA_DIR"])
    return _file_states(list(folder.rglob("*"))) if folder.is_dir() else "absent"


def _outputs(folder: Path, ledger: Path) -> list[Path]:
    """The files under a profile's folder that a notebook made, from its list of outputs."""
    noted = set(ledger.read_text(encoding="utf-8").splitlines()) if ledger.exists() else set()
    made = [Path(line) for line in noted]
    files = [file for path in made for file in (path.rglob("*") if path.is_dir() else [path])]
    return [file for file in files if file.is_relative_to(folder.resolve()) and file.is_file()]


def stamp_of(name: str, stamps: Path) -> dict[str, Any]:
    """What was noted when a notebook last ran to its end: its key and outputs; empty if it has not.

    A stamp that cannot be read counts as none: the notebook then runs again.
    """
    try:
        stamp = json.loads((stamps / f"{name}.json").read_text(encoding="utf-8"))
        return {"key": stamp["key"], "outputs": dict(stamp["outputs"])}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def plan(
    name: str, needs: dict[str, list[str]], values: dict[str, Any], stamps: Path
) -> tuple[str, bool]:
    """The key of a notebook's run, and whether the run on disk has it and is whole.

    Args:
        name: the notebook.
        needs: from `catalogue.needs`.
        values: every parameter.
        stamps: the folder of the stamps, in the folder of the executed notebooks.
    """
    modules, used = reach(name)
    earlier = [stamp["outputs"] for need in needs[name] if (stamp := stamp_of(need, stamps))]
    key = kept.key(
        catalogue.code(name)[0], earlier, _kept_tables(), _data_state(values),
        code=modules, settings={known: values[known] for known in used},
    )  # fmt: skip
    stamp = stamp_of(name, stamps)
    if not stamp or not (stamps.parent / f"{name}.ipynb").exists():
        return key, False
    whole = _file_states([Path(path) for path in stamp["outputs"]]) == stamp["outputs"]
    return key, stamp["key"] == key and whole


def begin(name: str, stamps: Path) -> None:
    """Forget the last run: the notebook is about to run."""
    (stamps / f"{name}.json").unlink(missing_ok=True)


def finish(name: str, key: str, folder: Path) -> None:
    """Note that a notebook ran to its end under a key, and what it made.

    Args:
        folder: the profile's build folder.
    """
    notebooks = folder / "notebooks"
    states = _file_states(_outputs(folder, notebooks / f"{name}.outputs"))
    write_json(notebooks / ".stamps" / f"{name}.json", {"key": key, "outputs": states})
