"""Links that chain: each step of a threshold may join what nobody would call the same."""

import pandas as pd

from lesions.duplicates import links


def pairs(*names: str, distance: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        [(a, b, distance) for a, b in names], columns=["image_a", "image_b", "distance"]
    )


def test_looser_links_chain_into_one_group():
    table = pd.DataFrame({"image_id": list("abcdefg"), "lesion_id": list("1123456")})
    loose = pd.concat([pairs("bc"), pairs("cd", "de", distance=2), pairs("ef", distance=4)])
    sizes = links.group_sizes(table, loose, pairs(), pairs("bc", "fg"), (0, 2, 4))
    assert sizes["linked"].tolist() == [1, 3, 4]
    assert sizes["right"].tolist() == [1, 1, 1]
    assert sizes["joined"].tolist() == [1, 1, 1]
    assert sizes["images"].tolist() == [3, 5, 6]  # a and b are one lesion
    assert sizes["lesions"].tolist() == [2, 4, 5]


def test_sure_links_count_at_every_step_and_nothing_linked_is_no_group():
    table = pd.DataFrame({"image_id": list("abc"), "lesion_id": list("123")})
    with_sure = links.group_sizes(table, pairs(), pairs("ab"), pairs(), (0,))
    assert with_sure.loc[0, ["joined", "images", "lesions"]].tolist() == [1, 2, 2]
    without = links.group_sizes(table, pairs(), pairs(), pairs(), (0,))
    assert without.loc[0, ["joined", "images", "lesions"]].tolist() == [0, 0, 0]
