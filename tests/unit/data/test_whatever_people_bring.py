"""Fuzzed: tables, labels, ids and paths of any kind; no traceback, no label changed in silence."""

import csv
import io
import os
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import made
from lesions.core.errors import LesionsError
from lesions.core.files import user_path
from lesions.data import contents, datasets, pixel_store
from lesions.data.matching import ids_of
from lesions.duplicates import hashes
from lesions.settings.parameters import Settings
from lesions.splits import handover, leaks, protocols, splits
from lesions.splits.trainable import check_trainable

# 500 examples in `make test`, 10,000 under HYPOTHESIS_PROFILE=nightly.
TIMES = 20 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 1


def fuzzed(examples: int) -> settings:
    return settings(max_examples=examples * TIMES, deadline=None)


PICTURES = [made.jpeg(seed) for seed in range(8)]


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(datasets.files, "CACHE", cache)
    return cache


def as_csv(rows: list[list[str]], separator: str = ",") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue()


def own(folder: Path, labels: list[str], header: str = "dx") -> Path:
    """Images 0.jpg, 1.jpg … and a table of their labels."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(len(labels)):
        (folder / f"{number}.jpg").write_bytes(PICTURES[number % len(PICTURES)])
    rows = [["image_id", header], *([str(n), label] for n, label in enumerate(labels))]
    (folder / "metadata.csv").write_text(as_csv(rows), encoding="utf-8", newline="")
    return folder


# ---------------------------------------------------------------- a label is text


@fuzzed(200)
@given(labels=st.lists(made.texts(), min_size=2, max_size=8))
def test_labels_come_through_unchanged(
    tmp_path_factory: pytest.TempPathFactory, labels: list[str]
) -> None:
    """From the table to the split rows and back, and onto disk inside the folder alone."""
    base = tmp_path_factory.mktemp("labels")
    folder = own(base / "mine", labels)
    wanted = [label.replace("\0", "").strip() for label in labels]
    named = [label for label in wanted if label]
    if not named:
        with pytest.raises(LesionsError):
            datasets.load("folder", folder, max_bad=1.0)
        return
    table = datasets.load("folder", folder, max_bad=1.0)
    assert table["dx"].tolist() == named
    rows = splits.split_by_image(table, "dx")
    chosen = Settings(folder=base / "build", PROFILE="t", DATASET="folder")
    cache = base / "pixels"
    cache.mkdir()
    handover.save_splits(chosen, {"honest-dx": rows}, {"honest": cache}, table)
    back, _ = handover.load_splits(chosen)
    pd.testing.assert_frame_equal(back["honest-dx"], rows)
    assert handover.load_table(chosen.folder)["dx"].tolist() == named
    files = {row.image_id: Path(row.path) for row in table.itertuples()}
    tree = handover.link_folders(rows, files, chosen.folder / "tree")
    assert {path.name for path in base.iterdir()} == {"mine", "build", "pixels"}
    assert {path.name for path in chosen.folder.iterdir()} <= {
        "splits", "table.csv", "data.json", "tree"}  # fmt: skip
    assert len(list(tree.glob("*/*/*"))) == len(rows)
    if {"train", "test"} <= set(rows["split"]):
        theirs = leaks.rows_from_folders(tree)
        assert sorted(zip(theirs["image_id"], theirs["label"], strict=True)) == sorted(
            zip(rows["image_id"], rows["label"], strict=True)
        )


@fuzzed(150)
@given(ids=st.lists(made.texts(), min_size=1, max_size=6, unique=True))
def test_any_id_is_found_or_named(tmp_path_factory: pytest.TempPathFactory, ids: list[str]) -> None:
    """A table may hold any id: the image is found, or a finding says why not."""
    folder = tmp_path_factory.mktemp("ids")
    written = []
    for number, text in enumerate(ids):
        name = f"{text}.jpg"
        if "/" in name or "\0" in name or len(name.encode()) > 200 or name.startswith("."):
            continue
        (folder / name).write_bytes(PICTURES[number % len(PICTURES)])
        written.append(text)
    rows = [["image_id", "dx"], *([text, "a"] for text in ids)]
    (folder / "metadata.csv").write_text(as_csv(rows), encoding="utf-8", newline="")
    findings = datasets.validate(folder, own=True)
    try:
        table = datasets.load("folder", folder, max_bad=1.0)
    except LesionsError:
        table = pd.DataFrame({"image_id": [], "path": []})
    assert table["image_id"].is_unique and table["path"].is_unique
    assert all(path.startswith(f"{folder}/") for path in table["path"])
    lost = (findings["severity"] == "error").sum()
    assert len(table) + lost >= len(ids)


@fuzzed(150)
@given(
    text=st.lists(
        st.one_of(made.texts(), st.sampled_from([",", ";", "\n", "\r\n", '"', "image_id", "dx"])),
        max_size=30,
    ).map("".join)
)
def test_any_text_as_a_table(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("text")
    (folder / "1.jpg").write_bytes(PICTURES[0])
    (folder / "metadata.csv").write_text(text, encoding="utf-8", newline="")
    datasets.validate(folder, own=True)
    try:
        datasets.load("folder", folder)
    except LesionsError as error:
        assert "\n" not in str(error).replace(text, "") or "\n" in text


# ---------------------------------------------------------------- tables of other people


def load(folder: Path, name: str, text: str, images: list[str]) -> pd.DataFrame:
    for number, image in enumerate(images):
        (folder / image).parent.mkdir(parents=True, exist_ok=True)
        (folder / image).write_bytes(PICTURES[number])
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return datasets.load("folder", folder, max_bad=1.0)


def rules(folder: Path) -> set[str]:
    return set(datasets.validate(folder, own=True)["rule"])


def test_an_isic_archive_table(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    text = (
        "isic_id,attribution,age_approx,anatom_site_general,diagnosis_1,diagnosis_3,sex,lesion_id\n"
        'ISIC_1,"A, B",45.0,head/neck,Malignant,"Melanoma, NOS",male,IL_1\n'
        "ISIC_2,C,,posterior torso,Benign,Nevus,female,IL_1\n"
    )
    table = load(tmp_path, "metadata.csv", text, ["ISIC_1.jpg", "ISIC_2.jpg"])
    assert table["dx"].tolist() == ["Malignant", "Benign"]
    assert table["localization"].tolist() == ["head/neck", "posterior torso"]
    assert table["age"].tolist()[0] == 45 and set(table["lesion_id"]) == {"IL_1"}
    said = "".join(capsys.readouterr())
    for words in ("image_id from 'isic_id'", "dx from 'diagnosis_1'", "age from 'age_approx'",
                  "not used: diagnosis_3"):  # fmt: skip
        assert words in said
    older = text.replace("diagnosis_1", "diagnosis").replace("diagnosis_3", "benign_malignant")
    table = load(tmp_path, "metadata.csv", older, ["ISIC_1.jpg", "ISIC_2.jpg"])
    assert table["dx"].tolist() == ["Malignant", "Benign"]


def test_a_column_a_class(tmp_path: Path) -> None:
    text = "image,MEL,NV,UNK\na,1.0,0.0,0.0\nb,0,1,0\nc,0,0,0\nd,1,1,0\ne,0,0,1\n"
    images = [f"{name}.jpg" for name in "abcde"]
    table = load(tmp_path, "ISIC_2019_Training_GroundTruth.csv", text, images)
    assert dict(zip(table["image_id"], table["dx"], strict=True)) == {
        "a": "MEL", "b": "NV", "e": "UNK"}  # fmt: skip
    found = datasets.validate(tmp_path, own=True).set_index("rule")["file"]
    assert "line 4: c" in found["no class"] and "line 5: d" in found["several classes"]


def test_a_folder_a_class(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for number, name in enumerate(["0/1.jpg", "0/2.jpg", "01/1.jpg", "N/A/x.png"]):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PICTURES[number])
    table = datasets.load("folder", tmp_path)
    assert table["dx"].tolist() == ["0", "0", "01", "A"]
    assert table["image_id"].is_unique and "dx from the names of folders" in "".join(
        capsys.readouterr()
    )
    check = datasets.load("folder", made_zip(tmp_path / "zipped", tmp_path))
    assert check["dx"].tolist() == table["dx"].tolist()


def made_zip(target: Path, folder: Path) -> Path:
    files = [path for path in folder.rglob("*") if path.is_file()]
    target.mkdir()
    with zipfile.ZipFile(target / "all.zip", "w") as archive:
        for path in sorted(files):
            archive.write(path, path.relative_to(folder))
    return target


def test_dermamnist(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 5), ("val", 2), ("test", 3)):
        arrays[f"{part}_images"] = rng.integers(0, 255, (count, 28, 28, 3), dtype=np.uint8)
        arrays[f"{part}_labels"] = rng.integers(0, 7, (count, 1), dtype=np.uint8)
    np.savez(tmp_path / "dermamnist.npz", **arrays)
    table = datasets.load("folder", tmp_path)
    assert len(table) == 10 and table["image_id"].iloc[5] == "val_00000"
    labels = np.concatenate([arrays[f"{part}_labels"] for part in ("train", "val", "test")])
    assert table["dx"].tolist() == [str(code) for code in labels[:, 0]]
    assert (datasets.read_image(table["path"].iloc[7]) == arrays["test_images"][0]).all()
    (tmp_path / "dermamnist.npz").write_bytes(b"no")
    with pytest.raises(LesionsError, match="no npz file"):
        datasets.load("folder", tmp_path)


@pytest.mark.parametrize("text", ["image_id\na\nb\n", "image,age\na,3\nb,4\n", None])
def test_without_labels_it_can_be_looked_at_but_not_trained_on(tmp_path: Path, text) -> None:
    for number, name in enumerate("ab"):
        (tmp_path / f"{name}.jpg").write_bytes(PICTURES[number])
    if text:
        (tmp_path / "metadata.csv").write_text(text)
    table = datasets.load("folder", tmp_path)
    assert table["image_id"].tolist() == ["a", "b"]
    assert len(hashes.hash_images(table)) == 2
    assert pixel_store.pixel_cache(table, 32).is_dir()
    assert protocols.targets(table) == []
    with pytest.raises(LesionsError, match="no labels"):
        check_trainable(table)


def test_what_cannot_be_trained_on_is_refused(tmp_path: Path) -> None:
    for labels, words in (
        (["a"] * 30, "one class only, 'a'"),
        (["a"] * 30 + ["b"], r"two lesions or more.*'b' \(1\)"),
        (["a", "b"] * 4, "8 images are too few"),
    ):
        table = datasets.load("folder", own(tmp_path / str(len(labels)), labels))
        with pytest.raises(LesionsError, match=words) as error:
            check_trainable(table)
        assert "\n" not in str(error.value)


def test_quotes_line_breaks_and_what_spreadsheets_add(tmp_path: Path) -> None:
    text = 'sep=;\r\nimage_id;dx;note;;\r\n"a";"x;y";"two\r\nlines";;\r\nb;z;"say ""no""";;\r\n'
    table = load(tmp_path, "metadata.csv", text, ["a.jpg", "b.jpg"])
    assert table["dx"].tolist() == ["x;y", "z"]
    assert not {"broken line"} & rules(tmp_path)
    table = load(tmp_path, "metadata.csv", 'image_id,dx\na,"two\nlines"\nb,z\n', ["a.jpg", "b.jpg"])
    assert table["dx"].tolist() == ["two\nlines", "z"]
    # A quote that is never closed costs its own row.
    table = load(tmp_path, "metadata.csv", 'image_id,dx\n"a,x\nb,z\n', ["a.jpg", "b.jpg"])
    assert table["dx"].tolist() == ["z"]


