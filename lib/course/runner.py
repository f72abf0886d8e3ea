"""Run the notebooks headlessly, each only when something it depends on has changed."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course import catalogue
from course.execute import execute, store
from course.lock import alone_in
from course.plan import begin, finish, plan, reach, stamp_of
from lesions.core.errors import LesionsError
from lesions.core.files import BUILD
from lesions.data import known
from lesions.settings import params
from lesions.settings.parameters import Settings

# What runs on images that nothing can be trained on, too.
LOOKING = {"01_exploration", "02_dedup"}


def given_values(profile: str = "sample", assignments: str = "", file: str = "") -> dict[str, Any]:
    """The parameters of a profile, those of a file over them, single ones over both.

    Args:
        profile: the name of a file in notebooks/profiles.
        assignments: as `params.read_assignments` takes them.
        file: path of a YAML file of one's own, with lines NAME: value; empty: none.

    Raises:
        LesionsError: something is unknown, mistyped or out of range.
    """
    values = params.read_profile(profile)
    if file:
        path = Path(file).expanduser()
        if path.suffix != ".yaml" or not path.is_file():
            raise LesionsError(
                f"P_FILE names a file of parameters that ends in .yaml, with lines NAME: value; "
                f"there is none at {path.absolute()}."
            )
        values |= params.read_profile(path.stem, path.parent)
    return values | params.read_assignments(assignments)


def _run_beside(names: list[str], given: dict[str, Any]) -> None:
    """Run notebooks that need nothing of each other at the same time, each in its own process.

    Raises:
        LesionsError: some failed, with what they said; the others ran to their end.
    """
    command = [sys.executable, "-m", "course.runner", "--json", json.dumps(given), "--alone"]
    started = [
        subprocess.Popen(
            [*command, name], stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
        )
        for name in names
    ]
    said = [process.communicate()[1].strip() for process in started]
    failed = [text for text, process in zip(said, started, strict=True) if process.returncode]
    if failed:
        raise LesionsError("\n\n".join(failed))


def run(names: list[str], given: dict[str, Any], jobs: int = 1) -> int:
    """Run notebooks, in an order in which each has what it needs; returns how many ran.

    Args:
        names: of the notebooks, by number.
        given: parameters; the others have their defaults.
        jobs: notebooks at a time. The first runs alone, because it fetches or draws the images.
    """
    values = Settings.of(given).values()
    needs = catalogue.needs()
    folder = BUILD / values["PROFILE"]
    stamps = folder / "notebooks" / ".stamps"
    ran = 0
    waiting = list(names)
    if jobs > 1:  # those that others wait for come first
        waiting.sort(key=lambda name: not any(name in needs[other] for other in names))
    first = waiting[0]
    while waiting:
        ready = [name for name in waiting if not set(needs[name]) & set(waiting)]
        beside = []
        # A plan looks at every image file, so it is made only where it counts.
        if jobs > 1 and len(ready) > 1 and first not in waiting:
            beside = [name for name in ready if not plan(name, needs, values, stamps)[1]][:jobs]
        if len(beside) > 1:
            _run_beside(beside, given)
            ran += len(beside)
            waiting = [name for name in waiting if name not in beside]
            continue
        name = waiting.pop(0)
        key, up_to_date = plan(name, needs, values, stamps)
        if up_to_date:
            continue
        print(f"{name} …", flush=True)
        started = time.time()
        begin(name, stamps)
        # A notebook shows the parameters that its reader may change, and may use others as well.
        own = catalogue.code(name)[1]
        handed = {n: values[n] for n in reach(name)[1] if n in own or n in given}
        execute(name, handed, folder / "notebooks" / f"{name}.ipynb")
        finish(name, key, folder)
        print(f"{name} done in {time.time() - started:.0f} s", flush=True)
        ran += 1
    return ran


def study(names: list[str], given: dict[str, Any], jobs: int = 1) -> int:
    """Run notebooks as `run` does, alone in the profile's folder; then say where the results are.

    Raises:
        LesionsError: something failed, or another run is at work there.
    """
    settings = Settings.of(given)
    folder = BUILD / settings.PROFILE
    if known.entry(settings.DATASET).own and set(names) - LOOKING:
        from lesions.splits.trainable import check_before  # slow, and of no use for other images

        names = check_before(names, settings)
    with alone_in(folder):
        ran = run(names, given, jobs)
    if ran:
        _print_scores(folder, names)
    else:
        print(f"Nothing to do for profile {folder.name}: nothing changed since its last run.")
    page = folder / "results" / "index.html"
    made = (stamp_of(name, folder / "notebooks" / ".stamps") for name in names)
    if any(str(page.resolve()) in stamp.get("outputs", {}) for stamp in made):
        print(f"Results page: {page}")
    print(f"Executed notebooks: {folder / 'notebooks'}")
    return ran


def _print_scores(folder: Path, names: list[str]) -> None:
    """The scores of what the notebooks trained, if they trained anything."""
    made = (stamp_of(name, folder / "notebooks" / ".stamps") for name in names)
    runs = str((folder / "runs").resolve())
    if any(path.startswith(runs) for stamp in made for path in stamp.get("outputs", {})):
        from course import compare  # it reads tables, whose library is slow to import

        print(compare.readable(compare.scores([folder.name])))


def store_all(names: list[str]) -> None:
    """Run notebooks as they stand and keep their outputs in them, alone in the sample's folder."""
    with alone_in(BUILD / "sample"):
        for name in names:
            store(name)


