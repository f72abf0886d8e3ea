"""One file that answers: the same numbers as the record's, and one sentence where it cannot."""

import json
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from course import predicting
from lesions.core.errors import LesionsError
from lesions.core.markdown import interval, table, text
from lesions.networks import described
from lesions.networks.backend import keras
from lesions.predict import answers, calibrating, cards, export, likeness
from lesions.splits import handover
from lesions.training import run_records
from made import PROFILE_CLASSES as CLASSES
from made import PROFILE_IMAGES as COUNT
from made import PROFILE_SIZE as SIZE
from made import pixels, plain_network, profile


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return profile(tmp_path_factory.mktemp("three"))


@pytest.fixture(scope="module")
def file(record):
    return export.export(record)


@pytest.mark.parametrize("classes, geometry", [(3, "squash"), (2, "crop")])
def test_the_file_answers_photographs_as_the_record_did_its_squares(tmp_path, classes, geometry):
    made = profile(tmp_path, classes, geometry)
    model = answers.load(export.export(made))
    wanted = calibrating.Calibration(**model.about["calibration"]).apply(
        run_records.predictions_of(made)
    )
    found = answers.ask(model, tmp_path / "pictures").set_index("image")
    found.index = [path.rpartition("/")[2][:-4] for path in found.index]
    columns = [f"p_{name}" for name in CLASSES[classes]]
    of_test = found.loc[wanted["image_id"]]
    assert of_test[columns].to_numpy() == pytest.approx(wanted[columns].to_numpy(), abs=1e-4)
    weights = [model.about["decision"]["weights"][name] for name in CLASSES[classes]]
    chosen = (wanted[columns].to_numpy() * weights).argmax(axis=1)
    assert of_test["answer"].tolist() == [CLASSES[classes][n] for n in chosen]


def test_the_layers_are_keras_s_own(file):
    """So whoever has Keras alone can load it."""
    with zipfile.ZipFile(file) as archive:
        text = archive.read("config.json").decode()
    assert "lesions" not in re.sub(r'"name": "[^"]*"', "", text)


def test_a_saved_network_says_what_goes_in_and_out(record, file):
    plain = described.read(run_records.network_of(record))
    assert plain["input"]["array"] == f"float32 (images, {SIZE}, {SIZE}, 3)"
    assert plain["output"]["classes"] == CLASSES[3] and "softmax" in plain["output"]["meaning"]
    two = described.class_output(["mel", "nv"])
    assert two["meaning"] == "one sigmoid unit: the probability of nv; mel has the rest"
    about = described.read(file)
    assert about["classes"] == CLASSES[3] and "diagnoses nobody" in about["notice"]
    assert about["input"]["array"].startswith("uint8")


def test_what_is_chosen_does_not_look_at_the_test_part(record, file, tmp_path):
    both = run_records.predictions_of(record, None)
    rows = handover.rows_of(handover.splits_in(record.parents[1])[0], "honest", "dx")
    other = both.copy()
    test = other["split"] == "test"
    other.loc[test, "truth"] = "nv"
    distances = pd.Series(np.arange(len(both)), index=both["image_id"], dtype=float)
    moved = distances.where(~test.to_numpy(), 1e6)
    about, chosen = run_records.About.read(record), []
    for answered, far in ((both, distances), (other, moved)):
        of = answered[answered["split"] == "validation"]
        shares = pd.Series(1 / 3, index=CLASSES[3])
        found = calibrating.choose(of, shares, pd.Series([0.2, 0.3, 0.5], index=CLASSES[3]))
        chosen.append(export.describe(about, rows, answered, found, far, resamples=50))
    for part in ("calibration", "decision"):
        assert chosen[0][part] == chosen[1][part]
    assert chosen[0]["unlike"]["threshold"] == chosen[1]["unlike"]["threshold"]
    assert chosen[0]["test"] != chosen[1]["test"]
    assert chosen[1]["unlike"]["false_alarms"]["value"] == 1


