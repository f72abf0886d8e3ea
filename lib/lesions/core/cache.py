"""The one cache: a result is kept under a key that knows everything it was made from.

A key is made of the content of what goes in, of the settings, of the code that the result can
reach, and of the versions of the libraries that compute it. The code is found from the imports,
so that nobody has to keep a list. What only speaks to people, comments and docstrings, is left out:
a mended comment must not cost an hour of training.
"""

import ast
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, is_dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from lesions.core import files
from lesions.core.files import ROOT, atomic, note_output, write_text

LIBRARY = ROOT / "lib"
# What is imported under another name than it is installed under.
INSTALLED_AS = {"cv2": "opencv-python", "sklearn": "scikit-learn", "imblearn": "imbalanced-learn",
                "PIL": "pillow", "yaml": "PyYAML"}  # fmt: skip

Code = str | ModuleType | Callable


# ---------------------------------------------------------------- what a result can reach


def module_name(code: Code) -> str:
    """The dotted name of a module; of a function or class, that of the module it stands in."""
    if isinstance(code, str):
        return code
    return code.__name__ if isinstance(code, ModuleType) else code.__module__


def source_of(name: str, library: Path = LIBRARY) -> Path | None:
    """The file of one of our modules or packages; None for anybody else's."""
    place = library.joinpath(*name.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str)


class _Strip(ast.NodeTransformer):
    """Takes out docstrings, and what is imported for type checkers alone: neither is ever run."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if _is_docstring(node) else node

    def visit_If(self, node: ast.If) -> ast.AST | None:
        self.generic_visit(node)
        return None if ast.unparse(node.test).endswith("TYPE_CHECKING") else node


@cache
def _read(path: Path, _state: tuple[int, int]) -> tuple[str, frozenset[str]]:
    """What a source file does, as text, and the dotted names that it imports."""
    tree = _Strip().visit(ast.parse(path.read_text(encoding="utf-8")))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return ast.dump(tree), frozenset(names)


def _parsed(path: Path) -> tuple[str, frozenset[str]]:
    about = path.stat()
    return _read(path, (about.st_size, about.st_mtime_ns))


def reached(code: Iterable[Code], library: Path = LIBRARY) -> dict[str, Path]:
    """Our modules that some code can reach through its imports, itself included.

    A module that is found by walking a folder, as the registry finds its models, is not imported
    by name: who uses it names it, or its function, as code of the result.

    Args:
        code: modules, functions, classes, or dotted names.
        library: the folder that holds our packages.

    Returns:
        the file of each module, by dotted name, sorted.
    """
    waiting, found = [module_name(one) for one in code], {}
    while waiting:
        name = waiting.pop()
        path = source_of(name, library)
        if path is None or name in found:
            continue
        found[name] = path
        waiting += _parsed(path)[1]
        if "." in name:  # Python runs the packages around a module first
            waiting.append(name.rpartition(".")[0])
    return dict(sorted(found.items()))


@cache
def _version(package: str) -> str:
    try:
        return metadata.version(INSTALLED_AS.get(package, package))
    except metadata.PackageNotFoundError:
        return ""  # part of Python


def versions(paths: Iterable[Path]) -> dict[str, str]:
    """The versions of the installed libraries that some source files import, by name."""
    used = {name.partition(".")[0] for path in paths for name in _parsed(path)[1]}
    used -= {"lesions", "course"}  # ours: their text is in the key, not their number
    known = {package: _version(package) for package in sorted(used)}
    return {package: version for package, version in known.items() if version}


# ---------------------------------------------------------------- keys


def _plain(value: Any) -> Any:
    """A value as JSON can hold it, all of its content in it.

    Raises:
        TypeError: the value's content is not known; `str` of it could leave half of it out.
    """
    # Asked by what it can do, so that the runner, which has no tables, need not import pandas.
    if hasattr(value, "to_csv"):
        text = value.to_csv(na_rep="<missing>")
        types = value.dtypes.to_dict() if hasattr(value, "columns") else value.dtypes
        return [str(types), hashlib.sha256(text.encode()).hexdigest()]
    if hasattr(value, "tobytes"):
        data = hashlib.sha256(value.tobytes()).hexdigest()
        return [str(value.dtype), list(value.shape), data]
    if is_dataclass(value) and not isinstance(value, type):
        return {type(value).__name__: asdict(value)}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset | range):
        return sorted(value)
    raise TypeError(f"The content of a {type(value).__name__} is not known to the cache.")


def digest(*parts: Any, length: int = 16) -> str:
    """A short, stable name for a set of values: the start of the SHA-256 of their content.

    Args:
        parts: numbers, texts, lists, mappings, arrays, tables, dataclasses, paths (by name).
        length: of the result, in hexadecimal digits.
    """
    text = json.dumps(parts, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def code_key(*code: Code, library: Path = LIBRARY) -> str:
    """A short name for all code that some code can reach, and the libraries that this imports."""
    sources = reached(code, library)
    texts = {name: _parsed(path)[0] for name, path in sources.items()}
    return digest(texts, versions(sources.values()))


def key(*inputs: Any, code: Iterable[Code], settings: Mapping[str, Any] | None = None) -> str:
    """The key of a result.

    Args:
        inputs: everything that goes in, by its content: a file by a digest of it.
        code: the functions or modules that make the result; what they import is found.
        settings: all parameters but those that change nothing (`Settings.deciding`).
    """
    return digest(inputs, dict(settings or {}), code_key(*code))


# ---------------------------------------------------------------- keeping


def shared(kind: str, name: str, key: str, make: Callable[[Path], None]) -> Path:
    """A file or folder of `data/cache`, which all profiles share; made if it is not there.

    Args:
        kind: the folder in the cache, such as "pixels".
        name: for people; what comes after a dot in it is the file's ending.
        key: from `key`; part of the file's name, so older results stay beside newer ones.
        make: writes the result to the path that it is given; if it fails, nothing is left.

    Returns:
        the path of the result.
    """
    stem, dot, ending = name.partition(".")
    path = Path(files.CACHE) / kind / f"{stem}-{key}{dot}{ending}"
    if not path.exists():
        # Two runs may make it at the same time: the first to end has it, and reads it already.
        with atomic(path, replace=False) as partial:
            make(partial)
    return path


def _note(path: Path) -> Path:
    return path.with_name(f".{path.name}.key")


def is_whole(path: Path) -> bool:
    """Whether a named result was kept by this cache and is whole; no older version's is."""
    return path.exists() and _note(path).is_file()


def is_kept(path: Path, key: str) -> bool:
    """Whether a named result is there, whole, and was made with this key."""
    return is_whole(path) and _note(path).read_text(encoding="utf-8") == key


def named(path: Path, key: str, make: Callable[[Path], None]) -> bool:
    """A file or folder that has its own place, made anew if its key has changed.

    Args:
        path: the place, such as a run record's folder.
        key: from `key`; it is kept beside the result, and written last.
        make: writes the result to the path that it is given; if it fails, the older result stays,
            but counts as out of date.

    Returns:
        True if it was there already.
    """
    there = is_kept(path, key)
    if not there:
        _note(path).unlink(missing_ok=True)
        with atomic(path) as partial:
            make(partial)
        write_text(_note(path), key)
    note_output(path)
    return there
