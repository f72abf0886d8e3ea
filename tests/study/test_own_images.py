"""Images of one's own, with classes and columns of one's own, go all the way to a results page."""

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from lesions.core.files import ROOT

pytestmark = pytest.mark.slow


def study(tmp_path: Path, values: str, *names: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "course.runner", *names, "--profile", "smoke", "--set", values],
        cwd=ROOT, env=os.environ | {"LESIONS_BUILD": str(tmp_path / "build")},
        capture_output=True, encoding="utf-8",
    )  # fmt: skip


def folder_of(place: Path, counts: dict[str, int]) -> Path:
    """A folder a class; images numbered anew in each; the classes differ in colour."""
    rng = np.random.default_rng(0)
    for kind, (name, count) in enumerate(counts.items()):
        (place / name).mkdir(parents=True)
        for number in range(count):
            noise = np.clip(rng.normal(110 + 50 * kind, 45, (6, 8, 3)), 0, 255).astype(np.uint8)
            image = cv2.resize(noise, (96, 72), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(place / name / f"{number}.png"), image)
    return place


# Without sex, the networks of 04 have another target.
ALL = ["cnn", "fcnn_l2", "fcnn_relu", "fcnn_relu_tanh"]


@pytest.mark.parametrize(
    "place, kinds, protocol, more, models",
    [
        ("mine", ["1e3", "01"], "honest", " OWN_RUNS= BINARY_RUNS=fcnn_l2:dx", ["cnn", "fcnn_l2"]),
        ("o'brien's #1 $HOME bilder-ü", ["=1+1", "<script>", "NA"], "both", " OWN_RUNS=", ALL),
    ],
)
def test_classes_of_ones_own_without_sex_or_lesions(
    tmp_path: Path, place: str, kinds: list[str], protocol: str, more: str, models: list[str]
) -> None:
    folder = folder_of(tmp_path / place, dict.fromkeys(kinds, 60))
    more += " MULTICLASS_RUNS=cnn:dx"
    values = f"PROFILE=mine DATASET=folder DATA_DIR={folder} PROTOCOL={protocol}{more}"
    done = study(tmp_path, values)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    build = tmp_path / "build" / "mine"
    page = (build / "results" / "index.html").read_text(encoding="utf-8")
    assert "<script" not in page
    for source in set(re.findall(r'src="([^"]+)"', page)):
        assert (build / "results" / source).is_file(), source
    runs = pd.read_csv(build / "results" / "sizes_and_times.csv", dtype=str)
    assert set(runs["target"]) == {"dx"}
    protocols = ["honest", "paper"] if protocol == "both" else [protocol]
    splits = sorted(path.stem for path in (build / "splits").glob("*.csv"))
    assert splits == [f"{name}-dx" for name in protocols]
    found = sorted(path.name for path in (build / "runs").iterdir() if path.is_dir())
    assert found == [f"{p}-dx-{name}-seed0" for p in protocols for name in models]
    assert "08_explanation is left out" in done.stdout
    for path in build.rglob("*.csv"):
        assert not re.search(r'(^|,)"?[=@]', path.read_text(encoding="utf-8"), re.MULTILINE), path
    assert {path.name for path in tmp_path.iterdir()} == {place, "build"}


@pytest.mark.parametrize(
    "counts, words",
    [({"only": 40}, "one class only"), ({"a": 1, "b": 40}, "two lesions or more")],
)
def test_what_cannot_work_is_refused_before_anything_runs(tmp_path, counts, words) -> None:
    folder = folder_of(tmp_path / "mine", counts)
    done = study(tmp_path, f"PROFILE=mine DATASET=folder DATA_DIR={folder}")
    assert done.returncode == 1 and words in done.stderr
    assert "Traceback" not in done.stderr and "01_exploration" not in done.stdout
    assert not (tmp_path / "build" / "mine" / "notebooks").exists()
