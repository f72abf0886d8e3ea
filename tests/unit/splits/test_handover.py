"""What notebook 03 leaves, and who may read it."""

import numpy as np
import pandas as pd
import pytest

from lesions.core import files
from lesions.core.errors import LesionsError
from lesions.networks.backend import keras
from lesions.settings.parameters import Settings
from lesions.splits import handover
from made import grey_images


@pytest.fixture
def table(tmp_path, monkeypatch) -> pd.DataFrame:
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    return grey_images(tmp_path)


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
    table = pd.DataFrame(
        {"lesion_id": ["b"], "image_id": ["a"], "dx": ["NA"], "age": [np.nan], "path": ["x"]}
    )
    handover.save_splits(chosen, {"honest-dx": rows}, {"honest": tmp_path}, table)
    found, pixels = handover.load_splits(chosen)
    assert found["honest-dx"].equals(rows) and pixels == {"honest": tmp_path}
    pd.testing.assert_frame_equal(handover.load_table(tmp_path), table.drop(columns="path"))
    with pytest.raises(LesionsError, match="IMAGE_SIZE=64, and here IMAGE_SIZE=96"):
        handover.load_splits(chosen.replace(IMAGE_SIZE=96))
