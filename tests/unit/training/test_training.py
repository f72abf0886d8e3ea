"""How the models are trained, and the record that a run leaves."""

import inspect
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from lesions.core import files
from lesions.core.errors import LesionsError
from lesions.networks import backbones, pieces, registry
from lesions.networks.backend import keras, seed_everything
from lesions.settings.parameters import Settings
from lesions.training import (
    features,
    fitting,
    heads,
    recipes,
    records,
    run_records,
    split_data,
    trained,
)

pytestmark = pytest.mark.slow  # nearly every test trains a network

SIZE = 32


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")


@pytest.fixture
def split(tmp_path) -> tuple[pd.DataFrame, object]:
    """Sixty images of three classes that differ in colour, and their pixel cache."""
    rng = np.random.default_rng(0)
    labels = np.array(["bkl", "mel", "nv"])[np.arange(60) % 3]
    pixels = rng.integers(0, 80, (60, SIZE, SIZE, 3), dtype=np.uint8)
    for column, label in enumerate(("bkl", "mel", "nv")):
        pixels[labels == label, :, :, column] += 150
    folder = tmp_path / "pixels"
    folder.mkdir()
    np.save(folder / "pixels.npy", pixels)
    rows = pd.DataFrame({"image_id": [f"IMG_{n}" for n in range(60)]})
    rows[["image_id"]].to_csv(folder / "image_ids.csv", index=False)
    rows["lesion_id"], rows["label"] = rows["image_id"], labels
    rows["split"] = ["train"] * 36 + ["validation"] * 12 + ["test"] * 12
    return rows, folder


def settings(tmp_path, **changes):
    given = {"IMAGE_SIZE": SIZE, "EPOCHS": 3, "HEAD_EPOCHS": 3, "PROFILE": "t"}
    return Settings(**{"folder": tmp_path / "t"} | given | changes)


def test_fit_has_no_way_in_for_test_data():
    names = set(inspect.signature(fitting.fit).parameters)
    assert {"train", "validation"} <= names and "test" not in names


@pytest.mark.parametrize("name", ["cnn", "vgg16", "autoencoder_classifier"])
def test_training_does_not_depend_on_the_test_part(name, split, tmp_path):
    """Other test images and labels: the same weights come out."""
    rows, folder = split
    chosen = settings(tmp_path)
    found = []
    for change in (False, True):
        data = split_data.prepare(rows, folder)
        if change:
            data.pixels = np.array(data.pixels)
            data.pixels[data.part("test")] = 0
            data.pixels = save_again(data.pixels, tmp_path)
            data.targets[data.part("test")] = np.roll(data.targets[data.part("test")], 1, axis=1)
        seed_everything(0)
        found.append(recipes.train(name, data, chosen, "t").model.get_weights())
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def save_again(pixels, tmp_path):
    np.save(tmp_path / "changed.npy", pixels)
    return np.load(tmp_path / "changed.npy", mmap_mode="r")


def test_a_run_leaves_a_whole_record_and_is_not_trained_again(split, tmp_path, monkeypatch):
    rows, folder = split
    chosen = settings(tmp_path, EPOCHS=6, AUGMENT=False)
    record = records.train_run("cnn", "dx", "honest", rows, folder, chosen)
    names = {path.name for path in record.iterdir()}
    assert names == {
        "params.json",
        "metrics.json",
        "predictions.parquet",
        "history.csv",
        "model.keras",
    }
    test = run_records.predictions_of(record)
    assert list(test["image_id"]) == list(rows.loc[rows["split"] == "test", "image_id"])
    assert json.loads((record / "metrics.json").read_text())["accuracy"] > 0.8
    monkeypatch.setattr(recipes, "train", None)
    assert records.train_run("cnn", "dx", "honest", rows, folder, chosen) == record
    changed = chosen.replace(LEARNING_RATE=0.01)
    with pytest.raises(TypeError):  # something it depends on changed, so it wants to train
        records.train_run("cnn", "dx", "honest", rows, folder, changed)
    more = chosen.replace(MULTICLASS_RUNS="cnn:dx", BOOTSTRAP=77, DIAL_SEEDS=0)
    assert records.train_run("cnn", "dx", "honest", rows, folder, more) == record
    assert run_records.predictions_of(record).equals(test)


def test_the_same_seed_gives_the_same_predictions(split, tmp_path):
    rows, folder = split
    found = []
    for name in ("a", "b", "c"):
        seed = 1 if name == "c" else 0
        chosen = settings(tmp_path, EPOCHS=1, SEED=seed, folder=tmp_path / name)
        record = records.train_run("cnn", "dx", "honest", rows, folder, chosen)
        found.append(run_records.predictions_of(record)["p_nv"].to_numpy())
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


