"""Where a network breaks: corruptions, silence, skin tone, strangers, on made images."""

import itertools

import numpy as np
import pandas as pd
import pytest

from lesions.core.errors import LesionsError
from lesions.explain import breaking, shift, skin_tone, strangers
from lesions.figures import breaking as figures
from lesions.predict import answers
from lesions.settings.parameters import Settings
from made import profile

SIZE = 32
CLASSES = ["dark", "light"]


def lit(count: int, seed: int = 0) -> np.ndarray:
    """Images with a darker spot, half of them dark and half light."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    spot = 40 * np.exp(-4 * (x**2 + y**2))[None, ..., None]
    level = np.where(np.arange(count) % 2, 200, 90)[:, None, None, None]
    return np.clip(level - spot + rng.normal(0, 3, (count, SIZE, SIZE, 3)), 0, 255).astype(np.uint8)


class Lightness:
    """Says "light" the surer the lighter an image is; far from training is what is over 240."""

    def __call__(self, images, training=False):
        light = images.mean(axis=(1, 2, 3))
        p = 1 / (1 + np.exp(-(light - 135) / 10))
        return {"probabilities": np.stack([1 - p, p], axis=1), "distance": light / 240}


def chosen(sure: float = 0.9) -> shift.Chosen:
    about = {"classes": CLASSES, "notice": "", "input": {"size": SIZE},
             "decision": {"weights": dict.fromkeys(CLASSES, 1.0)},
             "unlike": {"threshold": 1.0}}  # fmt: skip
    return shift.Chosen(answers.Answering(Lightness(), about), sure)


def rows(count: int) -> pd.DataFrame:
    found = pd.DataFrame({"image_id": [f"I{n}" for n in range(count)]})
    found["lesion_id"] = [f"L{n // 2}" for n in range(count)]
    return found.assign(truth=np.array(CLASSES, dtype=object)[np.arange(count) % 2])


# ---------------------------------------------------------------- corruptions


@pytest.mark.parametrize("what", shift.CORRUPTIONS)
def test_a_corruption_changes_more_the_stronger_it_is_and_is_the_same_twice(what):
    pixels = lit(6)
    before, levels = pixels.copy(), len(shift.CORRUPTIONS[what][1])
    changes = []
    for severity in range(1, levels + 1):
        found = shift.corrupt(pixels, what, severity)
        assert found.dtype == np.uint8 and found.shape == pixels.shape
        assert np.array_equal(found, shift.corrupt(pixels, what, severity))
        changes.append(np.abs(found.astype(int) - pixels).mean())
    assert np.array_equal(pixels, before)
    # Hairs cross each other, so one more need not darken more.
    allowed = 0.8 if what == "hairs" else 1
    assert all(b > a * allowed for a, b in itertools.pairwise(changes))
    assert changes[0] > 0


def test_each_corruption_does_what_its_name_says():
    pixels = lit(8)
    mean = pixels.mean()
    assert shift.corrupt(pixels, "brighter", 3).mean() > mean * 1.1
    assert shift.corrupt(pixels, "darker", 3).mean() < mean * 0.85
    flat = shift.corrupt(pixels, "less contrast", 4)
    assert flat.std(axis=(1, 2)).mean() < 0.6 * pixels.std(axis=(1, 2)).mean()
    tinted = shift.corrupt(pixels, "colour cast", 5).mean(axis=(1, 2))
    assert (np.abs(tinted[:, 0] - tinted[:, 2]) > 0.3 * tinted[:, 1]).all()
    closer = shift.corrupt(pixels, "closer crop", 5)
    assert np.abs(closer[0, 0, 0].astype(int) - pixels[0, 8, 8]).max() < 12
    colour = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    colour[..., 0] = 200  # JPEG must not turn red into blue
    assert shift.corrupt(colour, "JPEG", 1)[0, 5, 5].tolist()[0] > 150


def test_the_plan_has_clean_images_once_and_the_ruler_once():
    plan = shift.settings_of((2, 4))
    assert plan[0] == ("as it is", 0) and plan.count(("ruler", 1)) == 1
    assert len(plan) == 1 + 2 * (len(shift.CORRUPTIONS) - 1) + 1


def test_scores_fall_and_the_flag_rises_where_it_gets_light():
    found = shift.answered(chosen(), lit(40), rows(40), (5,))
    table = shift.score(found, chosen(), n=50)
    value = table.set_index(["corruption", "metric"])["value"]
    assert value["as it is", "accuracy"] == 1 and value["as it is", "answered"] == 1
    assert value["darker", "accuracy"] < 0.6 and value["as it is", "unlike"] == 0
    assert value["brighter", "unlike"] == pytest.approx(0.5)  # the light half is white by now
    assert (table["images"] == 40).all() and (table["lesions"] == 20).all()
    known = table.dropna()
    assert ((known["low"] <= known["value"]) & (known["value"] <= known["high"])).all()
    assert set(table["metric"]) >= set(figures.PANELS)


def test_who_is_never_sure_enough_answers_nothing():
    found = shift.answered(chosen(1.01), lit(10), rows(10), ())
    clean = found[found["corruption"] == shift.CLEAN]
    scores = shift.scores_of(clean, chosen(1.01), 20)
    assert scores["answered"][0] == 0 and np.isnan(scores["right"][0])


# ---------------------------------------------------------------- skin tone


def skin(colour: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    image = np.full((60, 80, 3), colour, np.uint8)
    mask = np.zeros((60, 80), bool)
    mask[20:40, 30:50] = True
    image[mask] = (60, 30, 20)
    return image, mask


@pytest.mark.parametrize(
    "colour, group",
    [((240, 215, 200), "very light"), ((180, 130, 95), "tan"), ((141, 85, 36), "brown"),
     ((60, 40, 30), "dark")],
)  # fmt: skip
def test_the_angle_of_known_colours(colour, group):
    found = skin_tone.angle(*skin(colour))
    assert skin_tone.groups(np.array([found])).iloc[0] == group


def test_the_lesion_and_black_corners_do_not_count():
    image, mask = skin((240, 215, 200))
    wanted = skin_tone.angle(image, mask)
    image[:12] = 0
    image[mask] = (0, 0, 90)
    assert skin_tone.angle(image, mask) == pytest.approx(wanted)
    assert np.isnan(skin_tone.angle(image, np.ones_like(mask)))
    assert np.isnan(skin_tone.angle(image, np.zeros_like(mask)))  # no mask: where is the skin?


def test_groups_without_images_are_listed_and_small_ones_get_no_interval():
    found = shift.answered(chosen(), lit(40), rows(40), ())
    clean = found[found["corruption"] == shift.CLEAN].reset_index(drop=True)
    tones = pd.Series(["light"] * 36 + ["dark"] * 4)
    table = skin_tone.by_tone(clean, tones, chosen(), n=50)
    size = table.groupby("tone")["images"].first()
    assert size["light"] == 36 and size["dark"] == 4 and size["brown"] == 0
    assert table[table["tone"] == "brown"]["value"].isna().all()
    dark = table[(table["tone"] == "dark") & (table["metric"] == "accuracy")].iloc[0]
    assert dark["value"] == 1 and np.isnan(dark["low"])


# ---------------------------------------------------------------- strangers


def test_strangers_have_the_network_s_size_and_are_the_same_twice():
    made, again = strangers.made(SIZE, 5), strangers.made(SIZE, 5)
    assert set(made) == {"noise", "smooth colours", "plain colours", "a temple", "a flower"}
    for kind, pixels in made.items():
        assert pixels.shape == (5, SIZE, SIZE, 3) and pixels.dtype == np.uint8
        assert np.array_equal(pixels, again[kind])
    assert (made["plain colours"].std(axis=(1, 2)) == 0).all()


def test_a_healthy_patch_holds_no_lesion_and_no_black_corner():
    image, mask = skin((200, 170, 150))
    image[:, :10] = 0
    for seed in range(20):
        patch = strangers.healthy_patch(image, mask, 16, np.random.default_rng(seed))
        assert patch.shape == (16, 16, 3) and (patch == (200, 170, 150)).all()
    assert strangers.healthy_patch(image, mask | True, 16, np.random.default_rng(0)) is None
    assert strangers.healthy_patch(image, mask, 70, np.random.default_rng(0)) is None


def test_what_is_said_of_strangers():
    kinds = {"white": np.full((4, SIZE, SIZE, 3), 250, np.uint8),
             "grey": np.full((4, SIZE, SIZE, 3), 135, np.uint8),
             "none": np.zeros((0, SIZE, SIZE, 3), np.uint8)}  # fmt: skip
    table = strangers.judged(chosen(), kinds, {}, n=20).set_index("kind")
    assert list(table.index) == ["white", "grey"]
    assert table["flagged"].tolist() == [1, 0] and table["answered"].tolist() == [1, 0]
    assert table.loc["white", "mostly"] == "light"


# ---------------------------------------------------------------- all together


def test_without_a_network_a_sentence_and_empty_tables(tmp_path, capsys):
    settings = Settings(DATASET="folder", DATA_DIR=str(tmp_path), folder=tmp_path / "t")
    found = breaking.look(settings)
    assert "Nothing to break here: There is no trained network on dx" in capsys.readouterr().out
    assert set(found) == set(breaking.NAMES) and all(table.empty for table in found.values())
    figures.left_of_scores(found["corruptions"])


def test_images_of_one_s_own_without_masks(tmp_path):
    """All that can be said is said; there is no skin to be found without a mask."""
    profile(tmp_path)
    settings = Settings(DATASET="folder", DATA_DIR=str(tmp_path / "pictures"), BOOTSTRAP=50,
                        IMAGE_SIZE=32, folder=tmp_path / "t")  # fmt: skip
    found = breaking.look(settings, severities=(3,), most=12)
    images = found["corruptions"].groupby("corruption")["images"].first()
    assert len(images) == len(shift.CORRUPTIONS) + 1 and (images == 12).all()
    size = found["tones"].groupby("tone")["images"].first()
    assert size["unknown"] == 12 and size.sum() == 12
    assert strangers.SKIN not in set(found["strangers"]["kind"])


def test_over_seeds_the_interval_is_the_widest():
    one = pd.DataFrame({"kind": ["noise"], "images": [10], "value": [0.4], "low": [0.3],
                        "high": [0.5]})  # fmt: skip
    other = one.assign(value=0.6, low=0.5, high=0.8)
    both = pd.concat([one.assign(record="a"), other.assign(record="b")])
    line = breaking.over_records(both).iloc[0]
    assert (line["value"], line["low"], line["high"], line["images"]) == (0.5, 0.3, 0.8, 10)
    assert breaking.over_records(one) is one


def test_a_table_that_is_not_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(breaking, "KEPT", tmp_path)
    own = pd.DataFrame({"a": [1]})
    assert breaking.kept("tones", own) is own and "this run's" in capsys.readouterr().out
    with pytest.raises(LesionsError, match=r"no kept table .*tones\.csv"):
        breaking.kept("tones")


def test_the_figure_has_a_mark_for_each_strength_and_its_text():
    found = shift.answered(chosen(), lit(10), rows(10), (2, 4))
    figure = figures.left_of_scores(shift.score(found, chosen(), n=20))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["as it is", "strength 1", "strength 2", "strength 4"]
    assert len(figure.axes) == len(figures.PANELS)
