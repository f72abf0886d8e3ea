"""All runs of a notebook: train them, score them, and put cheap baselines beside them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from lesions.baselines import baseline_runs, baselines
from lesions.networks import registry
from lesions.scores import evaluation, rules
from lesions.settings.parameters import Settings
from lesions.splits import handover, protocols
from lesions.training import recipes, records, run_records

COLUMNS = ["macro_auc", "balanced_accuracy", "macro_f1", "accuracy"]
EQUALISED = ("both_balanced",)  # a baseline that counts every class alike


def _as_nature_has_it(model: str) -> bool:
    """Whether a model sees natural class shares whatever the rows hold; a fusion answers so."""
    known = registry.names()
    return model not in known or recipes.each_image_once(model)


def train_all(
    runs: Sequence[tuple[str, str]],
    splits: Mapping[str, pd.DataFrame],
    caches: Mapping[str, Path],
    settings: Settings,
    under: Sequence[str] = (),
) -> dict[str, Path]:
    """Train each (model, target) under each protocol; what is finished is kept.

    Args:
        runs: from `records.parse_runs`.
        splits, caches: from `handover.load_splits`.
        under: the protocols; none: those of the settings.

    Returns:
        the record's folder by `<model>:<target>, <protocol>`.
    """
    folders = {}
    for protocol in under or protocols.chosen(settings):
        for name, target in runs:
            rows = handover.rows_of(dict(splits), protocol, target)
            folders[f"{name}:{target}, {protocol}"] = records.train_run(
                name, target, protocol, rows, caches[protocol], settings
            )
    return folders


def score_table(folders: Mapping[str, Path]) -> pd.DataFrame:
    """Scores on the test part, the most probable class being the answer; one row a run.

    Returns:
        macro_auc, balanced_accuracy, macro_f1, accuracy, and `majority`, the accuracy of always
        giving the class that is most frequent in the test part.
    """
    scores = {
        name: evaluation.scores(run_records.predictions_of(folder))
        for name, folder in folders.items()
    }
    table = pd.DataFrame.from_dict(scores, orient="index").reindex(columns=COLUMNS)
    return table.assign(majority=[run_records.majority(folder) for folder in folders.values()])


def side_by_side(
    folders: Mapping[str, Path],
    target: str,
    splits: Mapping[str, pd.DataFrame],
    settings: Settings,
) -> pd.DataFrame:
    """Networks and cheap baselines on one target, each under the decision rule a score asks for.

    Args:
        folders: records by name; those of other targets are passed over.
        target: such as "dx".
        splits: from `handover.load_splits`.

    Returns:
        one row a model, by protocol and name: what `rules.under_both` gives. The protocols come in
        the order of the settings, the models of each by AUC.
    """
    cheap = baseline_runs.baselines_of(settings.folder, settings.SEED)
    about = {label: run_records.About.read(folder) for label, folder in folders.items()}
    found = {}
    for protocol in protocols.chosen(settings):
        if f"{protocol}-{target}" not in splits:
            continue  # images of one's own may lack a target
        rows = splits[f"{protocol}-{target}"]
        learnt = rules.shares(rows)
        # Under `paper` the test part has equal classes as well.
        natural = rules.shares(rows, repeats=protocol == "paper")
        answers = {}
        images = rows[rows["split"] == "train"]["image_id"].nunique()
        for label, run in about.items():
            if (run.protocol, run.target) == (protocol, target):
                once = run.train_rows == images or _as_nature_has_it(run.model)
                test = run_records.predictions_of(folders[label])
                answers[label.partition(":")[0]] = test, natural if once else learnt
        for (under, of, name), test in cheap.items():
            if (under, of) == (protocol, target):
                once = name not in EQUALISED
                equal = pd.Series(1 / len(natural), index=natural.index)
                answers[baselines.about(name, target)] = test, natural if once else equal
        scores = {n: rules.under_both(test, seen, natural) for n, (test, seen) in answers.items()}
        for name in sorted(scores, key=lambda name: -scores[name]["macro_auc"]):
            found[protocol, name] = scores[name]
    table = pd.DataFrame(list(found.values()), columns=list(rules.SCORES))
    table.index = pd.MultiIndex.from_tuples(list(found), names=["protocol", "model"])
    return table


def without_resampling(
    name: str,
    target: str,
    splits: Mapping[str, pd.DataFrame],
    caches: Mapping[str, Path],
    settings: Settings,
) -> dict[str, Path]:
    """Train a model once more under `honest`, each training image once; nothing else changes.

    Returns:
        the record by `<model> without resampling:<target>, honest`; empty without that protocol.
        It lies under `natural/`, beside the other records.
    """
    if "honest" not in protocols.chosen(settings):
        return {}
    rows = handover.rows_of(dict(splits), "honest", target)
    once = rows.drop_duplicates(["image_id", "split"]).reset_index(drop=True)
    own = settings.replace(RESAMPLE="none", folder=settings.folder / "natural")
    folder = records.train_run(name, target, "honest", once, caches["honest"], own)
    return {f"{name} without resampling:{target}, honest": folder}


def means_and_ranges(dial: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The leak dial as text: the mean of each position, and its lowest and highest split."""
    by = dial.groupby(["learner", "resampling", "split"], sort=False)[measure]
    words = by.agg(lambda v: f"{v.mean():.2f} ({v.min():.2f} to {v.max():.2f})")
    return words.unstack("split", sort=False)
