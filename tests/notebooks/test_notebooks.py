"""The notebooks as a course: their form, their stored outputs, and what they refuse."""

import json
import os
import re
import subprocess
import sys
from statistics import median

import pytest

from course import catalogue
from lesions.core.files import ROOT
from lesions.settings import params

NAMES = catalogue.names()


def cells(name: str) -> list[dict]:
    text = (catalogue.NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")
    found = json.loads(text)["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in found]


def code(name: str) -> list[dict]:
    return [cell for cell in cells(name) if cell["cell_type"] == "code"]


def outputs(name: str) -> list[dict]:
    return [output for cell in code(name) for output in cell["outputs"]]


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short(name):
    taught = [cell for cell in code(name)
              if not {"start", "parameters"} & set(cell["metadata"].get("tags", []))]  # fmt: skip
    lengths = [len(cell["source"].splitlines()) for cell in taught]
    assert median(lengths) <= 4 and max(lengths) <= 30
    assert len(cells(name)) <= 61, "60, and the one that fetches the course"


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_has_its_parts_in_order(name):
    prose = "\n".join(c["source"] for c in cells(name) if c["cell_type"] == "markdown")
    number = catalogue.number_of(name)
    parts = [f"# {number} · ", "**You will**", "**You need**", "**Time**", "\n## ",
             f"### Exercise {number}.1", "## What you have seen", "## References"]  # fmt: skip
    places = [prose.find(part) for part in parts]
    assert -1 not in places and places == sorted(places)
    assert re.search(r"\]\(\d\d+_\w+\.ipynb\)\s*$", prose), "the last line links to a notebook"
    for link in re.findall(r"\]\((\S+\.ipynb)\)", prose):
        assert (catalogue.NOTEBOOKS / link).exists(), link


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_stored_with_outputs_that_can_be_compared(name):
    compared = [
        cell
        for cell in code(name)
        if "nbval-ignore-output" not in cell["metadata"].get("tags", [])
        and any("text/plain" in o.get("data", {}) for o in cell["outputs"])
    ]
    assert len(compared) >= 5
    counts = [cell["execution_count"] for cell in code(name)]
    assert counts == list(range(1, len(counts) + 1)), "run from top to bottom, with `make outputs`"


@pytest.mark.parametrize("name", NAMES)
def test_stored_outputs_have_no_errors_and_no_log_lines(name):
    for output in outputs(name):
        assert output["output_type"] != "error"
        assert output.get("name") != "stderr", output
        assert str(ROOT) not in json.dumps(output)


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_an_alternative_text(name):
    figures = [o for o in outputs(name) if "image/png" in o.get("data", {})]
    assert all(len(o["metadata"]["image/png"]["alt"]) > 30 for o in figures)
    assert figures


def papermill(tmp_path, *arguments: str) -> subprocess.CompletedProcess:
    """The plain papermill command, on notebook 06."""
    return subprocess.run(
        [sys.executable, "-m", "papermill", "notebooks/06_comparison.ipynb", tmp_path / "out.ipynb",
         "-f", "notebooks/profiles/smoke.yaml", *arguments],
        cwd=ROOT, env=os.environ | {"LESIONS_BUILD": str(tmp_path / "build")},
        capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["-p", "BOOTSTRP", "100"], "Unknown parameter BOOTSTRP. Did you mean BOOTSTRAP?"),
        (["-p", "BOOTSTRAP", "many"], "must be of type int"),
        (["-p", "BOOTSTRAP", "1"], "must lie from 50"),
        ([], "There are no run records in"),
    ],
)
def test_plain_papermill_stops_with_one_sentence(tmp_path, arguments, sentence):
    done = papermill(tmp_path, *arguments)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert not list((tmp_path / "build").rglob("*.csv"))


def test_papermill_help_shows_every_parameter():
    done = subprocess.run(
        [sys.executable, "-m", "papermill", "--help-notebook", "notebooks/04_binary_fcnn.ipynb"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in catalogue.code("04_binary_fcnn")[1]:
        assert name in done.stdout and params.PARAMETERS[name].help in done.stdout
