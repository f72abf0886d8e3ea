"""`descriptors`: finds a lesion again after a shift, turn and zoom; scores honestly."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from lesions.core import files
from lesions.core.errors import LesionsError
from lesions.duplicates import appearance, descriptors


def lesion(seed: int) -> np.ndarray:
    """A speckled picture larger than is shown of it, uint8 (300, 400, 3)."""
    rng = np.random.default_rng(seed)
    noise = sum(
        cv2.resize(rng.random((300 // size, 400 // size, 3)), (400, 300)) for size in (4, 12, 30)
    )
    return cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def photograph(picture: np.ndarray, turn: float, zoom: float, shift: float) -> bytes:
    """The middle 150 x 200 pixels after a movement, a little darker, as PNG."""
    move = cv2.getRotationMatrix2D((200, 150), turn, zoom)
    move[:, 2] += shift
    moved = cv2.warpAffine(picture, move, (400, 300))[75:225, 100:300]
    return cv2.imencode(".png", (moved * 0.9).astype(np.uint8))[1].tobytes()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Twelve lesions with two photographs each, and two blank images of one lesion."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    contents = {}
    for number in range(12):
        picture = lesion(number)
        contents[f"{number:02}a"] = photograph(picture, 0, 1, 0)
        turn, zoom, shift = rng.uniform(-30, 30), rng.uniform(0.85, 1.2), rng.uniform(-15, 15)
        contents[f"{number:02}b"] = photograph(picture, turn, zoom, shift)
    blank = cv2.imencode(".png", np.full((150, 200, 3), 128, np.uint8))[1].tobytes()
    contents |= {"99a": blank, "99b": blank}
    for name, data in contents.items():
        (folder / f"{name}.png").write_bytes(data)
    return pd.DataFrame(
        {
            "image_id": list(contents),
            "lesion_id": [name[:2] for name in contents],
            "path": [str(folder / f"{name}.png") for name in contents],
        }
    )


@pytest.fixture(scope="module")
def pairs(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "CACHE", tmp_path_factory.mktemp("cache"))
        found = descriptors.descriptor_pairs(table, neighbours=4, workers=1)
        patch.setattr(descriptors, "describe", lambda *_: pytest.fail("described again"))
        again = descriptors.descriptor_pairs(table, neighbours=4, workers=2)
    pd.testing.assert_frame_equal(found, again)
    return found


def test_finds_the_other_photograph_of_a_lesion(pairs: pd.DataFrame) -> None:
    same = pairs["image_a"].str[:2] == pairs["image_b"].str[:2]
    seen = same & (pairs["image_a"] != "99a")
    assert seen.sum() == 12
    assert pairs.loc[seen, "matches"].min() > 3 * pairs.loc[~same, "matches"].max()
    # Blank images have no points: alike, but nothing that could be laid over another.
    assert pairs.loc[same & ~seen, "matches"].tolist() == [0]


def test_every_pair_once_and_in_order(pairs: pd.DataFrame) -> None:
    assert (pairs["image_a"] < pairs["image_b"]).all()
    assert not pairs.duplicated(["image_a", "image_b"]).any()
    assert pairs["similarity"].between(-1, 1.0001).all()


def test_the_same_with_more_threads(
    table: pd.DataFrame, pairs: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "CACHE", tmp_path)
    again = descriptors.descriptor_pairs(table, neighbours=4, workers=3)
    pd.testing.assert_frame_equal(again, pairs)


def test_nearest_neighbours_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(1500, 8)).astype(np.float32)  # more than one block
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    i, j, similarity = descriptors.nearest(vectors, 3)
    cosine = vectors @ vectors.T
    np.fill_diagonal(cosine, -2)
    best = np.argsort(-cosine, axis=1)[:, :3]
    wanted = {tuple(sorted((a, b))) for a, row in enumerate(best.tolist()) for b in row}
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == sorted(wanted)
    np.testing.assert_allclose(similarity, cosine[i, j], rtol=1e-5)


def test_binary_patterns_count_brighter_neighbours() -> None:
    grey = np.random.default_rng(0).integers(0, 4, (7, 9), dtype=np.uint8)
    around = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]
    wanted = np.zeros(256, dtype=int)
    for y in range(1, 6):
        for x in range(1, 8):
            wanted[
                sum((grey[y + v, x + u] > grey[y, x]) << n for n, (v, u) in enumerate(around))
            ] += 1
    assert appearance.binary_patterns(grey).tolist() == wanted.tolist()


def scored_table(lesions: int = 400) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pairs whose number of matches is 9 for one lesion, and 1 to 8 for two."""
    names = [f"L{number:03}" for number in range(lesions)]
    table = pd.DataFrame(
        {
            "image_id": [name + end for name in names for end in "ab"],
            "lesion_id": np.repeat(names, 2),
        }
    )
    same = pd.DataFrame({"image_a": [n + "a" for n in names], "image_b": [n + "b" for n in names]})
    others = pd.DataFrame(
        {"image_a": [n + "a" for n in names[:-1]], "image_b": [n + "b" for n in names[1:]]}
    )
    pairs = pd.concat(
        [same.assign(matches=9), others.assign(matches=np.arange(lesions - 1) % 8 + 1)]
    )
    return pairs, table


