"""Every image decoded and made square once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lesions.core import files
from lesions.core.errors import LesionsError
from lesions.data import datasets, pixel_store
from lesions.networks import input_pipeline
from made import grey_images


@pytest.fixture
def table(tmp_path, monkeypatch) -> pd.DataFrame:
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    return grey_images(tmp_path)


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
