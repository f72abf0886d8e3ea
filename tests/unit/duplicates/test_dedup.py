"""`dedup`: pairs, groups, the keep-list and scores, on images whose truth is known."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

import made
from lesions.core import files
from lesions.core.errors import LesionsError
from lesions.duplicates import dedup


def encoded(image: np.ndarray, kind: str = ".png") -> bytes:
    return cv2.imencode(kind, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Ten images: b copies a's file, c its pixels, d is a little brighter, e mirrored, f turned."""
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    picture = made.pixels(1, width=120, height=90)
    contents = {
        "a.png": encoded(picture),
        "b.png": encoded(picture),
        "c.bmp": encoded(picture, ".bmp"),
        "d.png": encoded(np.clip(picture.astype(int) + 4, 0, 255).astype(np.uint8)),
        "e.png": encoded(picture[:, ::-1]),
        "f.png": encoded(np.rot90(picture)),
        **{f"{name}.png": encoded(made.pixels(ord(name), 120, 90)) for name in "ghi"},
        "x.png": b"no image",
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    return pd.DataFrame(
        {
            "image_id": [name[0] for name in contents],
            "lesion_id": list("LLMLLNOPQR"),
            "age": [np.nan, 50, 50, 50, 50, 50, 50, 50, 50, 50.0],
            "sex": "male",
            "localization": "back",
            "dx_type": ["histo", "consensus", "histo", *["consensus"] * 7],
            "path": [str(tmp_path / name) for name in contents],
        }
    )


def pair_names(pairs: pd.DataFrame) -> set[str]:
    return set(pairs["image_a"] + pairs["image_b"])


def test_each_way_of_being_the_same(table: pd.DataFrame) -> None:
    hashes = dedup.hash_images(table)
    by_file = dedup.pairs_of(dedup.equal_groups(hashes, "file_hash"))
    by_pixels = dedup.pairs_of(dedup.equal_groups(hashes, "pixel_hash"))
    assert pair_names(by_file) == {"ab"}
    assert pair_names(by_pixels) == {"ab", "ac", "bc"}
    for method in dedup.METHODS:
        near = dedup.find_pairs(hashes, method, 4)
        assert pair_names(near) == {"ab", "ac", "bc", "ad", "bd", "cd"}, method
        assert "x" not in pair_names(dedup.find_pairs(hashes, method, 64))
    assert dedup.equal_groups(hashes, "phash")["x"] == "x"


def test_mirrored_and_turned_copies(table: pd.DataFrame) -> None:
    readable = table[table["image_id"] != "x"].reset_index(drop=True)
    for method in dedup.METHODS:
        found = dedup.find_oriented_pairs(readable, method, 4)
        names = {a + b for a in "abcdef" for b in "abcdef" if a < b}
        assert pair_names(found) == names, method
        assert not found.duplicated(["image_a", "image_b"]).any()
        upright = dedup.find_pairs(dedup.hash_images(readable), method, 4)
        merged = upright.merge(found, on=["image_a", "image_b"], suffixes=("", "_turned"))
        assert (merged["distance_turned"] <= merged["distance"]).all()


def test_the_keep_list_says_which_and_why(table: pd.DataFrame) -> None:
    hashes = dedup.hash_images(table)
    groups = dedup.equal_groups(hashes, "pixel_hash")
    keep = dedup.keep_list(table, groups, "same pixels", {"x": "unreadable"})
    assert keep.columns.tolist() == ["image_id", "keep", "reason", "group"]
    assert keep["image_id"].tolist() == table["image_id"].tolist()
    keep = keep.set_index("image_id")
    # a lacks the age; of b and c, c has histology.
    assert keep["keep"].to_dict() == {name: name not in "abx" for name in "abcdefghix"}
    assert keep.loc["a", "reason"] == "same pixels of c"
    assert keep.loc["c", "reason"] == "stays for 3 images"
    assert keep.loc["g", "reason"] == "only one of its kind"
    assert keep.loc["x", "reason"] == "unreadable"
    assert keep.loc["a", "group"] == keep.loc["c", "group"] != keep.loc["d", "group"]


def test_one_image_stays_of_each_group_that_has_any(table: pd.DataFrame) -> None:
    groups = pd.Series(list("1112223344"), index=table["image_id"].to_numpy())
    keep = dedup.keep_list(table, groups, dropped={"c": "no age", "g": "no", "h": "no"})
    assert keep.groupby("group")["keep"].sum().to_dict() == {"1": 1, "2": 1, "3": 0, "4": 1}
    assert keep.set_index("image_id").loc["b", "reason"] == "stays for 2 images"


def test_scores() -> None:
    found = pd.DataFrame({"image_a": ["a", "d", "e"], "image_b": ["b", "c", "f"]})
    true = pd.DataFrame({"image_a": ["b", "c", "x", "y"], "image_b": ["a", "d", "y", "z"]})
    score = dedup.score_pairs(found, true)
    assert score == {"found": 3, "right": 2, "precision": 2 / 3, "true": 4, "recall": 0.5}
    nothing = dedup.score_pairs(found.iloc[:0], true.iloc[:0])
    assert np.isnan(nothing["precision"]) and np.isnan(nothing["recall"])


def test_known_duplicates_join_lesions(table: pd.DataFrame) -> None:
    plain = dedup.same_lesion_pairs(table)
    assert pair_names(plain) == {"ab", "ad", "ae", "bd", "be", "de"}
    known = pd.DataFrame({"image_a": ["c", "nowhere"], "image_b": ["a", "g"]})
    joined = dedup.same_lesion_pairs(table, known)
    assert pair_names(joined) == pair_names(plain) | {"ac", "bc", "cd", "ce"}


def test_the_known_duplicates_are_18_pairs() -> None:
    known = dedup.known_duplicates()
    assert len(known) == 18
    assert not set(known["image_a"]) & set(known["image_b"])
    assert known["similarity"].between(0.95, 1).all()
    pair = known.loc[3, ["image_a", "image_b"]]
    some = dedup.known_duplicates(among=[*pair, known.loc[5, "image_a"], "another"])
    pd.testing.assert_frame_equal(some, known.loc[[3]].reset_index(drop=True))


def test_planted_pairs_are_scored_by_kind() -> None:
    truth = pd.DataFrame(
        {
            "image_id": ["a", "b", "c", "d", "e", "f"],
            "plant": ["", "exact_copy", "exact_copy", "look_alike", "no_row", "exact_copy"],
            "source": ["", "a", "a", "a", "", "gone"],
            "in_table": [True, True, True, True, False, True],
            "readable": [True, True, True, True, True, True],
        }
    )
    found = pd.DataFrame({"image_a": ["a", "a"], "image_b": ["b", "d"]})
    scores = dedup.score_by_plant(found, truth).set_index("plant")
    assert scores.loc["exact_copy"].tolist() == [2, 1, 0.5]
    assert scores.loc["look_alike"].tolist() == [1, 1, 1.0]
    assert len(scores) == 2


def test_what_each_rule_removes(table: pd.DataFrame) -> None:
    hashes = dedup.hash_images(table)
    removed = dedup.removal_rules(table, hashes).set_index("rule")
    assert removed.loc["age missing", ["removed", "difference"]].tolist() == [1, -390]
    assert removed.loc["equal file_hash", ["removed", "same_lesion"]].tolist() == [1, 1]
    assert removed.loc["equal pixel_hash", ["removed", "same_lesion"]].tolist() == [2, 1]
    assert removed.loc["equal average_hash, then age missing", "removed"] >= 3
    with pytest.raises(LesionsError, match="same images"):
        dedup.removal_rules(table, hashes.iloc[1:])


def test_refuses_an_unknown_method(table: pd.DataFrame) -> None:
    with pytest.raises(LesionsError, match="average_hash"):
        dedup.find_pairs(dedup.hash_images(table), "ahash")