def test_the_threshold_is_chosen_on_one_half_and_reported_on_the_other() -> None:
    pairs, table = scored_table()
    scores = descriptors.score_descriptor(pairs, table, precision=0.85).set_index("lesions")
    assert set(scores["threshold"]) == {8}
    assert 0.85 <= scores.loc["chosen on", "precision"] < 1
    assert scores.loc["all", ["true", "recall"]].tolist() == [400, 1.0]
    halves = scores.loc[["chosen on", "reported on"]]
    assert halves["found"].sum() == scores.loc["all", "found"]
    assert halves["true"].sum() == 400 and halves["true"].min() > 150
    # What stands in the other half does not move the threshold.
    names = np.sort(table["lesion_id"].unique())
    other = names[np.random.default_rng(0).random(len(names)) >= 0.5]
    spoilt = pairs.assign(matches=pairs["matches"].mask(pairs["image_a"].str[:4].isin(other), 50))
    again = descriptors.score_descriptor(spoilt, table, precision=0.85).set_index("lesions")
    assert again.loc["chosen on"].equals(scores.loc["chosen on"])
    assert again.loc["reported on", "precision"] < 0.6


def test_known_pairs_count_as_right_but_choose_nothing() -> None:
    pairs, table = scored_table()
    known = pairs[pairs["matches"] == 8][["image_a", "image_b"]]
    plain = descriptors.score_descriptor(pairs, table, precision=0.85).set_index("lesions")
    scores = descriptors.score_descriptor(pairs, table, known, precision=0.85).set_index("lesions")
    assert scores["threshold"].equals(plain["threshold"])
    assert scores.loc["all", "known_found"] == len(known)
    assert scores.loc["all", "right"] > plain.loc["all", "right"]


def test_pairs_across_lesions_are_shown_the_clearest_first() -> None:
    pairs, table = scored_table()
    across = descriptors.across_lesions(pairs, table, 7)
    assert (across["lesion_a"] != across["lesion_b"]).all()
    assert set(across["matches"]) == {7, 8} and across["matches"].is_monotonic_decreasing
    assert len(across) == (pairs["matches"].isin([7, 8])).sum()


def test_bad_input_gets_one_sentence(table: pd.DataFrame) -> None:
    with pytest.raises(LesionsError, match="neighbours"):
        descriptors.descriptor_pairs(table, neighbours=len(table))
    pairs, whole = scored_table(20)
    with pytest.raises(LesionsError, match="precision of 1"):
        descriptors.score_descriptor(pairs.assign(matches=5), whole, precision=1)


def test_among_too_few_images_the_usual_threshold_is_taken() -> None:
    table = pd.DataFrame({"image_id": list("abcd"), "lesion_id": list("wxyz")})
    pairs = pd.DataFrame({"image_a": ["a", "c"], "image_b": ["b", "d"], "matches": [3, 9]})
    pairs["similarity"] = 0.5
    with pytest.raises(LesionsError, match="No number of matches"):
        descriptors.score_descriptor(pairs, table)
    scores = descriptors.score_descriptor(pairs, table, otherwise=descriptors.USUAL)
    assert set(scores["threshold"]) == {descriptors.USUAL}
