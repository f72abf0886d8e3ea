"""Baselines: what each sees, that only training rows teach them, and that leaks show."""

import numpy as np
import pandas as pd
import pytest

from lesions.baselines import baselines
from lesions.baselines.histograms import colour_histograms, histogram_table
from lesions.core.errors import LesionsError
from lesions.scores import evaluation

RNG = np.random.default_rng(0)
COLOURS = {"bkl": (150, 110, 80), "mel": (60, 40, 40), "nv": (190, 130, 110)}
PLACES = {"bkl": "face", "mel": "back", "nv": "abdomen"}


@pytest.fixture(scope="module")
def world():
    """180 images of 90 lesions: colour tells the diagnosis, the place tells it in part."""
    lesions = np.repeat(np.arange(90), 2)
    dx = np.array(["bkl", "mel", "nv", "nv", "nv"])[lesions % 5]
    place = [PLACES[d] if RNG.random() < 0.6 else "foot" for d in dx]
    table = pd.DataFrame(
        {
            "lesion_id": [f"L{i}" for i in lesions],
            "image_id": [f"I{i}" for i in range(180)],
            "dx": dx,
            "dx_type": "histo",
            "age": np.where(lesions % 7 == 0, np.nan, 30.0 + lesions % 17 + 10 * (dx == "mel")),
            "sex": np.array(["male", "female"])[lesions % 2],
            "localization": place,
            "dataset": np.where(dx == "mel", "rosendahl", "vidir_modern"),
            "path": "",
        }
    )
    pixels = np.array([COLOURS[d] for d in dx])[:, None, None, :] + RNG.normal(
        0, 12, size=(180, 8, 8, 3)
    )
    histograms = histogram_table(np.clip(pixels, 0, 255).astype(np.uint8), table["image_id"], 4)
    split = np.array(["train", "train", "train", "validation", "test"])[(lesions // 5) % 5]
    rows = table[["image_id", "lesion_id"]].assign(label=table["dx"], split=split)
    return rows, table, histograms


@pytest.mark.parametrize("name", list(baselines.BASELINES))
def test_every_baseline_returns_predictions(world, name):
    rows, table, histograms = world
    answers = baselines.predict(name, rows, table, "dx", histograms, seed=1)
    asked = rows[rows["split"] != "train"]
    assert list(answers) == ["image_id", "lesion_id", "split", "truth", "p_bkl", "p_mel", "p_nv"]
    assert answers["image_id"].tolist() == asked["image_id"].tolist()
    assert answers["truth"].tolist() == asked["label"].tolist()
    evaluation.scores(answers)  # refuses what is not probabilities
    again = baselines.predict(name, rows, table, "dx", histograms, seed=1)
    pd.testing.assert_frame_equal(answers, again)


def test_baselines_find_what_is_there(world):
    rows, table, histograms = world
    all_of_them = baselines.predict_all(rows, table, "dx", histograms)
    scores = baselines.score_table(all_of_them, ["accuracy", "macro_auc"], n=50)
    share = (rows.loc[rows["split"] == "test", "label"] == "nv").mean()
    accuracy = scores["accuracy"]
    assert accuracy["majority"] == pytest.approx(share)
    assert scores.loc["majority", "macro_auc"] == 0.5
    assert accuracy["histogram_logistic"] > 0.95
    assert accuracy["histogram_nearest"] > 0.95
    assert share < accuracy["metadata"] < 0.95
    assert scores.loc["cohort", "macro_auc"] > 0.7
    assert accuracy["permuted"] < 0.8
    assert (scores["accuracy_low"] <= accuracy).all()
    assert (accuracy <= scores["accuracy_high"]).all()


@pytest.mark.parametrize("name", list(baselines.BASELINES))
def test_test_labels_change_no_probability(world, name):
    """Whatever the test part says must not reach the model."""
    rows, table, histograms = world
    lies = rows.copy()
    is_test = lies["split"] == "test"
    lies.loc[is_test, "label"] = np.roll(lies.loc[is_test, "label"], 7)
    assert (lies["label"] != rows["label"]).any()
    columns = ["p_bkl", "p_mel", "p_nv"]
    honest = baselines.predict(name, rows, table, "dx", histograms)[columns]
    fooled = baselines.predict(name, lies, table, "dx", histograms)[columns]
    pd.testing.assert_frame_equal(honest, fooled)


@pytest.mark.parametrize("name", ["both_balanced", "both_boosting", "histogram_nearest"])
def test_what_test_images_look_like_changes_no_other_answer(world, name):
    """Medians, scales and categories are learnt from the training rows."""
    rows, table, histograms = world
    before = baselines.predict(name, rows, table, "dx", histograms)
    is_test = (rows["split"] == "test").to_numpy()
    table = table.assign(
        age=table["age"].mask(is_test, 90.0),
        localization=table["localization"].mask(is_test, "nowhere"),
    )
    histograms = histograms.copy()
    histograms.loc[is_test] = 5.0
    after = baselines.predict(name, rows, table, "dx", histograms)
    others = before["split"] == "validation"
    pd.testing.assert_frame_equal(before[others], after[others])
    if name != "histogram_nearest":
        assert not before[~others].equals(after[~others])


@pytest.mark.parametrize("target", ["sex", "localization"])
def test_metadata_does_not_tell_the_target_itself(world, target):
    rows, table, _ = world
    assert target not in baselines.metadata_columns(target)
    rows = rows.assign(label=table[target].to_numpy())
    before = baselines.predict("metadata", rows, table, target)
    scrambled = table.assign(**{target: "nowhere"})
    after = baselines.predict("metadata", rows, scrambled, target)
    pd.testing.assert_frame_equal(before, after)


def test_metadata_never_sees_diagnosis_confirmation_or_cohort(world):
    rows, table, histograms = world
    before = baselines.predict("both_balanced", rows, table, "dx", histograms)
    blind = table.assign(dx="?", dx_type="?", dataset="?")
    after = baselines.predict("both_balanced", rows, blind, "dx", histograms)
    pd.testing.assert_frame_equal(before, after)


def test_repeated_rows_count_once_unless_asked_for(world):
    rows, table, _ = world
    is_mel = (rows["label"] == "mel") & (rows["split"] == "train")
    repeated = pd.concat([rows, *[rows[is_mel]] * 20], ignore_index=True)
    plain = baselines.predict("majority", rows, table, "dx")
    once = baselines.predict("majority", repeated, table, "dx")
    often = baselines.predict("majority", repeated, table, "dx", repeats=True)
    pd.testing.assert_frame_equal(plain, once)
    assert (plain["p_nv"] > plain["p_mel"]).all()
    assert (often["p_mel"] > often["p_nv"]).all()


def test_repeated_test_rows_are_all_answered(world):
    rows, table, histograms = world
    tests = rows[rows["split"] == "test"]
    answers = baselines.predict(
        "histogram_logistic", pd.concat([rows, tests]), table, "dx", histograms
    )
    assert (answers["split"] == "test").sum() == 2 * len(tests)


def test_a_memory_shows_a_leak_in_a_world_with_nothing_to_learn(world):
    """Shuffled labels: chance if the split is honest, near certainty if copies cross it."""
    _, table, histograms = world
    shuffled = baselines.permute_labels(table, "dx", seed=3)
    assert sorted(shuffled["dx"]) == sorted(table["dx"])
    assert (shuffled["dx"] != table["dx"]).any()
    images = shuffled[["image_id", "lesion_id"]].assign(label=shuffled["dx"])
    parts = ["train", "train", "train", "validation", "test"]
    honest = images.assign(split=np.resize(parts, len(images)))
    # As after oversampling before the split: each image five times, dealt out by the copy.
    copies = [images.assign(split=np.roll(np.resize(parts, len(images)), k)) for k in range(5)]
    leaky = pd.concat(copies, ignore_index=True)
    accuracy = {}
    for name, rows in (("honest", honest), ("leaky", leaky)):
        answers = baselines.predict("histogram_nearest", rows, table, "dx", histograms)
        accuracy[name] = evaluation.scores(answers[answers["split"] == "test"])["accuracy"]
    assert accuracy["honest"] < 0.65
    assert accuracy["leaky"] > 0.9


def test_a_class_that_training_never_saw_gets_no_probability(world):
    rows, table, histograms = world
    odd = rows.copy()
    odd.loc[odd["split"] == "test", "label"] = "df"
    odd.loc[odd.index[odd["split"] == "validation"][:2], "label"] = "vasc"
    for name in ("histogram_logistic", "histogram_boosting"):
        answers = baselines.predict(name, odd, table, "dx", histograms)
        assert (answers[["p_df", "p_vasc"]] == 0).all(axis=None)


def test_cohort_is_left_out_where_it_is_not_known(world):
    rows, table, histograms = world
    names = ["majority", "cohort"]
    some = baselines.predict_all(
        rows, table.assign(dataset="unknown"), "dx", histograms, names=names
    )
    assert list(some) == ["majority"]


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_an_empty_part_is_refused(world, part):
    rows, table, _ = world
    with pytest.raises(LesionsError, match=f"no {part} rows"):
        baselines.predict("majority", rows[rows["split"] != part], table, "dx")


def test_other_bad_requests_are_refused(world):
    rows, table, histograms = world
    with pytest.raises(LesionsError, match="Unknown baseline magic"):
        baselines.predict("magic", rows, table, "dx")
    with pytest.raises(LesionsError, match="looks at colours"):
        baselines.predict("histogram_logistic", rows, table, "dx")
    with pytest.raises(LesionsError, match=r"not in the histograms: I\d+"):
        baselines.predict("both_boosting", rows, table, "dx", histograms.iloc[:100])
    with pytest.raises(LesionsError, match="not in the table"):
        baselines.predict("metadata", rows, table.iloc[:100], "dx")
    with pytest.raises(LesionsError, match="only one class"):
        baselines.predict("majority", rows.assign(label="nv"), table, "dx")


# ---------------------------------------------------------------- histograms


def test_histograms_are_shares():
    pixels = RNG.integers(0, 256, size=(5, 20, 28, 3)).astype(np.uint8)
    histograms = colour_histograms(pixels, bins=8)
    assert histograms.shape == (5, 96)
    assert histograms.dtype == np.float32
    assert np.allclose((histograms**2).reshape(5, 12, 8).sum(axis=2), 1, atol=1e-5)


def test_histograms_know_the_middle_from_the_border_and_no_more():
    image = np.full((1, 16, 16, 3), 200, np.uint8)
    spot = image.copy()
    spot[0, 6, 6] = (90, 30, 30)
    elsewhere = image.copy()
    elsewhere[0, 9, 9] = (90, 30, 30)
    border = image.copy()
    border[0, 0, 0] = (90, 30, 30)
    plain, a, b, c = (colour_histograms(x, bins=8)[0] for x in (image, spot, elsewhere, border))
    assert (a == b).all()
    assert (a != plain).any()
    assert (a[48:] == plain[48:]).all()
    assert (c[:48] == plain[:48]).all()
    assert (c[48:] != plain[48:]).any()


def test_pure_colours_fall_into_the_outermost_bins():
    pixels = np.zeros((2, 4, 4, 3), np.uint8)
    pixels[1] = 255
    value = colour_histograms(pixels, bins=16).reshape(2, 2, 6, 16)[:, :, 2]
    assert (value[0, :, 0] == 1).all()
    assert (value[1, :, 15] == 1).all()


def test_hue_fills_its_bins():
    """OpenCV's hue ends at 179: a red with a little blue falls into the last bin."""
    pixels = np.full((1, 4, 4, 3), (255, 0, 30), np.uint8)
    hue = colour_histograms(pixels, bins=16).reshape(2, 6, 16)[:, 0]
    assert (hue[:, 15] == 1).all()


def test_histograms_refuse_scaled_pixels_and_wrong_shapes():
    with pytest.raises(LesionsError, match="uint8 pixels"):
        colour_histograms(np.zeros((2, 8, 8, 3), np.float32))
    with pytest.raises(LesionsError, match="uint8 pixels"):
        colour_histograms(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(LesionsError, match="2 to 256 bins"):
        colour_histograms(np.zeros((1, 8, 8, 3), np.uint8), bins=1)
    with pytest.raises(LesionsError, match="2 images but 3 image_ids"):
        histogram_table(np.zeros((2, 8, 8, 3), np.uint8), ["a", "b", "c"])


def test_a_baseline_is_not_named_after_the_target_that_it_is_not_shown():
    assert baselines.about("metadata", "sex") == "age, localization"
    assert baselines.about("metadata", "dx") == "age, sex, localization"
    assert baselines.about("histogram_nearest", "sex") == "histogram, nearest image"
