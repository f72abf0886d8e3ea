"""Feedback on the exercises and quizzes: what the notebooks call."""

import difflib
import importlib
import json
import pkgutil
import random
from typing import Any

import pandas as pd

from course import exercises, gradebook
from course.exercise import Exercise
from lesions.core.errors import LesionsError
from lesions.core.files import ROOT

QUIZZES = ROOT / "notebooks" / "quizzes"
UNTRUSTED = "The quiz shows its questions once you run this cell (Shift and Enter)."


def _collect() -> dict[str, Exercise]:
    """All exercises by number: of each module in `course.exercises`, in order.

    Raises:
        LesionsError: two exercises have one number.
    """
    found: dict[str, Exercise] = {}
    modules = sorted(module.name for module in pkgutil.iter_modules(exercises.__path__))
    for module in modules:
        part = importlib.import_module(f"{exercises.__name__}.{module}")
        for one in getattr(part, "EXERCISES", ()):
            if one.number in found:
                raise LesionsError(f"Exercise {one.number} is there twice, once in {module}.py.")
            found[one.number] = one
    return found


EXERCISES = _collect()


def _two_digits(notebook: str | int) -> str:
    """A notebook's number as the course writes it: "01" for "1", 1 and "01"."""
    text = str(notebook).strip()
    return text.zfill(2) if text.isdecimal() else text


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
        notebook: its number, such as "03" or "3"; empty: the whole course.

    Raises:
        LesionsError: no exercise belongs to such a notebook.
    """
    known = gradebook.read()
    wanted = _two_digits(notebook)
    rows = [
        {
            "exercise": number,
            "kind": one.kind,
            "title": one.title,
            "state": known.get(number, {"state": "open"})["state"],
        }
        for number, one in EXERCISES.items()
        if not wanted or number.partition(".")[0] == wanted
    ]
    if not rows:
        numbers = dict.fromkeys(number.partition(".")[0] for number in EXERCISES)
        raise LesionsError(
            f"No exercise belongs to a notebook {notebook}: there are {', '.join(numbers)}."
        )
    return pd.DataFrame(rows).set_index("exercise")


def hand_in(name: str) -> None:
    """Write what you have done to a file beside the notebooks, to give to your teacher."""
    print(f"Hand in this file: {gradebook.hand_in(name)}")


def questions(notebook: str) -> list[dict[str, Any]]:
    """The questions of a notebook's quiz, as jupyterquiz wants them.

    Raises:
        LesionsError: the notebook has no quiz.
    """
    path = QUIZZES / f"{_two_digits(notebook)}.json"
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
        publish_display_data(_at_home(output.data))


def _at_home(data: dict[str, str]) -> dict[str, str]:
    """A part of a quiz without addresses of other machines, and with words where nothing runs."""
    # Where a page has no MathJax, jupyterquiz would load it from the network. No quiz needs it.
    address = "https://cdn.jsdelivr.net/npm/mathjax@3/es5/tex-svg.js"
    made = {kind: text.replace(address, "") for kind, text in data.items()}
    # A notebook that is not trusted runs no program, and shows this text in its place.
    made["text/plain"] = UNTRUSTED if "application/javascript" in data else "A quiz."
    return made
