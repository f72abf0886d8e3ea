"""Two editions from one source: the notebooks, and the same without solutions for students.

A class may get other parameters than the course's: `make student P="IMAGE_SIZE=32"`.

In a code cell a solution stands between the lines `### BEGIN SOLUTION` and `### END SOLUTION`, as
nbgrader has it; a cell of prose that is a model answer has the tag `solution`. An exercise stands
after the section that it belongs to and reaches from its heading, such as `### Exercise 03.2`, to the
next heading.
"""

import argparse
import ast
import copy
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from lesions.core.errors import LesionsError
from lesions.core.files import BUILD, ROOT, write_json, write_text
from lesions.settings import params

NOTEBOOKS = ROOT / "notebooks"
STUDENT = BUILD / "student"
# Which bytes we wrote: a notebook with others has been changed by the student.
WRITTEN = ".written.json"
BLOCK = re.compile(
    r"^(?P<indent> *)### BEGIN SOLUTION\n(?P<code>.*?)^ *### END SOLUTION *$", re.DOTALL | re.M
)
ANSWER = "*When you have an answer, compare: `{}.solution()` shows ours.*"


def stub(block: re.Match) -> str:
    """What stands in place of a solution, such that every cell still runs."""
    indent, code = block["indent"], block["code"]
    if indent:
        note = f"{indent}# Your code here, in place of the next line.\n"
        return f"{note}{indent}raise NotImplementedError"
    lines = ast.parse(code).body
    if len(lines) == 1 and isinstance(lines[0], ast.Assign):
        return f"{ast.unparse(lines[0].targets[0])} = None  # your answer in place of None"
    return "# Your code here."


