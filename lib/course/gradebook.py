"""What has been done of the exercises: one small JSON file under build/ for each edition.

`python -m course.gradebook FOLDER` (`make grade`) makes a table of what a class handed in.
"""

import argparse
import json
import os
import re
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.files import BUILD, atomic, write_json

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


def _is_record(known: Any) -> bool:
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
    if _is_record(known):
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
    plain = re.sub(r"\W+", "-", name).strip("-").lower()
    if not plain:
        raise LesionsError('Give your name: checks.hand_in("Ada Lovelace").')
    known = read()
    if not known:
        raise LesionsError("There is nothing to hand in yet: no exercise has been tried.")
    file = Path.cwd() / f"hand-in-{plain}.json"
    write_json(file, {"student": name, "date": date.today().isoformat(), "exercises": known})
    return file


def collect(folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """What a class handed in: how many exercises each student has done.

    Args:
        folder: with `.json` files, from `hand_in` or records as they are; folders in it count, too.

    Returns:
        a row a file: student, handed in on, done in each notebook ("01" ...), done, tried, file;
        and a sentence for each file that is none of these.

    Raises:
        LesionsError: there is no such folder, or no such file in it.
    """
    files = sorted(folder.rglob("*.json"))
    if not files:
        raise LesionsError(f"There is nothing handed in: {folder} holds no .json file.")
    rows, strange = [], []
    for file in files:
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            found = None
        whole = found if isinstance(found, dict) and "exercises" in found else {"exercises": found}
        known = whole["exercises"]
        if not _is_record(known):
            strange.append(f"{file} is no record of exercises; ask for it again.")
            continue
        done = [number for number, entry in known.items() if entry["state"] == "done"]
        tried = sum(entry["state"] == "tried" for entry in known.values())
        each = {f"0{n}": sum(number.startswith(f"0{n}") for number in done) for n in range(1, 7)}
        rows.append({"student": whole.get("student", file.stem), "date": whole.get("date", "")}
                    | each | {"done": len(done), "tried": tried, "file": file.name})  # fmt: skip
    return pd.DataFrame(rows), strange


def main(arguments: list[str] | None = None) -> int:
    """Behind `make grade`: print the table and keep it as grades.csv in the folder."""
    parser = argparse.ArgumentParser(prog="python -m course.gradebook", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    try:
        table, strange = collect(folder)
    except LesionsError as error:
        print(error, file=sys.stderr)
        return 1
    print(table.to_string(index=False))
    with atomic(folder / "grades.csv") as partial:
        table.to_csv(partial, index=False)
    print(f"Kept in {folder / 'grades.csv'}.")
    for sentence in strange:
        print(sentence, file=sys.stderr)
    return 1 if strange else 0


if __name__ == "__main__":
    sys.exit(main())
