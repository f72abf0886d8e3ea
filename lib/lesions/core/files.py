"""Where things lie, and how they are written: whole or not at all."""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lesions.core.errors import LesionsError

# lib/lesions/core/files.py stands three folders below the root of the course.
ROOT = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("LESIONS_BUILD", ROOT / "build"))
CACHE = Path(os.environ.get("LESIONS_CACHE", ROOT / "data" / "cache"))
# For `pandas.read_csv`: names of images and lesions are words, also where they look like numbers.
IDS = {"image_id": str, "lesion_id": str}


def user_path(text: str | Path) -> Path:
    """The path that a person means, in a parameter or an environment variable.

    `~` is the home folder. A relative path counts from the course's own folder, because notebooks
    and `make` run in different ones. Backslashes are Windows's slashes, unless a file is called so.
    """
    path = Path(text).expanduser()
    if os.sep == "/" and "\\" in str(path) and not (ROOT / path).exists():
        path = Path(str(text).replace("\\", "/")).expanduser()
    return ROOT / path


@contextmanager
def atomic(target: Path, replace: bool = True) -> Iterator[Path]:
    """Give a temporary path beside `target`; move it to `target` when the block ends well.

    The block may make a file or a folder there. If it fails, or is interrupted, the temporary
    path is removed and an older `target` stays as it was. A full disk becomes a `LesionsError`.

    Args:
        replace: False: what another process has put there meanwhile stays, because it is the same
            and somebody may be reading it.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    # The suffix is kept, because some writers choose the format by it.
    partial = target.with_name(f".{target.stem}.{os.getpid()}.partial{target.suffix}")
    try:
        yield partial
        if replace or not target.exists():
            if replace and target.is_dir():
                shutil.rmtree(target)
            _move(partial, target, replace)
        note_output(target)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise LesionsError(
                f"The disk is full: {target} could not be written. Free some space and run again; "
                "nothing half-written is left."
            ) from error
        raise
    finally:
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.unlink(missing_ok=True)


def _move(partial: Path, target: Path, replace: bool) -> None:
    try:
        os.replace(partial, target)
    except OSError:
        # Another process was quicker, by less than the look at `target` before this.
        if replace or not target.exists():
            raise


def note_output(path: Path) -> None:
    """Add a file or folder to the list of what the running notebook made, if one is kept.

    The runner of the notebooks asks for the list, by naming its file in LESIONS_OUTPUTS.
    """
    ledger = os.environ.get("LESIONS_OUTPUTS")
    if ledger:
        with open(ledger, "a", encoding="utf-8") as lines:
            lines.write(f"{Path(path).resolve()}\n")


def write_text(target: Path, text: str) -> Path:
    """Write a text file whole or not at all; returns its path."""
    with atomic(target) as partial:
        partial.write_text(text, encoding="utf-8")
    return Path(target)


def write_json(target: Path, value: Any) -> Path:
    """Write `value` as indented JSON, keys in the order given."""
    return write_text(target, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
