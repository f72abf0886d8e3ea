"""The usual mistakes, put into the code on purpose: the checks must turn red on each of them.

A mutant is a module's own source with one line changed. If that line is gone from the module, the
test fails too, so that a mutant cannot quietly stop being one.
"""

import inspect
import sys
import types
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from lesions.baselines import baselines
from lesions.baselines.histograms import histogram_table
from lesions.core import files
from lesions.networks.backend import seed_everything
from lesions.settings.parameters import Settings
from lesions.splits import protocols
from lesions.splits.leaks import leak_report
from lesions.training import heads, recipes, split_data
from lesions.training.recipes import autoencoder, head, own, scratch
from made import made_groups, made_table

SIZE = 32


def mutant(module: ModuleType, old: str, new: str) -> ModuleType:
    """A copy of a module in which one piece of source reads otherwise."""
    source = inspect.getsource(module)
    assert source.count(old) == 1, f"{module.__name__} no longer says {old!r} exactly once"
    copy = types.ModuleType(f"mutant_of_{module.__name__.split('.')[-1]}")
    copy.__file__ = module.__file__
    sys.modules[copy.__name__] = copy  # dataclasses look their module up
    exec(compile(source.replace(old, new), f"<{copy.__name__}>", "exec"), copy.__dict__)
    return copy


# ---------------------------------------------------------------- three checks


def check_rows(module: ModuleType) -> None:
    """The honest rows leak nothing into validation or test, and both are as nature has them."""
    table = made_table(600)
    groups = made_groups(table, 40)
    keep = pd.DataFrame({"image_id": table["image_id"], "keep_honest": True})
    keep["group"] = groups.to_numpy()
    settings = Settings(RESAMPLE="over", SEED=1)
    rows = module.rows_for("honest", table, keep, "dx", settings)
    report = leak_report(rows, table, groups)
    assert report["leaked"].sum() == 0, "a part shares images, lesions or duplicates with training"
    others = rows[rows["split"] != "train"]
    assert others["image_id"].is_unique, "an image stands twice in validation or test"
    shares = others["label"].value_counts(normalize=True)
    nature = table["dx"].value_counts(normalize=True)
    assert (shares - nature).abs().max() < 0.05, "the classes are not as frequent as in nature"


