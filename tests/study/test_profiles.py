"""The profiles smoke and sample, run as a user would, and the numbers of the second."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from lesions.core.files import BUILD, ROOT
from lesions.training import run_records

# Kept scores of the sample profile: `python tools/keep_sample_metrics.py` writes them anew.
KEPT = Path(__file__).with_name("sample_metrics.json")
# Machines round differently, and training amplifies it. Each tolerance is well below the distance
# between the kept score and that of a majority-class model, which the last test checks.
TOLERANCE = {"accuracy": 0.10, "balanced_accuracy": 0.10}


def run_study(profile: str, *more: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "course.runner", "--profile", profile, "--jobs", "2", *more],
        cwd=ROOT, env=os.environ | environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_the_smoke_profile_runs_to_the_results_page(tmp_path):
    said = run_study("smoke", LESIONS_BUILD=str(tmp_path))
    page = tmp_path / "smoke" / "results" / "index.html"
    assert str(page) in said
    text = page.read_text(encoding="utf-8")
    for source in set(re.findall(r'src="([^"]+)"', text)):
        assert (page.parent / source).is_file(), source
    for name in (
        "comparison_accuracy",
        "rules",
        "without_rule",
        "sizes_and_times",
        "gap",
        "claims",
    ):
        assert len(pd.read_csv(page.parent / f"{name}.csv"))
    assert len(pd.read_csv(page.parent / "comparison_accuracy.csv")) == 9


def test_images_of_ones_own_go_through_to_the_splits(tmp_path):
    """Other classes, no lesion, no sex: three columns of an atlas of one's own, at most."""
    folder = tmp_path / "o'brien's #1 $HOME bilder-ü"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for number in range(60):
        name = ("cat", "dog", "cow")[number % 3 if number % 5 else 0]
        noise = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number}.jpg"), cv2.resize(noise, (120, 90)))
        rows.append((str(number), name))
    pd.DataFrame(rows, columns=["image_id", "dx"]).to_csv(folder / "metadata.csv", index=False)
    values = f"PROFILE=mine DATASET=folder DATA_DIR={folder} OWN_RUNS="
    run_study("smoke", "01", "03", "--set", values, LESIONS_BUILD=str(tmp_path))
    splits = sorted(path.stem for path in (tmp_path / "mine" / "splits").glob("*.csv"))
    assert splits == ["honest-dx", "paper-dx"]
    # Without sex there is another target for the networks of 04.
    run_study("smoke", "04", "--set", values, LESIONS_BUILD=str(tmp_path))
    runs = sorted(path.name for path in (tmp_path / "mine" / "runs").iterdir() if path.is_dir())
    names = ("fcnn_l2", "fcnn_relu", "fcnn_relu_tanh")
    assert runs == sorted(f"{p}-dx-{name}-seed0" for p in ("honest", "paper") for name in names)


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    """The sample profile's scores; what is up to date under build/ is not run again."""
    run_study("sample")
    return run_records.load_records(BUILD / "sample")


def kept_scores() -> pd.DataFrame:
    return pd.DataFrame(json.loads(KEPT.read_text()))


def test_the_sample_profile_gives_the_kept_scores(scores):
    both = scores.merge(kept_scores(), on=["protocol", "model", "target"], suffixes=("", "_kept"))
    assert len(both) == len(scores) == len(kept_scores()) > 19
    for measure, tolerance in TOLERANCE.items():
        off = (both[measure] - both[f"{measure}_kept"]).abs()
        assert off.max() <= tolerance, both.loc[off.idxmax()].to_dict()


def test_a_majority_class_model_would_not_pass():
    kept = kept_scores()
    constant = 1 / kept["classes"]
    failing = (kept["balanced_accuracy"] - constant).abs() > TOLERANCE["balanced_accuracy"]
    assert failing.sum() >= len(kept) / 2


def test_what_was_learnt_looks_better_under_the_leaky_protocol(scores):
    wide = scores.set_index(["model", "target", "protocol"])["balanced_accuracy"].unstack()
    chance = 1 / wide.index.get_level_values("target").map(
        kept_scores().groupby("target")["classes"].first()
    )
    learnt = wide[wide["paper"] > 2 * chance]  # on sex there is next to nothing to learn
    assert len(learnt) >= 4
    gap = learnt["paper"] - learnt["honest"]
    # The CNN of a few epochs knows colours and no single image: it may gain nothing, within noise.
    assert gap.mean() > 0.2 and gap.min() > -0.05
