"""The one cache: what is in a key, found from the imports; and results kept whole or not at all."""

import shutil
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from lesions.core import cache, files
from lesions.core.files import ROOT

# Each kind of kept result: where it is made, some modules that it depends on (not all of them by a
# direct import), and one that it does not.
KINDS = {
    "sample": ("lesions.sample.synthetic", ["lesions.sample.fields", "lesions.sample.criteria"],
               "lesions.data.images"),
    "pixels": ("lesions.data.pixel_store", ["lesions.data.images", "lesions.data.pixel_store"],
               "lesions.duplicates.hashes"),
    "hashes": ("lesions.duplicates.hashes", ["lesions.data.images", "lesions.duplicates.hashes"],
               "lesions.data.pixel_store"),
    "descriptors": ("lesions.duplicates.descriptors",
                    ["lesions.duplicates.appearance", "lesions.data.images"],
                    "lesions.splits.leaks"),
    "features": ("lesions.training.features",
                 ["lesions.networks.augmentation", "lesions.data.pixel_store"],
                 "lesions.scores.scoring"),
    "run": ("lesions.training.records",
            ["lesions.training.fitting", "lesions.scores.scoring", "lesions.networks.augmentation",
             "lesions.data.pixel_store", "lesions.splits.balance"],
            "lesions.paper.claims"),
    "baselines": ("lesions.baselines.baseline_runs",
                  ["lesions.baselines.histograms", "lesions.data.pixel_store"],
                  "lesions.training.fitting"),
    "experiments": ("lesions.experiments.experiments",
                    ["lesions.training.features", "lesions.training.fitting",
                     "lesions.splits.leaks", "lesions.duplicates.groups",
                     "lesions.scores.evaluation", "lesions.scores.scoring"],
                    "lesions.paper.audit"),
}  # fmt: skip


@pytest.fixture
def library(tmp_path):
    """A copy of lib/ that may be edited."""
    target = tmp_path / "lib"
    shutil.copytree(ROOT / "lib", target, ignore=shutil.ignore_patterns("__pycache__", "*.egg*"))
    return target


def edited(path, text: str):
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_of_each_module_that_a_result_depends_on_gives_a_new_key(kind, library):
    made_in, needs, other = KINDS[kind]
    reach = cache.reached([made_in], library)
    assert {made_in, *needs} <= set(reach)
    keys = {cache.code_key(made_in, library=library)}
    for path in reach.values():
        edited(path, f"\nEDITED = {len(keys)}\n")
        keys.add(cache.code_key(made_in, library=library))
    assert len(keys) == 1 + len(reach)  # no edit left the key as it was
    edited(cache.source_of(other, library), "\nEDITED = 1\n")
    assert cache.code_key(made_in, library=library) in keys


def test_what_only_speaks_to_people_is_no_edit(library):
    before = cache.code_key("lesions.data.pixel_store", library=library)
    path = cache.source_of("lesions.data.pixel_store", library)
    text = path.read_text(encoding="utf-8")
    path.write_text("# Another comment.\n" + text.replace("Resize an image", "Bring an image"))
    assert "Bring an image" in path.read_text(encoding="utf-8")
    assert cache.code_key("lesions.data.pixel_store", library=library) == before


def made(folder, files_: dict[str, str]):
    for name, text in files_.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_imports_are_found_wherever_they_stand(tmp_path):
    made(tmp_path, {
        "ours/__init__.py": "",
        "ours/a.py": "def f():\n    from ours import b\n    return b",
        "ours/b.py": "import ours.c\ntry:\n    from ours.d import thing\nexcept ImportError: 1",
        "ours/c.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ours import e",
        "ours/d.py": "import ours.a  # a circle\nthing = 1",
        "ours/e.py": "",
    })  # fmt: skip
    assert list(cache.reached(["ours.a"], tmp_path)) == ["ours", "ours.a", "ours.b", "ours.c",
                                                         "ours.d"]  # fmt: skip


