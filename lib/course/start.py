"""The course's address, and the notebooks' first cell, which fetches the course where it is not.

    python -m course.start                                   lays the cell into every notebook
    python -m course.start https://github.com/OWNER/NAME     first makes this the address

The address stands in `pyproject.toml`, under [project.urls]; a fork sets its own with the second
line. README.md, docs/start.md and the notebooks have it from there, and a test holds them to it.
"""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import nbformat

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT, atomic, write_text

TAG = "start"
PLACES = ("README.md", "docs/start.md")
FORM = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+?")
CELL = """# Where the course is not installed, as on Colab, fetch it; elsewhere this does nothing.
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("lesions") is None:
    address = "{address}"
    subprocess.run(["git", "clone", "--depth", "1", address, "course"], check=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "-e", "course"], check=True)
    sys.path.insert(0, "course/lib")"""


def address(root: Path = ROOT) -> str:
    """Where the course can be had, such as https://github.com/OWNER/REPOSITORY."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"]


def cell(place: str) -> nbformat.NotebookNode:
    """The first cell of a notebook of the course at an address; folded where that is known."""
    made = nbformat.v4.new_code_cell(CELL.format(address=place), execution_count=1, id="start")
    made.metadata.update({"tags": [TAG], "jupyter": {"source_hidden": True}})
    return made


def is_start(one: Any) -> bool:
    """Whether a cell is that one."""
    return TAG in one["metadata"].get("tags", [])


def without(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A notebook for where the course is: the cell is taken out, in place."""
    notebook.cells = [one for one in notebook.cells if not is_start(one)]
    return notebook


def lay(path: Path, place: str) -> bool:
    """Put the cell before a notebook's first code cell, in place of an older one.

    The numbers of the cells that were run before move up by one.

    Returns:
        whether the file changed.
    """
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    numbered = any(is_start(one) for one in notebook.cells)
    without(notebook)
    kinds = [one.cell_type for one in notebook.cells]
    if not numbered:
        for one in notebook.cells:
            for part in (one, *one.get("outputs", [])):
                if part.get("execution_count"):
                    part["execution_count"] += 1
    notebook.cells.insert(kinds.index("code"), cell(place))
    made = nbformat.writes(notebook) + "\n"
    if made == text:
        return False
    write_text(path, made)
    return True


def move(new: str, root: Path = ROOT) -> None:
    """Make an address the course's own, in `pyproject.toml` and on the pages that show it.

    Raises:
        LesionsError: it has not the form of an address on GitHub.
    """
    if not FORM.fullmatch(new):
        raise LesionsError(
            f"{new} is no address such as https://github.com/OWNER/REPOSITORY; Colab and Binder "
            "read from GitHub."
        )
    old = address(root)
    for name in ("pyproject.toml", *PLACES):
        text = (root / name).read_text(encoding="utf-8")
        for host in ("https://github.com/", ""):  # Colab's and Binder's links have the end alone
            text = text.replace(old.replace("https://github.com/", host), new.replace(
                "https://github.com/", host))  # fmt: skip
        with atomic(root / name) as partial:
            partial.write_text(text, encoding="utf-8")


def main(words: list[str] | None = None, root: Path = ROOT) -> int:
    """Set the address, if one is given, and lay the cell; the exit status."""
    words = sys.argv[1:] if words is None else words
    try:
        if words:
            move(words[0].rstrip("/").removesuffix(".git"), root)
    except LesionsError as error:
        print(error, file=sys.stderr)
        return 1
    changed = [path.stem for path in sorted((root / "notebooks").glob("[0-9]*.ipynb"))
               if lay(path, address(root))]  # fmt: skip
    print(f"Address: {address(root)}\nChanged: {', '.join(changed) or 'no notebook'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
