"""Run the notebooks headlessly, each only when something it depends on has changed."""

import argparse
import ast
import contextlib
import errno
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lesions.core.cache import digest
from lesions.core.errors import LesionsError
from lesions.core.files import BUILD, ROOT, atomic, write_json
from lesions.settings import params

NOTEBOOKS = ROOT / "notebooks"
# Each notebook and the earlier ones whose files it reads.
NEEDS = {
    "01_exploration": [],
    "02_dedup": [],
    "03_preprocessing": ["02_dedup"],
    "04_binary_fcnn": ["03_preprocessing"],
    "05_multiclass_cnn": ["03_preprocessing"],
    "06_comparison": ["04_binary_fcnn", "05_multiclass_cnn"],
}


def find_notebook(text: str) -> str:
    """The full name for a number or a name: `3`, `03` and `03_preprocessing` are the same."""
    for name in NEEDS:
        if text in (name, name[:2], name[1:2]):
            return name
    raise LesionsError(
        f"Unknown notebook {text}.{params.nearest(text, list(NEEDS))} "
        f"There are: {', '.join(NEEDS)}."
    )


def with_needs(name: str) -> list[str]:
    """The notebook and all that it needs, in the order of running."""
    wanted = {name}
    for later in reversed(NEEDS):
        if later in wanted:
            wanted.update(NEEDS[later])
    return [item for item in NEEDS if item in wanted]