def test_names_in_another_unicode_form_and_paths_of_windows(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "Übung é.jpg")
    (tmp_path / "bilder").mkdir()
    (tmp_path / "bilder" / decomposed).write_bytes(PICTURES[0])
    (tmp_path / "b.jpg").write_bytes(PICTURES[1])
    (tmp_path / "metadata.csv").write_text(
        "image,dx\nC:\\Users\\me\\bilder\\Übung é.jpg,x\n~/photos/b.jpg,y\n", encoding="utf-8"
    )
    table = datasets.load("folder", tmp_path)
    assert table["dx"].tolist() == ["x", "y"]
    assert table["path"].tolist() == [f"{tmp_path}/bilder/{decomposed}", f"{tmp_path}/b.jpg"]


def test_paths_in_parameters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("~/x y") == tmp_path / "x y"
    assert user_path("data\\raw") == user_path("data/raw")
    assert user_path(str(tmp_path)) == tmp_path
    own(tmp_path / "mine #1 ä", ["a", "b"])
    assert len(datasets.load("folder", Path("~/mine #1 ä"))) == 2


@pytest.mark.parametrize("size", [1, 100, 70_000, 300_000])
def test_what_comes_after_the_end_of_an_image_does_no_harm(tmp_path: Path, size: int) -> None:
    png = made.saved(made.Image.fromarray(made.pixels(1)), "PNG")
    for name, data in (("a.jpg", PICTURES[0]), ("b.png", png)):
        for tail in (b"\0" * size, b"\xff" * size, (b"ftypmp42" * size)[:size]):
            (tmp_path / name).write_bytes(data)
            image = datasets.read_image(str(tmp_path / name))
            (tmp_path / name).write_bytes(data + tail)
            assert (datasets.read_image(str(tmp_path / name)) == image).all()
        (tmp_path / name).write_bytes(data[: len(data) - 20])
        with pytest.raises(LesionsError, match="truncated"):
            datasets.read_image(str(tmp_path / name))


