"""From pairs to groups and back: if a goes with b, and b with c, all three are one group."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lesions.core.errors import LesionsError, shorten

# image_id -> label of its group. Images with no label, or an empty one, are in no group.
Groups = pd.Series | Mapping[str, str] | None


def connected(count: int, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Number the groups of `count` things when thing i[n] goes with thing j[n], for every n.

    These are the connected components of a graph, which union-find gives too.

    Returns:
        int (count,): numbers from 0 on, by first appearance.
    """
    edges = coo_array((np.ones(len(i), dtype=bool), (i, j)), shape=(count, count))
    return pd.factorize(connected_components(edges, directed=False)[1])[0]


def groups_of(image_ids: Iterable[str], pairs: pd.DataFrame) -> pd.Series:
    """Groups of images that are connected by pairs.

    Args:
        image_ids: all images.
        pairs: with the columns image_a and image_b.

    Returns:
        label of the group, indexed by image_id: the first image of the group in the order of
        `image_ids`. An image without a partner is a group by itself.

    Raises:
        LesionsError: a pair names an image that is not among `image_ids`.
    """
    index = pd.Index(pd.unique(pd.Series(list(image_ids), dtype=str)), name="image_id")
    i, j = index.get_indexer(pairs["image_a"]), index.get_indexer(pairs["image_b"])
    lost = pd.concat([pairs["image_a"][i < 0], pairs["image_b"][j < 0]])
    if len(lost):
        raise LesionsError(f"Pairs name images that are not in the table: {shorten(list(lost))}.")
    number = connected(len(index), i, j)
    first = np.unique(number, return_index=True)[1]
    return pd.Series(index[first[number]], index=index, name="group")


def pairs_of(groups: pd.Series) -> pd.DataFrame:
    """All pairs of images with the same label.

    Args:
        groups: labels indexed by image_id; images with a missing or empty one are left out.

    Returns:
        image_a, image_b; image_a < image_b; sorted.
    """
    known = groups[groups.notna() & (groups != "")]
    a, b = [], []
    for _, members in known.groupby(known, sort=False):
        if len(members) > 1:
            names = np.sort(members.index.to_numpy(dtype=object))
            i, j = np.triu_indices(len(names), 1)
            a.append(names[i])
            b.append(names[j])
    if not a:
        return pd.DataFrame({"image_a": [], "image_b": []}, dtype=str)
    pairs = pd.DataFrame({"image_a": np.concatenate(a), "image_b": np.concatenate(b)}, dtype=str)
    return pairs.sort_values(["image_a", "image_b"], ignore_index=True)


def merged_groups(table: pd.DataFrame, groups: Groups = None) -> np.ndarray:
    """Number what must stay together: images of one lesion or of one duplicate group, chained.

    Args:
        table: with image_id and lesion_id; an image may stand in several rows.
        groups: image_id -> label of its duplicate group.

    Returns:
        int (rows,): numbers from 0 on, by first appearance.
    """
    # A graph of images, lesions and duplicate groups, each joined with those it belongs to.
    images = pd.factorize(table["image_id"])[0]
    lesions = pd.factorize(table["lesion_id"])[0] + len(table)
    given = dict(groups) if groups is not None else {}
    labels = pd.factorize(table["image_id"].map(given).replace("", None))[0]
    grouped = labels >= 0
    i = np.concatenate([images, images[grouped]])
    j = np.concatenate([lesions, labels[grouped] + 2 * len(table)])
    return pd.factorize(connected(3 * len(table), i, j)[images])[0]
