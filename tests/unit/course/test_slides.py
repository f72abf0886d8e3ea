"""Slides follow the timetable, show a section each, and give no answer away."""

import base64

import nbformat
import pytest

from course import catalogue, slides
from lesions.core.errors import LesionsError

TABLE = """| session | in class | at home |
|---|---|---|
| 1 | 01; the paper's table | 01's quiz |
| 2 | 04, and 05 up to *Train all six* | a recipe |
| 3 | 05's scores, 06; 07, a verdict a group | the report |
"""
PNG = base64.b64encode(b"not looked at").decode()


def notebook() -> nbformat.NotebookNode:
    v4 = nbformat.v4
    drawn = v4.new_code_cell("draw()")
    drawn.outputs = [v4.new_output("display_data", data={"image/png": PNG},
                                   metadata={"image/png": {"alt": "Two [lines]."}})]  # fmt: skip
    answer = v4.new_markdown_cell("The answer is 4.", metadata={"tags": ["solution"]})
    return v4.new_notebook(cells=[
        v4.new_markdown_cell("# 01 · Title\n\nWhat it is about."),
        v4.new_markdown_cell('## One\n\n> "A sentence."\n\nFirst. ' + "word " * 50 + "end. Last."),
        drawn,
        v4.new_code_cell("draw()", outputs=drawn.outputs),
        v4.new_markdown_cell("## Two\n\n### Exercise 01.1 · Predict\n\nHow many? [See](x.md)."),
        answer,
        v4.new_markdown_cell("## Quiz\n\nClick."),
    ])  # fmt: skip


def test_the_timetable_says_what_is_shown_when():
    found = slides.sessions(TABLE)
    assert [session.parts for session in found] == [
        [("01", "", "")],
        [("04", "", ""), ("05", "", "Train all six")],
        [("05", "Train all six", ""), ("06", "", ""), ("07", "", "")],
    ]
    with pytest.raises(LesionsError, match="no table of sessions"):
        slides.sessions("nothing")


def test_a_slide_is_a_section_with_its_first_words_and_first_figure():
    found = list(slides.slides_of(notebook()))
    assert [one.heading for one in found] == [
        "01 · Title", "One", "Two", "Exercise 01.1 · Predict", "Quiz",
    ]  # fmt: skip
    assert found[1].quote == '> "A sentence."' and found[1].text == "First."
    assert found[1].figure == (b"not looked at", "Two [lines].")
    assert not any("answer" in one.text for one in found)
    assert [one.heading for one in slides.between(found, "One", "")] == [
        "Two", "Exercise 01.1 · Predict",
    ]  # fmt: skip
    assert [one.heading for one in slides.between(found, "", "One")] == ["01 · Title", "One"]
    with pytest.raises(LesionsError, match="'Three', which no heading has"):
        slides.between(found, "", "Three")


def test_the_page_of_a_session(tmp_path):
    name = catalogue.names()[0]
    nbformat.write(notebook(), tmp_path / f"{name}.ipynb")
    (session, *_) = slides.sessions(TABLE)
    page = slides.page(session, tmp_path, tmp_path)
    assert page.startswith(
        "# Session 1\n\n01; the paper's table\n\n## 01 · Title\n\nWhat it is about."
    )
    assert "![Two  lines .](01-1-0.png)" in page and (tmp_path / "01-1-0.png").is_file()
    assert "How many? See." in page and "Click" not in page


def test_the_course_s_own_timetable_names_sections_that_are_there(tmp_path):
    found = slides.gather(catalogue.NOTEBOOKS, tmp_path)
    assert len(found) == 5
    for session in found:
        text = (tmp_path / f"session_{session.number}.md").read_text(encoding="utf-8")
        assert text.count("\n### ") >= 5 and "BEGIN SOLUTION" not in text
