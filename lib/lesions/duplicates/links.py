"""How far a link between two images may reach before links chain into groups that mean nothing."""

from collections.abc import Sequence

import pandas as pd

from lesions.duplicates.dedup import score_pairs
from lesions.duplicates.groups import groups_of, merged_groups


def group_sizes(
    table: pd.DataFrame,
    loose: pd.DataFrame,
    sure: pd.DataFrame,
    true_pairs: pd.DataFrame,
    steps: Sequence[int] = (0, 2, 4),
) -> pd.DataFrame:
    """The groups that come of linking pairs of a hash, for several thresholds.

    Args:
        table: image_id and lesion_id. What stands under one lesion_id is one group already.
        loose: pairs with a column `distance` (bits), from `dedup.find_oriented_pairs`.
        sure: pairs that are links at every threshold, image_a and image_b.
        true_pairs: pairs of one lesion; `right` counts those of `loose` that are among them.
        steps: thresholds in bits.

    Returns:
        bits, linked (pairs of `loose`), right, joined (groups of several lesion_ids), and of the
        largest of these groups: images, lesions.
    """
    lines = []
    for bits in steps:
        near = loose[loose["distance"] <= bits]
        pairs = pd.concat([sure[["image_a", "image_b"]], near[["image_a", "image_b"]]])
        number = merged_groups(table, groups_of(table["image_id"], pairs))
        groups = table.groupby(number)
        sizes = pd.DataFrame({"images": groups.size(), "lesions": groups["lesion_id"].nunique()})
        joined = sizes[sizes["lesions"] > 1]
        largest = joined.max().fillna(0).astype(int)
        right = score_pairs(near, true_pairs)["right"]
        line = {"bits": bits, "linked": len(near), "right": right, "joined": len(joined)}
        lines.append(line | largest.to_dict())
    return pd.DataFrame(lines)
