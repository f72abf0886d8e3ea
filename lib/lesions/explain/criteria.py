"""On the sample it is known where each criterion was drawn: does a map look at *that*?

A map that lies in the lesion may do so because lesions lie in the middle. So each measure stands
beside one of a map that marks the whole lesion and nothing else, and one measure looks only at
pixels of the lesion: is the criterion's place above the rest of it?
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from lesions.core.numbers import rounded
from lesions.data.pixel_store import to_square
from lesions.explain import localisation
from lesions.explain.study import Subject
from lesions.sample import places
from lesions.settings.parameters import Settings

DRAWN = 64  # grey levels of 255: where a criterion is at least a quarter as strong as at its most
WITHIN = "AUC in the lesion"


def drawn_places(about: pd.DataFrame, settings: Settings) -> tuple[pd.DataFrame, np.ndarray]:
    """Where the criteria of some images were drawn, at the size that the network sees.

    Args:
        about: image_id, and what else is to be kept of the images.

    Returns:
        `about` repeated, a row an image and criterion, with criterion and image (its position in
        `about`); and bool (rows, size, size). Both are empty where the images are not the sample.
    """
    size = settings.IMAGE_SIZE
    found, masks = [], [np.zeros((0, size, size), bool)]
    drawn = (
        places.places_of(set(about["image_id"]), settings) if settings.DATASET == "sample" else {}
    )
    for number, image_id in enumerate(about["image_id"]):
        for criterion, grey in drawn.get(image_id, {}).items():
            mask = to_square(grey, size, settings.GEOMETRY) >= DRAWN
            if mask.any():
                found.append((number, criterion.replace("_", " ")))
                masks.append(mask[None])
    rows = pd.DataFrame(found, columns=["image", "criterion"])
    kept = about.reset_index(drop=True).loc[rows["image"].astype(int)].reset_index(drop=True)
    return kept.assign(**rows), np.concatenate(masks)


def auc_within(maps: np.ndarray, places: np.ndarray, lesions: np.ndarray) -> np.ndarray:
    """The chance that a pixel of a place has a larger value than another one of the lesion.

    Args:
        maps: (n, size, size).
        places, lesions: bool (n, size, size).

    Returns:
        (n,); NaN where the place is the whole lesion. One half says nothing.
    """
    found = []
    for values, place, lesion in zip(maps, places, lesions | places, strict=True):
        inside = place[lesion]
        many, others = inside.sum(), (~inside).sum()
        above = rankdata(values[lesion])[inside].sum() - many * (many + 1) / 2
        found.append(above / (many * others) if many and others else np.nan)
    return np.array(found)


def measured(
    who: Subject, found: Mapping[str, Mapping[str, np.ndarray]], rows: pd.DataFrame,
    masks: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    """Every measure of every map, for each criterion of each image.

    Args:
        found: from `study.all_maps`.
        rows, masks: from `drawn_places`.

    Returns:
        as `localisation.measure`, with the columns network and criterion; the measures are its six
        and `WITHIN`. Among what knows no network is a map of the whole lesion.
    """
    image = rows["image"].to_numpy()
    lesions = who.masks[image]
    others = {**found["no network"], "whole lesion": np.float32(who.masks)}
    parts = []
    for network, maps in (found | {"no network": others}).items():
        here = {name: of[image] for name, of in maps.items()}
        parts.append(localisation.measure(here, masks, rows).assign(network=network))
        parts += [
            rows.assign(map=name, measure=WITHIN, value=auc_within(of, masks, lesions), chance=0.5,
                        network=network)
            for name, of in here.items()
        ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def by_criterion(table: pd.DataFrame, name: str, n: int = 1000) -> pd.DataFrame:
    """`WITHIN` of one map for each criterion, trained and untrained, the most frequent first.

    Args:
        table: from `measured`.
        name: of the map.

    Returns:
        a row a criterion: images, trained with low and high over lesions (none where the images
        are fewer than `localisation.FEWEST`), untrained.
    """
    part = table[(table["measure"] == WITHIN) & (table["map"] == name)]
    lines = localisation.summary(part, ("criterion", "network"), n).set_index("criterion")
    trained = lines[lines["network"] == "trained"]
    trained = trained[["images", "value", "low", "high"]].rename(columns={"value": "trained"})
    trained.loc[trained["images"] < localisation.FEWEST, ["low", "high"]] = np.nan
    untrained = lines.loc[lines["network"] == "untrained", "value"].rename("untrained")
    return trained.join(untrained).sort_values("images", ascending=False, kind="stable")


def beyond_chance(table: pd.DataFrame, n: int = 1000) -> tuple[pd.DataFrame, str]:
    """Does a map rise above the rest of the lesion where a criterion is? And in words.

    Args:
        table: from `measured`.

    Returns:
        a row a map of the trained network: value, low, high, untrained, control (the best map that
        knows no network), and beyond: whether the whole interval lies above one half and both.
    """
    part = table[table["measure"] == WITHIN]
    lines = localisation.summary(part, ("network", "map"), n).set_index(["network", "map"])
    trained = lines.loc["trained"][["value", "low", "high"]]
    trained["untrained"] = lines.loc["untrained", "value"]
    trained["control"] = lines.loc["no network", "value"].max()
    trained["beyond"] = trained["low"] > trained[["untrained", "control"]].max(axis=1).clip(0.5)
    passing = ", ".join(trained.index[trained["beyond"]]) or "none"
    return trained, (
        f"Of {len(trained)} methods, those that mark a criterion's place more than the rest of the "
        f"lesion, than before any training, and than every map without a network: {passing}."
    )


class Sought(NamedTuple):
    """What `sought` gives."""

    shown: (
        list  # images, outlines, maps and titles, as `figures.explanation.maps_beside` takes them
    )
    tables: list[pd.DataFrame]  # `beyond_chance`, then `by_criterion` of the gradient's maps
    said: str


def sought(
    who: Subject, found: Mapping[str, Mapping[str, np.ndarray]], settings: Settings, n: int = 1000
) -> Sought:
    """Do a network's maps look at the criteria? Four examples, two tables, a sentence.

    Args:
        found: from `study.all_maps`.
        n: bootstrap samples.

    Returns:
        no examples and no tables where nobody knows the criteria's places.
    """
    rows, masks = drawn_places(who.about, settings)
    if not len(rows):
        return Sought([], [], "On these images nobody knows where the criteria lie.")
    one = rows.drop_duplicates("criterion").drop_duplicates("image").index[:4]
    image = rows["image"].to_numpy()[one]
    maps = {name: of[image] for name, of in found["trained"].items()}
    table = measured(who, found, rows, masks)
    beyond, said = beyond_chance(table, n)
    tables = [rounded(beyond, 2), rounded(by_criterion(table, "gradient", n), 2)]
    return Sought([who.images[image], masks[one], maps, list(rows["criterion"][one])], tables, said)