def test_the_prior_is_turned_where_that_helps_and_left_where_not():
    """Probabilities of a network that learnt with equal shares, in a world with 9 to 1."""
    rng = np.random.default_rng(0)
    truth = np.where(rng.random(400) < 0.9, "nv", "mel")
    right = rng.random(400) < 0.8
    p = np.where(right == (truth == "nv"), 0.8, 0.2)
    table = pd.DataFrame({"image_id": range(400), "lesion_id": range(400), "truth": truth,
                          "split": "validation", "p_mel": 1 - p, "p_nv": p})  # fmt: skip
    equal, natural = {"mel": 0.5, "nv": 0.5}, {"mel": 0.1, "nv": 0.9}
    found = calibrating.choose(table, equal, natural)
    assert found.prior == "natural" and found.log_loss_after < found.log_loss_before
    assert found.temperature == pytest.approx(1, abs=0.15)
    turned = found.apply(table)
    assert calibrating.choose(turned, equal, equal).prior == "as learnt"
    with pytest.raises(LesionsError, match="chosen on the validation part"):
        calibrating.choose(table.assign(split="test"), equal, natural)


def test_when_to_be_silent():
    table = pd.DataFrame({"truth": ["a"] * 10, "split": "validation"})
    table["p_a"] = [0.99, 0.95, 0.9, 0.85, 0.8, 0.75, 0.4, 0.3, 0.25, 0.2]
    table["p_b"] = 1 - table["p_a"]
    # Right from .99 to .85; two are .8 sure, one of them of b, which is wrong; and so on.
    assert calibrating.most_sure(table, 0.9) == pytest.approx(0.85)
    assert calibrating.most_sure(table, 0.8) == pytest.approx(0.8)
    assert calibrating.most_sure(table.assign(truth="b"), 0.9) > 1


# ---------------------------------------------------------------- like the training images


