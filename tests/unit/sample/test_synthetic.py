"""The made sample: whole, the same each time, like HAM10000 in its counts, and true to itself."""

import hashlib
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lesions.core.errors import LesionsError
from lesions.data import datasets
from lesions.sample import planting, population, synthetic

SIZE = {"width": 64, "height": 48}


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    """A sample of 600 small pictures, so that every plant is in it."""
    return synthetic.make_sample(tmp_path_factory.mktemp("made") / "sample", 600, **SIZE, seed=3)


@pytest.fixture(scope="module")
def truth(sample) -> pd.DataFrame:
    return pd.read_csv(sample / "truth.csv", keep_default_na=False, index_col="image_id")


@pytest.fixture(scope="module")
def table(sample) -> pd.DataFrame:
    return pd.read_csv(sample / "HAM10000_metadata.csv")


def picture(sample: Path, truth: pd.DataFrame, image_id: str) -> np.ndarray:
    return np.asarray(Image.open(sample / "images" / truth.loc[image_id, "file"]), float)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*") if path.is_file()
    }  # fmt: skip


# ---------------------------------------------------------------- the folder


def test_the_smallest_sample_has_all_classes_types_and_sexes(tmp_path):
    folder = synthetic.make_sample(tmp_path / "sample", 120, **SIZE)
    table = pd.read_csv(folder / "HAM10000_metadata.csv")
    assert len(table) == 120
    assert table.groupby("dx")["lesion_id"].nunique().min() >= 3
    assert set(table["dx"]) == set(population.CLASSES)
    assert set(table["dx_type"]) == set(population.TYPES)
    assert {"male", "female"} <= set(table["sex"])
    assert table["localization"].nunique() > 5


def test_reads_as_ham10000(sample, table):
    assert list(table.columns) == population.COLUMNS
    loaded = datasets.load("sample", sample)
    assert set(loaded.columns) == {*population.COLUMNS, "path"}
    assert len(table) * 0.98 < len(loaded) < len(table) == 600


def test_same_seed_same_bytes_whatever_the_threads(tmp_path, monkeypatch):
    many = contents(synthetic.make_sample(tmp_path / "a", 120, **SIZE))
    monkeypatch.setattr(synthetic.os, "cpu_count", lambda: 1)
    assert contents(synthetic.make_sample(tmp_path / "b", 120, **SIZE)) == many
    other = contents(synthetic.make_sample(tmp_path / "c", 120, **SIZE, seed=1))
    assert other["truth.csv"] != many["truth.csv"]
    same = [name for name in many if name.endswith(".jpg") and other.get(name) == many[name]]
    assert len(same) <= 1  # the empty files


def test_every_picture_has_a_mask_of_its_size(sample, truth):
    for image_id, row in truth.iterrows():
        mask = cv2.imread(
            str(sample / "masks" / f"{image_id}_segmentation.png"), cv2.IMREAD_GRAYSCALE
        )
        assert set(np.unique(mask)) <= {0, 255}
        assert 0 < (mask > 0).mean(), image_id
        if row["readable"]:
            assert mask.shape == picture(sample, truth, image_id).shape[:2]


def test_nevi_are_darker_inside_their_mask(sample, truth):
    nevi = truth[(truth["dx"] == "nv") & truth["readable"]].index
    darker = []
    for image_id in nevi:
        mask = cv2.imread(str(sample / "masks" / f"{image_id}_segmentation.png"), 0) > 0
        grey = picture(sample, truth, image_id).mean(2)
        if 0.02 < mask.mean() < 0.9:
            # Medians, because hairs and black corners are dark as well.
            darker.append(np.median(grey[mask]) < np.median(grey[~mask]))
    assert len(darker) > 300 and np.mean(darker) > 0.93


# ---------------------------------------------------------------- making it


def test_a_made_sample_is_kept_and_a_damaged_one_made_again(tmp_path):
    folder = synthetic.make_sample(tmp_path / "sample", 120, **SIZE)
    before, note = contents(folder), (folder / "recipe.json").stat().st_mtime_ns
    synthetic.make_sample(folder, 120, **SIZE)
    assert (folder / "recipe.json").stat().st_mtime_ns == note
    next((folder / "images").iterdir()).unlink()
    synthetic.make_sample(folder, 120, **SIZE)
    assert contents(folder) == before


