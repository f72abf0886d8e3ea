"""The student edition: nothing of a solution in it, nothing of a student's lost, all of it runs."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest
from nbformat import sign, v4

from course import __main__ as commands
from course import catalogue, copies, editions, start
from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from lesions.settings import params

SOURCES = catalogue.NOTEBOOKS
NAMES = catalogue.names()


def source(name: str) -> nbformat.NotebookNode:
    """A notebook without the cell that fetches the course, which no copy has."""
    return start.without(nbformat.read(catalogue.NOTEBOOKS / f"{name}.ipynb", as_version=4))


def with_solutions(student: nbformat.NotebookNode, original: nbformat.NotebookNode) -> list[str]:
    """The cells of a student edition after each stub got its solution back."""
    cells = []
    for cell, whole in zip(student.cells, original.cells, strict=True):
        text = cell.source
        for block in editions.BLOCK.finditer(whole.source):
            assert editions.stub(block) in text
            text = text.replace(editions.stub(block), block[0], 1)
        cells.append(whole.source if editions.is_model_answer(whole) else text)
    return cells


@pytest.fixture
def folder(tmp_path):
    copies.write("student", tmp_path / "student")
    return tmp_path / "student"


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("name", NAMES)
def test_no_solution_is_left(name):
    original, student = source(name), editions.without_solutions(source(name))
    text = nbformat.writes(student)
    assert "SOLUTION" not in text and '"solution"' not in text
    blocks = [b for cell in original.cells for b in editions.BLOCK.finditer(cell.source)]
    assert len(blocks) >= 4
    prose = "\n".join(cell.source for cell in student.cells)
    for block in blocks:
        # A line such as `else:` may stand elsewhere; one with some length is a solution's own.
        lines = [line.strip() for line in block["code"].splitlines() if len(line.strip()) > 12]
        assert not [line for line in lines if line in prose]
    answers = [cell for cell in original.cells if editions.is_model_answer(cell)]
    assert len(answers) >= 4
    for answer in answers:
        assert not [line for line in re.split(r"(?<=\.) ", answer.source) if line in prose]


@pytest.mark.parametrize("name", NAMES)
def test_with_its_solutions_put_back_it_is_the_source(name):
    original, student = source(name), editions.without_solutions(source(name))
    assert with_solutions(student, original) == [cell.source for cell in original.cells]
    assert [cell.id for cell in student.cells] == [cell.id for cell in original.cells]
    assert student.metadata == original.metadata


@pytest.mark.parametrize("name", NAMES)
def test_outputs_stay_except_among_the_exercises(name):
    original, student = source(name), editions.without_solutions(source(name))
    for (_, among, cell), whole in zip(
        editions.by_exercise(student.cells), original.cells, strict=True
    ):
        if cell.cell_type == "code":
            assert cell.outputs == ([] if among else whole.outputs)
    assert any(cell.get("outputs") for cell in student.cells)


def test_an_exercise_stands_anywhere_and_ends_at_the_next_heading():
    cells = [
        v4.new_markdown_cell("## A section\n\nWords."),
        v4.new_code_cell("1"),
        v4.new_markdown_cell("### Exercise 01.1 · Predict"),
        v4.new_code_cell("2"),
        v4.new_markdown_cell("### More of the section"),
        v4.new_code_cell("3"),
        v4.new_markdown_cell("### Exercise 01.2 · Think"),
        v4.new_code_cell("4"),
        v4.new_markdown_cell("## Quiz"),
        v4.new_code_cell("5"),
        v4.new_markdown_cell("## What you have seen"),
        v4.new_code_cell("6"),
    ]
    found = list(editions.by_exercise(cells))
    assert [number for number, _, _ in found][1::2] == [None, "01.1", None, "01.2", None, None]
    assert [among for _, among, _ in found][1::2] == [False, True, False, True, True, False]


def test_making_it_again_changes_nothing(folder):
    before = contents(folder)
    assert set(before) == {*(f"{name}.ipynb" for name in NAMES), copies.WRITTEN, "glossary.md"}
    glossary = before["glossary.md"].decode()
    assert "**dermatoscope**" in glossary and "{term}" not in glossary and "```" not in glossary
    assert copies.write("student", folder) == []
    assert contents(folder) == before
    (folder / copies.WRITTEN).unlink()  # nothing is known, and yet no copy is made
    assert copies.write("student", folder) == []
    assert contents(folder) == before


def test_a_changed_notebook_is_never_overwritten(folder, tmp_path, monkeypatch):
    mine = folder / "01_exploration.ipynb"
    mine.write_text(mine.read_text().replace("raise NotImplementedError", "return 7", 1))
    changed = mine.read_bytes()
    assert copies.write("student", folder) == []  # the course has not changed: nothing to say
    # The course changes in 01 and 02; of these only 01 has a student's work in it.
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    for number, name in enumerate(NAMES):
        text = (catalogue.NOTEBOOKS / f"{name}.ipynb").read_text()
        new = text.replace("## References", "## More references") if number < 2 else text
        (notebooks / f"{name}.ipynb").write_text(new)
    monkeypatch.setattr(catalogue, "NOTEBOOKS", notebooks)
    said = copies.write("student", folder)
    assert len(said) == 2 and "02_dedup.ipynb: renewed; run it again." in said
    assert "you have changed it, so it stays" in said[0]
    assert "01_exploration.new.ipynb" in said[0]
    assert mine.read_bytes() == changed
    beside = folder / "01_exploration.new.ipynb"
    assert "More references" in beside.read_text()
    # The student works in the new one too, and the course changes once more.
    beside.write_text(beside.read_text().replace("raise NotImplementedError", "return 8", 1))
    newer = notebooks / "01_exploration.ipynb"
    newer.write_text(newer.read_text().replace("More references", "Yet more references"))
    assert "01_exploration.new-2.ipynb" in copies.write("student", folder)[0]
    assert mine.read_bytes() == changed and "return 8" in beside.read_text()
    assert copies.write("student", folder) == []


def test_a_student_sees_no_result_before_running_a_cell(folder, tmp_path, monkeypatch):
    """What is to be guessed would stand below; so new outputs alone are nothing new either."""
    for path in folder.glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    for name in NAMES:
        notebook = source(name)
        first = next(cell for cell in notebook.cells if cell.cell_type == "code")
        first.outputs = [nbformat.v4.new_output("stream", text="another machine's")]
        nbformat.write(notebook, notebooks / f"{name}.ipynb")
    monkeypatch.setattr(catalogue, "NOTEBOOKS", notebooks)
    assert copies.write("student", folder) == []


def parameters(folder, name: str) -> str:
    cells = nbformat.read(folder / f"{name}.ipynb", as_version=4).cells
    return next(c.source for c in cells if "parameters" in c.metadata.get("tags", []))


def test_a_class_gets_its_own_parameters(folder):
    before = parameters(folder, "05_multiclass_cnn")
    values = {"PROFILE": "monday", "IMAGE_SIZE": 32, "AUGMENT": False, "MULTICLASS_RUNS": "cnn:dx"}
    said = copies.write("student", folder, values)
    assert len(said) == len(NAMES) and all("renewed" in line for line in said)
    after = parameters(folder, "05_multiclass_cnn")
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert [line.partition("  #")[0] for line in changed] == [
        'PROFILE: str = "monday"', "IMAGE_SIZE: int = 32", 'MULTICLASS_RUNS: str = "cnn:dx"',
        "AUGMENT: bool = False",
    ]  # fmt: skip
    assert changed[3].endswith("# augment the training images")  # it has no line of its own there
    assert changed[1].endswith("# height and width in pixels that networks see")
    assert copies.write("student", folder) == []  # `make lab` later: they are remembered
    copies.write("student", folder, params.read_profile("sample"))
    assert parameters(folder, "05_multiclass_cnn") == before


def test_a_class_with_a_mistyped_parameter_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(copies, "BUILD", tmp_path)
    assert copies.main(["student", "--set", "EPOCHSS=3"]) == 1
    assert "Did you mean EPOCHS?" in capsys.readouterr().err
    assert copies.main(["student", "--profile", "smok"]) == 1
    assert not (tmp_path / "student").exists()
    assert copies.main(["student", "--profile", "smoke", "--set", "EPOCHS=3"]) == 0
    assert "EPOCHS: int = 3" in parameters(tmp_path / "student", "04_binary_fcnn")


@pytest.mark.parametrize("text", ["", "[]", '{"words": 3}', '{"words": {}, "worded": 1}'])
def test_without_its_record_every_changed_notebook_stays(folder, text):
    mine = folder / "02_dedup.ipynb"
    mine.write_text(mine.read_text().replace("raise NotImplementedError", "return 7", 1))
    changed = mine.read_bytes()
    (folder / copies.WRITTEN).write_text(text)
    copies.write("student", folder)
    assert mine.read_bytes() == changed
    assert (folder / "02_dedup.new.ipynb").exists()


def test_the_student_edition_finds_the_profiles(folder):
    assert sorted(path.name for path in (folder / "profiles").glob("*.yaml")) == sorted(
        path.name for path in (ROOT / "notebooks" / "profiles").glob("*.yaml")
    )


def test_a_stub_leaves_the_line_to_write():
    def stubbed(code: str) -> str:
        return editions.BLOCK.sub(editions.stub, code)

    begin, end = "### BEGIN SOLUTION\n", "### END SOLUTION"
    assert stubbed(f"{begin}guess = 3\n{end}") == "guess = None  # your answer in place of None"
    text = f'{begin}answer = """One\ntwo."""\n{end}\ncheck(answer)'
    assert stubbed(text).splitlines()[0].startswith("answer = None") and "two" not in stubbed(text)
    assert stubbed(f"{begin}f(3)\ng()\n{end}") == "# Your code here."
    inside = f"def f():\n    {begin}    return 1\n    {end}\n\n\nx = 1"
    assert stubbed(inside).splitlines()[2] == "    raise NotImplementedError"
    assert stubbed(inside).endswith("x = 1")


def test_a_solution_that_is_not_there_is_named():
    with pytest.raises(LesionsError, match=r"no solution of exercise 99\.1"):
        editions.solution("99.1")


def test_an_unknown_edition_is_refused(capsys):
    assert copies.main(["teacher"]) == 1
    assert "EDITION is student or instructor" in capsys.readouterr().err


# ---------------------------------------------------------------- run it


def run(notebook: nbformat.NotebookNode, folder, build) -> list[str]:
    """Run a notebook in a folder; what each of its cells printed."""
    environment = os.environ | {"LESIONS_BUILD": str(build), "LESIONS_PROGRESS": os.devnull}
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=environment)
    return [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stdout"
    ]


def exercises_only(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The parameters, the table and the exercises of notebook 01: small and quick."""
    found = list(editions.by_exercise(notebook.cells))
    start = next(n for n, (_, _, cell) in enumerate(found) if "load_table" in cell.source)
    cells = [cell for n, (_, among, cell) in enumerate(found) if n <= start or among]
    notebook.cells = [cell for cell in cells if cell.cell_type == "code"]
    return notebook


