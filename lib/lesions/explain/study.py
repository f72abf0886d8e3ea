"""What is looked at: a trained network, some test images of each class, and their masks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from lesions.core.numbers import rounded
from lesions.explain import faithfulness, localisation, maps, opened
from lesions.networks.backend import keras
from lesions.training import run_records

KEPT = ROOT / "data" / "results" / "explanation"
TARGETS = ("dx", "dx_type", "sex")


@dataclass
class Subject:
    """A network and the test images that its answers are explained on."""

    network: keras.Model  # gives scores, see `opened.with_scores`
    untrained: keras.Model  # the same one before training
    classes: list[str]
    pixels: np.ndarray  # uint8 (n, size, size, 3)
    masks: np.ndarray  # bool (n, size, size)
    about: pd.DataFrame  # image_id, lesion_id, truth, answer, right, confidence

    @property
    def images(self) -> np.ndarray:
        """float32 (n, size, size, 3) in [0, 1]."""
        return np.float32(self.pixels) / 255

    @property
    def answers(self) -> np.ndarray:
        """int (n,): the class that the network answers, which is what gets explained."""
        return pd.Index(self.classes).get_indexer(self.about["answer"])


def chosen_images(rows: pd.DataFrame, most: int, seed: int = 0) -> pd.DataFrame:
    """Test images, one a lesion, as many of each class as there are up to an equal share.

    Args:
        rows: image_id, lesion_id, truth; only of the test part.
        most: how many in all, about.
    """
    once = rows.sample(frac=1, random_state=seed).drop_duplicates("lesion_id")
    each = max(1, most // once["truth"].nunique())
    return once.groupby("truth").head(each).sort_values(["truth", "image_id"], ignore_index=True)


def subject(
    record: str | Path,
    pixels: np.ndarray,
    masks: np.ndarray,
    image_ids: pd.Index,
    most: int,
    seed: int = 0,
) -> Subject:
    """What a run record's network answers to some of its test images.

    Args:
        record: the folder of a run of a convolutional network, from notebook 05.
        pixels, masks, image_ids: all images as the network sees them, their masks and names.
        most: how many test images to look at, about.

    Raises:
        LesionsError: there is no such record, or no test image has a mask.
    """
    path = Path(record) / "model.keras"
    if not path.exists():
        raise LesionsError(
            f"There is no network {path}: run notebook 05 first (`make 05`), with this model among "
            "its runs."
        )
    tested = run_records.predictions_of(record)
    place = image_ids.get_indexer(tested["image_id"])
    masked = masks[place].any(axis=(1, 2)) & (place >= 0)
    if not masked.any():
        raise LesionsError(f"No test image of {record} has a lesion mask.")
    about = chosen_images(tested[masked], most, seed)[["image_id", "lesion_id", "truth"]]
    place = image_ids.get_indexer(about["image_id"])
    network = opened.with_scores(keras.models.load_model(path, compile=False))
    seen = np.asarray(pixels[place])
    p = maps.probabilities(network, np.float32(seen) / 255)
    classes = json.loads((Path(record) / "params.json").read_text(encoding="utf-8"))["classes"]
    about["answer"] = np.array(classes, dtype=object)[p.argmax(axis=1)]
    about["right"] = about["answer"] == about["truth"]
    about["confidence"] = p.max(axis=1)
    names = faithfulness.layers_from_the_top(network)
    untrained = faithfulness.randomised(network, names, seed)
    return Subject(network, untrained, classes, seen, masks[place], about)


def all_maps(who: Subject, methods: Sequence[str] = tuple(maps.METHODS)) -> dict[str, dict]:
    """Maps of the trained network, of the untrained one, and of what knows no network.

    Returns:
        "trained", "untrained" and "no network", each a dict of maps by name.
    """
    images, answers = who.images, who.answers
    return {
        "trained": maps.explain(who.network, images, answers, methods),
        "untrained": maps.explain(who.untrained, images, answers, methods),
        "no network": control_maps(who),
    }


def control_maps(who: Subject) -> dict[str, np.ndarray]:
    """The maps that know no network, by name."""
    return {name: of(who.images) for name, of in localisation.CONTROLS.items()}


def right_and_wrong(who: Subject, each: int = 2) -> tuple[list[int], list[str]]:
    """Images to show: right and sure, right and unsure, wrong and sure, wrong and unsure.

    Returns:
        their positions, `each` of a kind as far as there are; and a title for each.
    """
    order = who.about.sort_values("confidence", kind="stable")
    right, wrong = order.index[order["right"]], order.index[~order["right"]]
    picked = [*right[-each:], *right[:each], *wrong[-each:], *wrong[:each]]
    picked = list(dict.fromkeys(picked))
    titles = [f"{line.truth}, answered\n{line.answer}, {line.confidence:.0%} sure"
              for line in who.about.loc[picked].itertuples()]  # fmt: skip
    return picked, titles


def spread_evenly(count: int, most: int) -> np.ndarray:
    """Positions of at most so many of `count` images that are sorted by class."""
    return np.linspace(0, count - 1, min(most, count)).astype(int)


def forgotten(
    who: Subject, found: Mapping[str, np.ndarray], most: int = 48, stages: int = 6
) -> tuple[pd.DataFrame, np.ndarray]:
    """`faithfulness.randomisation` of at most so many images, evenly spread over the classes.

    Returns:
        its steps, and the positions of the images.
    """
    few = spread_evenly(len(who.about), most)
    some = {name: of[few] for name, of in found.items()}
    steps = faithfulness.randomisation(
        who.network, who.images[few], who.answers[few], some, stages=stages
    )
    return steps, few


def localised(who: Subject, found: Mapping[str, Mapping[str, np.ndarray]]) -> pd.DataFrame:
    """`localisation.measure` of all maps, with a column network: trained, untrained, no network."""
    parts = [localisation.measure(of, who.masks, who.about).assign(network=name)
             for name, of in found.items()]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def published_beside(found: Mapping[str, Mapping[str, np.ndarray]], who: Subject) -> pd.DataFrame:
    """Grad-CAM by the measures of published work, for the network and for an untrained one.

    Returns:
        what, network, value, low, high: quotients of akiec and of the other classes, by the answer;
        mean values in the lesion and outside of it.
    """
    lines = []
    for network in ("trained", "untrained"):
        values = localisation.mean_values(found[network]["Grad-CAM"], who.masks)
        akiec = (who.about["answer"] == "akiec").to_numpy()
        parts = {"background over lesion, akiec": (values["quotient"], akiec),
                 "background over lesion, other classes": (values["quotient"], ~akiec),
                 "mean in the lesion": (values["inside"], akiec | True),
                 "mean outside": (values["outside"], akiec | True)}  # fmt: skip
        for what, (of, which) in parts.items():
            interval = localisation.mean_interval(of[which], who.about["lesion_id"][which])
            lines.append((what, network, *interval))
    return pd.DataFrame(lines, columns=["what", "network", "value", "low", "high"])


def anchors() -> pd.DataFrame:
    """Published numbers and how they came about, `data/explanation_anchors.csv`."""
    return pd.read_csv(ROOT / "data" / "explanation_anchors.csv", dtype=str)


def faithful(
    who: Subject,
    found: Mapping[str, np.ndarray],
    steps: pd.DataFrame,
    few: np.ndarray,
    n: int = 500,
) -> pd.DataFrame:
    """Insertion, deletion, sensitivity and randomisation of the trained network's maps.

    Args:
        found: maps by name; controls may be among them.
        steps: from `faithfulness.randomisation`, of the same maps.
        few: positions of the images whose maps are asked for their sensitivity.

    Returns:
        a row a map: deletion, insertion with intervals, sensitivity, likeness, verdict.
    """
    images, answers = who.images, who.answers
    table = faithfulness.insertion_deletion(
        who.network, images, answers, found, who.about["lesion_id"], n=n
    )
    sensitive = {
        name: faithfulness.max_sensitivity(maps.METHODS[name], who.network, images[few],
                                           answers[few], draws=1).mean()
        for name in found if name in maps.METHODS
    }  # fmt: skip
    table["sensitivity"] = table["map"].map(sensitive)
    return rounded(table.merge(faithfulness.verdicts(steps), on="map", how="left"))


def with_shuffled_labels(faithful: pd.DataFrame, alike: pd.DataFrame) -> pd.DataFrame:
    """The table of `faithful`, with what shuffled labels change beside it.

    Args:
        faithful: from `faithful`; its likeness is that of the network with random weights.
        alike: from `short_networks.shuffled_labels`.

    Returns:
        map, deletion, insertion, sensitivity, random_weights and shuffled_labels (both likeness),
        learnt_twice (that of maps of one thing learnt twice), verdict: "fails …" if either
        `faithfulness.verdicts` or `short_networks.shuffled_labels` says so.
    """
    other = alike.set_index("map")
    table = faithful.rename(columns={"likeness": "random_weights"})
    table["shuffled_labels"] = table["map"].map(other["likeness"])
    table["learnt_twice"] = table["map"].map(other["again"])
    labels = table["map"].map(other["verdict"])
    table["verdict"] = labels.where(table["verdict"].eq("changes"), table["verdict"])
    kept = ["map", "deletion", "insertion", "sensitivity", "random_weights", "shuffled_labels",
            "learnt_twice", "verdict"]  # fmt: skip
    return rounded(table[kept], 2)


def kept(name: str, otherwise: pd.DataFrame | None = None) -> pd.DataFrame:
    """A table of the kept results on the real images, `data/results/explanation/<name>.csv`.

    Args:
        otherwise: this run's own table, for where none is kept; that is said.

    Raises:
        LesionsError: there is no such table, and no other.
    """
    path = KEPT / f"{name}.csv"
    if path.exists():
        return pd.read_csv(path)
    if otherwise is None:
        raise LesionsError(f"There is no kept table {path}; `tools/explain.py` writes it.")
    print(f"No table {name} of the real images is kept; this one is of this run's images.")
    return otherwise


def kept_together(own: Mapping[str, pd.DataFrame]) -> list[pd.DataFrame]:
    """Several tables of the real images, or, unless all of them are kept, this run's own.

    Args:
        own: this run's tables by the names of the kept ones, which are to be read side by side.
    """
    if all((KEPT / f"{name}.csv").exists() for name in own):
        return [kept(name) for name in own]
    names = " and ".join(own)
    print(f"Not both of {names} of the real images are kept; these are of this run's images.")
    return list(own.values())