def lesions(count: int, seed: int) -> np.ndarray:
    """Smooth skin with a darker spot in the middle."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    spot = np.exp(-4 * (x**2 + y**2))[None, ..., None] * rng.uniform(40, 90, (count, 1, 1, 3))
    skin = np.array([210, 160, 140]) + rng.normal(0, 12, (count, 1, 1, 3))
    noise = rng.normal(0, 3, (count, 32, 32, 3))
    return np.clip(skin - spot + noise, 0, 255).astype(np.uint8)


def test_noise_and_photographs_are_far_and_new_lesions_near():
    like = likeness.fit(lesions(200, 0))
    near = like.distances(lesions(100, 1))
    noise = np.random.default_rng(2).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    other = np.stack([pixels(n, 32, 32) for n in range(20)])
    assert 0.5 < np.sqrt((near**2).mean()) < 1.2  # shrinking the covariance makes it smaller
    assert like.distances(noise).min() > near.max() and like.distances(other).min() > near.max()
    some = np.arange(5)
    assert like.distances(lesions(100, 1), some) == pytest.approx(near[:5])


def test_the_distance_inside_the_file_is_the_same():
    like = likeness.fit(lesions(200, 0))
    images = keras.Input((32, 32, 3))
    model = keras.Model(images, like.layer(images))
    seen = lesions(10, 3)
    found = model(np.float32(seen) / 255)
    assert np.asarray(found) == pytest.approx(like.distances(seen), rel=1e-3)


def test_too_few_images_to_say_what_is_like_them():
    with pytest.raises(LesionsError, match="5 training images are too few"):
        likeness.fit(lesions(5, 0))


# ---------------------------------------------------------------- what cannot be answered


def test_bad_input_gets_one_sentence(record, file, tmp_path):
    model = answers.load(file)
    empty, broken = tmp_path / "empty", tmp_path / "broken.jpg"
    empty.mkdir()
    broken.write_bytes(b"\xff\xd8\xff")
    for place, said in ((tmp_path / "none", "There is no"), (empty, "no image in the folder"),
                        (broken, "not a readable image")):  # fmt: skip
        with pytest.raises(LesionsError, match=said):
            answers.ask(model, place)
    (tmp_path / "x.keras").write_text("x")
    keras_only = tmp_path / "other.keras"
    plain_network(2).save(keras_only)
    plain = run_records.network_of(record)
    for path, said in (
        (tmp_path / "none.keras", "There is no network"), (tmp_path / "x.keras", "no .keras file"),
        (keras_only, "does not say what goes in"), (plain, "takes prepared squares"),
    ):  # fmt: skip
        with pytest.raises(LesionsError, match=said):
            answers.load(path)


def test_one_damaged_image_in_a_folder_is_named_and_the_others_answered(file, tmp_path):
    Image.fromarray(pixels(1, 64, 48)).save(tmp_path / "good.png")
    Image.fromarray(pixels(1, 20, 15)).save(tmp_path / "tiny.png")
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    found = answers.ask(answers.load(file), tmp_path)
    assert [path.rpartition("/")[2] for path in found["image"]] == ["good.png", "tiny.png"]
    assert found["unlike"].iloc[1], "smaller than the network sees"
    (said,) = found.attrs["unreadable"]
    assert "bad.jpg" in said


def test_records_that_cannot_answer(tmp_path, record):
    with pytest.raises(LesionsError, match="trained under paper"):
        export.export(profile(tmp_path, protocol="paper"))
    with pytest.raises(LesionsError, match="no trained network on sex"):
        export.best_record(record.parents[1], "sex")
    assert export.best_record(record.parents[1]) == record


# ---------------------------------------------------------------- the cards, and the commands


def test_the_cards_hold_what_the_files_know_and_escape_it(record, file):
    about = described.read(file)
    card = cards.model_card(about)
    assert r"a\|b \<i\>" in card and "a|b <i>" not in card and "diagnoses nobody" in card
    assert interval(about["test"]["accuracy"]) in card and "drawn by a program" in card
    for name, value in about["record"]["settings"].items():
        assert f"| {text(name)} | {text(str(value))} |" in card
    sheet = cards.datasheet(handover.load_table(record.parents[1]), about, kept=117)
    assert f"{COUNT} images of {COUNT} lesions" in sheet and "117 are left" in sheet
    assert "| female | 120 | 100.0% |" in sheet and r"a\|b \<i\>" in sheet
    for made in (card, sheet):  # every table has as many cells in each row as in its head
        for block in re.findall(r"(?:^\|.*\|\n)+", made, flags=re.M):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(widths) == 1, block


def test_a_card_of_ham10000_names_its_source_and_what_it_lacks(file):
    about = json.loads(json.dumps(described.read(file)))
    about["record"]["settings"]["DATASET"] = "ham10000"
    card = cards.model_card(about)
    assert "CC BY-NC 4.0" in card and "dark skin is unknown" in card and "program" not in card


def test_markdown_shows_every_character_as_itself():
    assert text("a|b\n*c* <i> $x$") == r"a\|b \*c\* \<i\> \$x\$"
    assert table(["x"], [(None,), (0.12345,)]).splitlines()[2:] == ["| - |", "| 0.123 |"]
    assert (
        interval([0.5, None, None]) == "0.50" and interval([0.5, 0.4, 1]) == "0.50 (0.40 to 1.00)"
    )


def test_the_command_says_all_that_an_answer_needs(record, file, tmp_path, monkeypatch, capsys):
    build = record.parents[2]
    monkeypatch.setattr(predicting, "BUILD", build)
    pictures = build / "pictures"
    assert predicting.main("predict", str(pictures / "IMG_1.png"), {"PROFILE": "t"}) == 0
    said = capsys.readouterr().out
    for part in ("IMG_1.png: ", "diagnoses nobody", "false alarm", "drew", "balanced accuracy"):
        assert part in said
    assert len(pd.read_csv(build / "t" / "predict" / "answers.csv")) == 1
    assert predicting.main("card", "", {"PROFILE": "t"}) == 0
    assert (file.with_name("model_card.md")).is_file()
    assert (file.with_name("datasheet.md")).is_file()
    assert predicting.main("predict", "", {"PROFILE": "t"}) == 1
    assert capsys.readouterr().err.startswith("Say which: IMAGES=")
    assert predicting.main("predict", str(pictures), {"PROFILE": "t", "MODEL": str(record)}) == 0
    assert "and 100 more in the table" in capsys.readouterr().out
    kept = (build / "t" / "predict" / "answers.csv").read_text(encoding="utf-8")
    assert not re.search(r'(^|,)"?[=@]', kept, re.MULTILINE), "a formula to a spreadsheet"
