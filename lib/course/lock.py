"""One run at a time in a folder: a lock that the system takes back when its holder ends."""

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lesions.core.errors import LesionsError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt


def _take(file: int) -> bool:
    """Whether the lock was free; a file system without locks counts as free."""
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            # Far behind the text, which others must be able to read.
            os.lseek(file, 1 << 20, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder for one run.

    The file stays when the run ends; the lock on it does not, not even after `kill -9`.

    Raises:
        LesionsError: another run holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".lock"
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _take(file):
            who = path.read_text(encoding="utf-8").strip() or "another process"
            raise LesionsError(
                f"Another run is at work in {folder} ({who}). Wait for its end or stop it; with "
                'another profile, such as P="PROFILE=second", two runs do no harm.'
            )
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, f"process {os.getpid()}, since {time.strftime('%H:%M')}".encode())
        yield
    finally:
        with contextlib.suppress(OSError):
            os.close(file)
