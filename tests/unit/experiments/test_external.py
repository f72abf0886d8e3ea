"""The official test set: found, matched to a model's geometry, and scored."""

import cv2
import numpy as np
import pandas as pd
import pytest

from lesions.core import files
from lesions.core.errors import LesionsError
from lesions.experiments import external
from lesions.paper import published
from lesions.settings.parameters import Settings
from lesions.training import records, run_records
from made import write_record

CLASSES = ["mel", "nv"]
SIZE = 32


def write_images(folder, width: int, height: int, count: int = 12):
    """Dark melanomas and light naevi, and the challenge's one-hot table."""
    folder.mkdir()
    lines = ["image,MEL,NV,BCC,AKIEC,BKL,DF,VASC"]
    rng = np.random.default_rng(1)
    for i in range(count):
        dx = CLASSES[i % 2]
        image = rng.integers(0, 40, (height, width, 3)) + (30 if dx == "mel" else 180)
        cv2.imwrite(str(folder / f"ISIC_{i:07d}.jpg"), image)
        lines.append(f"ISIC_{i:07d}," + ("1.0,0.0" if dx == "mel" else "0.0,1.0") + ",0,0,0,0,0")
    (folder / "ISIC2018_Task3_Test_GroundTruth.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    given = {"IMAGE_SIZE": SIZE, "EPOCHS": 25, "AUGMENT": False, "LEARNING_RATE": 0.001}
    given |= {"RESAMPLE": "none", "PATIENCE": 25, "BOOTSTRAP": 50, "PROFILE": "t"}
    return Settings(folder=tmp_path / "t", **given)


def train(settings, tmp_path, protocol: str):
    """A small CNN on dark and light squares; its record."""
    rng = np.random.default_rng(0)
    labels = np.array(CLASSES)[np.arange(60) % 2]
    pixels = rng.integers(0, 40, (60, SIZE, SIZE, 3), dtype=np.uint8)
    pixels[labels == "mel"] += 30
    pixels[labels == "nv"] += 180
    folder = tmp_path / "pixels"
    folder.mkdir()
    np.save(folder / "pixels.npy", pixels)
    rows = pd.DataFrame({"image_id": [f"A{n}" for n in range(60)]})
    rows.to_csv(folder / "image_ids.csv", index=False)
    rows["lesion_id"], rows["label"] = rows["image_id"], labels
    rows["split"] = ["train"] * 40 + ["validation"] * 10 + ["test"] * 10
    return records.train_run("cnn", "dx", protocol, rows, folder, settings)


@pytest.mark.slow
def test_the_test_set_is_looked_for_beside_the_images(settings, tmp_path, monkeypatch):
    assert external.find(settings) is None, "the sample has none"
    settings = settings.replace(DATASET="ham10000")
    monkeypatch.setenv("HAM10000_DIR", str(tmp_path))
    assert external.find(settings) is None
    (tmp_path / "isic2018").mkdir()
    assert external.find(settings) == tmp_path / "isic2018"
    with pytest.raises(LesionsError, match="is no folder"):
        external.find(settings.replace(TEST_DIR=str(tmp_path / "nowhere")))


def test_where_it_is_not_here_the_table_is_empty(settings):
    table = external.score_all(pd.DataFrame({"target": []}), settings)
    assert table.empty and list(table)[:3] == ["model", "protocol", "init"]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(60, 45), (45, 45)])
def test_a_cropping_model_is_scored_on_photographs_and_on_squares(settings, tmp_path, size):
    settings = settings.replace(GEOMETRY="crop")
    train(settings, tmp_path, "honest")
    settings = settings.replace(TEST_DIR=str(write_images(tmp_path / "isic", *size)))
    table = external.score_all(run_records.load_records(settings.folder), settings)
    scores = table.set_index("metric")["value"]
    assert scores["accuracy"] > 0.9 and set(scores.index) == set(external.METRICS)
    (kept,) = (settings.folder / "external").glob("*.parquet")
    assert len(pd.read_parquet(kept)) == 12


@pytest.mark.slow
def test_squares_are_refused_for_a_model_that_squashes(settings, tmp_path, capsys, monkeypatch):
    record = train(settings, tmp_path, "paper")
    table = pd.DataFrame({"image_id": ["ISIC_0000000"], "lesion_id": ["a"], "dx": ["mel"]})
    folder = write_images(tmp_path / "isic", 45, 45)
    table["path"] = str(folder / "ISIC_0000000.jpg")
    with pytest.raises(LesionsError, match="GEOMETRY=crop"):
        external.predict(record, table)
    settings = settings.replace(TEST_DIR=str(folder))
    assert external.score_all(run_records.load_records(settings.folder), settings).empty
    assert "trained on squashed images" in capsys.readouterr().out


def test_only_models_of_the_diagnosis_are_scored(tmp_path):
    write_record(tmp_path, "cnn", "sex", "honest", 0.5)
    write_record(tmp_path, "fusion", "dx", "honest", 0.5)
    with pytest.raises(LesionsError, match="trained on sex"):
        external.predict(tmp_path / "runs" / "honest-sex-cnn-seed0", pd.DataFrame())
    with pytest.raises(LesionsError, match="fusion asks for metadata"):
        external.predict(tmp_path / "runs" / "honest-dx-fusion-seed0", pd.DataFrame())


def test_paper_always_squashes():
    from lesions.splits import protocols

    for geometry in ("crop", "squash"):
        given = Settings(GEOMETRY=geometry)
        assert protocols.geometry("paper", given) == "squash"
        assert protocols.geometry("honest", given) == geometry


def test_anchors_are_shares_with_a_source():
    table = published.anchors()
    assert table["value"].between(0, 1).all() and table["source"].str.len().min() > 5
    assert set(table["metric"]) <= set(external.METRICS)
