"""The models, how they are trained, and the record that a run leaves."""

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
from lesions.networks import backend, models
from lesions.networks.backend import keras, seed_everything
from lesions.settings import params
from lesions.training import features, fitting, records, run_records, training

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
    chosen = params.complete(
        {"IMAGE_SIZE": SIZE, "EPOCHS": 3, "HEAD_EPOCHS": 3, "PROFILE": "t"} | changes
    )
    chosen.folder = tmp_path / "t"
    return chosen


def weighted(model) -> list[int]:
    """Widths of the dense layers and channels of the convolutions, in order."""
    kinds = (keras.layers.Dense, keras.layers.Conv2D)
    layers = [layer for layer in model.layers if isinstance(layer, kinds)]
    return [getattr(layer, "units", None) or layer.filters for layer in layers]


def rates(model) -> set[float]:
    return {layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)}


def test_the_networks_are_those_of_the_paper(tmp_path):
    built = {n: models.build(n, SIZE, 2, settings(tmp_path)) for n in models.SCRATCH}
    assert weighted(built["fcnn_relu"]) == [256, 128, 1] and rates(built["fcnn_relu"]) == {0.3}
    tanh = built["fcnn_relu_tanh"]
    assert weighted(tanh) == [512, 256, 128, 1] and rates(tanh) == {0.4}
    dense = [layer for layer in tanh.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.activation.__name__ for layer in dense] == ["tanh", "relu", "relu", "sigmoid"]
    l2 = built["fcnn_l2"]
    assert weighted(l2) == [512, 256, 128, 1] and rates(l2) == {0.5} and len(l2.losses) == 3
    assert weighted(built["cnn"])[:3] == [32, 64, 118] and rates(built["cnn"]) == {0.3}
    assert weighted(built["fcnn_dx_type"]) == [512, 256, 128, 1]
    for name in ("fcnn_relu", "fcnn_relu_tanh", "fcnn_l2", "fcnn_dx_type"):
        norms = [k for k in built[name].layers if isinstance(k, keras.layers.BatchNormalization)]
        assert len(norms) == len(weighted(built[name])) - 1


@pytest.mark.parametrize("name", list(models.SCRATCH))
def test_a_model_gives_probabilities_for_any_number_of_classes(name, tmp_path):
    images = np.random.default_rng(0).random((4, SIZE, SIZE, 3), dtype=np.float32)
    for classes in (2, 7):
        network = models.build(name, SIZE, classes, settings(tmp_path))
        p = fitting.probabilities(network, images)
        assert p.shape == (4, classes)
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize("name", list(models.BACKBONES))
def test_a_backbone_is_frozen_and_sees_the_pixels_it_was_trained_on(name):
    network, origin = models.backbone(name, SIZE, "none")
    assert origin == "random" and not network.trainable_weights
    images = np.random.default_rng(0).random((2, SIZE, SIZE, 3), dtype=np.float32)
    inner = network.layers[-1]
    expected = inner(models.BACKBONES[name][1](images * 255.0), training=False)
    np.testing.assert_allclose(network(images), expected, rtol=1e-4, atol=1e-4)


