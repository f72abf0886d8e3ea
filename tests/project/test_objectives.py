"""The learning objectives: each exercise has one, each begins with a verb of its level."""

import json
import re

from lesions.core.files import ROOT

# Bloom's levels, and the verbs that we take for them.
LEVELS = {
    "understand": {"estimate", "explain", "predict"},
    "apply": {"calculate", "compute", "implement"},
    "analyse": {"detect", "diagnose", "infer"},
    "evaluate": {"argue", "judge", "plan", "question", "select"},
    "create": {"construct", "design"},
}


def objectives() -> list[tuple[str, str, str, str]]:
    """Notebook, verb, level and exercise of each line of the table."""
    text = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")
    text = text.split("## Objectives, notebook by notebook")[1].split("\n## ")[0]
    rows = re.findall(r"^\| *(\d\d)? *\| \*(\w+)\* .* \| (\w+) \| (\d\d\.\d) \|$", text, flags=re.M)
    notebook, lines = "", []
    for number, verb, level, exercise in rows:
        notebook = number or notebook
        lines.append((notebook, verb, level, exercise))
    return lines


def exercises() -> list[str]:
    """The numbers of the exercises, from the headings of the notebooks."""
    found = set()
    for path in (ROOT / "notebooks").glob("[0-9]*_*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            found |= {*re.findall(r"^### Exercise (\d\d\.\d)", "".join(cell["source"]), re.M)}
    return sorted(found)


def test_each_exercise_has_one_objective_in_the_row_of_its_notebook():
    lines = objectives()
    assert [exercise for *_, exercise in lines] == exercises()
    assert all(exercise.startswith(notebook) for notebook, *_, exercise in lines)


def test_each_objective_begins_with_a_verb_of_its_level():
    for _, verb, level, exercise in objectives():
        assert verb in LEVELS[level], exercise


def test_each_notebook_goes_beyond_applying():
    for notebook in {number for number, *_ in objectives()}:
        levels = {level for number, _, level, _ in objectives() if number == notebook}
        assert len(levels) >= 3 and levels & {"analyse", "evaluate", "create"}, notebook


def test_the_papers_works_are_in_the_bibliography():
    text = (ROOT / "paper.md").read_text(encoding="utf-8")
    works = re.findall(
        r"^@\w+\{(\w+),", (ROOT / "docs" / "references.bib").read_text("utf-8"), re.M
    )
    cited = re.findall(r"@(\w+)", text.split("---", 2)[2])
    assert len(cited) >= 8 and set(cited) <= set(works)
    assert "bibliography: docs/references.bib" in text
    assert 250 <= len(text.split("---", 2)[2].split()) <= 1000  # what the journal asks for
