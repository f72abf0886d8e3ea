"""Criteria: they are found where they were drawn, and measured within the lesion."""

import cv2
import numpy as np
import pandas as pd
import pytest

from lesions.explain import criteria, localisation
from lesions.explain.study import Subject
from lesions.sample import places, planting, synthetic
from lesions.settings.parameters import Settings

SETTINGS = Settings(SAMPLE_IMAGES=120, SAMPLE_WIDTH=96, SAMPLE_SEED=5, IMAGE_SIZE=32)


@pytest.fixture(scope="module")
def truth(tmp_path_factory) -> pd.DataFrame:
    folder = synthetic.make_sample(tmp_path_factory.mktemp("s") / "sample", 120, 96, 72, seed=5)
    table = pd.read_csv(folder / "truth.csv", keep_default_na=False)
    return table[table["criteria"].ne("")].groupby("dx").head(2).assign(folder=folder)


def test_a_picture_is_drawn_again_where_it_was(truth):
    """The places lie in the lesion's mask as it was written with the picture, or close to it."""
    found = places.places_of(set(truth["image_id"]), SETTINGS)
    drawn = 0
    for row in truth[~truth["plant"].isin(planting.COPIES)].itertuples():
        mask = cv2.imread(str(row.folder / "masks" / f"{row.image_id}_segmentation.png"), 0)
        near = cv2.dilate(mask, np.ones((15, 15), np.uint8)) > 0
        for name, grey in found[row.image_id].items():
            drawn += 1
            assert name in row.criteria.split() and grey.shape == mask.shape
            assert grey.max() == 255 and (grey[~near] < criteria.DRAWN).all(), (row.image_id, name)
    assert drawn > 10
    assert places.places_of({"nobody"}, SETTINGS) == {}


def test_nothing_about_a_picture_depends_on_whether_places_are_kept():
    plan = planting.plan(120, 5)
    for _, row in plan.groupby("dx").head(1).iterrows():
        plain, mm = synthetic.canvas_of(row, (72, 96), 5)
        noted, again = synthetic.canvas_of(row, (72, 96), 5, places=True)
        assert mm == again and np.array_equal(plain.density, noted.density)
        assert plain.places == {} and set(noted.places) <= set(noted.criteria)


def test_a_row_an_image_and_criterion(truth):
    about = truth[["image_id", "lesion_id"]].reset_index(drop=True)
    rows, masks = criteria.drawn_places(about, SETTINGS)
    assert len(rows) == len(masks) > 10 and masks.shape[1:] == (32, 32) and masks.dtype == bool
    assert masks.any(axis=(1, 2)).all()
    assert (about["image_id"].to_numpy()[rows["image"]] == rows["image_id"]).all()
    real, none = criteria.drawn_places(about, SETTINGS.replace(DATASET="ham10000"))
    assert len(real) == len(none) == 0


def subject() -> tuple[Subject, pd.DataFrame, np.ndarray]:
    """Twelve images with the lesion on the left and the criterion in its upper half."""
    lesions, places_ = np.zeros((2, 12, 16, 16), bool)
    lesions[:, :, :8] = True
    places_[:, :8, :8] = True
    about = pd.DataFrame({"image_id": [f"I{n}" for n in range(12)]})
    about["lesion_id"] = about["image_id"]
    rows = about.assign(image=range(12), criterion=["streaks"] * 8 + ["blotch"] * 4)
    pixels = np.zeros((12, 16, 16, 3), np.uint8)
    return Subject(None, None, [], pixels, lesions, about), rows, places_


def test_a_map_of_the_lesion_says_nothing_within_it():
    who, rows, masks = subject()
    there, lesion = np.float32(masks), np.float32(who.masks)
    even = {"even map": np.ones_like(there)}
    found = {"trained": {"a": there, "b": lesion}, "untrained": {"a": lesion, "b": there},
             "no network": even}  # fmt: skip
    table = criteria.measured(who, found, rows, masks)
    assert set(table["measure"]) == {*localisation.MEASURES, criteria.WITHIN}
    value = table.groupby(["network", "map", "measure"])["value"].mean()
    assert value["trained", "a", criteria.WITHIN] == 1
    assert value["trained", "b", criteria.WITHIN] == pytest.approx(0.5)
    assert value["no network", "whole lesion", "relevance mass accuracy"] == pytest.approx(0.5)
    assert value["no network", "whole lesion", "AUC"] > 0.75, "although it knows nothing"
    summed, said = criteria.beyond_chance(table, 50)
    assert list(summed["beyond"]) == [True, False] and said.endswith("network: a.")
    lines = criteria.by_criterion(table, "a", 50)
    assert list(lines.index) == ["streaks", "blotch"] and list(lines["images"]) == [8, 4]
    assert (lines["trained"] == 1).all() and (lines["untrained"] == 0.5).all()


def test_real_images_have_no_known_places():
    who, _, _ = subject()
    nothing = criteria.sought(who, {}, SETTINGS.replace(DATASET="ham10000"))
    assert nothing.shown == [] and nothing.tables == [] and "nobody knows" in nothing.said


def test_examples_tables_and_a_sentence(monkeypatch):
    who, rows, masks = subject()
    monkeypatch.setattr(criteria, "drawn_places", lambda about, settings: (rows, masks))
    maps = {"gradient": np.float32(masks)}
    found = {"trained": maps, "untrained": maps, "no network": {"even map": np.ones(masks.shape)}}
    seen = criteria.sought(who, found, SETTINGS, 50)
    assert [len(part) for part in seen.shown] == [2, 2, 1, 2]
    assert seen.shown[3] == ["streaks", "blotch"] and seen.shown[2]["gradient"].shape[0] == 2
    assert [len(table) for table in seen.tables] == [1, 2]
    assert seen.said.endswith("none.")  # the untrained network's map is as good


def test_a_place_that_is_the_whole_lesion_has_no_rest():
    who, _, _ = subject()
    found = criteria.auc_within(np.float32(who.masks), who.masks, who.masks)
    assert np.isnan(found).all()