@pytest.mark.parametrize("name", ["vgg16", "autoencoder_classifier"])
def test_a_frozen_model_predicts_from_features_what_it_does_from_images(name, split, tmp_path):
    rows, folder = split
    data = split_data.prepare(rows, folder)
    chosen = settings(tmp_path)
    found = recipes.train(name, data, chosen, "t")
    numbers = np.array([50, 3, 3, 59])
    fast = trained.predict(found, data, numbers, 32)
    found.features = None
    np.testing.assert_allclose(fast, trained.predict(found, data, numbers, 32), atol=1e-5)
    np.testing.assert_array_equal(fast[1], fast[2])


def test_a_head_learns_from_features_what_the_whole_model_learns(split, tmp_path, monkeypatch):
    """Features once and a head, against the whole frozen model: the same losses and weights."""
    rows, folder = split
    data = split_data.prepare(rows, folder)
    network, _ = backbones.backbone("densenet121", SIZE, "none")
    found = features.of_all_images(network, data.pixels, "t")
    tops = [pieces.head(found[data.part("train")], 3, (128,)) for _ in range(2)]
    tops[1].set_weights(tops[0].get_weights())
    for one in tops:
        one.layers[2].rate = 0.0  # each has its own random dropout
    whole = keras.Sequential([keras.Input((SIZE, SIZE, 3)), network, tops[0]])
    train, validation = split_data.image_sets(data, 32, seed=0)
    options = {"loss": "categorical_crossentropy", "epochs": 3, "patience": 0, "every": 0}
    usual = fitting.fit(
        whole, train, validation, "t", optimizer=keras.optimizers.Adam(1e-3), **options
    )
    monkeypatch.setattr(pieces, "head", lambda *_: tops[1])
    once = heads.fit_head(
        network, found, data, "t", units=(128,), epochs=3, patience=9, rate=1e-3, batch_size=32,
        seed=0,
    )  # fmt: skip
    columns = ["loss", "val_loss"]
    np.testing.assert_allclose(once.history[columns], usual[columns], rtol=1e-3, atol=1e-4)


def test_augmented_views_change_training_and_not_prediction(split, tmp_path):
    rows, folder = split
    found = {}
    for views in (1, 3):
        chosen = settings(tmp_path, FEATURE_VIEWS=views)
        data = split_data.prepare(rows, folder)
        seed_everything(0)
        found[views] = one = recipes.train("vgg16", data, chosen, "t")
        numbers = data.part("test")
        fast = trained.predict(one, data, numbers, 32)
        one.features = None
        slow = trained.predict(one, data, numbers, 32)
        np.testing.assert_allclose(fast, slow, atol=1e-5)
    losses = [found[views].history["loss"].iloc[-1] for views in (1, 3)]
    assert losses[1] > losses[0]  # there is more to learn
    assert len(list((tmp_path / "cache" / "features").iterdir())) == 3


def test_an_interrupted_run_leaves_no_record(split, tmp_path, monkeypatch):
    rows, folder = split
    chosen = settings(tmp_path)

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(trained, "predictions", stop)
    with pytest.raises(KeyboardInterrupt):
        records.train_run("fcnn_relu", "dx", "honest", rows, folder, chosen)
    assert not list(tmp_path.glob("t/runs/*"))


def test_a_run_that_diverges_stops_with_a_sentence(split, tmp_path):
    rows, folder = split
    data = split_data.prepare(rows, folder)
    data.targets = data.targets * np.nan
    with pytest.raises(LesionsError, match="loss is no longer a number in epoch 1"):
        recipes.train("fcnn_relu", data, settings(tmp_path), "fcnn_relu:dx")


class Interrupted(Exception):
    """Stands for Ctrl-C, which would end the test run as well."""


RESUMED = ["fcnn_relu", "cnn", "autoencoder_classifier", "compact_cnn", "tuned_lite0"]