@pytest.mark.slow
def test_a_student_can_run_every_cell_before_writing_one(tmp_path):
    folder = tmp_path / "student"
    copies.write("student", folder)
    notebook = exercises_only(nbformat.read(folder / "01_exploration.ipynb", as_version=4))
    said = "".join(run(notebook, folder, tmp_path))
    assert said.count("not tried yet") == 7  # two predictions, each asked for twice
    assert not (tmp_path / "exercises").exists()
    table = notebook.cells[-1].outputs[0].data["text/plain"]
    assert table.count("open") == 5
    assert "widgets" not in notebook.metadata


@pytest.mark.slow
def test_with_the_solutions_put_back_every_exercise_is_done(tmp_path):
    folder = tmp_path / "student"
    copies.write("student", folder)
    student = nbformat.read(folder / "01_exploration.ipynb", as_version=4)
    texts = with_solutions(student, source("01_exploration"))
    for cell, text in zip(student.cells, texts, strict=True):
        cell.source = text
    notebook = exercises_only(student)
    said = "".join(run(notebook, folder, tmp_path))
    assert "not tried" not in said and "not yet" not in said
    known = json.loads((tmp_path / "exercises" / "student.json").read_text())
    assert {number: entry["state"] for number, entry in known.items()} == {
        f"01.{n}": "done" for n in range(5)
    }


