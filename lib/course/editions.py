"""Two editions from one source: the notebooks, and the same without solutions for students.

A class may get other parameters than the course's: `make student P="IMAGE_SIZE=32"`.

In a code cell a solution stands between the lines `### BEGIN SOLUTION` and `### END SOLUTION`, as
nbgrader has it; a cell of prose that is a model answer has the tag `solution`. An exercise stands
after the section that it belongs to, and reaches from its heading, such as `### Exercise 03.2`, to
the next heading.
"""

import ast
import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import nbformat

from course import catalogue
from lesions.core.errors import LesionsError
from lesions.settings import params

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
    """Each cell with the number of its exercise, and whether it is one for the student to do.

    That is an exercise, wherever it stands, and a whole section called *Exercises* or *Quiz*.
    """
    number, section = None, False
    for cell in cells:
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("## "):
                    number, section = None, line.startswith(("## Exercises", "## Quiz"))
                elif line.startswith("### "):
                    found = re.match(r"### Exercise (\d{2,}\.\d+)\b", line)
                    number = found[1] if found else None
        yield number, section or number is not None, cell


def without_solutions(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A student's edition of a notebook.

    Among the exercises no output is kept: it would show results that are to be predicted. All other
    outputs stay, for the site; `copies.write` keeps none.
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
    """The notebook with other values in its `parameters` cell.

    One that has no line there gets one, unless it is the default: all notebooks of a class then
    work on the same images.
    """
    made = copy.deepcopy(notebook)
    for cell in made.cells:
        if "parameters" in cell.metadata.get("tags", []):
            for name, value in values.items():
                written = json.dumps(value) if isinstance(value, str) else repr(value)
                line = re.compile(rf"^({name}: \w+ = ).*?(?=  # |$)", re.M)
                cell.source, there = line.subn(
                    lambda found, new=written: found[1] + new, cell.source
                )
                known = params.PARAMETERS[name]
                if not there and value != known.default:
                    kind = type(known.default).__name__
                    cell.source += f"\n{name}: {kind} = {written}  # {known.help}"
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
    for name in catalogue.names():
        if catalogue.number_of(name) != number.partition(".")[0]:
            continue
        path = catalogue.NOTEBOOKS / f"{name}.ipynb"
        for found, _, cell in by_exercise(nbformat.read(path, as_version=4).cells):
            if found != number:
                continue
            if is_model_answer(cell):
                parts.append(cell.source)
            elif cell.cell_type == "code" and BLOCK.search(cell.source):
                shown = re.sub(r"^ *### (BEGIN|END) SOLUTION *\n?", "", cell.source, flags=re.M)
                parts.append(f"```python\n{shown.rstrip()}\n```")
    if not parts:
        raise LesionsError(f"There is no solution of exercise {number} in {catalogue.NOTEBOOKS}.")
    return "\n\n".join(parts)


if __name__ == "__main__":  # the command of before
    import runpy

    runpy.run_module("course.copies", run_name="__main__")
