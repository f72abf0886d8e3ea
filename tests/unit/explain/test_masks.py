"""Masks: the same squares as the images get, grey edges, and what is wrong with one."""

import cv2
import numpy as np
import pandas as pd
import pytest

from lesions.core.errors import LesionsError
from lesions.data.pixel_store import to_square
from lesions.explain import masks


def disc(height=60, width=80, x=40, y=30, radius=15) -> np.ndarray:
    return cv2.circle(np.zeros((height, width), np.uint8), (x, y), radius, 255, -1)


@pytest.mark.parametrize("geometry", ["squash", "crop"])
def test_a_mask_lies_on_its_image(geometry):
    grey = disc(x=30, y=40)
    image = np.dstack([255 - grey] * 3)  # a dark lesion on white skin
    small = to_square(image, 32, geometry)[..., 0]
    lesion = masks.square_mask(grey, 32, geometry)
    assert lesion.dtype == bool and lesion.shape == (32, 32)
    assert (lesion == (small < 128)).mean() > 0.99


def test_grey_edges_are_cut_at_half():
    soft = cv2.GaussianBlur(disc(), (0, 0), 2)
    assert masks.square_mask(soft, 60).mean() == pytest.approx(
        masks.square_mask(disc(), 60).mean(), rel=0.06
    )


def test_a_tiny_lesion_keeps_a_pixel():
    grey = np.zeros((90, 120), np.uint8)
    grey[40, 50] = 255
    lesion = masks.square_mask(grey, 16)
    assert lesion.sum() == 1 and lesion[40 * 16 // 90, 50 * 16 // 120]


def test_faults_are_named():
    assert masks.fault_of(disc()) == masks.fault_of(disc(), (60, 80)) == ""
    assert masks.fault_of(np.zeros((6, 8), np.uint8)) == "empty"
    assert masks.fault_of(np.full((6, 8), 255, np.uint8)) == "covers the whole image"
    assert masks.fault_of(disc(), (80, 60)) == "another shape than its image"
    assert masks.fault_of(disc(), (450, 600)) == ""  # another size will do


def written(folder, found: dict[str, np.ndarray]) -> pd.DataFrame:
    for name, grey in found.items():
        cv2.imwrite(str(folder / f"{name}_segmentation.png"), grey)
    return pd.DataFrame({"image_id": [*found, "I9"]})


def test_masks_come_in_the_table_s_order_and_what_lacks_is_said(tmp_path):
    table = written(tmp_path, {"I1": disc(), "I2": np.zeros((60, 80), np.uint8), "I0": disc(x=10)})
    found, faults = masks.load_masks(table, tmp_path, 32)
    assert found.shape == (4, 32, 32)
    assert list(found.any(axis=(1, 2))) == [True, False, True, False]
    assert np.array_equal(found[2], masks.square_mask(disc(x=10), 32))
    assert list(faults.itertuples(index=False, name=None)) == [("I2", "empty"), ("I9", "missing")]


def test_no_mask_at_all_is_an_error(tmp_path):
    with pytest.raises(LesionsError, match="no lesion mask"):
        masks.load_masks(pd.DataFrame({"image_id": ["I1"]}), tmp_path, 32)


def test_a_damaged_mask_is_named(tmp_path):
    (tmp_path / "I1_segmentation.png").write_bytes(b"no picture")
    with pytest.raises(LesionsError, match=r"I1_segmentation\.png cannot be decoded"):
        masks.load_masks(pd.DataFrame({"image_id": ["I1"]}), tmp_path, 32)


def test_the_masks_of_the_real_images_fit(ham_dir):
    from lesions.data import datasets

    table = datasets.load("ham10000", ham_dir, limit=60)
    found, faults = masks.load_masks(table, ham_dir, 64)
    assert not len(faults) and found.any(axis=(1, 2)).all()
    assert 0.1 < found.mean() < 0.5