def is_model_answer(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell is prose that only the instructor's edition shows."""
    return cell.cell_type == "markdown" and "solution" in cell.metadata.get("tags", [])


def by_exercise(cells: list) -> Iterator[tuple[str | None, bool, nbformat.NotebookNode]]:
    """Each cell with the number of its exercise, and whether it is a part of one, or of the quiz."""
    number, among = None, False
    for cell in cells:
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("## "):
                    number, among = None, line.startswith(("## Exercises", "## Quiz"))
                elif line.startswith("### "):
                    found = re.match(r"### Exercise (\d\d\.\d)\b", line)
                    number = found[1] if found else None
        yield number, among or number is not None, cell


def without_solutions(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A student's edition of a notebook.

    In an exercise no output is kept: it would show results that are to be predicted. All other
    outputs stay, for the site; `write_student` keeps none.
    """
    made = copy.deepcopy(notebook)
    for number, among, cell in by_exercise(made.cells):
        if is_model_answer(cell):
            cell.source = ANSWER.format(f'checks.exercise("{number}")')
            cell.metadata.tags.remove("solution")
        elif cell.cell_type == "code":
            bare = BLOCK.sub(stub, cell.source)
            if among or bare != cell.source:
                cell.outputs, cell.execution_count = [], None
            cell.source = bare
    return made


def with_values(notebook: nbformat.NotebookNode, values: dict[str, Any]) -> nbformat.NotebookNode:
    """The notebook with other values in its `parameters` cell; those it does not have are left."""
    made = copy.deepcopy(notebook)
    for cell in made.cells:
        if "parameters" in cell.metadata.get("tags", []):
            for name, value in values.items():
                written = json.dumps(value) if isinstance(value, str) else repr(value)
                line = re.compile(rf"^({name}: \w+ = ).*?(?=  # |$)", re.M)
                cell.source = line.sub(lambda found, new=written: found[1] + new, cell.source)
    return made


def without_outputs(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook as if nobody had run it: what is to be guessed does not stand below."""
    made = copy.deepcopy(notebook)
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return made


def solution(number: str) -> str:
    """The solution of an exercise, as Markdown, read from the notebook that has it.

    Raises:
        LesionsError: no notebook has a solution under this number.
    """
    parts = []
    for path in sorted(NOTEBOOKS.glob(f"{number[:2]}_*.ipynb")):
        for found, _, cell in by_exercise(nbformat.read(path, as_version=4).cells):
            if found != number:
                continue
            if is_model_answer(cell):
                parts.append(cell.source)
            elif cell.cell_type == "code" and BLOCK.search(cell.source):
                shown = re.sub(r"^ *### (BEGIN|END) SOLUTION *\n?", "", cell.source, flags=re.M)
                parts.append(f"```python\n{shown.rstrip()}\n```")
    if not parts:
        raise LesionsError(f"There is no solution of exercise {number} in {NOTEBOOKS}.")
    return "\n\n".join(parts)


# ---------------------------------------------------------------- writing


def plain_glossary() -> str:
    """The glossary as JupyterLab shows it: in `docs/` it is written for the site."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    text = re.sub(r"\{term\}`([^`<]+?)(\s*<[^`>]*>)?`", r"*\1*", text)
    lines, inside = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = line != "```"
        elif inside and line and not line.startswith(" "):
            lines.append(f"**{line}**  ")
        else:
            lines.append(line.strip() if inside else line)
    return "\n".join(lines) + "\n"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _words(notebook: nbformat.NotebookNode) -> str:
    """A digest of a notebook's prose and code, without its outputs."""
    return _digest(json.dumps([cell.source for cell in notebook.cells]).encode())


def _free_place(path: Path, written: dict[str, str]) -> Path:
    """`path`, or a name beside it if the student has changed what is there."""
    place, number = path, 1
    while place.exists() and _digest(place.read_bytes()) != written.get(place.name):
        end = "new" if number == 1 else f"new-{number}"
        place, number = path.with_name(f"{path.stem}.{end}.ipynb"), number + 1
    return place


def _recorded(folder: Path, what: str) -> dict[str, Any]:
    """A part of what was noted when the edition was last made; empty if that is not known."""
    try:
        return dict(json.loads((folder / WRITTEN).read_text(encoding="utf-8"))[what])
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def write_student(folder: Path = STUDENT, values: dict[str, Any] | None = None) -> list[str]:
    """Make the student's edition; a notebook that the student has changed is never overwritten.

    Args:
        folder: gets the notebooks, the glossary, and a link `profiles` to the profiles.
        values: parameters of this class; None: as when the edition was last made.

    Returns:
        a sentence for each notebook that was made, renewed, or written beside a changed one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Where nothing is known, every notebook counts as changed, and none is lost.
    written, worded = _recorded(folder, "written"), _recorded(folder, "worded")
    values = _recorded(folder, "values") if values is None else values
    says = []
    for source in sorted(NOTEBOOKS.glob("*.ipynb")):
        made = without_solutions(nbformat.read(source, as_version=4))
        made = with_values(without_outputs(made), values)
        text = nbformat.writes(made) + "\n"
        digest, words = _digest(text.encode()), _words(made)
        target = folder / source.name
        there = _digest(target.read_bytes()) if target.exists() else ""
        changed = there and there != written.get(target.name)
        if there == digest or (changed and words == worded.get(target.name)):
            # Nothing new in the course.
            worded[target.name] = words
            if there == digest:
                written[target.name] = digest
            continue
        place = _free_place(target, written)
        if place == target:
            says.append(f"{target.name}: {'renewed' if target.exists() else 'made'}.")
        else:
            says.append(
                f"{target.name}: you have changed it, so it stays as it is; "
                f"the course's newer version is beside it as {place.name}."
            )
        write_text(place, text)
        written[place.name], worded[target.name] = digest, words
    write_json(folder / WRITTEN, {"written": written, "worded": worded, "values": values})
    write_text(folder / "glossary.md", plain_glossary())
    profiles = folder / "profiles"
    if not profiles.exists():
        profiles.symlink_to(os.path.relpath(NOTEBOOKS / "profiles", folder.resolve()))
    return says


def main(arguments: list[str] | None = None) -> int:
    """Behind `make student` and `make lab`: make the edition's notebooks and say what was done."""
    parser = argparse.ArgumentParser(prog="python -m course.editions", description=__doc__)
    parser.add_argument("edition", nargs="?", default="student")
    parser.add_argument("--profile", default="", help="its parameters become the notebooks' own")
    parser.add_argument("--set", default="", metavar="'NAME=value …'", help="and these")
    given = parser.parse_args(arguments)
    edition = given.edition
    if edition == "instructor":
        return 0  # the notebooks themselves
    if edition != "student":
        print(f"EDITION is student or instructor; got {edition}.", file=sys.stderr)
        return 1
    values = None
    try:
        if given.profile or given.set:
            values = params.read_profile(given.profile or "sample")
            values |= params.read_assignments(given.set)
            params.complete(values)
    except LesionsError as error:
        print(error, file=sys.stderr)
        return 1
    for line in write_student(STUDENT, values) or [
        "Nothing to do: the student edition is up to date."
    ]:
        print(line)
    print(f"Student edition: {STUDENT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
