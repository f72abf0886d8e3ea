"""`datasets`: every layout reads alike, a part is taken by whole lesions, images decode."""

import shutil
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import made
from lesions.core.errors import LesionsError
from lesions.data import datasets
from lesions.data.images import MAX_PIXELS
from lesions.data.known import ham10000


@pytest.mark.parametrize("layout", made.LAYOUTS)
def test_every_layout_reads_alike(tmp_path: Path, layout: str) -> None:
    table = datasets.load("ham10000", made.dataset(tmp_path, layout=layout))
    wanted = pd.DataFrame(made.rows(12))
    assert list(table.columns) == [*made.COLUMNS, "path"]
    assert table["image_id"].tolist() == wanted["image_id"].tolist()
    assert table["dx"].tolist() == wanted["dx"].tolist()
    assert table["age"].dtype == np.float64
    assert table["age"].isna().tolist() == [text == "" for text in wanted["age"]]
    cohort = "unknown" if layout in ("kaggle", "lower") else "rosendahl"
    assert set(table["dataset"]) == {cohort}
    assert table.index.tolist() == list(range(12))
    for image_id, path in zip(table["image_id"], table["path"], strict=True):
        assert datasets.read_bytes(path) == made.jpeg(int(image_id[5:]))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_and_encodings(tmp_path: Path, separator: str, encoding: str) -> None:
    made.dataset(tmp_path)
    text = made.as_csv(made.rows(12), separator=separator).replace("\n", "\r\n")
    (tmp_path / "HAM10000_metadata").write_bytes(text.encode(encoding))
    table = datasets.load("ham10000", tmp_path)
    assert table["lesion_id"].tolist() == [row["lesion_id"] for row in made.rows(12)]


@pytest.mark.parametrize("name", ["HAM10000_metadata.tab", "metadata.csv", "ham10000_METADATA.CSV"])
def test_names_of_the_table(tmp_path: Path, name: str) -> None:
    made.dataset(tmp_path)
    (tmp_path / "HAM10000_metadata").rename(tmp_path / name)
    assert len(datasets.load("ham10000", tmp_path)) == 12


def test_the_table_with_more_columns_is_taken(tmp_path: Path) -> None:
    made.dataset(tmp_path)
    text = made.as_csv(made.rows(12), made.COLUMNS[:-1])
    (tmp_path / "HAM10000_metadata.csv").write_text(text)
    assert set(datasets.load("ham10000", tmp_path)["dataset"]) == {"rosendahl"}


def test_another_dataset_beside_it_is_left_alone(tmp_path: Path) -> None:
    made.dataset(tmp_path)
    other = tmp_path / "isic2018"
    other.mkdir()
    table = [row | {"image_id": f"ISIC_9{row['image_id'][6:]}"} for row in made.rows(4)]
    (other / "ISIC2018_Task3_Test_GroundTruth.csv").write_text(made.as_csv(table))
    with zipfile.ZipFile(other / "ISIC2018_Task3_Test_Images.zip", "w") as archive:
        for row in table:
            archive.writestr(f"ISIC2018_Task3_Test_Images/{row['image_id']}.jpg", made.jpeg(1))
            archive.writestr(f"__MACOSX/ISIC2018/._{row['image_id']}.jpg", b"macOS")
    assert len(datasets.load("ham10000", tmp_path)) == 12
    assert len(datasets.load("ham10000", other)) == 4


def test_the_challenges_own_table_with_a_column_a_class(tmp_path: Path) -> None:
    made.dataset(tmp_path)
    (tmp_path / "HAM10000_metadata").unlink()
    lines = ["image,MEL,NV,BCC,AKIEC,BKL,DF,VASC"]
    lines += [f"{row['image_id']},0.0,0.0,0.0,0.0,0.0,1.0,0.0" for row in made.rows(12)]
    (tmp_path / "ISIC2018_Task3_Test_GroundTruth.csv").write_text("\n".join(lines))
    table = datasets.load("folder", tmp_path)
    assert set(table["dx"]) == {"df"}
    assert table["lesion_id"].is_unique


def test_own_folder_needs_two_columns_and_any_labels(tmp_path: Path) -> None:
    made.dataset(tmp_path)
    lines = ["image_id,dx"] + [f"{row['image_id']}.jpg,Wart" for row in made.rows(12)]
    (tmp_path / "HAM10000_metadata").write_text("\n".join(lines))
    table = datasets.load("folder", tmp_path)
    assert set(table["dx"]) == {"Wart"}  # as it was written
    assert table["lesion_id"].tolist() == table["image_id"].tolist()
    assert table["age"].isna().all()
    assert set(table["sex"]) == {"unknown"}
    assert datasets.validate(tmp_path, own=True).empty
    assert datasets.validate(tmp_path)["rule"].tolist() == ["missing column"]


