"""The search: what it can reach, what a trial depends on; no trial is lost or counted twice."""

import inspect
import math
import sys
import types

import numpy as np
import optuna
import pandas as pd
import pytest

from lesions.core import cache
from lesions.core.errors import LesionsError
from lesions.experiments import (
    search,
    search_data,
    search_space,
    search_test,
    search_trial,
)
from lesions.settings import params
from lesions.settings.parameters import Settings
from made import development

SETTINGS = Settings(SEARCH_TRIALS=6, SEARCH_IMAGES=100)


class Scored:
    """A pool without networks: a score from the setting, the trials in order, or from the end."""

    def __init__(self, places: int = 1, backwards: bool = False):
        self.places, self.backwards, self.waiting, self.done = places, backwards, [], []

    def room(self) -> int:
        return self.places - len(self.waiting)

    def submit(self, task: search_trial.Task) -> None:
        self.waiting.append(task)

    def next_done(self):
        task = self.waiting.pop(-1 if self.backwards else 0)
        self.done.append(task)
        return task, result_of(task)


def result_of(task: search_trial.Task) -> dict:
    score = 0.9 - 0.1 * abs(math.log10(task.setting["LEARNING_RATE"]) + 3)
    looks = [score - 0.2, score - 0.1, score]
    for number, bar in enumerate(task.bars):
        if looks[number] < bar:
            looks = looks[: number + 1]
            break
    whole = len(looks) == 3
    return {"score": looks[-1], "looks": looks, "images": 100 * len(looks) // 3,
            "pruned": not whole, "seconds": 1.0}  # fmt: skip


def started(folder, settings=SETTINGS, sampler="random", prune=False) -> search.Search:
    study = search.open_study(folder / "journal.log", "a study")
    return search.Search(study, settings, sampler, prune)


def settings_tried(one: search.Search) -> pd.DataFrame:
    table = search.table(one.study)[[*search_space.SPACE, "seed"]]
    return table.sort_values("seed", ignore_index=True)


# ---------------------------------------------------------------- what it can reach