def test_preprocessing_is_each_backbones_own():
    white = np.ones((1, 1, 1, 3), np.float32) * 255
    means = [103.939, 116.779, 123.68]  # of ImageNet, blue first
    for name in ("vgg16", "resnet50"):
        np.testing.assert_allclose(
            np.ravel(models.BACKBONES[name][1](white.copy())), 255 - np.array(means), atol=1e-3
        )
    expected = (1 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    found = np.ravel(models.BACKBONES["densenet121"][1](white.copy()))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_local_weights_are_loaded_and_wrong_ones_refused(tmp_path):
    original, _ = models.backbone("resnet50", SIZE, "none")
    path = tmp_path / "resnet50_weights_notop.weights.h5"
    original.layers[-1].save_weights(path)
    images = np.random.default_rng(0).random((2, SIZE, SIZE, 3), dtype=np.float32)
    for where in (path, tmp_path):
        loaded, origin = models.backbone("resnet50", SIZE, str(where))
        assert origin == "file"
        np.testing.assert_allclose(loaded(images), original(images), rtol=1e-5)
    with pytest.raises(LesionsError, match="does not hold weights of vgg16"):
        models.backbone("vgg16", SIZE, str(path))
    with pytest.raises(LesionsError, match=r"no vgg16\*\.h5 in the folder"):
        models.backbone("vgg16", SIZE, str(tmp_path))
    with pytest.raises(LesionsError, match="neither imagenet, none"):
        models.backbone("vgg16", SIZE, str(tmp_path / "missing.h5"))


def test_imagenet_weights_that_cannot_be_had_are_said_so(monkeypatch, capsys):
    make, preprocess = models.BACKBONES["vgg16"]

    def offline(weights, **options):
        if weights == "imagenet":
            raise Exception("URL fetch failure on https://example.invalid: None -- no network")
        return make(weights=None, **options)

    monkeypatch.setitem(models.BACKBONES, "vgg16", (offline, preprocess))
    monkeypatch.delenv("LESIONS_PROGRESS", raising=False)
    _, origin = models.backbone("vgg16", SIZE, "imagenet")
    assert origin == "random"
    assert "cannot be had" in capsys.readouterr().err


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
        data = training.prepare(rows, folder)
        if change:
            data.pixels = np.array(data.pixels)
            data.pixels[data.part("test")] = 0
            data.pixels = save_again(data.pixels, tmp_path)
            data.targets[data.part("test")] = np.roll(data.targets[data.part("test")], 1, axis=1)
        seed_everything(0)
        found.append(training.train(name, data, chosen, "t").model.get_weights())
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
    monkeypatch.setattr(training, "train", None)
    assert records.train_run("cnn", "dx", "honest", rows, folder, chosen) == record
    chosen.LEARNING_RATE = 0.01
    with pytest.raises(TypeError):  # something it depends on changed, so it wants to train
        records.train_run("cnn", "dx", "honest", rows, folder, chosen)
    assert run_records.predictions_of(record).equals(test)


def test_the_same_seed_gives_the_same_predictions(split, tmp_path):
    rows, folder = split
    found = []
    for name in ("a", "b", "c"):
        chosen = settings(tmp_path, EPOCHS=1, SEED=1 if name == "c" else 0)
        chosen.folder = tmp_path / name
        record = records.train_run("cnn", "dx", "honest", rows, folder, chosen)
        found.append(run_records.predictions_of(record)["p_nv"].to_numpy())
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


@pytest.mark.parametrize("name", ["vgg16", "autoencoder_classifier"])
def test_a_frozen_model_predicts_from_features_what_it_does_from_images(name, split, tmp_path):
    rows, folder = split
    data = training.prepare(rows, folder)
    chosen = settings(tmp_path)
    trained = training.train(name, data, chosen, "t")
    numbers = np.array([50, 3, 3, 59])
    fast = training.predict(trained, data, numbers, chosen)
    trained.features = None
    np.testing.assert_allclose(fast, training.predict(trained, data, numbers, chosen), atol=1e-5)
    np.testing.assert_array_equal(fast[1], fast[2])


def test_a_head_learns_from_features_what_the_whole_model_learns(split, tmp_path, monkeypatch):
    """Features once and a head, against the whole frozen model: the same losses and weights."""
    rows, folder = split
    data = training.prepare(rows, folder)
    chosen = settings(tmp_path, AUGMENT=False, EPOCH_SAMPLES=0, PATIENCE=9)
    network, _ = models.backbone("densenet121", SIZE, "none")
    found = features.of_all_images(network, data.pixels, chosen, "t")
    heads = [models.head(found[data.part("train")], "densenet121", 3) for _ in range(2)]
    heads[1].set_weights(heads[0].get_weights())
    for one in heads:
        one.layers[2].rate = 0.0  # each has its own random dropout
    whole = keras.Sequential([keras.Input((SIZE, SIZE, 3)), network, heads[0]])
    train, validation = training._image_sets(data, chosen)
    options = {"loss": "categorical_crossentropy", "epochs": 3, "patience": 0, "every": 0}
    usual = fitting.fit(
        whole, train, validation, "t", optimizer=keras.optimizers.Adam(1e-3), **options
    )
    monkeypatch.setattr(models, "head", lambda *_: heads[1])
    trained = training.train_head(network, found, "densenet121", data, chosen, "t")
    columns = ["loss", "val_loss"]
    np.testing.assert_allclose(trained.history[columns], usual[columns], rtol=1e-3, atol=1e-4)


def test_augmented_views_change_training_and_not_prediction(split, tmp_path):
    rows, folder = split
    found = {}
    for views in (1, 3):
        chosen = settings(tmp_path, FEATURE_VIEWS=views)
        data = training.prepare(rows, folder)
        seed_everything(0)
        trained = training.train("vgg16", data, chosen, "t")
        found[views] = trained
        numbers = data.part("test")
        fast = training.predict(trained, data, numbers, chosen)
        trained.features = None
        slow = training.predict(trained, data, numbers, chosen)
        np.testing.assert_allclose(fast, slow, atol=1e-5)
    losses = [found[views].history["loss"].iloc[-1] for views in (1, 3)]
    assert losses[1] > losses[0]  # there is more to learn
    assert len(list((tmp_path / "cache" / "features").iterdir())) == 3


def test_an_interrupted_run_leaves_no_record(split, tmp_path, monkeypatch):
    rows, folder = split
    chosen = settings(tmp_path)

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "predictions", stop)
    with pytest.raises(KeyboardInterrupt):
        records.train_run("fcnn_relu", "dx", "honest", rows, folder, chosen)
    assert not list(tmp_path.glob("t/runs/*"))


