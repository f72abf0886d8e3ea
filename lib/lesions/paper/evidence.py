"""What the verdicts on the paper's claims rest on: its table, facts of the dataset, our scores."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from lesions.core import tables
from lesions.duplicates.keep import SCHEMA
from lesions.paper import audit
from lesions.scores import evaluation

PRETRAINED = ("vgg16", "resnet50", "densenet121")


def dataset_facts(
    table: pd.DataFrame,
    removed: int | None = None,
    identical_or_unreadable: int | None = None,
    sizes: pd.DataFrame | None = None,
) -> dict[str, int | float | str]:
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
    known = table[table["sex"].isin(["male", "female"])]

    def ratio(sex: str, other: str, places: list[str]) -> float:
        """How much more often images of one sex show these places than those of the other."""
        share = known["localization"].isin(places).groupby(known["sex"]).mean()
        return float(share.get(sex, 0) / share[other]) if share.get(other, 0) > 0 else float("nan")

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
        "scalp_and_ear_men_over_women": ratio("male", "female", head),
        "extremities_women_over_men": ratio("female", "male", limbs),
    }
    if removed is not None:
        facts["removed"] = removed
    if identical_or_unreadable is not None:
        facts["identical_or_unreadable"] = identical_or_unreadable
    if sizes is not None:
        is_full = (sizes["width"] == 600) & (sizes["height"] == 450)
        facts["share_600x450"] = float(is_full.mean())
    return {name: fact for name, fact in facts.items() if pd.notna(fact)}


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
        row, protocol, init, metric, value, low, high. With several seeds: the mean, and the lowest
        and highest end of their intervals. Runs that are not in the paper's table are left out.
    """
    known = published[["row", "key", "target"]].rename(columns={"key": "model"})
    runs = known.merge(records, on=["model", "target"])
    tables = []
    for run in runs.to_dict("records"):
        scores = evaluation.bootstrap(predictions(run["record"]), audit.SCORES, n=n, seed=seed)
        about = {name: run[name] for name in ("row", "protocol", "init")}
        tables.append(scores.reset_index().assign(**about))
    if not tables:
        return pd.DataFrame(columns=["row", "protocol", "init", "metric", "value", "low", "high"])
    return (
        pd.concat(tables)
        .groupby(["row", "protocol", "init", "metric"], sort=False)
        .agg(value=("value", "mean"), low=("low", "min"), high=("high", "max"))
        .reset_index()
    )


class Evidence:
    """All that a verdict may look at."""

    def __init__(
        self,
        published: pd.DataFrame,
        ours: pd.DataFrame | None,
        facts: Mapping[str, int | float | str] | None,
    ) -> None:
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
        if self.published.loc[row, "key"] in PRETRAINED and one["init"] == "random":
            return f"{missing} with ImageNet weights (ours began from random ones)"
        return one


def facts(folder: Path, table: pd.DataFrame) -> dict[str, int | float | str]:
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
