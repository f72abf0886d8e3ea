"""From images to batches: resizing, the cache, labels, balance, augmentation, tf.data."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from lesions.core import files
from lesions.core.errors import LesionsError
from lesions.data import datasets, pixel_store
from lesions.networks import augmentation, input_pipeline
from lesions.networks.augmentation import Augmentation
from lesions.networks.backend import keras, tf
from lesions.settings.parameters import Settings
from lesions.splits import balance, encoding, handover


@pytest.fixture
def table(tmp_path, monkeypatch) -> pd.DataFrame:
    """Ten made images, 40 x 30 pixels; image number n has the grey value 20 n."""
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    rows = []
    for number in range(10):
        path = tmp_path / f"IMG_{number}.png"
        cv2.imwrite(str(path), np.full((30, 40, 3), 20 * number, np.uint8))
        rows.append({"image_id": f"IMG_{number}", "path": str(path), "dx": "nv"})
    return pd.DataFrame(rows)


def test_squash_keeps_everything_and_crop_keeps_shapes():
    image = np.zeros((60, 80, 3), np.uint8)
    image[:, :10] = 255  # a white edge on the left
    assert pixel_store.to_square(image, 40, "squash")[:, :5].mean() > 250
    assert pixel_store.to_square(image, 40, "crop").max() == 0
    assert pixel_store.to_square(image, 96).shape == (96, 96, 3)


def test_the_pixel_cache_is_built_once_and_in_order(table):
    folder = pixel_store.pixel_cache(table, 32)
    pixels, image_ids = pixel_store.open_pixels(folder)
    assert pixels.shape == (10, 32, 32, 3) and pixels.dtype == np.uint8
    assert list(image_ids) == list(table["image_id"])
    assert list(pixels[:, 0, 0, 0]) == [20 * n for n in range(10)]
    made = (folder / "pixels.npy").stat().st_mtime_ns
    assert pixel_store.pixel_cache(table, 32) == folder
    assert (folder / "pixels.npy").stat().st_mtime_ns == made
    assert pixel_store.pixel_cache(table, 32, "crop") != folder
    assert pixel_store.pixel_cache(table, 48) != folder


def test_an_interrupted_cache_leaves_nothing(table, monkeypatch, tmp_path):
    def stop(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(datasets, "read_image", stop)
    with pytest.raises(KeyboardInterrupt):
        pixel_store.pixel_cache(table, 32)
    assert not list((tmp_path / "cache").rglob("*.npy"))


def test_a_truncated_image_is_named(table, tmp_path):
    path = tmp_path / "IMG_3.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(LesionsError, match=r"IMG_3\.png"):
        pixel_store.pixel_cache(table, 32)
    assert not list((tmp_path / "cache").rglob("*.npy"))


def test_a_full_disk_is_one_sentence_and_leaves_nothing(table, monkeypatch, tmp_path):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pixel_store.os, "posix_fallocate", full)
    with pytest.raises(LesionsError, match="disk is full"):
        pixel_store.pixel_cache(table, 32)
    assert not list((tmp_path / "cache").rglob("*.npy"))


def test_labels_become_numbers_and_columns():
    codes = encoding.encode(["nv", "bkl", "nv"], ["bkl", "mel", "nv"])
    assert codes.tolist() == [2, 0, 2]
    assert encoding.one_hot(codes, 3).tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1]]
    with pytest.raises(LesionsError, match="'df' is not among the classes"):
        encoding.encode(["df"], ["bkl", "nv"])


def test_resampling_makes_classes_equal():
    rows = pd.DataFrame({"image_id": list("abcdefg"), "label": ["nv"] * 5 + ["df"] * 2})
    assert balance.resample(rows, "none", 0).equals(rows)
    over = balance.resample(rows, "over", 0)
    assert over["label"].value_counts().to_dict() == {"nv": 5, "df": 5}
    assert set(over["image_id"]) == set(rows["image_id"])
    under = balance.resample(rows, "under", 0)
    assert under["label"].value_counts().to_dict() == {"nv": 2, "df": 2}
    assert under["image_id"].is_unique
    assert balance.resample(rows, "over", 0).equals(over)


def test_class_weights_give_each_class_the_same_total():
    weights = balance.class_weights(["nv"] * 6 + ["df"] * 2, ["df", "mel", "nv"])
    assert weights[0] * 2 == pytest.approx(weights[2] * 6)
    assert weights[1] == 0.0


def test_the_identity_map_changes_nothing_and_a_flip_mirrors():
    images = tf.random.stateless_uniform((2, 33, 33, 3), [1, 2])
    same = augmentation.warp(images, augmentation.affine(33))
    np.testing.assert_allclose(same, images, atol=1e-6)
    mirrored = augmentation.warp(images, augmentation.affine(33, mirror=-1.0))
    np.testing.assert_allclose(mirrored, images[:, :, ::-1], atol=1e-5)


def test_a_shift_and_a_quarter_turn_go_where_they_should():
    image = np.zeros((1, 21, 21, 1), np.float32)
    image[0, 10, 15] = 1  # right of the centre
    shifted = augmentation.warp(image, augmentation.affine(21, shift=(5 / 21, 0.0))).numpy()
    assert np.unravel_index(shifted.argmax(), shifted.shape)[1:3] == (10, 10)
    turned = augmentation.warp(image, augmentation.affine(21, angle=90.0)).numpy()
    assert np.unravel_index(turned.argmax(), turned.shape)[1:3] in [(5, 10), (15, 10)]


def test_random_maps_stay_within_their_ranges():
    chosen = Augmentation(shift=0.1)
    maps = augmentation.random_affine(500, 100, chosen, [0, 1]).numpy()
    assert np.abs(maps[:, [2, 5]]).max() <= 10 and np.abs(maps[:, [2, 5]]).max() > 9
    np.testing.assert_allclose(maps[:, [0, 4]], 1, atol=1e-6)
    still = Augmentation(flip=True)
    mirrored = augmentation.random_affine(500, 100, still, [0, 1]).numpy()[:, 0]
    assert set(mirrored) == {-1.0, 1.0} and 0.4 < (mirrored < 0).mean() < 0.6


def test_quarter_turns_are_exact():
    size = 16
    chosen = Augmentation(quarter_turns=True)
    image = np.random.default_rng(0).random((size, size, 3), dtype=np.float32)
    images = np.repeat(image[None], 40, axis=0)
    maps = augmentation.random_affine(40, size, chosen, [0, 1])
    turned = augmentation.warp(images, maps).numpy()
    quarters = [np.rot90(image, n) for n in range(4)]
    which = [[np.allclose(one, quarter, atol=1e-4) for quarter in quarters] for one in turned]
    assert np.sum(which, axis=1).tolist() == [1] * 40 and np.any(which, axis=0).all()


def made_batches(training: bool, seed: int = 0) -> list:
    pixels = np.arange(8 * 32 * 32 * 3, dtype=np.uint32).reshape(8, 32, 32, 3).astype(np.uint8)
    targets = np.arange(8, dtype=np.float32)[:, None]
    if training:
        ranges = Augmentation.of(Settings())
        dataset = input_pipeline.training_batches(
            pixels, np.arange(8), targets, 3, seed, ranges=ranges
        )
    else:
        dataset = input_pipeline.batches(pixels, np.arange(8), targets, 3)
    return [(images.numpy(), labels.numpy()) for images, labels in dataset]


def test_batches_keep_order_and_pixels_outside_training():
    found = made_batches(training=False)
    assert [len(images) for images, _ in found] == [3, 3, 2]
    assert np.concatenate([labels for _, labels in found]).ravel().tolist() == list(range(8))
    assert found[0][0].dtype == np.float32
    assert found[0][0].min() >= 0 and found[0][0].max() <= 1


def test_training_batches_are_shuffled_augmented_and_repeatable():
    first, second = (made_batches(training=True, seed=3) for _ in range(2))
    order = np.concatenate([labels for _, labels in first]).ravel().tolist()
    assert sorted(order) == list(range(8)) and order != list(range(8))
    for (a, _), (b, _) in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    other = np.concatenate([labels for _, labels in made_batches(True, seed=4)]).ravel().tolist()
    assert other != order


def test_an_epoch_takes_at_most_so_many_images():
    pixels = np.zeros((8, 32, 32, 3), np.uint8)
    dataset = input_pipeline.training_batches(
        pixels, np.arange(8), np.zeros((8, 1)), batch_size=3, seed=0, most=4
    )
    assert sum(len(images) for images, _ in dataset) == 4


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells")
def test_pages_of_the_mapped_file_are_given_back(tmp_path):
    pixels = np.lib.format.open_memmap(tmp_path / "p.npy", "w+", np.uint8, (800, 128, 128, 3))
    pixels[:] = np.arange(800, dtype=np.uint8)[:, None, None, None]
    pixels.flush()
    del pixels

    def mapped() -> float:  # MB
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssFile"))

    pixels = np.load(tmp_path / "p.npy", mmap_mode="r")  # 39 MB
    before = mapped()
    made = input_pipeline.batches(pixels, np.arange(800), np.zeros((800, 1)), 32)
    first = np.concatenate([images[:, 0, 0, 0] for images, _ in made])
    np.testing.assert_allclose(first * 255, np.arange(800, dtype=np.uint8))
    assert mapped() < before + 15
    pixels.sum()  # the other way, to see that there is something to see
    assert mapped() > before + 30
    pixel_store.forget(np.zeros(3))  # which is not mapped


def test_links_make_the_layout_that_keras_reads(table, tmp_path):
    rows = table[["image_id"]].assign(
        label=["nv", "mel"] * 5, split=["train"] * 6 + ["validation"] * 2 + ["test"] * 2
    )
    files_of = dict(zip(table["image_id"], table["path"], strict=True))
    repeated = pd.concat([rows, rows.head(2)])  # oversampled rows get one link
    folder = handover.link_folders(repeated, files_of, tmp_path / "tree")
    links = list(folder.rglob("*.png"))
    assert len(links) == 10 and all(link.is_symlink() for link in links)
    read = keras.utils.image_dataset_from_directory(folder / "train", verbose=False)
    assert read.class_names == ["mel", "nv"] and len(read.file_paths) == 6


def test_splits_come_back_and_other_settings_are_refused(tmp_path):
    chosen = Settings(PROFILE="t", folder=tmp_path)
    with pytest.raises(LesionsError, match="run notebook 03 first"):
        handover.load_splits(chosen)
    rows = pd.DataFrame({"image_id": ["a"], "lesion_id": ["b"], "label": ["NA"], "split": ["test"]})
    with pytest.raises(LesionsError, match="run notebook 03 first"):
        handover.load_table(tmp_path)
    table = pd.DataFrame({"image_id": ["a"], "sex": ["unknown"], "age": [np.nan], "path": ["x"]})
    handover.save_splits(chosen, {"honest-dx": rows}, {"honest": tmp_path}, table)
    found, pixels = handover.load_splits(chosen)
    assert found["honest-dx"].equals(rows) and pixels == {"honest": tmp_path}
    pd.testing.assert_frame_equal(handover.load_table(tmp_path), table.drop(columns="path"))
    with pytest.raises(LesionsError, match="IMAGE_SIZE=64, and here IMAGE_SIZE=96"):
        handover.load_splits(chosen.replace(IMAGE_SIZE=96))


def test_atomic_keeps_the_old_file_when_the_new_one_fails(tmp_path):
    target = files.write_text(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), files.atomic(target) as partial:
        partial.write_text("new")
        raise RuntimeError
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]
