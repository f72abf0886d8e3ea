"""The profile sample, run as a user would: its results page and its numbers."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from lesions.core.files import BUILD, ROOT
from lesions.training import run_records

# Kept scores of the sample profile: `python tools/keep_sample_metrics.py` writes them anew.
KEPT = Path(__file__).with_name("sample_metrics.json")
# Machines round differently, and training amplifies it. Each tolerance is well below the distance
# between the kept score and that of a majority-class model, which the last test checks.
TOLERANCE = {"accuracy": 0.10, "balanced_accuracy": 0.10}


@pytest.fixture(scope="module")
def said() -> str:
    """What the study of the sample says; what is up to date under build/ is not run again."""
    done = subprocess.run(
        [sys.executable, "-m", "course.runner", "--profile", "sample", "--jobs", "2"],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def scores(said: str) -> pd.DataFrame:
    return run_records.load_records(BUILD / "sample")


def test_the_study_ends_with_a_results_page(said: str):
    page = BUILD / "sample" / "results" / "index.html"
    assert str(page) in said
    text = page.read_text(encoding="utf-8")
    for source in set(re.findall(r'src="([^"]+)"', text)):
        assert (page.parent / source).is_file(), source
    names = ("comparison_accuracy", "rules", "without_rule", "sizes_and_times", "gap", "claims")
    for name in names:
        assert len(pd.read_csv(page.parent / f"{name}.csv"))
    assert len(pd.read_csv(page.parent / "comparison_accuracy.csv")) == 9


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
