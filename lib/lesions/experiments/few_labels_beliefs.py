"""What FixMatch believes of the unlabelled images as it learns, held against their labels.

Here, and nowhere in the training, the hidden labels are looked up: to count how often the network's
own labels were right.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.experiments.few_labels import UNLABELLED, with_few_labels
from lesions.experiments.few_labels_runs import Run, Setting


def nearest_share(table: pd.DataFrame, share: float) -> float:
    """The share of labels in a table that is nearest to the one asked for."""
    known = table["share"].unique()
    return float(known[np.abs(known - share).argmin()])


def confidence_rows(run: Run, setting: Setting, threshold: float) -> pd.DataFrame:
    """What FixMatch believed of the unlabelled images at each look, held against their labels.

    Args:
        run: of a method that keeps its beliefs.
        setting: has the labels that were hidden from it.
        threshold: an answer surer than this is a label.

    Returns:
        a row a look, truth and answer: images, sure (images whose answer was sure enough).
    """
    beliefs = run.beliefs()
    if beliefs is None:
        raise LesionsError(f"{run.folder.name} keeps no beliefs: it had no unlabelled images.")
    few = with_few_labels(setting.rows, run.share, run.seed)
    hidden = few.loc[few["split"] == UNLABELLED, "image_id"]
    truth = setting.rows.drop_duplicates("image_id").set_index("image_id")["label"].loc[hidden]
    classes = sorted(setting.rows["label"].unique())
    wanted = np.array([run.about()["learnt"][name] for name in classes])
    tables = []
    for look, p in enumerate(beliefs, 1):
        turned = p * wanted / np.maximum(p.mean(axis=0), 1e-9)
        turned /= turned.sum(axis=1, keepdims=True)
        line = pd.DataFrame({"truth": truth.to_numpy(),
                             "answer": np.array(classes)[turned.argmax(axis=1)],
                             "sure": turned.max(axis=1) >= threshold})  # fmt: skip
        count = line.groupby(["truth", "answer"])["sure"].agg(["size", "sum"]).reset_index()
        tables.append(count.set_axis(["truth", "answer", "images", "sure"], axis=1).assign(
            look=look / len(beliefs)))  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def of_one_run(table: pd.DataFrame, method: str, share: float, seed: int) -> pd.DataFrame:
    """The rows of one run; of the nearest share that there is, and the nearest seed."""
    part = table[table["method"] == method]
    part = part[part["share"] == nearest_share(part, share)]
    return part[part["seed"] == part["seed"].iloc[(part["seed"] - seed).abs().argmin()]]


def trusted(table: pd.DataFrame, common: str) -> pd.DataFrame:
    """How far FixMatch trusts itself, and how rightly: a row a look.

    Args:
        table: from `beliefs`, of one run.
        common: the most frequent class.

    Returns:
        by look: % sure, % of these right, % of these called the common class, and % of the truly
        other images among the sure that are called so: the bias that confirms itself.
    """

    def line(part: pd.DataFrame) -> pd.Series:
        sure = max(1, part["sure"].sum())
        others = part[part["truth"] != common]
        called = part["answer"] == common
        wrong = others.loc[others["answer"] == common, "sure"].sum()
        return pd.Series(
            {
                "sure": 100 * part["sure"].sum() / part["images"].sum(),
                "right": 100 * part.loc[part["truth"] == part["answer"], "sure"].sum() / sure,
                f"called {common}": 100 * part.loc[called, "sure"].sum() / sure,
                f"others called {common}": 100 * wrong / max(1, others["sure"].sum()),
            }
        )

    found = table.groupby("look")[["truth", "answer", "images", "sure"]].apply(line)
    found.index = [f"{100 * look:.0f} % of the steps" for look in found.index]
    return found.round(0)


def beliefs(runs: Sequence[Run], setting: Setting, threshold: float) -> pd.DataFrame:
    """`confidence_rows` of all runs that keep beliefs, with method, share and seed."""
    parts = [
        confidence_rows(run, setting, threshold).assign(
            method=run.method, share=run.share, seed=run.seed
        )
        for run in runs
        if run.beliefs() is not None
    ]
    columns = ["truth", "answer", "images", "sure", "look", "method", "share", "seed"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def in_words(table: pd.DataFrame, common: str, whose: str) -> str:
    """How sure and how right FixMatch was at its first look and at its last, in a sentence."""
    way = trusted(table, common)
    begin, end = way.iloc[0], way.iloc[-1]
    bias = f"others called {common}"
    return (
        f"Of {whose}: sure of {begin['sure']:.0f} % at first, {end['sure']:.0f} % in the end; "
        f"right where sure: {begin['right']:.0f} % and {end['right']:.0f} %; "
        f"{bias}: {begin[bias]:.0f} % and {end[bias]:.0f} %."
    )