# ---------------------------------------------------------------- what is refused


def one_sentence(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


def test_no_folder_names_the_ways_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAM10000_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(LesionsError) as error:
        datasets.load("ham10000")
    text = one_sentence(error)
    for part in (str(tmp_path / "nowhere"), "HAM10000_DIR", "make data", "PROFILE=sample"):
        assert part in text


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made.dataset(tmp_path / "data")
    monkeypatch.setenv("HAM10000_DIR", str(tmp_path / "data"))
    assert len(datasets.load("ham10000")) == 12
    monkeypatch.delenv("HAM10000_DIR")
    monkeypatch.setattr(datasets.files, "ROOT", tmp_path)
    monkeypatch.setattr(ham10000, "DOWNLOADED", tmp_path / "data/raw/ham10000")
    with pytest.raises(LesionsError, match="data/raw/ham10000"):
        datasets.load("ham10000")
    shutil.copytree(tmp_path / "data", tmp_path / "data/raw/ham10000")
    assert len(datasets.load("ham10000")) == 12
    # A relative folder counts from the root when it is not below the present one.
    monkeypatch.setenv("HAM10000_DIR", "data/raw/ham10000")
    assert len(datasets.load("ham10000")) == 12


@pytest.mark.parametrize("name", ["sample", "folder"])
def test_a_dataset_without_a_folder(name: str) -> None:
    with pytest.raises(LesionsError, match="needs a folder"):
        datasets.load(name)


def test_unknown_dataset(tmp_path: Path) -> None:
    with pytest.raises(LesionsError, match=r"must be one of .*ham10000"):
        datasets.load("ham1000", tmp_path)


@pytest.mark.parametrize("column", made.COLUMNS[:-1])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    made.dataset(tmp_path)
    columns = [name for name in made.COLUMNS if name != column]
    (tmp_path / "HAM10000_metadata").write_text(made.as_csv(made.rows(12), columns))
    with pytest.raises(LesionsError, match=f"has no column {column};") as error:
        datasets.load("ham10000", tmp_path)
    assert "HAM10000_metadata" in one_sentence(error)


def test_no_table(tmp_path: Path) -> None:
    with pytest.raises(LesionsError, match="has no table") as error:
        datasets.load("ham10000", tmp_path)
    one_sentence(error)


def test_one_missing_image_is_left_out_and_said(tmp_path: Path, capsys, monkeypatch) -> None:
    made.dataset(tmp_path)
    (tmp_path / "ISIC_0024003.jpg").unlink()
    table = datasets.load("ham10000", tmp_path)
    assert len(table) == 11
    assert "ISIC_0024003" not in set(table["image_id"])
    assert "lost to faults: 1" in capsys.readouterr().out


def test_too_many_missing_images_stop_with_the_findings(tmp_path: Path) -> None:
    made.dataset(tmp_path)
    for number in (3, 4, 5):
        (tmp_path / f"ISIC_002400{number}.jpg").unlink()
    with pytest.raises(LesionsError, match="3 missing file") as error:
        datasets.load("ham10000", tmp_path)
    one_sentence(error)
    findings = error.value.findings
    assert set(findings["file"]) == {f"ISIC_002400{number}.jpg" for number in (3, 4, 5)}
    assert len(datasets.load("ham10000", tmp_path, max_bad=0.3)) == 9


def test_a_damaged_zip_is_named(tmp_path: Path) -> None:
    made.dataset(tmp_path, layout="zips")
    path = tmp_path / "HAM10000_images_part_2.zip"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(LesionsError, match="damaged archive"):
        datasets.load("ham10000", tmp_path)
    with pytest.raises(LesionsError, match=r"images_part_2\.zip is no readable zip"):
        datasets.find_images(tmp_path)


# ---------------------------------------------------------------- taking a part


def big_table() -> pd.DataFrame:
    shares = {"nv": 670, "mel": 111, "bkl": 110, "bcc": 51, "akiec": 33, "vasc": 14, "df": 11}
    dx = [name for name, count in shares.items() for _ in range(count)]
    rng = np.random.default_rng(1)
    lesions = [f"{name}{rng.integers(count // 2 + 1)}" for name in dx for count in [shares[name]]]
    return pd.DataFrame(
        {"lesion_id": lesions, "image_id": [f"i{n}" for n in range(1000)], "dx": dx}
    )


@pytest.mark.parametrize("limit", [7, 10, 50, 300, 999])
def test_a_part_keeps_whole_lesions_classes_and_shares(limit: int) -> None:
    table = big_table()
    part = datasets.take(table, limit, seed=3)
    assert abs(len(part) - limit) <= max(7, 0.03 * limit)
    assert set(part["dx"]) == set(table["dx"])
    inside = table["image_id"].isin(part["image_id"])
    assert not set(table[~inside]["lesion_id"]) & set(part["lesion_id"])
    assert part["image_id"].tolist() == table[inside]["image_id"].tolist()
    if limit >= 300:
        gap = part["dx"].value_counts(normalize=True) - table["dx"].value_counts(normalize=True)
        assert gap.abs().max() < 0.02
    assert part.equals(datasets.take(table, limit, seed=3))
    if limit < 999:
        assert not part.equals(datasets.take(table, limit, seed=4))


def test_a_part_with_two_large_and_many_tiny_classes() -> None:
    sizes = {"a": 500, "b": 450} | {f"tiny{n}": 6 for n in range(8)}
    dx = [name for name, count in sizes.items() for _ in range(count)]
    ids = [f"i{n}" for n in range(len(dx))]
    table = pd.DataFrame({"lesion_id": ids, "image_id": ids, "dx": dx})
    part = datasets.take(table, 10, seed=0)
    assert part["dx"].value_counts().to_dict() == dict.fromkeys(sizes, 1)


# ---------------------------------------------------------------- images


def test_pixels_come_as_rgb(tmp_path: Path) -> None:
    path = tmp_path / "red.png"
    red = np.zeros((20, 30, 3), np.uint8)
    red[..., 0] = 200
    Image.fromarray(red).save(path)
    image = datasets.read_image(str(path))
    assert image.dtype == np.uint8
    assert np.array_equal(image, red)


def test_every_kind_of_pixel_becomes_rgb(tmp_path: Path) -> None:
    picture = Image.fromarray(made.pixels(5))
    grey = np.asarray(picture.convert("L"))
    few = picture.quantize(64)
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    reference = np.asarray(picture).astype(int)
    kinds = {
        "grey.jpg": (made.saved(picture.convert("L"), "JPEG", quality=95), grey[..., None]),
        "cmyk.jpg": (made.saved(picture.convert("CMYK"), "JPEG", quality=95), reference),
        "alpha.png": (made.saved(picture.convert("RGBA"), "PNG"), reference),
        "palette.png": (made.saved(few, "PNG"), np.asarray(few.convert("RGB"))),
        "deep.png": (made.saved(deep, "PNG"), grey[..., None]),
        "web.webp": (made.saved(picture, "WEBP", lossless=True), reference),
        "bitmap.bmp": (made.saved(picture, "BMP"), reference),
    }
    for name, (data, wanted) in kinds.items():
        (tmp_path / name).write_bytes(data)
        image = datasets.read_image(str(tmp_path / name))
        assert image.shape == (30, 40, 3), name
        assert np.abs(image.astype(int) - wanted).mean() < 6, name


def test_exif_turns_the_image_upright(tmp_path: Path) -> None:
    picture = Image.fromarray(made.pixels(6))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held turned by 90 degrees
    for kind, mode in (("JPEG", "RGB"), ("JPEG", "CMYK")):
        path = tmp_path / f"{mode}.jpg"
        path.write_bytes(made.saved(picture.convert(mode), kind, exif=exif, quality=95))
        image = datasets.read_image(str(path))
        upright = cv2.rotate(np.asarray(picture), cv2.ROTATE_90_CLOCKWISE)
        assert image.shape == (40, 30, 3)
        assert np.abs(image.astype(int) - upright).mean() < 8


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    whole = made.jpeg(7)
    bomb = Image.new("1", (MAX_PIXELS // 4000 + 1, 4000))
    faults = {
        "empty.jpg": (b"", "empty"),
        "cut.jpg": (whole[: len(whole) // 2], "truncated"),
        "end.jpg": (whole[:-2], "truncated"),
        "text.jpg": (b"<html>no such file</html>", "not an image"),
        "bomb.png": (made.saved(bomb, "PNG"), "pixels"),
        "tiny.png": (made.saved(Image.new("RGB", (2, 3000)), "PNG"), "2 x 3000 pixels"),
        "film.gif": (made.saved(Image.new("P", (30, 30)), "GIF"), "is GIF"),
    }
    for name, (data, word) in faults.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(LesionsError, match=word) as error:
            datasets.read_image(str(tmp_path / name))
        assert name in one_sentence(error)
    with pytest.raises(LesionsError, match=r"gone\.jpg is not there"):
        datasets.read_image(str(tmp_path / "gone.jpg"))
    made.dataset(tmp_path / "zips", layout="zips")
    with pytest.raises(LesionsError, match=r"part_1\.zip/gone\.jpg is not there"):
        datasets.read_image(str(tmp_path / "zips/HAM10000_images_part_1.zip/gone.jpg"))


def test_a_zip_that_changes_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    for text in (b"first", b"second one"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.jpg", text)
        assert datasets.read_bytes(f"{path}/x.jpg") == text


def test_a_folder_may_be_named_like_a_zip(tmp_path: Path) -> None:
    table = datasets.load("ham10000", made.dataset(tmp_path / "ham.zip", layout="zips"))
    assert datasets.read_image(table["path"][0]).shape == (30, 40, 3)


def test_real_files_are_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = datasets.load("ham10000", made.dataset(tmp_path / "a", layout="mixed"))
    paths = datasets.image_files(table, tmp_path / "cache")
    assert [path.name for path in paths] == [f"{image_id}.jpg" for image_id in table["image_id"]]
    for image_id, path in zip(table["image_id"], paths, strict=True):
        assert path.read_bytes() == made.jpeg(int(image_id[5:]))
    in_cache = [path for path in paths if (tmp_path / "cache") in path.parents]
    assert len(in_cache) == 6
    paths[-1].write_bytes(b"cut")  # a copy of the wrong size is made again
    monkeypatch.setattr(datasets, "read_bytes", lambda path: made.jpeg(int(path[-9:-4])))
    before = [path.stat().st_mtime_ns for path in in_cache[:-1]]
    assert datasets.image_files(table, tmp_path / "cache") == paths
    assert [path.stat().st_mtime_ns for path in in_cache[:-1]] == before
    assert paths[-1].read_bytes() == made.jpeg(24011)


def test_masks_are_found_in_folders_and_zips(tmp_path: Path) -> None:
    table = datasets.load("ham10000", made.dataset(tmp_path))
    assert datasets.mask_paths(tmp_path, table) == {}
    first, second = table["image_id"][:2]
    (tmp_path / "masks").mkdir()
    mask = made.saved(Image.new("L", (40, 30), 255), "PNG")
    (tmp_path / "masks" / f"{first}_segmentation.png").write_bytes(mask)
    with zipfile.ZipFile(tmp_path / "HAM10000_segmentations_lesion_tschandl.zip", "w") as archive:
        archive.writestr(f"HAM10000_segmentations_lesion_tschandl/{second}_segmentation.png", mask)
    found = datasets.mask_paths(tmp_path, table)
    assert set(found) == {first, second}
    assert all(datasets.read_image(path).min() == 255 for path in found.values())
    assert len(datasets.find_images(tmp_path)) == 12  # a mask is no image


def test_fingerprint_changes_with_the_data(tmp_path: Path) -> None:
    folder = made.dataset(tmp_path / "zips", layout="zips")
    table = datasets.load("ham10000", folder)
    same = datasets.fingerprint(table)
    assert same == datasets.fingerprint(datasets.load("ham10000", folder))
    assert same != datasets.fingerprint(table[:-1])
    assert same != datasets.fingerprint(table.assign(dx="nv"))
    moved = shutil.copytree(folder, tmp_path / "moved")
    assert same == datasets.fingerprint(datasets.load("ham10000", moved))
    with zipfile.ZipFile(moved / "HAM10000_images_part_1.zip", "w") as archive:
        for row in made.rows(12)[:6]:
            data = made.jpeg(int(row["image_id"][5:]))
            archive.writestr(f"{row['image_id']}.jpg", data[:-3] + b"\x00" + data[-2:])
    assert same != datasets.fingerprint(datasets.load("ham10000", moved))


def test_data_card_counts() -> None:
    card = datasets.DATA_CARD
    assert sum(card["counts"].values()) == card["images"] == 10015
    assert sum(card["sex"].values()) == card["images"]
    assert set(card["counts"]) == set(card["classes"]) == set(datasets.CLASSES)


# ---------------------------------------------------------------- the real data


def test_the_real_data(ham_dir: Path) -> None:
    table = datasets.load("ham10000", ham_dir)
    assert len(table) == 10015
    assert table["lesion_id"].nunique() == 7470
    assert table["dx"].value_counts().to_dict() == datasets.DATA_CARD["counts"]
    assert table["sex"].value_counts().to_dict() == datasets.DATA_CARD["sex"]
    assert table["age"].isna().sum() == 57
    assert (table["localization"] == "unknown").sum() == 234
    part = datasets.load("ham10000", ham_dir, limit=300, seed=1)
    assert abs(len(part) - 300) <= 3
    assert set(part["dx"]) == set(datasets.CLASSES)
    image = datasets.read_image(part["path"][0])
    assert image.ndim == 3