def test_an_interrupted_sample_leaves_nothing(tmp_path, monkeypatch):
    calls = []

    def interrupt(*arguments):
        calls.append(arguments)
        if len(calls) > 20:
            raise KeyboardInterrupt
        return b""

    monkeypatch.setattr(planting, "damage", interrupt)
    with pytest.raises(KeyboardInterrupt):
        synthetic.make_sample(tmp_path / "sample", 120, **SIZE)
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_not_overwritten(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(LesionsError, match="holds other files"):
        synthetic.make_sample(tmp_path, 120, **SIZE)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_too_small_a_sample_is_refused(tmp_path):
    for arguments in ({"images": 119, **SIZE}, {"images": 120, "width": 31, "height": 48}):
        with pytest.raises(LesionsError, match="at least 120 images"):
            synthetic.make_sample(tmp_path / "sample", **arguments)


def test_sample_folder_is_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic.files, "CACHE", tmp_path)
    folder = synthetic.sample_folder(120, **SIZE)
    assert folder.parent == tmp_path / "samples" and (folder / "truth.csv").exists()
    assert synthetic.sample_folder(120, **SIZE, seed=1) != folder


# ---------------------------------------------------------------- planted truth


def test_truth_names_every_file_and_row(sample, truth, table):
    files = {path.name for path in (sample / "images").iterdir()}
    assert files == set(truth["file"]) - {""}
    assert set(truth.index[truth["in_table"]]) == set(table["image_id"])
    assert set(truth["plant"]) == {"", *planting.PLANTS}
    filed = table.set_index("image_id")["lesion_id"]
    assert (truth.loc[filed.index, "lesion_id"] == filed).all()
    bad = truth[truth["in_table"]].query("not readable or plant == 'wrong_name'")
    assert 0 < len(bad) < 0.02 * len(table)


def test_sources_show_the_same_lesion_unless_they_only_look_alike(truth):
    linked = truth[truth["source"] != ""]
    source = truth.loc[linked["source"]]
    same = linked["lesion"].to_numpy() == source["lesion"].to_numpy()
    assert (same == (linked["plant"] != "look_alike").to_numpy()).all()
    filed_apart = linked["lesion_id"].to_numpy() != source["lesion_id"].to_numpy()
    assert filed_apart[(linked["plant"] == "two_lesion_ids").to_numpy()].all()
    copies = linked["plant"].isin(planting.COPIES).to_numpy()
    assert 0 < filed_apart[copies].sum() < copies.sum()
    # Nothing else is filed wrongly.
    plain = truth[truth["plant"] == ""]
    assert plain.groupby("lesion_id")["lesion"].nunique().max() == 1
    assert plain.groupby("lesion")["lesion_id"].nunique().max() == 1


def test_copies_are_what_they_are_called(sample, truth):
    for image_id, row in truth[truth["plant"].isin(planting.COPIES)].iterrows():
        own = (sample / "images" / row["file"]).read_bytes()
        source = (sample / "images" / truth.loc[row["source"], "file"]).read_bytes()
        copy, first = (picture(sample, truth, name) for name in (image_id, row["source"]))
        assert (own == source) == (row["plant"] == "exact_copy")
        if row["plant"] == "reencoded":
            assert copy.shape == first.shape and 0 < np.abs(copy - first).mean() < 6
        elif row["plant"] == "mirrored":
            assert np.abs(copy - first[:, ::-1]).mean() < 6 < np.abs(copy - first).mean()
        elif row["plant"] == "resized":
            assert copy.shape == (34, 45, 3)
        elif row["plant"] == "cropped":
            assert 40 <= copy.shape[0] < 48 and 54 <= copy.shape[1] < 64
        elif row["plant"] == "brightness":
            ratio = copy.mean() / first.mean()
            assert 0.78 < ratio < 0.92 or 1.02 < ratio < 1.12