@pytest.mark.parametrize("command", [["make", "clean"], [sys.executable, "-m", "course", "clean"]])
def test_clean_spares_what_a_person_wrote(tmp_path, command):
    """In a copy of the course's machinery: what a student or an instructor wrote stays."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "lib" / "course", tmp_path / "lib" / "course")
    for name in ("student", "instructor", "exercises", "sample/runs"):
        (tmp_path / "build" / name).mkdir(parents=True)
    (tmp_path / "data" / "cache").mkdir(parents=True)
    (tmp_path / "build" / "student" / "01.ipynb").write_text("mine", encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "lib")}
    for _ in range(2):
        subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    left = sorted(path.name for path in (tmp_path / "build").iterdir())
    assert left == ["exercises", "instructor", "student"]
    assert (tmp_path / "build" / "student" / "01.ipynb").exists()
    assert not (tmp_path / "data" / "cache").exists()


# ---------------------------------------------------------------- copies to work in


def as_run(path) -> None:
    """A notebook as JupyterLab saves it after a run: with outputs, other metadata, and words as
    before."""
    book = nbformat.read(path, as_version=4)
    for number, cell in enumerate(book.cells):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [v4.new_output("stream", text="seen")], number
    book.metadata["kernelspec"] = {"name": "mine", "display_name": "Mine", "language": "python"}
    nbformat.write(book, path)


def newer_course(folder, word: str):
    """The course's notebooks with another word in 01; returns their folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in NAMES:
        text = (SOURCES / f"{name}.ipynb").read_text(encoding="utf-8")
        text = text.replace("## References", f"## {word}") if name == NAMES[0] else text
        (folder / f"{name}.ipynb").write_text(text, encoding="utf-8")
    return folder


