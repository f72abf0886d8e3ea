"""What has been done of the exercises: one small JSON file under build/ for each edition.

What a class handed in is put together by `course.grading`.
"""

import json
import os
import re
from datetime import date
from pathlib import Path
from typing import Any

from lesions.core.errors import LesionsError
from lesions.core.files import BUILD, write_json

STATES = ("open", "tried", "done")


def edition() -> str:
    """ "student" in a notebook of build/student, else "instructor".

    A headless run of the notebooks with solutions must not tick off a student's exercises.
    """
    student = (BUILD / "student").resolve()
    here = Path.cwd().resolve()
    return "student" if here == student or student in here.parents else "instructor"


def path() -> Path:
    """The file of this edition; LESIONS_RECORD names another, for a notebook that was handed in."""
    other = os.environ.get("LESIONS_RECORD")
    return Path(other) if other else BUILD / "exercises" / f"{edition()}.json"


def is_record(known: Any) -> bool:
    """Whether something read from a file is a record as this module writes it."""
    try:
        return all(entry["state"] in STATES for entry in known.values())
    except (AttributeError, TypeError, KeyError):
        return False


def read() -> dict[str, dict[str, Any]]:
    """What is known of each exercise, by its number: `state`, and what the student wrote.

    A damaged file is kept beside the new one as `<name>.damaged.json`, and nothing is known.
    """
    file = path()
    if not file.exists():
        return {}
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        known = None
    if is_record(known):
        return known
    backup = file.with_suffix(".damaged.json")
    os.replace(file, backup)
    print(
        f"The record of your exercises was damaged; it is kept as {backup.name}, a new one began."
    )
    return {}


def note(number: str, state: str, **written: Any) -> None:
    """Keep an exercise's state and what was written; what is done stays done."""
    known = read()  # anew each time: another notebook may be open
    entry = known.get(number, {"state": "open"})
    state = max(entry["state"], state, key=STATES.index)
    known[number] = entry | written | {"state": state}
    write_json(path(), dict(sorted(known.items())))


def hand_in(name: str) -> Path:
    """Write the record of the exercises beside the notebooks, under the student's name.

    Args:
        name: the student's, as the class knows it.

    Returns:
        the file, `hand-in-<name>.json`.

    Raises:
        LesionsError: there is no name, or nothing has been tried.
    """
    # A file's name has room for some hundred bytes, and a letter may take four.
    plain = re.sub(r"\W+", "-", name)[:40].strip("-").lower()
    if not plain:
        raise LesionsError('Give your name: checks.hand_in("Ada Lovelace").')
    known = read()
    if not known:
        raise LesionsError("There is nothing to hand in yet: no exercise has been tried.")
    file = Path.cwd() / f"hand-in-{plain}.json"
    write_json(file, {"student": name, "date": date.today().isoformat(), "exercises": known})
    return file


if __name__ == "__main__":  # the command of before
    import runpy

    runpy.run_module("course.grading", run_name="__main__")
