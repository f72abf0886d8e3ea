"""What the verdicts on the paper's claims rest on: its table, facts of the dataset, our scores."""

import json
from collections.abc import Callable, Mapping
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lesions.core import tables
from lesions.duplicates.keep import SCHEMA
from lesions.networks import registry
from lesions.paper import audit, published
from lesions.scores import evaluation

# Melanoma, basal cell carcinoma, and keratoses with intraepithelial carcinoma among them.
CANCERS = ("mel", "bcc", "akiec")
DRAWS = 1000


class Estimate(NamedTuple):
    """A number with its 95 % interval from drawing lesions."""

    value: float
    low: float
    high: float


Fact = int | float | str | Estimate


def _ratio(table: pd.DataFrame, sex: str, other: str, places: list[str]) -> Estimate | None:
    """How much more often lesions of one sex sit at these places than those of the other."""
    there = table["localization"].isin(places).to_numpy(float)
    mine, theirs = ((table["sex"] == one).to_numpy(float) for one in (sex, other))
    if not (theirs * there).any() or not mine.any():
        return None
    weights = np.random.default_rng(0).multinomial(len(table), np.full(len(table), 1 / len(table)),
                                                   size=DRAWS)  # fmt: skip
    weights = np.vstack([np.ones(len(table)), weights])
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = [(weights @ (one * there)) / (weights @ one) for one in (mine, theirs)]
        found = shares[0] / shares[1]
    low, high = np.nanquantile(found[1:], [0.025, 0.975])
    return Estimate(float(found[0]), float(low), float(high))


def dataset_facts(
    table: pd.DataFrame,
    removed: int | None = None,
    identical_or_unreadable: int | None = None,
    sizes: pd.DataFrame | None = None,
) -> dict[str, Fact]:
    """What the claims about the dataset are compared with.

    Args:
        table: all images of HAM10000, before any is removed.
        removed: images that the paper's way of removing duplicates removes.
        identical_or_unreadable: images that repeat another pixel for pixel, or cannot be read.
        sizes: columns width and height; only of the original images, not of a smaller copy.

    Returns:
        facts by name; those that cannot be counted are left out.
    """
    counts = table["dx"].value_counts()
    known = table[table["sex"].isin(["male", "female"])].drop_duplicates("lesion_id")
    cancers = known[known["dx"].isin(CANCERS)]
    head, limbs = ["scalp", "ear"], ["lower extremity", "upper extremity"]
    facts = {
        "images": len(table),
        "classes": len(counts),
        "class_names": " ".join(sorted(counts.index)),
        "largest_class": counts.index[0],
        "largest_share": float(counts.iloc[0] / len(table)),
        "smallest_class": counts.index[-1],
        "smallest_share": float(counts.iloc[-1] / len(table)),
        "two_smallest_classes": " ".join(sorted(counts.index[-2:])),
        "metadata": " ".join(c for c in ("age", "sex", "localization") if c in table),
        "images_sharing_a_lesion": int(table["lesion_id"].duplicated(keep=False).sum()),
        "scalp_and_ear_men_over_women": _ratio(cancers, "male", "female", head),
        "extremities_women_over_men": _ratio(cancers, "female", "male", limbs),
    }
    if removed is not None:
        facts["removed"] = removed
    if identical_or_unreadable is not None:
        facts["identical_or_unreadable"] = identical_or_unreadable
    if sizes is not None:
        is_full = (sizes["width"] == 600) & (sizes["height"] == 450)
        facts["share_600x450"] = float(is_full.mean())
    return {name: fact for name, fact in facts.items() if fact is not None}


def kept_facts() -> dict[str, Fact]:
    """The facts that the metadata of HAM10000 alone decide, as `tools/keep_facts.py` wrote them."""
    found = json.loads((published.KEPT / "facts.json").read_text(encoding="utf-8"))
    return {name: Estimate(*fact) if isinstance(fact, list) else fact
            for name, fact in found.items()}  # fmt: skip


