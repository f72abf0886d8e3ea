"""Working copies of the notebooks under build/, for students and for instructors.

The course's own notebooks are never opened for work: what somebody writes in a copy stays there
when the course has a newer one, and git sees nothing of it.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat

from course import catalogue, editions, start
from lesions.core.errors import LesionsError
from lesions.core.files import BUILD, ROOT, write_json, write_text
from lesions.settings.parameters import Settings

EDITIONS = ("student", "instructor")
# What the notebooks said when we wrote them: one that says something else has been worked in.
WRITTEN = ".written.json"


def place_of(edition: str) -> Path:
    """Where an edition's copies lie.

    Raises:
        LesionsError: there is no such edition.
    """
    if edition not in EDITIONS:
        raise LesionsError(f"EDITION is student or instructor; got {edition}.")
    return BUILD / edition


def plain_glossary() -> str:
    """The glossary as JupyterLab shows it: in `docs/` it is written for the site."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    text = re.sub(r"\{term\}`([^`<]+?)(\s*<[^`>]*>)?`", r"*\1*", text)
    lines, inside = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = line != "```"
        elif inside and line and not line.startswith(" "):
            lines.append(f"**{line}**  ")
        else:
            lines.append(line.strip() if inside else line)
    return "\n".join(lines) + "\n"


def _words(cells: list) -> str:
    """A digest of a notebook's prose and code: running it changes neither."""
    # A file has a cell's text as a list of lines, too.
    texts = ["".join(cell["source"]) for cell in cells]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def _words_in(path: Path) -> str:
    """The same of a file; of one that is no notebook, a digest of its bytes."""
    data = path.read_bytes()
    try:
        return _words(json.loads(data)["cells"])
    except (ValueError, KeyError, TypeError):
        return hashlib.sha256(data).hexdigest()


def _recorded(folder: Path, what: str) -> dict[str, Any]:
    """A part of what was noted when the copies were last made; empty if that is not known."""
    try:
        return dict(json.loads((folder / WRITTEN).read_text(encoding="utf-8"))[what])
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _free_place(path: Path, written: dict[str, str]) -> Path:
    """The first name beside `path` under which nobody has worked: `.new`, else `.new-2` and on."""
    number = 1
    while True:
        end = "new" if number == 1 else f"new-{number}"
        place = path.with_name(f"{path.stem}.{end}.ipynb")
        if not place.exists() or _words_in(place) == written.get(place.name):
            return place
        number += 1


def _made(source: Path, edition: str, values: dict[str, Any]) -> nbformat.NotebookNode:
    notebook = start.without(nbformat.read(source, as_version=4))
    if edition == "student":
        notebook = editions.without_outputs(editions.without_solutions(notebook))
    return editions.with_values(notebook, values)


def write(
    edition: str = "student", folder: Path | None = None, values: dict[str, Any] | None = None
) -> list[str]:
    """Make an edition's copies; one that somebody has worked in is never overwritten.

    Running a copy is no work in it: a copy that was only run is renewed.

    Args:
        edition: "student", without solutions and outputs; "instructor", with both.
        folder: gets the notebooks, the glossary, and the profiles as `profiles`; None: `place_of`.
        values: parameters of this class; None: as when the copies were last made.

    Returns:
        a sentence for each notebook that was made, renewed, or written beside a changed one.
    """
    folder = folder or place_of(edition)
    folder.mkdir(parents=True, exist_ok=True)
    # Where nothing is known, every notebook counts as changed, and none is lost.
    before = _recorded(folder, "worded")  # what an older version of the course noted
    written, seen = _recorded(folder, "words") or before, _recorded(folder, "seen") or dict(before)
    values = _recorded(folder, "values") if values is None else values
    says = []
    for name in catalogue.names():
        made = _made(catalogue.NOTEBOOKS / f"{name}.ipynb", edition, values)
        words = _words(made.cells)
        target = folder / f"{name}.ipynb"
        there = _words_in(target) if target.exists() else ""
        if there == words:
            written[target.name] = seen[target.name] = words
            continue
        if there and there != written.get(target.name):  # somebody has worked in it
            if words == seen.get(target.name):
                continue  # nothing new in the course
            place = _free_place(target, written)
            says.append(
                f"{target.name}: you have changed it, so it stays as it is; "
                f"the course's newer version is beside it as {place.name}."
            )
        else:
            place = target
            says.append(f"{target.name}: {'renewed; run it again' if there else 'made'}.")
        write_text(place, nbformat.writes(made) + "\n")
        written[place.name] = seen[target.name] = words
        if edition == "instructor":
            trust(place)
    write_json(folder / WRITTEN, {"words": written, "seen": seen, "values": values})
    write_text(folder / "glossary.md", plain_glossary())
    _lay_profiles(folder / "profiles")
    return says


def _lay_profiles(place: Path) -> None:
    """The profiles as a link; as copies where the system has no links, such as Windows."""
    source = catalogue.NOTEBOOKS / "profiles"
    if place.is_symlink() and place.exists():
        return
    if not place.exists():
        try:
            place.unlink(missing_ok=True)  # a link that leads nowhere
            place.symlink_to(os.path.relpath(source, place.parent.resolve()))
            return
        except (OSError, NotImplementedError, ValueError):
            pass  # ValueError: another drive
    shutil.copytree(source, place, dirs_exist_ok=True)


def trust(path: Path) -> None:
    """Let Jupyter show the outputs that a notebook of ours is stored with, scripts too.

    Where Jupyter's list of signatures cannot be written, the outputs are shown once they are run.
    """
    from nbformat import sign

    notary = sign.NotebookNotary()
    notary.log.disabled = True
    notary.sign(nbformat.read(path, as_version=4))


def main(arguments: list[str] | None = None) -> int:
    """Make an edition's copies and say what was done; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m course.editions", description=__doc__)
    parser.add_argument("edition", nargs="?", default="student")
    parser.add_argument("--profile", default="", help="its parameters become the notebooks' own")
    parser.add_argument("--set", default="", metavar="'NAME=value …'", help="and these")
    parser.add_argument("--file", default="", help="and those of a YAML file of one's own")
    given = parser.parse_args(arguments)
    try:
        place = place_of(given.edition)
        values = None
        if given.profile or given.set or given.file:
            from course.runner import given_values

            values = given_values(given.profile or "sample", given.set, given.file)
            Settings.of(values)
        says = write(given.edition, place, values)
    except LesionsError as error:
        print(error, file=sys.stderr)
        return 1
    for line in says or [f"Nothing to do: the {given.edition} edition is up to date."]:
        print(line)
    print(f"{given.edition.capitalize()} edition: {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
