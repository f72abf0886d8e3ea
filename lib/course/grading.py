"""A table of what a class handed in, and a page of what was written: `make grade HANDIN=folder`."""

import argparse
import html
import json
import sys
from pathlib import Path

import pandas as pd

from course import catalogue, checks, gradebook
from lesions.core import tables
from lesions.core.errors import LesionsError
from lesions.core.files import write_text

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Written answers</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto;
  padding: 0 1rem }}
blockquote {{ margin: .3rem 0 1rem; padding-left: 1rem; border-left: .25rem solid #777;
  white-space: pre-wrap; overflow-wrap: anywhere }}
</style>
</head>
<body>
<h1>Written answers</h1>
<p>{count}. What counts as sense, you have to read: the course only counts words.</p>
{body}
</body>
</html>
"""
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute


def _plain(text: object) -> str:
    """A text from a hand-in for one cell of a table: one line, of some length."""
    return " ".join(str(text).split())[:80]


def _handed_in(folder: Path) -> tuple[list[dict], list[str]]:
    """The hand-ins in a folder and those below it, and a sentence for each file that is none.

    Raises:
        LesionsError: there is no such folder, or no such file in it.
    """
    files = sorted(folder.rglob("*.json"))
    if not files:
        raise LesionsError(f"There is nothing handed in: {folder} holds no .json file.")
    found, strange = [], []
    for file in files:
        try:
            read = json.loads(file.read_text(encoding="utf-8"))
        except (ValueError, OSError):
            read = None
        whole = read if isinstance(read, dict) and "exercises" in read else {"exercises": read}
        if not gradebook.is_record(whole["exercises"]):
            strange.append(f"{file} is no record of exercises, or a damaged one; ask for it again.")
            continue
        found.append(
            {
                "student": _plain(whole.get("student", file.stem)),
                "date": _plain(whole.get("date", "")),
                "exercises": whole["exercises"],
                "file": file,
            }
        )
    return found, strange


def _row(one: dict) -> dict:
    states = {number: entry["state"] for number, entry in one["exercises"].items()}
    known = {number: states.get(number, "open") for number in checks.EXERCISES}
    row = {"student": one["student"], "date": one["date"]}
    for name in catalogue.names():
        number = catalogue.number_of(name)
        here = [state for n, state in known.items() if n.partition(".")[0] == number]
        if here:
            row[number] = here.count("done")
    done, tried = (list(known.values()).count(state) for state in ("done", "tried"))
    row |= {"done": done, "of": len(known), "tried": tried, "file": _plain(one["file"].name)}
    return row


def collect(folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """What a class handed in: how many exercises each student has done.

    Args:
        folder: with `.json` files, from `gradebook.hand_in` or records as they are; folders in it
            count, too.

    Returns:
        a row a file: student, handed in on, done in each notebook ("01" ...), done, of how many,
        tried, file; and a sentence for each file that is none of these.

    Raises:
        LesionsError: there is no such folder, no such file in it, or none that can be read.
    """
    found, strange = _handed_in(folder)
    if not found:
        raise LesionsError(" ".join(strange))
    return pd.DataFrame([_row(one) for one in found]), strange


def answers_page(folder: Path) -> str:
    """All written answers as a page of HTML, by exercise, so that they are marked side by side."""
    found, _ = _handed_in(folder)
    parts, count = [], 0
    for number, one in checks.EXERCISES.items():
        texts = [(who["student"], who["exercises"].get(number, {}).get("answer")) for who in found]
        texts = [(who, text) for who, text in texts if text]
        if texts:
            parts.append(f"<h2>{number} {html.escape(one.title)}</h2>")
        for who, text in texts:
            parts.append(f"<h3>{html.escape(who)}</h3>")
            parts.append(f"<blockquote>{html.escape(str(text))}</blockquote>")
        count += len(texts)
    said = f"Answers: {count}, students: {len(found)}" if count else "Nobody has written one yet"
    return PAGE.format(count=said, body="\n".join(parts))


def main(arguments: list[str] | None = None) -> int:
    """Print the table; keep it as grades.csv, and the answers as answers.html, in the folder."""
    parser = argparse.ArgumentParser(prog="python -m course.gradebook", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    try:
        table, strange = collect(folder)
    except LesionsError as error:
        print(error, file=sys.stderr)
        return 1
    print(table.to_string(index=False))
    tables.write_for_people(table, folder / "grades.csv")
    page = write_text(folder / "answers.html", answers_page(folder))
    print(f"Kept in {folder / 'grades.csv'}; written answers: {page}")
    for sentence in strange:
        print(sentence, file=sys.stderr)
    return 1 if strange else 0


if __name__ == "__main__":
    sys.exit(main())
