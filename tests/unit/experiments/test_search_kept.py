"""The kept search on the real images: every cell once, nothing chosen by the test part."""

import numpy as np
import pandas as pd

from course import catalogue
from lesions.experiments import more_networks, search_lessons, search_space
from lesions.settings.parameters import Settings


def test_every_cell_was_trained_once_and_for_as_many_images():
    trials = search_lessons.finished(search_lessons.kept("trials"))
    cells = pd.DataFrame(search_space.cells(Settings()))
    names = list(search_space.GRID)
    tried = trials[names].sort_values(names, ignore_index=True)
    expected = cells[names].sort_values(names, ignore_index=True)
    pd.testing.assert_frame_equal(tried, expected, check_dtype=False)
    for name in set(cells) - set(names):  # the others have the study's value
        assert (trials[name] == cells[name][0]).all()
    assert trials["images"].eq(3000).all() and trials["seed"].is_unique
    assert trials[["validation", "test"]].notna().all().all()


def test_the_seeds_are_those_of_one_setting():
    seeds = search_lessons.kept("seeds")
    assert (seeds["variant"] == more_networks.REPEATED).all() and seeds["seed"].is_unique
    assert len(seeds) >= 3 and np.ptp(seeds["validation"]) > 0


def test_one_learning_rate_fails_altogether_as_10_says():
    trials = search_lessons.kept("trials")
    mean = trials.groupby("LEARNING_RATE")["validation"].mean()
    assert mean[0.01] < 0.55 and mean.drop(0.01).min() > 0.65
    prose = (catalogue.NOTEBOOKS / "10_search.ipynb").read_text(encoding="utf-8")
    assert "at which networks only guess" in prose
    assert "five learning rates, four widths of the network" in prose
    assert trials["LEARNING_RATE"].nunique() == 5 and trials["CNN_WIDTH"].nunique() == 4
