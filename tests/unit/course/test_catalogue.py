"""The list of notebooks is what the folder holds; a notebook more is one file more."""

import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat import v4

from course import catalogue
from lesions.core.errors import LesionsError
from lesions.core.files import ROOT


def write(folder, name: str, needs: list[str] | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    about = {} if needs is None else {"course": {"needs": needs}}
    cell = v4.new_code_cell("# Parameters\nSEED: int = 0", metadata={"tags": ["parameters"]})
    nbformat.write(v4.new_notebook(cells=[cell], metadata=about), folder / f"{name}.ipynb")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "NOTEBOOKS", tmp_path)
    write(tmp_path, "02_two")
    write(tmp_path, "10_ten", ["02_two", "01_one"])
    write(tmp_path, "01_one", [])
    write(tmp_path, "notes")  # no notebook of the course
    return tmp_path


def test_order_and_needs_come_from_the_files(folder):
    assert catalogue.needs() == {"01_one": [], "02_two": [], "10_ten": ["02_two", "01_one"]}
    assert catalogue.with_needs("10_ten", catalogue.needs()) == ["01_one", "02_two", "10_ten"]
    assert catalogue.with_needs("02_two", catalogue.needs()) == ["02_two"]


@pytest.mark.parametrize("text", ["10", "010", "10_ten"])
def test_a_number_may_have_two_digits(folder, text):
    assert catalogue.find(text, catalogue.names()) == "10_ten"


@pytest.mark.parametrize("text", ["1", "01", "01_one"])
def test_1_is_not_10(folder, text):
    assert catalogue.find(text, catalogue.names()) == "01_one"


def test_an_unknown_notebook_is_named(folder):
    with pytest.raises(LesionsError, match=r"Unknown notebook 10_tem. Did you mean 10_ten\? There"):
        catalogue.find("10_tem", catalogue.names())


@pytest.mark.parametrize("needs", [["03_three"], ["10_ten"], ["05_five"]])
def test_a_notebook_cannot_need_a_later_one_or_none(folder, needs):
    write(folder, "05_five", needs)
    with pytest.raises(LesionsError, match=f"05_five needs {needs[0]}, by its metadata"):
        catalogue.needs()


def test_two_notebooks_of_one_number_are_refused(folder):
    write(folder, "002_again")
    with pytest.raises(LesionsError, match="002_again and 02_two have one number"):
        catalogue.names()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": []}'])
def test_a_broken_file_is_named(folder, text):
    (folder / "02_two.ipynb").write_text(text, encoding="utf-8")
    with pytest.raises(LesionsError, match=r"02_two\.ipynb is no notebook"):
        catalogue.needs()


def test_every_notebook_of_the_course_says_what_it_needs():
    for name in catalogue.names():
        assert "needs" in catalogue.contents(name)["metadata"]["course"], name


# ---------------------------------------------------------------- a notebook more


EXERCISES = '''"""The exercises of notebook 11."""

from course.exercise import Exercise

EXERCISES = [Exercise("11.1", "think", "One more", ("One hint.", "Another."))]
'''
ASK = """
import json
from course import catalogue, checks, grading, plan, runner
from lesions.settings.parameters import Settings
names = runner.chosen(["11"])
nobody = {"student": "", "date": "", "exercises": {}, "file": catalogue.NOTEBOOKS}
values = Settings.of({}).values()
key, done = plan.plan("11_more", catalogue.needs(), values, catalogue.NOTEBOOKS / ".stamps")
print(json.dumps({
    "names": names, "all": runner.chosen([])[-1], "key": len(key), "done": done,
    "uses": plan.reach("11_more")[1],
    "progress": list(checks.progress("11").index),
    "column": "11" in grading._row(nobody),
}))
"""


def test_adding_a_notebook_is_one_file_and_its_exercises_another(tmp_path):
    """In a copy of the checkout: nothing else is edited."""
    for part in ("lib", "notebooks"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignored)
    shutil.copy(ROOT / "Makefile", tmp_path)
    needs = ["03_preprocessing"]
    write(tmp_path / "notebooks", "11_more", needs)
    exercises = tmp_path / "lib" / "course" / "exercises" / "notebook_11.py"
    exercises.write_text(EXERCISES, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "lib")}

    def said(*words: str) -> str:
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    found = json.loads(said(sys.executable, "-c", ASK))
    assert found == {
        "names": ["02_dedup", "03_preprocessing", "11_more"], "all": "11_more", "key": 16,
        "done": False, "uses": ["SEED"], "progress": ["11.1"], "column": True,
    }  # fmt: skip
    assert " 11 one notebook" in said(sys.executable, "-m", "course", "help")
    assert "-m course 11" in said("make", "-n", "11", f"PYTHON={sys.executable}")
