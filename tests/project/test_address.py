"""The course's address: one place, and everything that shows it agrees; a fork moves it at once."""

import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from course import catalogue, copies, start
from lesions.core.files import ROOT

ADDRESS = start.address()
END = ADDRESS.removeprefix("https://github.com/")


def lines_of(pattern: str, name: str) -> list[str]:
    return re.findall(pattern, (ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", catalogue.names())
def test_every_notebook_begins_with_the_cell_that_fetches_the_course(name):
    cells = nbformat.read(catalogue.NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
    first = next(cell for cell in cells if cell.cell_type == "code")
    assert first == start.cell(ADDRESS), "run `python -m course.start`"
    assert sum(map(start.is_start, cells)) == 1


def test_the_buttons_lead_to_the_address_and_to_a_notebook_that_is_there():
    for name in start.PLACES:
        opened = lines_of(
            r"colab\.research\.google\.com/github/([^)\s]+?)/blob/main/([^)\s]+)", name
        )
        assert opened and all(end == END and (ROOT / path).is_file() for end, path in opened)
        assert lines_of(r"codespaces\.new/([^)\s]+)", name) == [END], name
    assert lines_of(r"mybinder\.org/v2/gh/([^\s]+?)/main", "docs/start.md") == [END]


def test_a_fork_sets_its_address_in_one_command(tmp_path):
    for name in ("pyproject.toml", *start.PLACES, "notebooks/02_dedup.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    assert start.main(["https://github.com/ada/lesions-fork.git"], tmp_path) == 0
    assert start.address(tmp_path) == "https://github.com/ada/lesions-fork"
    for path in tmp_path.rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        assert "ada/lesions-fork" in text and END not in text, path
    again = (tmp_path / "notebooks" / "02_dedup.ipynb").read_bytes()
    assert start.main([], tmp_path) == 0
    assert (tmp_path / "notebooks" / "02_dedup.ipynb").read_bytes() == again


@pytest.mark.parametrize("text", ["ada/fork", "https://example.org/a/b", "https://github.com/a"])
def test_what_is_no_address_is_refused(text, tmp_path, capsys):
    assert start.main([text], tmp_path) == 1
    assert "no address such as" in capsys.readouterr().err


def test_the_cell_does_nothing_where_the_course_is():
    source = start.cell("https://github.com/no/where").source
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_cell_fetches_the_course_where_it_is_not(tmp_path):
    """From a repository on this machine, without the installation of packages."""
    away = tmp_path / "away"
    (away / "lib" / "lesions").mkdir(parents=True)
    (away / "lib" / "lesions" / "__init__.py").write_text("HERE = 7\n")
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *words], cwd=away, check=True, capture_output=True)
    source = start.cell(away.as_uri()).source
    source = source.replace('[sys.executable, "-m", "pip"', '["true", "-m", "pip"')
    source += "\nimport lesions\nprint(lesions.HERE)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", source], cwd=tmp_path,
                          capture_output=True, text=True)  # fmt: skip
    assert done.stdout.strip() == "7", done.stderr


def test_working_copies_do_without_it(tmp_path):
    copies.write("student", tmp_path)
    for path in tmp_path.glob("[0-9]*.ipynb"):
        assert "git" not in path.read_text(encoding="utf-8").split("params.start(")[0], path