def test_a_run_that_diverges_stops_with_a_sentence(split, tmp_path):
    rows, folder = split
    data = training.prepare(rows, folder)
    data.targets = data.targets * np.nan
    with pytest.raises(LesionsError, match="loss is no longer a number in epoch 1"):
        training.train("fcnn_relu", data, settings(tmp_path), "fcnn_relu:dx")


class Interrupted(Exception):
    """Stands for Ctrl-C, which would end the test run as well."""


RESUMED = ["fcnn_relu", "cnn", "autoencoder_classifier", "compact_cnn"]


@pytest.mark.parametrize("name", RESUMED)
def test_an_interrupted_training_goes_on_to_the_same_result(name, split, tmp_path, monkeypatch):
    rows, folder = split
    chosen = settings(tmp_path, EPOCHS=4, HEAD_EPOCHS=4, PATIENCE=2, OWN_EPOCHS=4)
    whole = records.train_run(name, "dx", "honest", rows, folder, chosen)
    chosen.folder = tmp_path / "interrupted"
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
    chosen.LEARNING_RATE = 1e30
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
from lesions.settings import params
from lesions.training import records
rows, pixels, folder = pd.read_csv(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
chosen = params.complete({"IMAGE_SIZE": 32, "EPOCHS": 6, "AUGMENT": False, "PROFILE": "t",
                          "HEAD_EPOCHS": 6, "OWN_EPOCHS": 3, "EPOCH_SAMPLES": 0})
chosen.folder = folder
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
    seed_everything(0)
    before = [w.copy() for w in models.backbone("resnet50", SIZE, "none")[0].get_weights()]
    seed_everything(0)
    data = training.prepare(rows, folder)
    trained = training.train("resnet50", data, chosen, "t")
    after = trained.model.layers[0].get_weights()
    moved = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert any(moved) and not any(moved[: len(moved) // 2])
    assert len(trained.history) == 1 + chosen.FINE_TUNE_EPOCHS


def test_runs_are_read_from_text():
    assert records.parse_runs("cnn:dx, vgg16:sex") == [("cnn", "dx"), ("vgg16", "sex")]
    for text in ("cnn", "cnn:age", "vgg19:dx"):
        with pytest.raises(LesionsError, match="is not a model and a target"):
            records.parse_runs(text)


def test_half_precision_is_for_where_it_is_quicker(monkeypatch):
    monkeypatch.setattr(backend, "GPUS", [])
    monkeypatch.setattr(backend, "has_half_units", lambda: True)
    assert backend.precision("auto", 64) == "float32"
    assert backend.precision("auto", 128) == "mixed_bfloat16"
    assert backend.precision("float32", 128) == "float32"
    monkeypatch.setattr(backend, "has_half_units", lambda: False)
    assert backend.precision("auto", 128) == "float32"
    monkeypatch.setattr(backend, "GPUS", ["one"])
    assert backend.precision("auto", 64) == "mixed_float16"


def test_half_precision_spares_backbones_heads_and_probabilities():
    """With random weights, features differ in digits that half precision does not have."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network, _ = models.backbone("densenet121", SIZE, "none")
        head = models.head(np.ones((4, 1024), np.float32), "densenet121", 3)
        plain = models.cnn(SIZE, 3)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {layer.compute_dtype for layer in [*network.layers, *head.layers]} == {"float32"}
    assert {layer.compute_dtype for layer in plain.layers[:-1]} == {"bfloat16"}
    assert plain.layers[-1].compute_dtype == "float32"
