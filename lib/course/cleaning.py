"""`make clean`. It needs no environment, so it imports only what every Python has."""

import shutil
from pathlib import Path


def clean(root: Path) -> int:
    """Remove what was made under the course's folder; what a person wrote or fetched stays."""
    # These hold what a person wrote, which no command can make again.
    spared = {"student", "instructor", "exercises"}
    build = root / "build"
    made = [path for path in build.glob("*") if path.name not in spared] if build.is_dir() else []
    made += [root / "data" / "cache"]
    made += [root / name for name in (".pytest_cache", ".ruff_cache", ".hypothesis")]
    for path in made:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return 0
