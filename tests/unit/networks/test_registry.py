"""The registry: a model is one file, and nothing else knows its name."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from lesions.networks import registry
from lesions.settings.parameters import PARAMETERS, Settings

FAMILIES = {"autoencoder", "backbones", "convolutional", "fully_connected", "residual"}


def test_the_studys_models_are_there():
    assert {
        "fcnn_relu", "fcnn_relu_tanh", "fcnn_l2", "fcnn_dx_type", "cnn", "vgg16", "resnet50",
        "densenet121", "autoencoder_classifier", "compact_cnn",
    } <= set(registry.names())  # fmt: skip
    assert {registry.module_of(name).__name__.rpartition(".")[2] for name in registry.names()} >= (
        FAMILIES
    )


@pytest.mark.parametrize("name", registry.names())
def test_an_entry_is_whole(name):
    entry = registry.entry(name)
    assert entry.about and "\n" not in entry.about
    assert set(entry.options.values()) <= set(PARAMETERS)
    assert set(registry.options(name, Settings())) == set(entry.options)
    if entry.fine_tune:
        assert entry.pretrained


def test_an_unknown_model_names_the_nearest():
    with pytest.raises(LesionsError, match=r"Unknown model vgg19\. Did you mean vgg16\?"):
        registry.entry("vgg19")


def test_options_come_from_the_settings():
    assert registry.options("fcnn_l2", Settings(L2=0.5)) == {"l2": 0.5}
    model = registry.build("cnn", 32, 3, Settings(CNN_DENSE=7))
    assert 7 in [getattr(layer, "units", None) for layer in model.layers]


def test_nothing_asks_for_a_models_name():
    """A branch such as `if name == "vgg16"` outside of a family's own file."""
    names = "|".join(registry.names())
    branch = re.compile(rf"""(==|!=|\bin)\s*\(?\s*["']({names})["']""")
    found = []
    for room in ("networks", "training"):
        for path in sorted((ROOT / "lib" / "lesions" / room).rglob("*.py")):
            found += [f"{path.name}: {m[0]}" for m in branch.finditer(path.read_text())]
    assert not found


NEW = '''"""A model of a reader's own."""

from lesions.networks.backend import keras
from lesions.networks.pieces import layers, outputs
from lesions.networks.registry import Entry


def linear(size, classes):
    return keras.Sequential([keras.Input((size, size, 3)), layers.Flatten(), outputs(classes)])


MODELS = {"linear": Entry(linear, "scratch", "one layer")}
'''
TRAIN = """
import sys
from pathlib import Path
import numpy as np, pandas as pd
from lesions.networks import registry
from lesions.settings.parameters import Settings
from lesions.training import records, run_records
folder = Path(sys.argv[1])
assert Path(registry.__file__).is_relative_to(folder), registry.__file__
(folder / "pixels").mkdir()
np.save(folder / "pixels" / "pixels.npy", np.zeros((12, 32, 32, 3), np.uint8))
rows = pd.DataFrame({"image_id": [f"I{n}" for n in range(12)]})
rows.to_csv(folder / "pixels" / "image_ids.csv", index=False)
rows["lesion_id"], rows["label"] = rows["image_id"], ["mel", "nv"] * 6
rows["split"] = ["train"] * 8 + ["validation"] * 2 + ["test"] * 2
(run,) = records.parse_runs("linear:dx")
settings = Settings(IMAGE_SIZE=32, EPOCHS=1, folder=folder / "build")
records.train_run(*run, "honest", rows, folder / "pixels", settings)
print(run_records.load_records(settings.folder)["model"].tolist())
"""


@pytest.mark.slow
def test_a_model_is_one_new_file(tmp_path):
    """In a copy of the library: the file is added, and the model can be asked for and trained."""
    for part in ("lib", "requirements.lock", "data/datacard.json", "data/ham10000_counts.json"):
        source, target = ROOT / part, tmp_path / part
        target.parent.mkdir(exist_ok=True)
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, target)
    (tmp_path / "lib" / "lesions" / "networks" / "mine.py").write_text(NEW)
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(tmp_path)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "lib"), "LESIONS_CACHE": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "['linear']" in done.stdout
