"""Is this machine ready for the course? `make check` prints versions, memory, disk and data."""

import os
import platform
import re
import shutil
import sys
from importlib import metadata

import psutil

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from lesions.data import datasets

NEEDED_DISK_GB = 10
NEEDED_MEMORY_GB = 6


def locked_versions() -> dict[str, str]:
    """The version of each package in requirements.lock that this Python would install."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", text, flags=re.MULTILINE))


def direct_dependencies() -> list[str]:
    """The packages that pyproject.toml names, in lower case."""
    required = metadata.requires("lesions") or []
    return [re.split(r"[<>=!~ ;\[]", line)[0].lower() for line in required]


def report() -> list[tuple[bool, str]]:
    """One line for each thing looked at, and whether it is as it should be."""
    lines = []
    version = platform.python_version()
    lines.append(((3, 11) <= sys.version_info[:2] <= (3, 13), f"Python {version}"))
    locked = locked_versions()
    for name in direct_dependencies():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            lines.append((False, f"{name} is not installed; the lock has {locked[name]}"))
            continue
        note = "" if found == locked[name] else f", the lock has {locked[name]}"
        lines.append((not note, f"{name} {found}{note}"))
    memory = psutil.virtual_memory().total / 1e9
    lines.append((memory >= NEEDED_MEMORY_GB, f"memory {memory:.0f} GB, {os.cpu_count()} cores"))
    free = shutil.disk_usage(ROOT).free / 1e9
    enough = free >= NEEDED_DISK_GB
    lines.append((enough, f"disk {free:.0f} GB free; {NEEDED_DISK_GB} GB are enough for all"))
    try:
        lines.append((True, f"HAM10000 in {datasets.locate('ham10000')}"))
    except LesionsError as error:
        lines.append((True, f"no HAM10000 here, which only quick and paper need. {error}"))
    return lines


def main() -> int:
    """Print the report; the exit status is 1 when something is not as it should be."""
    lines = report()
    for good, text in lines:
        print(f"{'ok  ' if good else 'LOOK'}  {text}")
    return 0 if all(good for good, _ in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
