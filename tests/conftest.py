"""Shared test fixtures. The real images are optional: tests that need them skip without them."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# HYPOTHESIS_PROFILE=nightly looks at twenty times as many examples.
MADE = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("test", max_examples=100, derandomize=True, **MADE)
settings.register_profile("nightly", max_examples=10_000, **MADE)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def what_is_said_comes_to_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of progress are read by the tests, even where LESIONS_PROGRESS sends them to a file."""
    monkeypatch.delenv("LESIONS_PROGRESS", raising=False)


@pytest.fixture(scope="session")
def ham_dir() -> Path:
    """The folder of real images (HAM10000_DIR, or the optional data folder beside the checkout)."""
    folder = Path(os.environ.get("HAM10000_DIR", ROOT / ".." / "shared" / "ham10000"))
    if not (folder / "HAM10000_metadata.csv").exists():
        pytest.skip("no real images here: set HAM10000_DIR to a folder with HAM10000 to run this")
    return folder.resolve()
