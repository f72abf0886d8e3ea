"""Datasets are files of one folder: to add one takes no other edit."""

import shutil
import subprocess
import sys

import pytest

import made
from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from lesions.data import known, source
from lesions.data.known import ham10000
from lesions.settings.parameters import DATASETS, Settings

MINE = """'''Two clinics.'''
from pathlib import Path
from lesions.data.known import Source
SOURCE = Source("images of two clinics", default=lambda: Path({folder!r}), own=True)
"""
ASK = """
from lesions.data import source
from lesions.settings.parameters import Settings
print(len(source.load_table(Settings(DATASET="clinics"))))
"""


def test_the_parameter_knows_the_files():
    assert set(DATASETS) == set(known.names()) >= {"folder", "ham10000", "sample"}
    assert all(known.entry(name).about for name in known.names())


def test_a_file_adds_a_dataset(tmp_path):
    library = tmp_path / "lib"
    shutil.copytree(ROOT / "lib", library, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("raw", "cache"))
    folder = made.dataset(tmp_path / "images", layout="flat")
    text = MINE.format(folder=str(folder))
    (library / "lesions" / "data" / "known" / "clinics.py").write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", ASK], env={"PYTHONPATH": str(library)},
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.split()[-1] == "12"


def test_where_a_folder_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("HAM10000_DIR", raising=False)
    assert known.place("ham10000") == ham10000.DOWNLOADED
    monkeypatch.setenv("HAM10000_DIR", str(tmp_path))
    assert known.place("ham10000") == tmp_path
    assert source.data_folder(Settings(DATASET="ham10000")) == tmp_path
    assert known.place("ham10000", "data/mine") == ROOT / "data" / "mine"
    with pytest.raises(LesionsError, match="'folder' needs a folder"):
        known.place("folder")
    with pytest.raises(LesionsError, match=r"must be one of .*ham10000"):
        known.place("ham1000")


def test_images_of_ones_own_are_checked_under_any_name(tmp_path, monkeypatch):
    from lesions.splits import trainable

    folder = made.dataset(tmp_path, layout="flat")
    table = source.load_table(Settings(DATASET="folder", DATA_DIR=str(folder)))
    clinic = known.Source("a clinic", default=lambda: folder, own=True)
    monkeypatch.setattr(known, "entry", lambda name: clinic)
    assert len(table) == 12
    with pytest.raises(LesionsError, match="two lesions or more"):
        trainable.check_before(["05_multiclass_cnn"], Settings(DATASET="ham10000"))
