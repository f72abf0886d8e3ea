"""Run one notebook in a kernel of its own, and say in a sentence why it stopped."""

import contextlib
import errno
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from course import catalogue, times
from lesions.core.errors import LesionsError
from lesions.core.files import atomic


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
    with path.open("w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _last_begun(executed: Path) -> str:
    """The cell in which a notebook stopped, as `In [3]`, by what papermill noted in it."""
    try:
        cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return "its first cell"
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    begun = [
        number
        for number, cell in enumerate(code, 1)
        if cell["metadata"].get("papermill", {}).get("status", "pending") != "pending"
    ]
    return f"cell In [{begun[-1]}]" if begun else "its first cell"


def execute(name: str, values: dict[str, Any], target: Path) -> None:
    """Run one notebook into `target`; also when it fails, `target` holds it up to that cell.

    Args:
        name: the notebook.
        values: parameters for it, which may be more than its own `parameters` cell has.
        target: where the executed notebook goes; its logs go beside it.

    Raises:
        LesionsError: a cell failed, the kernel died or did not start, or the disk is full; the
            message names the notebook, the cell and what to do.
    """
    import papermill  # slow to import, and not needed when nothing has to run
    from nbclient.exceptions import DeadKernelError

    from course import kernels

    for logger in ("papermill", "traitlets"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    # After Ctrl-C, asyncio logs the death of the kernel with a traceback: it was our wish.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    target.parent.mkdir(parents=True, exist_ok=True)
    running = target.with_name(f".{name}.running.ipynb")
    log = target.with_name(f"{name}.log")
    ledger = target.with_name(f"{name}.outputs")
    said = target.with_name(f"{name}.kernel.log")
    for old in (log, ledger, running):
        old.unlink(missing_ok=True)
    os.environ |= {"LESIONS_PROGRESS": str(log), "LESIONS_OUTPUTS": str(ledger)}
    stop = threading.Event()
    follower = threading.Thread(target=_follow, args=(log, stop), daemon=True)
    follower.start()
    try:
        with _kernel_messages_to(said), kernels.own_folders():
            papermill.execute_notebook(
                str(catalogue.NOTEBOOKS / f"{name}.ipynb"), str(running), parameters=values,
                progress_bar=False, cwd=str(catalogue.NOTEBOOKS), kernel_name="python3",
                kernel_manager_class=kernels.OwnKernel,
            )  # fmt: skip
    except papermill.PapermillExecutionError as error:
        raise LesionsError(
            f"{name} failed in cell In [{error.exec_count}]: {error.ename}: {error.evalue} "
            f"The notebook up to that cell: {target}"
        ) from error
    except DeadKernelError as error:
        raise LesionsError(
            f"{name}: its Python was ended from outside in {_last_begun(running)}, mostly because "
            "memory ran out. Try JOBS=1, a smaller BATCH_SIZE, IMAGE_SIZE or LIMIT, or close other "
            f"programs, and run again: what was finished is kept. What it last said: {said}"
        ) from error
    except RuntimeError as error:  # so nbclient and jupyter_client say that a kernel never came up
        if "ernel" not in str(error):
            raise
        raise LesionsError(
            f"{name}: its Python ({sys.executable}) did not start. Run `make check`, which looks "
            f"at the environment; what it said: {said}"
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


def store(name: str) -> None:
    """Run a notebook as it stands, with its own parameters, and keep the outputs in it.

    Raises:
        LesionsError: a cell failed, or the kernel died; the notebook is left as it was.
    """
    import nbclient
    import nbformat

    from course import kernels

    os.environ["LESIONS_PROGRESS"] = os.devnull
    path = catalogue.NOTEBOOKS / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    started, worked = time.time(), times.worked()
    client = nbclient.NotebookClient(
        notebook, timeout=None, resources={"metadata": {"path": str(catalogue.NOTEBOOKS)}},
        record_timing=False, kernel_name="python3", kernel_manager_class=kernels.OwnKernel,
    )  # fmt: skip
    try:
        with _kernel_messages_to(Path(os.devnull)), kernels.own_folders():
            client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        raise LesionsError(
            f"{name} failed: {error.ename}: {error.evalue} It keeps the outputs that it had."
        ) from error
    except nbclient.exceptions.DeadKernelError as error:
        raise LesionsError(
            f"{name}: its Python was ended from outside, mostly because memory ran out. It keeps "
            "the outputs that it had."
        ) from error
    # On a machine with other work beside it the clock runs on, and the kernel's own work does not.
    busy = times.worked() - worked
    seconds = time.time() - started
    times.note(notebook, min(seconds, busy) if busy > 1 else seconds)
    # Which Python ran it is no part of the course, and would change with every machine.
    notebook.metadata["language_info"] = {"name": "python"}
    with atomic(path) as partial:
        nbformat.write(notebook, partial)
    print(f"{name} stored after {time.time() - started:.0f} s", flush=True)