def test_broken_files_are_broken(sample, truth):
    for _, row in truth[truth["plant"].isin(planting.BROKEN)].iterrows():
        path = sample / "images" / row["file"]
        if row["plant"] == "no_file":
            assert row["file"] == "" and not (sample / "images" / f"{row.name}.jpg").exists()
        elif row["plant"] == "wrong_name":
            assert row["file"] == f"{row.name}_edited.jpg" and row["readable"]
        elif row["plant"] == "wrong_format":
            assert Image.open(path).format == "PNG"
        else:
            with pytest.raises((OSError, SyntaxError)):
                Image.open(path).load()
            assert not row["readable"]


# ---------------------------------------------------------------- the table


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """As many lesions as HAM10000 has, without pictures."""
    lesions = population.make_lesions(10015, np.random.default_rng(0))
    return lesions.loc[lesions.index.repeat(lesions["photographs"])].reset_index(drop=True)


# Counted on the metadata of HAM10000, images.
SHARES = {
    "dx": {"nv": 6705, "mel": 1113, "bkl": 1099, "bcc": 514, "akiec": 327, "vasc": 142, "df": 115},
    "dx_type": {"histo": 5340, "follow_up": 3704, "consensus": 902, "confocal": 69},
    "dataset": {"vidir_molemax": 3954, "vidir_modern": 3363, "rosendahl": 2259, "vienna_dias": 439},
    "sex": {"male": 5406, "female": 4552, "unknown": 57},
    "localization": {
        "back": 2192, "lower extremity": 2077, "trunk": 1404, "upper extremity": 1118,
        "abdomen": 1022, "face": 745, "chest": 407, "foot": 319, "unknown": 234, "neck": 168,
        "scalp": 128, "hand": 90, "ear": 56, "genital": 48, "acral": 7,
    },
}  # fmt: skip


@pytest.mark.parametrize("column", SHARES)
def test_shares_are_those_of_ham10000(people, column):
    wanted = pd.Series(SHARES[column]) / 10015
    found = people[column].value_counts(normalize=True).reindex(wanted.index).fillna(0)
    # Lesions on legs have more photographs in HAM10000, which the counts do not keep: 1.4 points.
    assert (found - wanted).abs().max() < 0.018


def test_columns_depend_on_each_other_as_in_ham10000(people):
    assert people["age"].isna().mean() == pytest.approx(57 / 10015, abs=0.004)
    # Mean age, and share of men, by diagnosis, in HAM10000.
    for dx, age, men in (("nv", 46.5, 0.51), ("mel", 60.9, 0.62), ("bcc", 66.8, 0.62)):
        own = people[people["dx"] == dx]
        assert own["age"].mean() == pytest.approx(age, abs=2)
        assert (own["sex"] == "male").mean() == pytest.approx(men, abs=0.06)
    best = people.groupby("dataset")["dx_type"].agg(lambda own: own.value_counts().iloc[0])
    assert best.sum() / len(people) == pytest.approx(0.898, abs=0.015)
    face = people[people["localization"] == "face"]
    assert (face["age"] >= 60).mean() > 0.5 and (face["dx"] == "nv").mean() < 0.25
    assert ((people["sex"] == "unknown") & (people["localization"] != "unknown")).mean() < 0.005


def test_photographs_a_lesion_by_diagnosis(people):
    lesions = people.drop_duplicates(["dx", "photographs", "age", "localization", "sex", "dataset"])
    several = people["photographs"] > 1
    assert several.mean() == pytest.approx(1 - 5514 / 10015, abs=0.02)
    # Of lesions with several photographs, images are 20 % melanoma and 88 % histology.
    assert (people[several]["dx"] == "mel").mean() == pytest.approx(0.20, abs=0.02)
    assert (people[several]["dx_type"] == "histo").mean() == pytest.approx(0.88, abs=0.03)
    assert lesions["photographs"].max() <= 6


def test_the_counts_hold_no_rows():
    """Only tables of counts, and none by more than three columns at once."""
    tables = population.counts()
    for name, table in tables.items():
        if name != "source":
            assert " by " in name and name.count("/") <= 2, name
            for entry in table.values():
                counts = entry.values() if isinstance(entry, dict) else [entry]
                assert all(isinstance(count, int) for count in counts)


def test_a_folder_made_elsewhere_can_be_moved(sample, tmp_path):
    moved = shutil.copytree(sample, tmp_path / "moved")
    assert len(datasets.load("sample", moved)) > 580
