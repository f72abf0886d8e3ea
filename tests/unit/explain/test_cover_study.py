"""The cover-up of several learners: their scores side by side, and what is said of them."""

import numpy as np
import pandas as pd

from lesions.explain import cover_study, covering


def made() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Images whose class is the colour of the whole image."""
    table = pd.DataFrame({"image_id": [f"I{n}" for n in range(80)]})
    table["lesion_id"] = table["image_id"]
    table["dx"] = np.where(np.arange(80) % 2, "mel", "nv")
    pixels = np.full((80, 8, 8, 3), 100, np.uint8)
    pixels[table["dx"] == "mel"] = 180
    masks = np.zeros((80, 8, 8), bool)
    masks[:, 2:6, 2:6] = True
    return table, pixels, masks


def reads(place: tuple[int, int]) -> covering.Learner:
    """A learner that knows that light pixels at one place mean melanoma; the grey is between."""

    def learn(rows, target, pixels, seed):
        test = rows[rows["split"] == "test"].reset_index(drop=True)
        number = test["image_id"].str[1:].astype(int)
        p = pixels[number, place[0], place[1], 0] / 255
        found = test[["image_id", "lesion_id", "split"]].assign(truth=test["label"])
        return found.assign(p_mel=p, p_nv=1 - p)

    return learn


def test_learners_stand_side_by_side():
    table, pixels, masks = made()
    covers = ["whole image", "only the lesion", "only the skin"]
    asked = {"middle": (reads((3, 3)), ["dx"], covers), "edge": (reads((0, 0)), ["dx"], covers)}
    found = cover_study.of_learners(asked, table, pixels, masks, [0, 1], None, 50)
    value = found.set_index(["learner", "cover"])["value"]
    assert (found["seeds"] == 2).all() and (found["target"] == "dx").all()
    assert value["middle", "only the lesion"] == value["edge", "only the skin"] == 1
    assert value["middle", "only the skin"] == value["edge", "only the lesion"] == 0.5
    said = cover_study.without_the_lesion(found).splitlines()
    assert said[0] == "middle, lost without the lesion (2 seeds): dx 0.500 of 1.000."
    assert said[1].endswith("dx 0.000 of 1.000 (its range holds 0).")


def test_the_kept_table_has_the_learners_that_were_run():
    kept = cover_study.kept_covers()
    assert next(iter(kept["learner"].unique())) == "colours"
    assert set(kept["target"]) == {"dx", "dx_type", "sex"}
    assert not kept.duplicated(["learner", "target", "cover"]).any()