def list_parameters() -> None:
    """Print every parameter with its default, its limits and its line of help."""
    for name, declared in params.PARAMETERS.items():
        limits = " | ".join(declared.choices)
        if declared.low is not None:
            limits = f"{declared.low:g} to {declared.high:g}"
        print(f"{name:18} {declared.default!r:12} {declared.help}" + (limits and f" ({limits})"))


def chosen(texts: list[str], alone: bool = False) -> list[str]:
    """The notebooks to run, by number: those named with what they need; all where none is named."""
    needs = catalogue.needs()
    found = [catalogue.find(text, list(needs)) for text in texts]
    wanted = {n for name in found for n in ([name] if alone else catalogue.with_needs(name, needs))}
    return [name for name in needs if name in wanted or not wanted]


def any_terminal() -> None:
    """Let a terminal that lacks a letter, such as a Latin-1 one, show another in its place."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def in_sentences(work: Callable[[], int]) -> int:
    """Do a command's work; a mistake or Ctrl-C becomes a sentence. Returns the exit status."""
    try:
        return work()
    except LesionsError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. What was finished is kept: the same command goes on from there.",
              file=sys.stderr)  # fmt: skip
        return 130


def main(arguments: list[str] | None = None) -> int:
    """The command line of the runner alone; returns the exit status."""
    any_terminal()
    parser = argparse.ArgumentParser(prog="python -m course.runner", description=__doc__)
    parser.add_argument("notebooks", nargs="*", help="numbers such as 03; none: all")
    parser.add_argument("--profile", default="sample")
    parser.add_argument("--file", default="", help="a YAML file of parameters of one's own")
    parser.add_argument("--set", default="", metavar="'NAME=value …'")
    parser.add_argument("--json", default="", help="all given parameters, instead of these three")
    parser.add_argument("--jobs", type=int, default=1, help="notebooks at a time")
    parser.add_argument("--alone", action="store_true", help="only those named, not their needs")
    parser.add_argument("--parameters", action="store_true", help="list them and stop")
    parser.add_argument("--store", action="store_true", help="keep the outputs in notebooks/")
    options = parser.parse_args(arguments)

    def work() -> int:
        if options.parameters:
            list_parameters()
        elif options.store:
            store_all(chosen(options.notebooks, options.alone))
        elif options.json:  # a part of a run: that run holds the folder, and says the rest
            run(chosen(options.notebooks, options.alone), json.loads(options.json))
        else:
            given = given_values(options.profile, options.set, options.file)
            study(chosen(options.notebooks, options.alone), given, options.jobs)
        return 0

    return in_sentences(work)


if __name__ == "__main__":
    sys.exit(main())
