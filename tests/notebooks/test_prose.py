"""Numbers in the prose of 01 to 03 that stand for HAM10000: held against the kept tables."""

import json

import pandas as pd
import pytest

from course import catalogue
from lesions.data import exploration
from lesions.paper import published


def prose(name: str) -> str:
    text = (catalogue.NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
    return "\n".join("".join(cell["source"]) for cell in cells)


def test_what_01_says_of_photographs_and_cohorts():
    shares = exploration.several_within(exploration.counted_lesions())
    whole, cohorts = shares.iloc[0], shares.iloc[1:]
    said = prose("01_exploration")
    assert f"{whole['bkl']:.0f} % of the keratoses (`bkl`) and {whole['nv']:.0f} % of" in said
    assert f"{whole['mel']:.0f} % against {whole['nv']:.0f} % together" in said
    # "In no single cohort is it more for the keratoses than for the naevi."
    assert (cohorts["bkl"] <= cohorts["nv"]).all()
    # "a difference of seven points at most within a cohort"
    assert (cohorts["mel"] - cohorts["nv"]).abs().max() == pytest.approx(7, abs=0.5)
    # "`vidir_molemax` photographed each lesion once", "nearly all … were naevi"
    assert (cohorts.loc["vidir_molemax"].dropna() == 0).all()
    lesions = exploration.counted_lesions().query("dataset == 'vidir_molemax'")
    assert (lesions["dx"] == "nv").mean() > 0.9


def test_what_01_says_of_the_published_accuracies():
    """Three of nine are above the largest class, one of them hardly."""
    majority = {"sex": 0.540, "dx": 0.670, "dx_type": 0.533, "localization": 0.219}
    scores = published.scores()
    above = scores["accuracy"] - scores["target"].map(majority)
    assert (above > 0).sum() == 3
    assert above[above > 0].min() == pytest.approx(0.01)


def test_what_02_says_of_the_391():
    rules = published.kept("duplicates", "rules").set_index("rule")["removed"]
    said = prose("02_dedup")
    age, sex, either = (
        rules[f"equal average_hash, then {what}"]
        for what in ("age missing", "sex unknown", "either")
    )
    assert f"the rows without age: {age}. Then without sex: {sex}." in said
    assert f"would do: {either}." in said
    assert len(rules) == 13 and "we tried thirteen rules" in said
    kept = published.kept("duplicates", "rules").set_index("rule")
    average, p = kept.loc["equal average_hash"], kept.loc["equal phash"]
    assert f"removes {average['removed']} images, and {average['same_lesion']} of them" in said
    assert f"The other {average['removed'] - average['same_lesion']} are lesions" in said
    assert f"`phash` removes {p['removed']}, and {p['same_lesion']} of these are right" in said
    assert (kept["known_pairs"] == 0).all()
    assert kept.loc["equal pixel_hash", "removed"] == 2


def test_what_02_says_of_descriptor_and_hashes():
    judged = published.kept("duplicates", "descriptor").set_index("lesions")
    hashes = published.kept("duplicates", "hashes").set_index(["hash", "bits"])
    other, loose = judged.loc["reported on"], hashes.loc[("phash", 8)]
    said = prose("02_dedup")
    assert judged.loc["all", "threshold"] == 6 and judged.loc["all", "known_found"] == 18
    assert other["precision"] == pytest.approx(0.95, abs=0.005)
    assert f"They find {100 * other['recall']:.0f} % of the pairs of the other half" in said
    assert (
        f"finds {100 * loose['recall']:.0f} % there, and {100 * loose['precision']:.0f} % of"
        in said
    )


def test_what_02_says_of_links_that_chain():
    table: pd.DataFrame = published.kept("duplicates", "links").set_index("bits")
    said = prose("02_dedup")
    assert f"tie {table.loc[4, 'images']} images of {table.loc[4, 'lesions']} lesions" in said
    assert f"joins lesions has {table.loc[0, 'images']} images" in said