# ---------------------------------------------------------------- a name is not an identity


def numbered(folder: Path, same: bool = False) -> Path:
    """train/a/1.jpg and test/a/1.jpg."""
    for number, part in enumerate(("train", "test")):
        place = folder / part / "a"
        place.mkdir(parents=True)
        (place / "1.jpg").write_bytes(PICTURES[0 if same else number])
    return folder


def leaked(rows: pd.DataFrame) -> int:
    report = leaks.leak_report(rows)
    return int(report.query("split == 'test' and label == 'all'")["same_image"].iloc[0])


def test_files_numbered_by_folder_are_no_leak(tmp_path: Path) -> None:
    assert leaked(leaks.rows_from_folders(numbered(tmp_path / "other"))) == 0
    assert leaked(leaks.rows_from_folders(numbered(tmp_path / "same", same=True))) == 1
    # A copy under another name is the same image all the same.
    (tmp_path / "same/test/a/1.jpg").rename(tmp_path / "same/test/a/2.jpg")
    assert leaked(leaks.rows_from_folders(tmp_path / "same")) == 1


@pytest.mark.parametrize("same", [False, True])
def test_paths_in_a_csv(tmp_path: Path, same: bool, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "s.csv").write_text(
        "path,label,split\ntrain/a/1.jpg,a,train\ntest\\a\\1.jpg,a,test\n"
    )
    rows = leaks.rows_from_csvs(tmp_path / "s.csv")
    report = leaks.leak_report(rows)
    assert leaked(rows) == 0 and report["not_told"].tolist() == [1, 1]
    assert "Not told: 1 images" in "".join(capsys.readouterr())
    numbered(tmp_path, same)
    rows = leaks.rows_from_csvs(tmp_path / "s.csv")
    assert leaked(rows) == same and "not_told" not in leaks.leak_report(rows)