def check_reach(module: types.ModuleType) -> None:
    """Other test images and labels: the same `Development`, and no test image is in it."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (40, 8, 8, 3), dtype=np.uint8)
    ids = pd.Index([f"I{n}" for n in range(40)])
    rows = pd.DataFrame({"image_id": ids, "lesion_id": ids, "label": ["mel", "nv"] * 20})
    rows["split"] = ["train", "train", "validation", "test"] * 10
    groups = pd.Series(ids, index=ids)
    found = []
    for change in (False, True):
        is_test = (rows["split"] == "test").to_numpy()
        if change:
            images = np.where(is_test[:, None, None, None], 0, images).astype(np.uint8)
            rows.loc[is_test, "label"] = np.roll(rows.loc[is_test, "label"], 1)
        data = module.development(rows, images, ids, groups)
        found.append(data.key())
        for train, scored in [*module.parts(data, 1, 0), *module.parts(data, 4, 0)]:
            seen = set(data.rows["image_id"].iloc[[*train, *scored]])
            assert not seen & set(rows.loc[is_test, "image_id"]), "a test image is in a trial"
    assert found[0] == found[1], "the test part changes what a trial sees"


@pytest.mark.parametrize(
    "old, new",
    [
        ('rows["split"].isin(PARTS)', 'rows["split"].isin([*PARTS, "test"])'),
        ("pixels[places]", "pixels"),
    ],
)
def test_the_test_part_cannot_be_reached_and_a_mutant_is_found_out(old, new):
    check_reach(search_data)
    source = inspect.getsource(search_data)
    assert source.count(old) == 1
    changed = types.ModuleType("mutant_of_search_data")
    sys.modules[changed.__name__] = changed
    exec(compile(source.replace(old, new), "<mutant>", "exec"), changed.__dict__)
    with pytest.raises(AssertionError):
        check_reach(changed)


def test_no_module_of_the_search_reaches_the_one_that_reads_the_test_part():
    reached = cache.reached([search, search_trial, search_data, search_space])
    assert search_test.__name__ not in reached


def test_folds_tear_no_lesion_and_no_duplicate_apart():
    data = development(96)
    for train, scored in search_data.parts(data, 3, 0):
        assert len(train) + len(scored) == len(data.rows)
        for column in ("lesion_id", "group"):
            assert not set(data.rows[column].iloc[train]) & set(data.rows[column].iloc[scored])


def test_a_part_without_images_is_said():
    rows = pd.DataFrame(
        {"image_id": ["a"], "lesion_id": ["a"], "label": ["nv"], "split": ["train"]}
    )
    with pytest.raises(LesionsError, match="no validation image"):
        search_data.development(
            rows, np.zeros((1, 8, 8, 3), np.uint8), pd.Index(["a"]), pd.Series({"a": "a"})
        )


# ---------------------------------------------------------------- the journal


def test_the_budget_is_spent_and_no_more(tmp_path):
    one = started(tmp_path)
    search.search(one, Scored())
    assert one.spent() == 600 and len(one.over()) == 6
    search.search(one, Scored())  # nothing is left to spend
    assert len(one.over()) == 6


def test_a_search_that_is_cut_anywhere_ends_as_one_that_is_not(tmp_path):
    whole = started(tmp_path / "whole")
    search.search(whole, Scored())
    for cut in range(6):
        folder = tmp_path / str(cut)
        one = started(folder)
        search.search(one, Scored(), most=cut)
        one.ask()  # it is out when the process dies, in the middle of a line
        with open(folder / "journal.log", "ab") as file:
            file.write(b'{"op_code":6,"worker')
        again = started(folder)
        search.search(again, Scored())
        assert len(again.over()) == 6
        pd.testing.assert_frame_equal(settings_tried(again), settings_tried(whole))


def test_random_trials_are_the_same_whoever_is_quicker(tmp_path):
    """Two workers, and the last to begin ends first: the same settings, seeds and scores."""
    alone, two = started(tmp_path / "alone"), started(tmp_path / "two")
    search.search(alone, Scored())
    search.search(two, Scored(places=2, backwards=True))
    pd.testing.assert_frame_equal(settings_tried(two), settings_tried(alone))


def test_what_is_stopped_early_leaves_its_images_to_others(tmp_path):
    one = started(tmp_path, SETTINGS.replace(SEARCH_TRIALS=12), "tpe", prune=True)
    pool = Scored()
    search.search(one, pool)
    table = search.table(one.study)
    assert (table["state"] == "pruned").any() and len(table) > 12
    assert table["validation"].isna().equals(table["state"] == "pruned")
    assert 1100 < one.spent() <= 1200
    assert all(not task.bars for task in pool.done[: search.STARTUP])
    assert (
        search.best(one.study)
        == table.loc[table["validation"].idxmax()][list(search_space.SPACE)].to_dict()
    )


def test_a_grid_opens_every_cell_once(tmp_path):
    settings = SETTINGS.replace(SEARCH_TRIALS=1000)
    one = started(tmp_path, settings, "grid")
    search.search(one, Scored(), most=7)
    again = started(tmp_path, settings, "grid")
    search.search(again, Scored())
    cells = pd.DataFrame(search_space.cells(settings))
    tried = search.table(again.study)[list(cells)]
    by = list(search_space.GRID)
    pd.testing.assert_frame_equal(
        tried.sort_values(by, ignore_index=True), cells.sort_values(by, ignore_index=True),
        check_dtype=False,
    )  # fmt: skip


def test_a_loss_that_is_no_number_ends_a_trial_and_is_not_tried_again(tmp_path):
    class Broken(Scored):
        def next_done(self):
            task, result = super().next_done()
            return task, result | {"score": math.nan, "looks": [math.nan], "images": 33}

    one = started(tmp_path, SETTINGS.replace(SEARCH_TRIALS=1))
    search.search(one, Broken())
    states = {trial.state for trial in one.study.trials}
    assert states == {optuna.trial.TrialState.PRUNED}


# ---------------------------------------------------------------- profile and trial


def test_the_best_setting_is_a_profile(tmp_path):
    setting = search_space.defaults(SETTINGS) | {"LEARNING_RATE": 0.0003, "CNN_WIDTH": 0.5}
    text = search_space.profile_text(setting, {"EPOCHS": 2}, "sample-search")
    (tmp_path / "sample-search.yaml").write_text(text, encoding="utf-8")
    values = params.read_profile("sample-search", tmp_path)
    assert values == {"EPOCHS": 2, "PROFILE": "sample-search"} | setting
    assert Settings.of(values).CNN_WIDTH == 0.5


def task(**changes) -> search_trial.Task:
    setting = search_space.defaults(Settings()) | {"CNN_WIDTH": 0.125, "BATCH_SIZE": 16}
    told = {"number": 0, "setting": setting, "images": 96, "seed": 3,
            "settings": {"CNN_DENSE": 8}}  # fmt: skip
    return search_trial.Task(**told | changes)


@pytest.mark.slow
def test_a_trial_depends_on_nothing_but_its_task(tmp_path):
    data = development()
    first = search_trial.run(task(), data, tmp_path)
    second = search_trial.run(task(), data)
    assert first["looks"] == second["looks"] and not first["pruned"]
    assert first["images"] == 96 and len(first["looks"]) == search_trial.LOOKS
    other = search_trial.run(task(seed=4), data)
    assert other["looks"] != first["looks"]
    # The network that it kept has the same score, when it is read again by the last step.
    line = {"number": 0, "state": "complete", "seed": 3} | task().setting
    on_validation = search_data.Development(
        data.rows.iloc[search_data.parts(data, 1, 0)[0][1]],
        data.pixels[search_data.parts(data, 1, 0)[0][1]], data.classes,
    )  # fmt: skip
    again = search_test.scores(pd.DataFrame([line]), on_validation, tmp_path, Settings(CNN_DENSE=8))
    assert again["test"].iloc[0] == pytest.approx(first["score"])


@pytest.mark.slow
def test_a_trial_below_the_bar_is_stopped_there():
    found = search_trial.run(task(bars=(0.0, 1.1)), development())
    assert found["pruned"] and len(found["looks"]) == 2 and found["images"] == 64


@pytest.mark.slow
def test_folds_are_all_trained_and_averaged():
    found = search_trial.run(task(images=48, folds=2), development())
    assert found["images"] == 96 and not found["pruned"]
