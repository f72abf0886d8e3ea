"""The line *Time* of a notebook is measured, and changes only where it has to."""

import nbformat
import pytest

from course import catalogue, times

REST = "; about 40 minutes to read and try."


def book(line: str) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_markdown_cell(line)]
    return nbformat.v4.new_notebook(cells=cells)


def test_a_time_that_changed_is_written_and_the_rest_stays(monkeypatch):
    monkeypatch.setattr(times, "machine", lambda: "4 cores of an AMD EPYC processor")
    made = book(
        f"You need.\n\n**Time**: about 1 minute (drawn once) to run (profile `sample`, x){REST}"
    )
    assert times.note(made, 312.0)
    assert made.cells[1].source == (
        "You need.\n\n**Time**: about 5 minutes (drawn once) to run (profile `sample`, "
        f"4 cores of an AMD EPYC processor){REST}"
    )


@pytest.mark.parametrize("seconds", [85.0, 120.0, 170.0])
def test_a_time_that_is_about_the_same_changes_nothing(seconds):
    made = book(f"**Time**: about 2 minutes to run (profile `sample`, x){REST}")
    before = made.cells[1].source
    assert not times.note(made, seconds) and made.cells[1].source == before
    assert times.note(made, 400.0)


@pytest.mark.parametrize(
    "seconds, said", [(3, "5 seconds"), (41, "40 seconds"), (95, "2 minutes"), (500, "8 minutes")]
)
def test_times_as_a_person_says_them(seconds, said):
    assert times.words(seconds) == said
    assert times.seconds_of(said) == pytest.approx(seconds, rel=0.7)


@pytest.mark.parametrize("name", catalogue.names())
def test_every_notebook_has_the_line(name):
    cells = catalogue.contents(name)["cells"]
    found = [times.LINE.search("".join(cell["source"])) for cell in cells]
    assert sum(map(bool, found)) == 1, name


def test_the_machine_has_cores():
    assert times.machine().split()[1] == "cores"
