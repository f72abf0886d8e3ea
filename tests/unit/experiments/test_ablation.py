"""What the metadata add to a network, on made-up images of which only age tells the class."""

import numpy as np
import pandas as pd
import pytest

from lesions.experiments import ablation

N = 600


@pytest.fixture
def made() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A network that knows a little, the split rows, and the table."""
    rng = np.random.default_rng(0)
    labels = np.array(["bkl", "mel", "nv"])[rng.integers(3, size=N)]
    years = {"bkl": 75.0, "mel": 50.0, "nv": 25.0}
    ids = [f"IMG_{n}" for n in range(N)]
    table = pd.DataFrame({"image_id": ids, "dx": labels})
    table["age"] = [years[label] + rng.normal(0, 8) for label in labels]
    table["sex"] = rng.choice(["male", "female"], N)
    table["localization"] = rng.choice(["back", "face"], N)
    split = np.array(["train", "validation", "test"])[np.arange(N) % 3]
    rows = pd.DataFrame({"image_id": ids, "lesion_id": ids, "label": labels, "split": split})
    image = rows[rows["split"] != "train"].rename(columns={"label": "truth"}).reset_index(drop=True)
    p = rng.random((len(image), 3)) + 0.2 * (
        image["truth"].to_numpy()[:, None] == np.array(["bkl", "mel", "nv"])
    )
    image[["p_bkl", "p_mel", "p_nv"]] = p / p.sum(axis=1, keepdims=True)
    return image, rows, table


def test_only_what_tells_something_is_missed(made):
    answers = ablation.fused(*made, "dx")
    assert list(answers) == [
        "image alone",
        "with age, sex, place",
        "without age",
        "without sex",
        "without localization",
    ]
    scores = ablation.scores(answers)
    auc = scores["macro_auc"]
    assert auc["with age, sex, place"] > auc["image alone"] + 0.1
    assert auc["without age"] < auc["with age, sex, place"] - 0.1
    for column in ("sex", "localization"):
        assert abs(auc[f"without {column}"] - auc["with age, sex, place"]) < 0.01
    lost = ablation.differences(answers, n=100).set_index(["left_out", "metric"])
    assert lost.loc[("age", "macro_auc"), "low"] > 0
    assert lost.loc[("all three", "accuracy"), "low"] > 0
    assert lost.loc[("sex", "macro_auc"), "low"] < 0.005
    classes = ablation.by_class(answers)
    assert list(classes.index) == ["bkl", "mel", "nv"] and list(classes) == list(answers)


def test_the_test_part_decides_nothing(made):
    """Other truths of the test images change no answer."""
    image, rows, table = made
    before = ablation.fused(image, rows, table, "dx")["with age, sex, place"]
    tested = rows["split"] == "test"
    rows.loc[tested, "label"] = rows.loc[tested, "label"].to_numpy()[::-1]
    image = image.drop(columns="truth").merge(
        rows[["image_id", "label"]].rename(columns={"label": "truth"}), on="image_id"
    )
    after = ablation.fused(image, rows, table, "dx")["with age, sex, place"]
    columns = ["p_bkl", "p_mel", "p_nv"]
    pd.testing.assert_frame_equal(before[columns], after[columns])


def test_the_target_is_not_among_its_own_metadata(made):
    image, rows, table = made
    rows = rows.assign(label=table["sex"])
    image = image.assign(truth=image["image_id"].map(table.set_index("image_id")["sex"]))
    image = image.drop(columns="p_nv").rename(columns={"p_bkl": "p_female", "p_mel": "p_male"})
    image[["p_female", "p_male"]] = 0.5
    assert "without sex" not in ablation.fused(image, rows, table, "sex")