def check_training(name: str, folder: Path) -> None:
    """Other test images and labels: the same weights and the same history come out."""
    rng = np.random.default_rng(0)
    labels = np.array(["bkl", "mel", "nv"])[np.arange(60) % 3]
    pixels = rng.integers(0, 80, (60, SIZE, SIZE, 3), dtype=np.uint8)
    for column, label in enumerate(("bkl", "mel", "nv")):
        pixels[labels == label, :, :, column] += 150
    rows = pd.DataFrame({"image_id": [f"I{n}" for n in range(60)]})
    rows["lesion_id"], rows["label"] = rows["image_id"], labels
    rows["split"] = ["train"] * 36 + ["validation"] * 12 + ["test"] * 12
    given = {"IMAGE_SIZE": SIZE, "EPOCHS": 2, "HEAD_EPOCHS": 2, "PATIENCE": 1}
    settings = Settings(**given)
    found = []
    for change in (False, True):
        place = folder / f"pixels-{change}"
        place.mkdir(exist_ok=True)
        own = pixels.copy()
        if change:
            own[48:] = 0
        np.save(place / "pixels.npy", own)
        rows[["image_id"]].to_csv(place / "image_ids.csv", index=False)
        data = split_data.prepare(rows, place)
        if change:
            data.targets[48:] = np.roll(data.targets[48:], 1, axis=1)
        seed_everything(0)
        trained = recipes.train(name, data, settings, "t")
        history = trained.history.drop(columns="seconds").to_numpy().ravel()
        found.append([history, *trained.model.get_weights()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def check_baseline(module: ModuleType) -> None:
    """Other test images, metadata and labels: the same answers on validation come out."""
    rng = np.random.default_rng(0)
    count = 150
    table = pd.DataFrame({"image_id": [f"I{i}" for i in range(count)]})
    table["lesion_id"] = table["image_id"]
    table["dx"] = np.array(["mel", "nv"])[np.arange(count) % 2]
    table["age"] = np.where(np.arange(count) % 5 == 0, np.nan, rng.integers(20, 80, count))
    table["sex"], table["localization"] = "male", "back"
    table["dataset"] = "a"
    shade = np.where(table["dx"] == "mel", 90, 120)[:, None, None, None]
    pixels = np.clip(shade + rng.normal(0, 30, (count, 8, 8, 3)), 0, 255).astype(np.uint8)
    histograms = histogram_table(pixels, table["image_id"], 4)
    split = np.array(["train", "train", "validation", "test", "train"])[np.arange(count) // 2 % 5]
    rows = table[["image_id", "lesion_id"]].assign(label=table["dx"], split=split)
    before = module.predict("both_balanced", rows, table, "dx", histograms)
    is_test = split == "test"
    lies = rows.copy()
    lies.loc[is_test, "label"] = np.roll(rows.loc[is_test, "label"], 1)
    other = table.assign(age=table["age"].mask(is_test, 120.0))
    strange = histograms.copy()
    strange.loc[is_test] = 3.0
    after = module.predict("both_balanced", lies, other, "dx", strange)
    validation = before["split"] == "validation"
    pd.testing.assert_frame_equal(before[validation], after[validation])


# ---------------------------------------------------------------- the code passes, mutants do not

BY_LESION = "    rows = splits.split_by_lesion(table, target, seed=seed, groups=groups)\n"
MUTANTS: dict[str, tuple[ModuleType, str, str, Callable]] = {
    "splits by image": (
        protocols,
        BY_LESION,
        "    rows = splits.split_by_image(table, target, seed=seed)\n",
        check_rows,
    ),
    "forgets the duplicates": (
        protocols,
        BY_LESION,
        BY_LESION.replace("groups=groups", "groups=None"),
        check_rows,
    ),
    "resamples first": (
        protocols,
        BY_LESION,
        "    table = resample(table.assign(label=table[target]), 'over', seed)\n" + BY_LESION,
        check_rows,
    ),
    "resamples the test part": (
        protocols,
        "    train = resample(train, method, seed)\n",
        "    rows = resample(rows, 'over', seed)\n",
        check_rows,
    ),
    "stops early on the test part": (
        split_data,
        '    validation = data.part("validation")\n',
        '    validation = data.part("test")\n',
        lambda module, folder: check_training("cnn", folder),
    ),
    "chooses the head on the test part": (
        heads,
        '    train, validation = data.part("train"), data.part("validation")\n',
        '    train, validation = data.part("train"), data.part("test")\n',
        lambda module, folder: check_training("vgg16", folder),
    ),
    "fits the head's scale on all images": (
        heads,
        "pieces.head(inputs[data.positions[train]],",
        "pieces.head(inputs,",
        lambda module, folder: check_training("vgg16", folder),
    ),
    "fits the scaler on all data": (
        baselines,
        "prepare = _as_numbers(x[is_train])",
        "prepare = _as_numbers(x)",
        check_baseline,
    ),
    "regularises by the test part": (
        baselines,
        'part((unique["split"] == "validation").to_numpy() & seen, repeats)',
        'part((unique["split"] == "test").to_numpy() & seen, repeats)',
        check_baseline,
    ),
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")


def put_in(changed: ModuleType, original: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the recipes use what the changed module defines."""
    for user in (scratch, head, autoencoder, own):
        for name, value in list(vars(user).items()):
            if getattr(value, "__module__", None) == original.__name__:
                monkeypatch.setattr(user, name, getattr(changed, name))


def run(check: Callable, module: ModuleType, folder: Path) -> None:
    if "folder" in inspect.signature(check).parameters:
        check(module, folder=folder)
    else:
        check(module)


@pytest.mark.parametrize("mistake", list(MUTANTS))
def test_the_code_passes_and_the_mutant_does_not(mistake, tmp_path, monkeypatch):
    module, old, new, check = MUTANTS[mistake]
    run(check, module, tmp_path)
    changed = mutant(module, old, new)
    put_in(changed, module, monkeypatch)
    with pytest.raises(AssertionError):
        run(check, changed, tmp_path)