@pytest.mark.parametrize("name", RESUMED)
def test_an_interrupted_training_goes_on_to_the_same_result(name, split, tmp_path, monkeypatch):
    rows, folder = split
    chosen = settings(tmp_path, EPOCHS=4, HEAD_EPOCHS=4, PATIENCE=2, OWN_EPOCHS=4, TUNE_EPOCHS=4)
    whole = records.train_run(name, "dx", "honest", rows, folder, chosen)
    chosen = chosen.replace(folder=tmp_path / "interrupted")
    monkeypatch.setattr(fitting, "KEEP_EVERY", 0.0)
    ended = fitting.Epochs.on_epoch_end

    def interrupt(self, epoch, logs=None):
        ended(self, epoch, logs)
        if len(self.history) > self.allowed:
            raise Interrupted

    monkeypatch.setattr(fitting.Epochs, "on_epoch_end", interrupt)
    for allowed in (1, 2, 9):  # stopped after the second epoch, after the third, and not at all
        monkeypatch.setattr(fitting.Epochs, "allowed", allowed, raising=False)
        try:
            record = records.train_run(name, "dx", "honest", rows, folder, chosen)
        except Interrupted:
            assert allowed < 9 and list(chosen.folder.glob("unfinished/*/*.npz"))
    assert not list(chosen.folder.glob("unfinished/*"))
    once, twice = run_records.predictions_of(whole), run_records.predictions_of(record)
    pd.testing.assert_frame_equal(once, twice)
    histories = [run_records.history_of(place).drop(columns="seconds") for place in (whole, record)]
    pd.testing.assert_frame_equal(*histories)


def test_the_history_of_a_run_that_diverged_is_kept(split, tmp_path):
    rows, folder = split
    chosen = settings(tmp_path, EPOCHS=40, EPOCH_SAMPLES=0)
    # No parameter may be as large as that.
    object.__setattr__(chosen, "LEARNING_RATE", 1e30)
    with pytest.raises(LesionsError, match="no longer a number"):
        records.train_run("cnn", "dx", "honest", rows, folder, chosen)
    assert "loss" in (tmp_path / "t" / "diverged" / "honest-dx-cnn-seed0.csv").read_text()


TWO_DEVICES = """
import sys
from pathlib import Path
import pandas as pd
from lesions.networks import backend
tf = backend.tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
spread = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
backend.strategy = lambda: spread
from lesions.settings.parameters import Settings
from lesions.training import records
rows, pixels, folder = pd.read_csv(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
chosen = Settings(IMAGE_SIZE=32, EPOCHS=6, AUGMENT=False, HEAD_EPOCHS=6, OWN_EPOCHS=3,
                  EPOCH_SAMPLES=0, folder=folder)
for name in ("cnn", "compact_cnn"):
    records.train_run(name, "dx", "honest", rows, pixels, chosen)
print(spread.num_replicas_in_sync, "devices")
"""


def test_training_on_two_devices(split, tmp_path):
    """What several GPUs would do, as far as a machine without one can tell."""
    rows, pixels = split
    rows.to_csv(tmp_path / "rows.csv", index=False)
    where = [str(tmp_path / "rows.csv"), str(pixels), str(tmp_path / "two")]
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES, *where],
        capture_output=True,
        text=True,
        env=os.environ | {"LESIONS_CACHE": str(tmp_path / "c")},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "2 devices" in done.stdout
    on_two = run_records.load_records(tmp_path / "two").set_index("model")["accuracy"]
    alone = settings(tmp_path, EPOCHS=6, AUGMENT=False, EPOCH_SAMPLES=0)
    record = records.train_run("cnn", "dx", "honest", rows, pixels, alone)
    scored = json.loads((record / "metrics.json").read_text())["accuracy"]
    assert len(on_two) == 2 and on_two["cnn"] == pytest.approx(scored, abs=0.1)


def test_fine_tuning_moves_the_top_and_leaves_the_rest(split, tmp_path):
    rows, folder = split
    chosen = settings(tmp_path, FINE_TUNE_LAYERS=8, FINE_TUNE_RATE=0.01, HEAD_EPOCHS=1)
    before = [
        w.copy() for w in features.frozen_backbone("resnet50", SIZE, "none", 0)[0].get_weights()
    ]
    data = split_data.prepare(rows, folder)
    found = recipes.train("resnet50", data, chosen, "t")
    after = found.model.layers[0].get_weights()
    moved = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert any(moved) and not any(moved[: len(moved) // 2])
    assert len(found.history) == 1 + chosen.FINE_TUNE_EPOCHS


def test_fine_tuning_is_for_the_models_that_declare_it(split, tmp_path):
    rows, folder = split
    chosen = settings(tmp_path, FINE_TUNE_LAYERS=8, HEAD_EPOCHS=1)
    assert not registry.entry("vgg16").fine_tune, "frozen, as in the paper"
    found = recipes.train("vgg16", split_data.prepare(rows, folder), chosen, "t")
    assert len(found.history) == 1 and found.features is not None


def test_runs_are_read_from_text():
    assert records.parse_runs("cnn:dx, vgg16:sex") == [("cnn", "dx"), ("vgg16", "sex")]
    for text in ("cnn", "cnn:age", "vgg19:dx"):
        with pytest.raises(LesionsError, match="is not a model and a target"):
            records.parse_runs(text)