def test_a_notebook_that_was_only_run_is_renewed_and_nothing_piles_up(
    folder, tmp_path, monkeypatch
):
    mine = folder / "01_exploration.ipynb"
    as_run(mine)
    assert copies.write("student", folder) == []  # the course has not changed
    monkeypatch.setattr(catalogue, "NOTEBOOKS", newer_course(tmp_path / "newer", "One"))
    assert copies.write("student", folder) == ["01_exploration.ipynb: renewed; run it again."]
    mine.write_text(mine.read_text().replace("raise NotImplementedError", "return 7", 1))
    for word in ("Two", "Three", "Four"):
        monkeypatch.setattr(catalogue, "NOTEBOOKS", newer_course(tmp_path / "newer", word))
        (said,) = copies.write("student", folder)
        assert "is beside it as 01_exploration.new.ipynb" in said
        as_run(folder / "01_exploration.new.ipynb")  # looked at, not worked in
    beside = sorted(path.name for path in folder.glob("01*"))
    assert beside == ["01_exploration.ipynb", "01_exploration.new.ipynb"]
    assert "## Four" in (folder / "01_exploration.new.ipynb").read_text()


def test_what_an_older_version_noted_still_counts(folder, tmp_path, monkeypatch):
    record = json.loads((folder / copies.WRITTEN).read_text())
    old = {"written": {}, "worded": record["seen"], "values": {}}
    (folder / copies.WRITTEN).write_text(json.dumps(old))
    monkeypatch.setattr(catalogue, "NOTEBOOKS", newer_course(tmp_path / "newer", "One"))
    assert copies.write("student", folder) == ["01_exploration.ipynb: renewed; run it again."]


