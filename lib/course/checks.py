"""Feedback on the exercises and quizzes: what the notebooks call."""

import difflib
import json
import random
from typing import Any

import pandas as pd

from course import gradebook
from course.exercise import Exercise
from course.exercises import notebook_01 as exercises_01
from course.exercises import notebook_02 as exercises_02
from course.exercises import notebook_03 as exercises_03
from course.exercises import notebook_04 as exercises_04
from course.exercises import notebook_05 as exercises_05
from course.exercises import notebook_06 as exercises_06
from lesions.core.errors import LesionsError
from lesions.core.files import ROOT

QUIZZES = ROOT / "notebooks" / "quizzes"
EXERCISES: dict[str, Exercise] = {
    one.number: one
    for part in (
        exercises_01,
        exercises_02,
        exercises_03,
        exercises_04,
        exercises_05,
        exercises_06,
    )
    for one in part.EXERCISES
}


def exercise(number: str) -> Exercise:
    """The exercise of a number such as "03.2": see `Exercise` for what it can do.

    Raises:
        LesionsError: there is no such exercise.
    """
    if number not in EXERCISES:
        near = difflib.get_close_matches(str(number), EXERCISES, n=1, cutoff=0.5)
        raise LesionsError(
            f"There is no exercise {number}." + (f" Did you mean {near[0]}?" if near else "")
        )
    return EXERCISES[number]


def progress(notebook: str = "") -> pd.DataFrame:
    """A table of the exercises: open, tried or done.

    Args:
        notebook: its number, such as "03"; empty: the whole course.
    """
    known = gradebook.read()
    rows = [
        {
            "exercise": number,
            "kind": one.kind,
            "title": one.title,
            "state": known.get(number, {"state": "open"})["state"],
        }
        for number, one in EXERCISES.items()
        if number.startswith(notebook)
    ]
    return pd.DataFrame(rows).set_index("exercise")


def hand_in(name: str) -> None:
    """Write what you have done to a file beside the notebooks, to give to your teacher."""
    print(f"Hand in this file: {gradebook.hand_in(name)}")


def questions(notebook: str) -> list[dict[str, Any]]:
    """The questions of a notebook's quiz, as jupyterquiz wants them.

    Raises:
        LesionsError: the notebook has no quiz.
    """
    path = QUIZZES / f"{notebook}.json"
    if not path.exists():
        raise LesionsError(f"There is no quiz {notebook}: {path} is missing.")
    return json.loads(path.read_text(encoding="utf-8"))


def quiz(notebook: str) -> None:
    """Show a notebook's quiz. A click on an answer says whether it is right, and why."""
    from IPython.display import publish_display_data
    from IPython.utils.capture import capture_output
    from jupyterquiz import display_quiz

    state = random.getstate()
    # The quiz gets its name in the page from here; a stored output should not change by itself.
    random.seed(f"quiz {notebook}")
    try:
        with capture_output() as shown:
            display_quiz(questions(notebook), shuffle_answers=False, max_width=760)
    finally:
        random.setstate(state)
    for output in shown.outputs:
        # Where a page has no MathJax, jupyterquiz would load it from the network. No quiz needs it.
        data = {kind: _without_addresses(text) for kind, text in output.data.items()}
        publish_display_data(data)


def _without_addresses(text: str) -> str:
    return text.replace("https://cdn.jsdelivr.net/npm/mathjax@3/es5/tex-svg.js", "")
