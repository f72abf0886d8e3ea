"""HAM10000, as the Harvard Dataverse record or Kaggle has it."""

import os
from pathlib import Path

from lesions.core.files import ROOT, user_path
from lesions.data.known import Source

DOWNLOADED = ROOT / "data" / "raw" / "ham10000"  # where `make data` puts it


def folder() -> Path:
    """What the environment's HAM10000_DIR says, else where `make data` puts it."""
    named = os.environ.get("HAM10000_DIR")
    if not named:
        return DOWNLOADED
    there = Path(named).expanduser()
    return there if there.is_dir() else user_path(named)


SOURCE = Source(
    "10,015 dermatoscopic images of seven diagnoses",
    default=folder,
    ways="set HAM10000_DIR to the folder that has it, fetch it with `make data`, or use "
    "PROFILE=sample",
)