def test_a_broken_copy_is_somebody_s_work(folder):
    mine = folder / "01_exploration.ipynb"
    mine.write_text("{")
    (folder / copies.WRITTEN).unlink()
    assert "01_exploration.new.ipynb" in copies.write("student", folder)[0]
    assert mine.read_text() == "{"


def test_the_instructor_gets_a_trusted_copy_with_solutions_and_outputs(tmp_path, monkeypatch):
    for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    folder = tmp_path / "instructor"
    assert len(copies.write("instructor", folder)) == len(NAMES)
    for name in NAMES:
        book = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        assert book.cells == source(name).cells
        assert sign.NotebookNotary().check_signature(book), name
    assert copies.write("instructor", folder) == []


def test_without_links_the_profiles_are_copied_and_renewed(tmp_path, monkeypatch):
    def refused(*_):
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refused)
    for _ in range(2):
        copies.write("student", tmp_path)
        assert not (tmp_path / "profiles").is_symlink()
        assert (tmp_path / "profiles" / "smoke.yaml").is_file()
        (tmp_path / "profiles" / "smoke.yaml").unlink()


@pytest.mark.parametrize("edition", copies.EDITIONS)
def test_lab_opens_a_copy_with_the_course_s_own_python(tmp_path, monkeypatch, edition):
    started = []
    monkeypatch.delenv("COURSE_LISTEN", raising=False)  # the container's
    monkeypatch.setattr(copies, "BUILD", tmp_path)
    monkeypatch.setattr(commands, "run_python", lambda *words: started.append(words) or 0)
    for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    assert commands.main(["lab", f"EDITION={edition}"]) == 0
    (words,) = started
    assert f"--ServerApp.root_dir={tmp_path / edition}" in words
    assert "--ServerApp.kernel_spec_manager_class=course.kernels.OwnKernelSpecs" in words
    assert "--ip=127.0.0.1" in words and (tmp_path / edition / "profiles").exists()


def test_lab_listens_elsewhere_only_when_told(tmp_path, monkeypatch, capsys):
    started = []
    monkeypatch.setattr(commands, "run_python", lambda *words: started.append(words) or 0)
    for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    shutil.copy(SOURCES / "01_exploration.ipynb", tmp_path)
    monkeypatch.setenv("COURSE_LISTEN", "0.0.0.0")  # as in the container
    assert commands.main(["lab", f"FROM={tmp_path}"]) == 0
    assert commands.main(["lab", f"FROM={tmp_path}", "LISTEN=127.0.0.1"]) == 0
    listen = [[w for w in words if w.startswith(("--ip", "--no-b"))] for words in started]
    assert listen == [["--ip=0.0.0.0", "--no-browser"], ["--ip=127.0.0.1"]]
    assert commands.main(["lab", f"FROM={tmp_path}", "LISTEN=everywhere"]) == 1
    assert "LISTEN=everywhere is no address" in capsys.readouterr().err and len(started) == 2


def test_lab_opens_what_was_run(tmp_path, monkeypatch, capsys):
    started = []
    monkeypatch.setattr(commands, "run_python", lambda *words: started.append(words) or 0)
    for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    assert commands.main(["lab", f"FROM={tmp_path}"]) == 1
    assert "There are no notebooks in" in capsys.readouterr().err
    shutil.copy(SOURCES / "01_exploration.ipynb", tmp_path)
    assert commands.main(["lab", f"FROM={tmp_path}"]) == 0
    assert f"--ServerApp.root_dir={tmp_path}" in started[0]