def our_scores(
    records: pd.DataFrame,
    published: pd.DataFrame,
    predictions: Callable[[str], pd.DataFrame],
    n: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Our scores for the rows of the paper's table, with intervals.

    Args:
        records: one row a run: model, target, protocol, init, record from `run_records`.
        published: the paper's table, with row, key and target.
        predictions: gives a record's test predictions (`run_records.predictions_of`).
        n, seed: of the bootstrap over lesions.

    Returns:
        row, protocol, init, metric, value (mean over seeds), seeds (how many), seed_low, seed_high
        (smallest and largest of them), low, high (lowest and highest end of their intervals over
        test lesions). Runs that are not in the paper's table are left out.
    """
    tables = []
    for run in _known(records, published).to_dict("records"):
        scores = evaluation.bootstrap(predictions(run["record"]), audit.SCORES, n=n, seed=seed)
        about = {name: run[name] for name in ("row", "protocol", "init")}
        tables.append(scores.reset_index().assign(**about))
    if not tables:
        return pd.DataFrame(columns=SCORED)
    return (
        pd.concat(tables)
        .groupby(["row", "protocol", "init", "metric"], sort=False)
        .agg(value=("value", "mean"), seeds=("value", "size"), seed_low=("value", "min"),
             seed_high=("value", "max"), low=("low", "min"), high=("high", "max"))
        .reset_index()
    )  # fmt: skip


SCORED = ["row", "protocol", "init", "metric", "value", "seeds", "seed_low", "seed_high", "low",
          "high"]  # fmt: skip


def _known(records: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """The records of models and targets that are in the paper's table, with its row."""
    known = published[["row", "key", "target"]].rename(columns={"key": "model"})
    return known.merge(records, on=["model", "target"])


def kept_scores(profile: str = "paper") -> pd.DataFrame:
    """Accuracies of a kept run on the real images, in the form of `our_scores`."""
    table, runs = published.kept(profile, "accuracy"), published.kept(profile, "runs")
    lines = []
    for row in table.to_dict("records"):
        for protocol in ("paper", "honest"):
            seeds = runs.query("protocol == @protocol and model == @row['key']")["accuracy"]
            low, high = row[f"{protocol}_low"], row[f"{protocol}_high"]
            # Other seeds have their own test part; their interval is about as wide as this one.
            reach = seeds.min() - row[protocol], seeds.max() - row[protocol]
            lines.append((row["row"], protocol, row[f"{protocol}_init"], "accuracy", seeds.mean(),
                          len(seeds), seeds.min(), seeds.max(), low + reach[0],
                          high + reach[1]))  # fmt: skip
    return pd.DataFrame(lines, columns=SCORED)


def our_differences(
    records: pd.DataFrame,
    published: pd.DataFrame,
    predictions: Callable[[str], pd.DataFrame],
    n: int = 1000,
) -> pd.DataFrame:
    """Differences between rows of the paper's table on one target, on the same test lesions.

    Args:
        records, published, predictions, n: as in `our_scores`; only runs under `honest` count.

    Returns:
        row, other, metric, seeds, difference (row minus other, mean over seeds), low, high (lowest
        and highest end over the seeds' intervals).
    """
    keys = ["row", "other", "metric"]
    runs = _known(records, published).query("protocol == 'honest'")
    if "seed" not in runs:
        runs = runs.assign(seed=0)
    lines = []
    for _, part in runs.groupby(["target", "seed"]):
        for a, b in permutations(part.to_dict("records"), 2):
            if a["row"] == b["row"]:
                continue
            found = evaluation.paired_difference(
                predictions(a["record"]), predictions(b["record"]), audit.SCORES, n=n
            ).reset_index()
            lines.append(found.assign(row=a["row"], other=b["row"]))
    if not lines:
        return pd.DataFrame(
            columns=["row", "other", "metric", "seeds", "difference", "low", "high"]
        )
    return (
        pd.concat(lines)
        .groupby(keys, sort=False)
        .agg(seeds=("difference", "size"), difference=("difference", "mean"), low=("low", "min"),
             high=("high", "max"))
        .reset_index()
    )  # fmt: skip


class Evidence:
    """All that a verdict may look at."""

    def __init__(
        self,
        published: pd.DataFrame,
        ours: pd.DataFrame | None,
        facts: Mapping[str, Fact] | None,
        differences: pd.DataFrame | None = None,
        readings: pd.DataFrame | None = None,
    ) -> None:
        self.differences, self.readings = differences, readings
        self.published = published.set_index("row")
        self.findings = audit.audit_table(published)
        self.ours = ours
        self.facts = facts or {}

    def name(self, row: int) -> str:
        """The run that a row stands for, as the parameters write it: cnn:dx."""
        return f"{self.published.loc[row, 'key']}:{self.published.loc[row, 'target']}"

    def finding(self, row: int, finding: str, metric: str | None = None) -> str | None:
        """What the audit says of a row, or of one of its scores; None if it does not."""
        found = self.findings[(self.findings["row"] == row) & (self.findings["finding"] == finding)]
        for one in found.to_dict("records"):
            if metric is None or metric in one["scores"].split():
                return one["says"]
        return None

    def excluded_by(self, row: int, metric: str) -> float | None:
        """The score that must equal this one and does not; None if there is no such finding."""
        pair = {"accuracy": "weighted_recall", "weighted_recall": "accuracy"}
        if metric not in pair or not self.finding(row, audit.IMPOSSIBLE, metric):
            return None
        a, b = self.published.loc[row, [metric, pair[metric]]]
        return None if audit.may_be_equal(a, b) else float(b)

    def difference(self, row: int, other: int, metric: str) -> dict | None:
        """The paired difference of two rows under `honest`, or None."""
        if self.differences is None:
            return None
        found = self.differences.query("row == @row and other == @other and metric == @metric")
        return None if found.empty else found.iloc[0].to_dict()

    def result(self, row: int, protocol: str, metric: str) -> dict | str:
        """Our score with its interval; or, if there is none, the sentence that says what to run."""
        missing = f"needs the {protocol} run of {self.name(row)} on HAM10000"
        if self.ours is None:
            return missing
        found = self.ours[
            (self.ours["row"] == row)
            & (self.ours["protocol"] == protocol)
            & (self.ours["metric"] == metric)
        ]
        if found.empty:
            return missing
        # Several starts of one backbone may be there; ImageNet's weights are the paper's.
        one = found.sort_values("init", key=lambda init: init == "random").iloc[0].to_dict()
        if registry.entry(self.published.loc[row, "key"]).pretrained and one["init"] == "random":
            return f"{missing} with ImageNet weights (ours began from random ones)"
        return one


def facts(folder: Path, table: pd.DataFrame) -> dict[str, Fact]:
    """What the paper's claims about the dataset are held against.

    Args:
        folder: the profile's build folder, with the keep-list of notebook 02.
        table: all images of HAM10000.

    Returns:
        see `dataset_facts`.
    """
    keep = tables.read(
        folder / "keep.csv", SCHEMA, f"run notebook 02 first (`make 02 PROFILE={folder.name}`)"
    )
    sizes = keep[["width", "height"]] if "width" in keep else None
    if sizes is not None and sizes["width"].max() < 600:
        sizes = None  # a smaller copy of the images cannot tell how large they were
    return dataset_facts(
        table,
        removed=int((~keep["keep_paper"]).sum()),
        identical_or_unreadable=int((~keep["keep_honest"]).sum()),
        sizes=sizes,
    )