def test_the_loader_tells_numbered_files_apart(tmp_path: Path) -> None:
    for number, kind in enumerate(("benign", "malignant")):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "1.jpg").write_bytes(PICTURES[number])
    (tmp_path / "metadata.csv").write_text("image,dx\nbenign/1.jpg,b\nmalignant\\1.jpg,m\n")
    table = datasets.load("folder", tmp_path)
    assert table["image_id"].tolist() == ["benign/1", "malignant/1"]
    assert [datasets.read_bytes(path) for path in table["path"]] == PICTURES[:2]
    files = datasets.image_files(datasets.load("folder", made_zip(tmp_path / "z", tmp_path)))
    assert [path.read_bytes() for path in files] == PICTURES[:2]
    # Only a name: nobody can say which is meant, unless they are the same.
    (tmp_path / "metadata.csv").write_text("image,dx\n1,b\n")
    assert "several images of one name" in rules(tmp_path)
    (tmp_path / "malignant" / "1.jpg").write_bytes(PICTURES[0])
    (tmp_path / "z" / "all.zip").unlink()
    assert rules(tmp_path) == {"read as", "several copies"}


def test_a_missing_file_is_not_replaced_by_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "benign").mkdir()
    (tmp_path / "benign" / "1.jpg").write_bytes(PICTURES[0])
    (tmp_path / "metadata.csv").write_text("image,dx\nbenign/1.jpg,b\nmalignant/1.jpg,m\n")
    table = datasets.load("folder", tmp_path, max_bad=1.0)
    assert table["dx"].tolist() == ["b"]


