"""`hashes`: the same bits as imagehash on the same pixels; an unreadable file is a row too."""

import hashlib
import shutil
from pathlib import Path

import cv2
import imagehash
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

import made
from lesions.core import files
from lesions.core.errors import LesionsError
from lesions.data import datasets
from lesions.duplicates import hashes


def theirs(image: np.ndarray | Image.Image, method: str) -> int:
    """What imagehash says, as a number."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    return int(str(getattr(imagehash, method)(image)), 16)


def awkward_images() -> list[np.ndarray]:
    """Images whose hashes hang on ties and rounding."""
    rng = np.random.default_rng(0)
    found = []
    for height, width in [(8, 8), (9, 31), (32, 32), (75, 100), (150, 200), (130, 64), (257, 300)]:
        ramp = np.linspace(0, 255, width).astype(np.uint8)
        half = rng.integers(0, 256, (height, width // 2), dtype=np.uint8)
        tiles = rng.integers(0, 2, (height // 4 + 1, width // 4 + 1), dtype=np.uint8) * 255
        greys = [
            np.full((height, width), 0),
            np.full((height, width), 255),
            np.full((height, width), 117),
            np.tile(ramp, (height, 1)),
            np.indices((height, width)).sum(axis=0) % 2 * 255,
            np.hstack([half, half[:, ::-1]]),
            np.kron(tiles, np.ones((4, 4), np.uint8))[:height, :width],
            rng.integers(0, 256, (height, width)),
            rng.integers(100, 102, (height, width)),
        ]
        found += [grey.astype(np.uint8) for grey in greys]
        found.append(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
    return found


@pytest.mark.parametrize("method", hashes.METHODS)
def test_same_bits_as_imagehash_on_awkward_images(method: str) -> None:
    images = awkward_images()
    ours = hashes.perceptual_hashes(images, method)
    assert ours.dtype == np.uint64
    assert ours.tolist() == [theirs(image, method) for image in images]
    # Alone or in company, an image has the same hash.
    assert ours[::7].tolist() == hashes.perceptual_hashes(images[::7], method).tolist()


@settings(deadline=None, max_examples=60)
@given(
    arrays.arrays(
        np.uint8,
        st.tuples(st.integers(8, 40), st.integers(8, 40)),
        elements=st.sampled_from([0, 1, 127, 128, 254, 255]),
    ),
    st.sampled_from(hashes.METHODS),
)
def test_same_bits_as_imagehash(image: np.ndarray, method: str) -> None:
    assert hashes.perceptual_hashes([image], method).tolist() == [theirs(image, method)]


def image_table(folder: Path, contents: dict[str, bytes]) -> pd.DataFrame:
    """A table of files; what they hold may be nonsense."""
    folder.mkdir(exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    ids = [name.split(".")[0] for name in contents]
    paths = [str(folder / name) for name in contents]
    return pd.DataFrame({"image_id": ids, "path": paths}, dtype=str)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def table(tmp_path: Path, cache: Path) -> pd.DataFrame:
    picture = cv2.cvtColor(made.pixels(1), cv2.COLOR_RGB2BGR)
    return image_table(
        tmp_path / "images",
        {
            "a.jpg": made.jpeg(1),
            "b.jpg": made.jpeg(1),
            "c.png": cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes(),
            "d.png": cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes(),
            "e.jpg": made.jpeg(2, width=96, height=64),
            "cut.jpg": made.jpeg(3)[:200],
            "empty.jpg": b"",
            "text.jpg": b"no image",
        },
    )


def test_a_row_for_every_image(table: pd.DataFrame) -> None:
    found = hashes.hash_images(table).set_index("image_id")
    assert found.index.tolist() == table["image_id"].tolist()
    good = ["a", "b", "c", "d", "e"]
    assert (found.loc[good, "problem"] == "").all()
    for name, path in zip(table["image_id"], table["path"], strict=True):
        assert found.loc[name, "file_hash"] == hashlib.sha256(Path(path).read_bytes()).hexdigest()
        for method in hashes.METHODS:
            value = theirs(datasets.read_image(path), method) if name in good else 0
            assert found.loc[name, method] == value
    assert found.loc["a", "file_hash"] == found.loc["b", "file_hash"]
    assert found.loc["c", "file_hash"] != found.loc["d", "file_hash"]
    assert found.loc["c", "pixel_hash"] == found.loc["d", "pixel_hash"]
    assert found.loc["a", "pixel_hash"] != found.loc["c", "pixel_hash"]
    assert (found.loc["e", "width"], found.loc["e", "height"]) == (96, 64)
    bad = found.loc[["cut", "empty", "text"]]
    assert (bad["problem"] != "").all()
    assert (bad["pixel_hash"] == "").all()
    assert not bad["problem"].str.contains("\n").any()


def test_images_in_a_zip(tmp_path: Path, cache: Path) -> None:
    plain = datasets.load("ham10000", made.dataset(tmp_path / "flat", layout="flat"))
    packed = datasets.load("ham10000", made.dataset(tmp_path / "zips", layout="zips"))
    columns = ["image_id", "pixel_hash", *hashes.METHODS]
    pd.testing.assert_frame_equal(
        hashes.hash_images(plain)[columns], hashes.hash_images(packed)[columns]
    )


def test_pixels_of_another_shape_are_other_pixels(tmp_path: Path, cache: Path) -> None:
    flat = np.zeros((16, 32, 3), dtype=np.uint8)
    contents = {
        "wide.png": cv2.imencode(".png", flat)[1].tobytes(),
        "tall.png": cv2.imencode(".png", flat.transpose(1, 0, 2))[1].tobytes(),
    }
    found = hashes.hash_images(image_table(tmp_path / "images", contents))
    assert found["pixel_hash"].nunique() == 2


def test_more_images_than_a_block(
    table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    at_once = hashes.hash_images(table)
    shutil.rmtree(cache)
    monkeypatch.setattr(hashes, "BLOCK", 3)
    pd.testing.assert_frame_equal(hashes.hash_images(table, workers=3), at_once)


def test_kept_until_the_data_change(table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    first = hashes.hash_images(table)
    with monkeypatch.context() as broken:
        broken.setattr(hashes, "decode", lambda *_: pytest.fail("decoded again"))
        pd.testing.assert_frame_equal(hashes.hash_images(table), first)
    Path(table["path"][0]).write_bytes(made.jpeg(9))
    again = hashes.hash_images(table)
    assert again["file_hash"][0] != first["file_hash"][0]
    assert again.iloc[1:].equals(first.iloc[1:])


def test_a_missing_file_is_a_row_too(table: pd.DataFrame) -> None:
    Path(table["path"][0]).unlink()
    found = hashes.hash_images(table)
    assert found["problem"][0] and found["file_hash"][0] == ""
    assert (found["problem"][1:5] == "").all()


def test_eight_orientations(tmp_path: Path, cache: Path) -> None:
    table = image_table(tmp_path / "images", {"a.jpg": made.jpeg(1), "b.jpg": made.jpeg(2)})
    for method in hashes.METHODS:
        turned = hashes.orientation_hashes(table, method)
        assert turned.shape == (2, 8)
        for row, path in zip(turned, table["path"], strict=True):
            image = Image.fromarray(datasets.read_image(path))
            eight = [image, *(image.transpose(turn) for turn in Image.Transpose)]
            assert row.tolist() == [theirs(each, method) for each in eight]
            assert len({np.asarray(each).tobytes() for each in eight}) == 8
    again = hashes.orientation_hashes(table, "whash")
    assert again.tolist() == turned.tolist()


def test_bad_input_gets_one_sentence(table: pd.DataFrame) -> None:
    with pytest.raises(LesionsError, match="average_hash"):
        hashes.perceptual_hashes([], "ahash")
    with pytest.raises(LesionsError, match="no images"):
        hashes.hash_images(table.iloc[:0])
    with pytest.raises(LesionsError, match=r"cut\.jpg"):
        hashes.orientation_hashes(table.iloc[5:6])