def notebook_code(name: str) -> tuple[list[str], list[str]]:
    """The sources of a notebook's code cells, and the names in its `parameters` cell."""
    cells = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    names = [
        node.id
        for cell in code
        if "parameters" in cell["metadata"].get("tags", [])
        for node in ast.walk(ast.parse("".join(cell["source"])))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    return ["".join(cell["source"]) for cell in code], names


def _file_states(paths: list[Path]) -> dict[str, list[int]]:
    """Size and time of change of each file that is there: enough to see that it changed."""
    states = {}
    for path in sorted(paths):
        if path.is_file():
            about = path.stat()
            states[str(path)] = [about.st_size, about.st_mtime_ns]
    return states


def _library_digest() -> str:
    sources = [*sorted((ROOT / "lib").rglob("*.py")), ROOT / "requirements.lock"]
    for pattern in ("*.csv", "*.json", "results/*/*.csv"):
        sources += sorted((ROOT / "data").glob(pattern))
    # The runner itself changes no result.
    return digest([path.read_text() for path in sources if path.name != "runner.py"])


def _data_state(values: dict[str, Any]) -> Any:
    """What tells that the images changed: the data folder's entries with their sizes and times."""
    if values["DATASET"] == "sample":
        return "sample"
    folder = values["DATA_DIR"] or os.environ.get("HAM10000_DIR")
    folder = Path(folder) if folder else ROOT / "data" / "raw" / "ham10000"
    return _file_states(list(folder.rglob("*"))) if folder.is_dir() else "absent"


def _outputs(folder: Path, ledger: Path) -> list[Path]:
    """The files under a profile's folder that a notebook made, from its list of outputs."""
    noted = set(ledger.read_text(encoding="utf-8").splitlines()) if ledger.exists() else set()
    made = [Path(line) for line in noted]
    files = [file for path in made for file in (path.rglob("*") if path.is_dir() else [path])]
    return [file for file in files if file.is_relative_to(folder.resolve()) and file.is_file()]


def plan(name: str, values: dict[str, Any], stamps: Path) -> tuple[str, bool]:
    """The key of a notebook's run, and whether the run on disk has it and is whole."""
    code, used = notebook_code(name)
    earlier = [
        json.loads((stamps / f"{need}.json").read_text())["outputs"]
        for need in NEEDS[name]
        if (stamps / f"{need}.json").exists()
    ]
    settings = {key: values[key] for key in used}
    key = digest(code, settings, earlier, _library_digest(), _data_state(values))
    stamp_file = stamps / f"{name}.json"
    if not stamp_file.exists() or not (stamps.parent / f"{name}.ipynb").exists():
        return key, False
    stamp = json.loads(stamp_file.read_text())
    whole = _file_states([Path(path) for path in stamp["outputs"]]) == stamp["outputs"]
    return key, stamp["key"] == key and whole


def _follow(log: Path, stop: threading.Event) -> None:
    """Print the lines that the running notebook adds to its progress file."""
    position = 0
    while True:
        ending = stop.is_set()  # looked at first, so that the last lines are printed too
        if log.exists():
            with log.open(encoding="utf-8") as lines:
                lines.seek(position)
                for line in lines:
                    print(f"    {line.rstrip()}", flush=True)
                position = lines.tell()
        if ending:
            return
        stop.wait(1.0)


@contextlib.contextmanager
def _kernel_messages_to(path: Path) -> Iterator[None]:
    """Send what the kernel's process says of itself to a file: it is no part of the study."""
    sys.stderr.flush()
    kept = os.dup(2)
    with path.open("w") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def execute(name: str, values: dict[str, Any], target: Path) -> None:
    """Run one notebook into `target`; also when it fails, `target` holds it up to that cell.

    Raises:
        LesionsError: a cell failed; the message names the notebook, the cell and the error.
    """
    import papermill  # slow to import, and not needed when nothing has to run

    logging.getLogger("papermill").setLevel(logging.ERROR)
    # After Ctrl-C, asyncio logs the death of the kernel with a traceback: it was our wish.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    used = {key: values[key] for key in notebook_code(name)[1]}
    target.parent.mkdir(parents=True, exist_ok=True)
    running = target.with_name(f".{name}.running.ipynb")
    log = target.with_name(f"{name}.log")
    ledger = target.with_name(f"{name}.outputs")
    for old in (log, ledger):
        old.unlink(missing_ok=True)
    os.environ |= {"LESIONS_PROGRESS": str(log), "LESIONS_OUTPUTS": str(ledger)}
    stop = threading.Event()
    follower = threading.Thread(target=_follow, args=(log, stop), daemon=True)
    follower.start()
    source = str(NOTEBOOKS / f"{name}.ipynb")
    try:
        with _kernel_messages_to(target.with_name(f"{name}.kernel.log")):
            papermill.execute_notebook(
                source, str(running), parameters=used, progress_bar=False, cwd=str(NOTEBOOKS)
            )
    except papermill.PapermillExecutionError as error:
        raise LesionsError(
            f"{name} failed in cell In [{error.exec_count}]: {error.ename}: {error.evalue} "
            f"The notebook up to that cell: {target}"
        ) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            running.unlink(missing_ok=True)  # it is cut off
            raise LesionsError(
                f"{name}: the disk is full under {target.parent}. Free some space and run again."
            ) from error
        raise
    finally:
        stop.set()
        follower.join()
        if running.exists():
            os.replace(running, target)


def _run_beside(names: list[str], profile: str, assignments: str) -> None:
    """Run notebooks that need nothing of each other at the same time, each in its own process.

    Raises:
        LesionsError: some failed, with what they said; the others ran to their end.
    """
    command = [sys.executable, "-m", "course.runner", "--profile", profile, "--set", assignments]
    started = [
        subprocess.Popen([*command, "--alone", name], stderr=subprocess.PIPE, text=True)
        for name in names
    ]
    said = [process.communicate()[1].strip() for process in started]
    failed = [text for text, process in zip(said, started, strict=True) if process.returncode]
    if failed:
        raise LesionsError("\n\n".join(failed))


def run(
    names: list[str], profile: str, assignments: str = "", jobs: int = 1, alone: bool = False
) -> int:
    """Run notebooks, in an order in which each has what it needs; returns how many ran.

    Args:
        names: from `NEEDS`, in its order.
        profile, assignments: as `params.read_profile` and `params.read_assignments` take them.
        jobs: notebooks at a time. The first runs alone, because it fetches or draws the images.
        alone: a part of such a run: says nothing of the whole.
    """
    given = params.read_profile(profile) | params.read_assignments(assignments)
    values = vars(params.complete(given))
    folder = BUILD / values["PROFILE"]
    stamps = folder / "notebooks" / ".stamps"
    ran = 0
    waiting = list(names)
    if jobs > 1:  # those that others wait for come first
        waiting.sort(key=lambda name: not any(name in NEEDS[other] for other in names))
    first = waiting[0]
    while waiting:
        ready = [name for name in waiting if not set(NEEDS[name]) & set(waiting)]
        beside = []
        # A plan looks at every image file, so it is made only where it counts.
        if jobs > 1 and len(ready) > 1 and first not in waiting:
            beside = [name for name in ready if not plan(name, values, stamps)[1]][:jobs]
        if len(beside) > 1:
            _run_beside(beside, profile, assignments)
            ran += len(beside)
            waiting = [name for name in waiting if name not in beside]
            continue
        name = waiting.pop(0)
        key, up_to_date = plan(name, values, stamps)
        if up_to_date:
            continue
        print(f"{name} …", flush=True)
        started = time.time()
        (stamps / f"{name}.json").unlink(missing_ok=True)
        execute(name, values, folder / "notebooks" / f"{name}.ipynb")
        states = _file_states(_outputs(folder, folder / "notebooks" / f"{name}.outputs"))
        write_json(stamps / f"{name}.json", {"key": key, "outputs": states})
        print(f"{name} done in {time.time() - started:.0f} s", flush=True)
        ran += 1
    if alone:
        return ran
    page = folder / "results" / "index.html"
    if not ran:
        print(f"Nothing to do for profile {values['PROFILE']}: nothing changed since its last run.")
    if "06_comparison" in names:
        print(f"Results page: {page}")
    print(f"Executed notebooks: {folder / 'notebooks'}")
    return ran


def store(names: list[str]) -> None:
    """Run the notebooks as they stand, with their own parameters, and keep the outputs in them."""
    import nbclient
    import nbformat

    os.environ["LESIONS_PROGRESS"] = os.devnull
    for name in names:
        path = NOTEBOOKS / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        started = time.time()
        client = nbclient.NotebookClient(
            notebook, timeout=None, resources={"metadata": {"path": str(NOTEBOOKS)}},
            record_timing=False,
        )  # fmt: skip
        with _kernel_messages_to(Path(os.devnull)):
            client.execute()
        # Which Python ran it is no part of the course, and would change with every machine.
        notebook.metadata["language_info"] = {"name": "python"}
        with atomic(path) as partial:
            nbformat.write(notebook, partial)
        print(f"{name} stored after {time.time() - started:.0f} s", flush=True)


def list_parameters() -> None:
    """Print every parameter with its default, its limits and its line of help."""
    for name, declared in params.PARAMETERS.items():
        limits = " | ".join(declared.choices)
        if declared.low is not None:
            limits = f"{declared.low:g} to {declared.high:g}"
        print(f"{name:18} {declared.default!r:12} {declared.help}" + (limits and f" ({limits})"))


def main(arguments: list[str] | None = None) -> int:
    """The command line behind the Makefile; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m course.runner", description=__doc__)
    parser.add_argument("notebooks", nargs="*", help="numbers such as 03; none: all six")
    parser.add_argument("--profile", default="sample")
    parser.add_argument("--set", default="", metavar="'NAME=value …'")
    parser.add_argument("--jobs", type=int, default=1, help="notebooks at a time")
    parser.add_argument("--alone", action="store_true", help="only those named, not their needs")
    parser.add_argument("--parameters", action="store_true", help="list them and stop")
    parser.add_argument("--store", action="store_true", help="keep the outputs in notebooks/")
    options = parser.parse_args(arguments)
    try:
        if options.parameters:
            list_parameters()
            return 0
        found = [find_notebook(text) for text in options.notebooks]
        wanted = {n for name in found for n in ([name] if options.alone else with_needs(name))}
        names = [name for name in NEEDS if name in wanted or not wanted]
        if options.store:
            store(names)
        else:
            run(names, options.profile, options.set, options.jobs, options.alone)
    except LesionsError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. What was finished is kept: the same command goes on from there.",
              file=sys.stderr)  # fmt: skip
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