def test_a_key_knows_the_versions_of_the_libraries(tmp_path, monkeypatch):
    made(tmp_path, {"ours.py": "import json\nimport cv2\nfrom sklearn.svm import SVC"})
    found = cache.versions([tmp_path / "ours.py"])
    assert set(found) == {"cv2", "sklearn"} and all(found.values())
    before = cache.code_key("ours", library=tmp_path)
    monkeypatch.setattr(cache, "_version", lambda name: {"cv2": "99"}.get(name, ""))
    assert cache.code_key("ours", library=tmp_path) != before


@dataclass(frozen=True)
class Way:
    turns: int
    name: str = "x"


def test_a_digest_sees_all_of_the_content():
    table = pd.DataFrame({"a": range(1000), "b": "x"})
    changed = table.copy()
    changed.loc[500, "b"] = "y"
    different = [
        table, changed, table["a"], table.astype(str), table.rename(columns={"a": "c"}),
        np.zeros(1000), np.zeros(1000, np.float32), np.zeros((10, 100)), np.eye(40)[:, :25],
        pd.DataFrame({"a": ["1", None]}), pd.DataFrame({"a": ["1", ""]}),
        Way(1), Way(2), 1, "1", [1, "1"], {"a": 1}, range(3), None,
    ]  # fmt: skip
    assert len({cache.digest(one) for one in different}) == len(different)
    assert cache.digest(table) == cache.digest(table.copy())
    assert cache.digest({"a": 1, "b": 2}) == cache.digest({"b": 2, "a": 1})
    assert cache.digest(np.float64(0.5)) == cache.digest(np.float64(0.5))


def test_a_value_of_unknown_content_is_refused():
    with pytest.raises(TypeError, match="content of a object"):
        cache.digest(object())


def test_settings_and_inputs_are_in_the_key():
    keys = [
        cache.key(1, code=["lesions.core.errors"]),
        cache.key(2, code=["lesions.core.errors"]),
        cache.key(1, code=["lesions.core.progress"]),
        cache.key(1, code=["lesions.core.errors"], settings={"SEED": 0}),
        cache.key(1, code=["lesions.core.errors"], settings={"SEED": 1}),
    ]
    assert len(set(keys)) == len(keys)


def test_of_two_runs_that_make_one_result_the_first_has_it(tmp_path, monkeypatch):
    """The second must not take away what the first is reading by now."""
    monkeypatch.setattr(files, "CACHE", tmp_path)

    def make(partial):
        partial.mkdir()
        (partial / "who").write_text("second", encoding="utf-8")
        first = tmp_path / "kind" / "name-k"
        first.mkdir()  # meanwhile, another process ends
        (first / "who").write_text("first", encoding="utf-8")

    path = cache.shared("kind", "name", "k", make)
    assert (path / "who").read_text(encoding="utf-8") == "first"
    assert [one.name for one in (tmp_path / "kind").iterdir()] == ["name-k"]


def test_a_shared_result_is_made_once_for_each_key(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "CACHE", tmp_path)
    made_for = []

    def make(path):
        made_for.append(path)
        path.write_text("x")

    first = cache.shared("kind", "name.txt", "k1", make)
    assert first == tmp_path / "kind" / "name-k1.txt" and first.read_text() == "x"
    assert cache.shared("kind", "name.txt", "k1", make) == first and len(made_for) == 1
    assert cache.shared("kind", "name.txt", "k2", make) != first and first.exists()


def test_a_named_result_is_made_anew_when_its_key_changes(tmp_path):
    target = tmp_path / "record"

    def make(text):
        def write(path):
            path.mkdir()
            (path / "a.txt").write_text(text)

        return write

    assert not cache.named(target, "k1", make("one"))
    assert cache.named(target, "k1", make("two")) and (target / "a.txt").read_text() == "one"
    assert not cache.named(target, "k2", make("two")) and (target / "a.txt").read_text() == "two"
    assert cache.is_kept(target, "k2") and not cache.is_kept(target, "k1")


def test_a_result_that_fails_is_not_kept(tmp_path):
    target = tmp_path / "table.csv"
    cache.named(target, "k1", lambda path: path.write_text("whole"))

    def half(path):
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.named(target, "k2", half)
    assert target.read_text() == "whole"  # the older one, which counts as out of date
    assert not cache.is_kept(target, "k1") and not cache.is_kept(target, "k2")
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
