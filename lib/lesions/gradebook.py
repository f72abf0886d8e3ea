"""What has been done of the exercises: one small JSON file under build/ for each edition."""

import json
import os
from pathlib import Path
from typing import Any

from lesions.files import BUILD, write_json

STATES = ("open", "tried", "done")


def edition() -> str:
    """ "student" in a notebook of build/student, else "instructor".

    A headless run of the notebooks with solutions must not tick off a student's exercises.
    """
    student = (BUILD / "student").resolve()
    here = Path.cwd().resolve()
    return "student" if here == student or student in here.parents else "instructor"


def path() -> Path:
    """The file of this edition."""
    return BUILD / "exercises" / f"{edition()}.json"


def read() -> dict[str, dict[str, Any]]:
    """What is known of each exercise, by its number: `state`, and what the student wrote.

    A damaged file is kept beside the new one as `<name>.damaged.json`, and nothing is known.
    """
    file = path()
    if not file.exists():
        return {}
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        whole = all(entry["state"] in STATES for entry in known.values())
    except (ValueError, AttributeError, TypeError, KeyError):
        whole = False
    if whole:
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