def test_ids_are_as_short_as_tells_them_apart() -> None:
    assert ids_of(["x/a.jpg", "b.png", "C:\\y\\c.jpg"]) == ["a", "b", "c"]
    assert ids_of(["x/1.jpg", "y/1.jpg"]) == ["x/1", "y/1"]
    assert ids_of(["x/1.jpg", "x/1.png"]) == ["x/1.jpg", "x/1.png"]


# ---------------------------------------------------------------- a cache knows content


def bmp(folder: Path, seed: int) -> pd.DataFrame:
    """Uncompressed images: the same ids, table and file sizes, whatever they show."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(3):
        picture = made.Image.fromarray(made.pixels(seed + number))
        (folder / f"{number}.bmp").write_bytes(made.saved(picture, "BMP"))
    (folder / "metadata.csv").write_text("image_id,dx\n0,a\n1,b\n2,a\n")
    return datasets.load("folder", folder)


def test_other_images_under_the_same_names_are_other_images(tmp_path: Path) -> None:
    one, two = bmp(tmp_path / "one", 0), bmp(tmp_path / "two", 50)
    assert pixel_store.pixel_cache(one, 32) != pixel_store.pixel_cache(two, 32)
    assert (hashes.hash_images(one)["pixel_hash"] != hashes.hash_images(two)["pixel_hash"]).all()
    again = bmp(tmp_path / "three", 0)
    assert contents.fingerprint(again) == contents.fingerprint(one)


def test_an_image_replaced_in_place(tmp_path: Path) -> None:
    table = bmp(tmp_path / "one", 0)
    path = Path(table["path"].iloc[0])
    about = path.stat()
    before = contents.fingerprint(table), pixel_store.pixel_cache(table, 32)
    path.write_bytes(made.saved(made.Image.fromarray(made.pixels(99)), "BMP"))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert path.stat().st_size == about.st_size
    after = contents.fingerprint(table), pixel_store.pixel_cache(table, 32)
    assert before[0] != after[0] and before[1] != after[1]


def test_a_zip_replaced_in_place(tmp_path: Path) -> None:
    def write(seed: int) -> None:
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            for number in range(2):
                picture = made.Image.fromarray(made.pixels(seed + number))
                archive.writestr(f"{number}.bmp", made.saved(picture, "BMP"))

    (tmp_path / "metadata.csv").write_text("image_id,dx\n0,a\n1,b\n")
    write(0)
    about = (tmp_path / "all.zip").stat()
    before = contents.fingerprint(datasets.load("folder", tmp_path))
    write(50)
    os.utime(tmp_path / "all.zip", ns=(about.st_atime_ns, about.st_mtime_ns))
    assert (tmp_path / "all.zip").stat().st_size == about.st_size
    assert contents.fingerprint(datasets.load("folder", tmp_path)) != before
