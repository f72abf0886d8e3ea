"""`datasets.validate`: each fault is one row, and random damage is never more than rows."""

import re
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import made
from lesions.core.errors import LesionsError
from lesions.data import datasets

SEVERITIES = {"error", "warning", "info"}


def found(folder: Path, **options) -> set[tuple[str, str, str]]:
    """The findings as (file, rule, severity)."""
    table = datasets.validate(folder, **options)
    assert list(table.columns) == ["file", "rule", "severity", "action"]
    assert (table["action"] != "").all()
    return set(table[["file", "rule", "severity"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("layout", made.LAYOUTS)
def test_nothing_is_found_where_nothing_is_wrong(tmp_path: Path, layout: str) -> None:
    assert found(made.dataset(tmp_path, layout=layout)) == set()


def test_faulty_image_files(tmp_path: Path) -> None:
    made.dataset(tmp_path)
    whole = made.jpeg(1)
    picture = Image.fromarray(made.pixels(1))
    exif = Image.Exif()
    exif[0x0112] = 3
    bad = {
        "empty file": b"",
        "truncated": whole[:-40],
        "not an image": b"<html>404</html>",
        "wrong format": made.saved(Image.new("P", (30, 30)), "GIF"),
        "absurd dimensions": made.saved(Image.new("1", (60_000, 1000)), "PNG"),
        "unreadable": b"\xff\xd8\xff\xe0" + b"\x00" * 200 + b"\xff\xd9",
    }
    fine = {
        "wrong format": made.saved(picture, "PNG"),
        "grey": made.saved(picture.convert("L"), "JPEG"),
        "CMYK": made.saved(picture.convert("CMYK"), "JPEG"),
        "EXIF-rotated": made.saved(picture, "JPEG", exif=exif),
    }
    wanted = set()
    for number, (rule, data) in enumerate([*bad.items(), *fine.items()]):
        name = f"ISIC_{24000 + number:07d}.jpg"
        (tmp_path / name).write_bytes(data)
        severity = "error" if number < len(bad) else "info"
        wanted.add((name, rule, "warning" if data == fine["wrong format"] else severity))
    (tmp_path / "ISIC_0024010.jpg").unlink()
    (tmp_path / "ISIC_0024010.png").write_bytes(made.saved(picture.convert("RGBA"), "PNG"))
    wanted.add(("ISIC_0024010.png", "alpha", "info"))
    assert found(tmp_path) == wanted
    with pytest.raises(LesionsError, match="too many faults") as error:
        datasets.validate(tmp_path, max_bad=0.4)
    assert (error.value.findings["severity"] == "error").sum() == len(bad)
    assert found(tmp_path, decode=False) == set()
    assert len(found(tmp_path, max_bad=0.5)) == len(wanted)


def test_faulty_files(tmp_path: Path) -> None:
    made.dataset(tmp_path)
    (tmp_path / "ISIC_0024000.jpg").unlink()
    (tmp_path / "ISIC_0024001.jpg").rename(tmp_path / "ISIC_0024001.jpg.txt")
    (tmp_path / "ISIC_0024002.jpg").rename(tmp_path / "Copy of isic_0024002 (1).JPG")
    (tmp_path / "ISIC_0024003.jpg").rename(tmp_path / "isic_0024003.JPEG")  # read all the same
    (tmp_path / "ISIC_0099999.jpg").write_bytes(made.jpeg(1))
    other = tmp_path / "other"
    other.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (other / name).write_bytes(made.jpeg(1))
    assert found(tmp_path) == {
        ("ISIC_0024000.jpg", "missing file", "error"),
        ("ISIC_0024001.jpg", "missing file", "error"),
        ("ISIC_0024001.jpg.txt", "wrong name", "warning"),
        ("ISIC_0024002.jpg", "missing file", "error"),
        ("Copy of isic_0024002 (1).JPG", "wrong name", "warning"),
        ("Copy of isic_0024002 (1).JPG", "orphan file", "warning"),
        ("ISIC_0099999.jpg", "orphan file", "warning"),
        ("other (2 images)", "orphan files", "warning"),
    }


def test_faulty_rows(tmp_path: Path) -> None:
    made.dataset(tmp_path)
    table = made.rows(12)
    table[1]["dx"] = "melanom"
    table[2]["age"] = "212"
    table[3]["age"] = "-5"
    table[4]["age"] = "young"
    table[5]["image_id"] = ""
    table[7]["image_id"] = table[6]["image_id"]
    text = made.as_csv(table) + "HAM_1,ISIC_1\n"
    (tmp_path / "HAM10000_metadata").write_text(text)
    assert found(tmp_path) == {
        ("HAM10000_metadata, line 3: melanom", "unknown label", "error"),
        ("HAM10000_metadata, line 4: 212", "impossible age", "warning"),
        ("HAM10000_metadata, line 5: -5", "impossible age", "warning"),
        ("HAM10000_metadata, line 6: young", "impossible age", "warning"),
        ("HAM10000_metadata, line 7: unknown", "no image id", "error"),
        ("HAM10000_metadata, line 9: ISIC_0024006", "duplicate id", "error"),
        ("HAM10000_metadata, line 14", "broken line", "error"),
        ("ISIC_0024001.jpg", "orphan file", "warning"),
        ("ISIC_0024005.jpg", "orphan file", "warning"),
        ("ISIC_0024007.jpg", "orphan file", "warning"),
    }
    read = datasets.load("ham10000", tmp_path, max_bad=0.5)
    kept = [number for number in range(12) if number not in (1, 5, 7)]
    assert read["image_id"].tolist() == [f"ISIC_{24000 + number:07d}" for number in kept]
    assert read["age"].isna().sum() == 3 + sum(table[number]["age"] == "" for number in kept)


def test_a_broken_quote_costs_one_row(tmp_path: Path) -> None:
    made.dataset(tmp_path)
    lines = made.as_csv(made.rows(12)).split("\n")
    lines[4] = '"' + lines[4]
    (tmp_path / "HAM10000_metadata").write_text("\n".join(lines))
    assert len(datasets.load("ham10000", tmp_path)) == 11


@pytest.mark.parametrize(
    ("encoding", "separator", "rules"),
    [
        ("utf-8-sig", ";", {"byte order mark", "separated by semicolons"}),
        ("utf-8", "\t", {"separated by tabs"}),
        ("utf-16", ",", {"UTF-16"}),
        ("latin-1", ",", {"not UTF-8"}),
    ],
)
def test_tables_of_other_programs(tmp_path: Path, encoding, separator, rules) -> None:
    made.dataset(tmp_path)
    text = made.as_csv(made.rows(12), separator=separator).replace("back", "Rücken")
    (tmp_path / "HAM10000_metadata").write_bytes(text.encode(encoding))
    assert {rule for _, rule, _ in found(tmp_path)} == rules
    assert set(datasets.load("ham10000", tmp_path)["localization"]) == {"rücken"}


def test_decimal_commas(tmp_path: Path) -> None:
    made.dataset(tmp_path)
    text = made.as_csv(made.rows(12), separator=";").replace(".0", ",0")
    (tmp_path / "HAM10000_metadata").write_text(text)
    assert datasets.load("ham10000", tmp_path)["age"].max() == 55


def test_tables_that_cannot_be_used_are_findings(tmp_path: Path) -> None:
    made.dataset(tmp_path)
    source = tmp_path / "HAM10000_metadata"
    (tmp_path / "ISIC_0024000.jpg").write_bytes(b"")
    for text, rule in (
        ("", "unreadable table"),
        ("just one line of text", "unreadable table"),
        ("image_id,image_id,dx\n", "unreadable table"),
        (made.as_csv(made.rows(12), made.COLUMNS[1:]), "missing column"),
        (None, "missing table"),
    ):
        source.unlink(missing_ok=True)
        if text is not None:
            source.write_text(text)
        # The images are checked all the same.
        assert found(tmp_path) == {
            (str(tmp_path), rule, "error"),
            ("ISIC_0024000.jpg", "empty file", "error"),
        }
        with pytest.raises(LesionsError) as error:
            datasets.load("ham10000", tmp_path)
        assert "\n" not in str(error.value)


def test_damaged_archives(tmp_path: Path) -> None:
    made.dataset(tmp_path, layout="zips")
    path = tmp_path / "HAM10000_images_part_1.zip"
    data = bytearray(path.read_bytes())
    start = data.index(made.jpeg(24000)) + 30
    data[start] ^= 255  # one bit pattern inside one image: the zip's checksum tells
    path.write_bytes(data)
    assert found(tmp_path) == {
        ("HAM10000_images_part_1.zip/ISIC_0024000.jpg", "unreadable", "error")
    }
    path.write_bytes(b"<html>not found</html>")
    rules = [rule for _, rule, _ in found(tmp_path)]
    assert rules.count("missing file") == 6
    assert rules.count("damaged archive") == 1


def test_a_table_can_be_checked_too(tmp_path: Path) -> None:
    table = datasets.load("ham10000", made.dataset(tmp_path))
    assert datasets.validate(table).empty
    (tmp_path / "ISIC_0024002.jpg").unlink()
    (tmp_path / "ISIC_0024003.jpg").write_bytes(b"")
    findings = datasets.validate(table)
    assert set(findings["rule"]) == {"missing file", "empty file"}


def test_one_bad_image_never_stops_a_small_dataset(tmp_path: Path) -> None:
    made.dataset(tmp_path, count=4)
    (tmp_path / "ISIC_0024000.jpg").unlink()
    assert len(datasets.load("ham10000", tmp_path)) == 3
    (tmp_path / "ISIC_0024001.jpg").unlink()
    with pytest.raises(LesionsError, match="2 missing file"):
        datasets.load("ham10000", tmp_path)


# ---------------------------------------------------------------- fuzzing

damage = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.floats(0, 1), st.binary(min_size=1, max_size=8)),
        st.tuples(st.just("insert"), st.floats(0, 1), st.binary(min_size=1, max_size=8)),
        st.tuples(st.just("drop"), st.floats(0, 1), st.integers(1, 200)),
        st.tuples(st.just("cut"), st.floats(0, 1), st.just(0)),
        st.tuples(st.just("double"), st.floats(0, 1), st.just(0)),
    ),
    min_size=1,
    max_size=6,
)
fuzzed = settings(
    max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # pytest forgets the library's


def damaged(data: bytes, steps: list[tuple]) -> bytes:
    """Apply random damage; places are shares of the length."""
    for kind, place, value in steps:
        at = int(place * len(data))
        if kind == "put":
            data = data[:at] + value + data[at + len(value) :]
        elif kind == "insert":
            data = data[:at] + value + data[at:]
        elif kind == "drop":
            data = data[:at] + data[at + value :]
        elif kind == "cut":
            data = data[:at]
        else:
            data = data[:at] + data
    return data


def kinds_of_images() -> list[bytes]:
    picture = Image.fromarray(made.pixels(9))
    exif = Image.Exif()
    exif[0x0112] = 8
    return [
        made.jpeg(1),
        made.saved(picture, "JPEG", exif=exif, progressive=True),
        made.saved(picture.convert("CMYK"), "JPEG"),
        made.saved(picture.convert("RGBA"), "PNG"),
        made.saved(picture.quantize(16), "PNG"),
        made.saved(picture, "BMP"),
        made.saved(picture, "TIFF"),
        made.saved(picture, "WEBP"),
    ]


IMAGES = kinds_of_images()


@fuzzed
@given(st.sampled_from(IMAGES), damage)
def test_damaged_images_are_findings_or_images(data: bytes, steps: list[tuple]) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "ISIC_0000001.jpg"
        path.write_bytes(damaged(data, steps))
        findings = datasets.validate(pd.DataFrame({"path": [str(path)]}))
        assert set(findings["severity"]) <= SEVERITIES
        if (findings["severity"] == "error").any():
            with pytest.raises(LesionsError, match=re.escape(str(path))):
                datasets.read_image(str(path))
        else:
            image = datasets.read_image(str(path))
            assert image.dtype == np.uint8
            assert image.shape[2] == 3


@fuzzed
@given(damage)
def test_damaged_tables_are_findings(steps: list[tuple]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for row in made.rows(4):
            (folder / f"{row['image_id']}.jpg").write_bytes(IMAGES[0])
        text = made.as_csv(made.rows(4)).encode()
        (folder / "HAM10000_metadata").write_bytes(damaged(text, steps))
        findings = datasets.validate(folder, decode=False)
        assert set(findings["severity"]) <= SEVERITIES
        try:
            table = datasets.load("ham10000", folder, max_bad=1)
        except LesionsError as error:
            assert "\n" not in str(error)
        else:
            assert table["image_id"].is_unique
            assert set(table["dx"]) <= set(datasets.CLASSES)
            assert table["age"].dropna().between(0, 120).all()


@fuzzed
@given(damage)
def test_damaged_zips_are_findings(steps: list[tuple]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "HAM10000_metadata").write_text(made.as_csv(made.rows(4)))
        path = folder / "images.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for row in made.rows(4):
                archive.writestr(f"{row['image_id']}.jpg", IMAGES[0])
        path.write_bytes(damaged(path.read_bytes(), steps))
        findings = datasets.validate(folder)
        assert set(findings["severity"]) <= SEVERITIES


# ---------------------------------------------------------------- the real data


def test_the_real_data_has_no_faults(ham_dir: Path) -> None:
    assert datasets.validate(ham_dir, decode=False).empty
    table = datasets.load("ham10000", ham_dir, limit=300)
    assert datasets.validate(table).empty
