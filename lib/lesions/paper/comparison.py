"""The tables of notebook 06: the paper's nine rows, ours, and the baselines, from records alone."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lesions.baselines import baselines
from lesions.baselines.baselines import CHEAP
from lesions.core.errors import LesionsError
from lesions.paper import published
from lesions.scores import calibration, evaluation, subgroups
from lesions.training import run_records

# Test predictions of every baseline, by (protocol, target, baseline): `baseline_runs.baselines_of`.
Cheap = Mapping[tuple[str, str, str], pd.DataFrame]
PROTOCOLS = ("paper", "honest")


def _interval(predictions: pd.DataFrame, measure: str, n: int) -> tuple[float, float, float]:
    found = evaluation.bootstrap(predictions, measure, n=n).loc[measure]
    return found["value"], found["low"], found["high"]


def nine_rows(
    records: pd.DataFrame, cheap: Cheap, measure: str = "accuracy", n: int = 1000
) -> pd.DataFrame:
    """Published, ours under each protocol, the majority class and the cheap baseline.

    Args:
        records: from `run_records.load_records`, of one seed.
        cheap: the baselines on the same split rows.
        measure: a score such as "accuracy" or "balanced_accuracy".
        n: bootstrap samples behind each interval; lesions are drawn.

    Returns:
        the paper's rows: row, model (its name), key (ours), target, published (accuracy); for each
        protocol that was run `<protocol>`, `<protocol>_majority` and `<protocol>_cheap` (colour
        histogram and logistic regression), each with `_low` and `_high`, and `<protocol>_init`.
        What was not run is NaN.
    """
    table = published.scores().rename(columns={"accuracy": "published"})
    table = table[["row", "model", "key", "target", "published"]]
    runs = {(r.protocol, r.key, r.target): r for r in records.rename(columns={"model": "key"})
            .itertuples()}  # fmt: skip
    for protocol in PROTOCOLS:
        if not any(key[0] == protocol for key in runs):
            continue
        lines = []
        for row in table.itertuples():
            run = runs.get((protocol, row.key, row.target))
            sources = {
                protocol: run_records.predictions_of(run.record) if run else None,
                f"{protocol}_majority": cheap.get((protocol, row.target, "majority")),
                f"{protocol}_cheap": cheap.get((protocol, row.target, CHEAP)),
            }
            line = {f"{protocol}_init": run.init if run else None}
            for name, predictions in sources.items():
                known = predictions is not None
                found = _interval(predictions, measure, n) if known else (np.nan,) * 3
                line |= dict(zip((name, f"{name}_low", f"{name}_high"), found, strict=True))
            lines.append(line)
        table = table.join(pd.DataFrame(lines, index=table.index))
    return table


def that_were_run(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `nine_rows` that have a run of ours: images of one's own lack some targets."""
    ours = [name for name in PROTOCOLS if name in table]
    return table[table[ours].notna().any(axis=1)].reset_index(drop=True)


def seeds_of(records: pd.DataFrame, measure: str = "accuracy") -> pd.DataFrame:
    """Mean and range over seeds of each model: what an interval over test lesions does not cover.

    Returns:
        protocol, model, target, seeds, mean, lowest, highest; with one seed the last two are empty,
        for one number has no range.
    """
    table = (
        records.groupby(["protocol", "model", "target"], sort=False)[measure]
        .agg(seeds="size", mean="mean", lowest="min", highest="max")
        .reset_index()
    )
    one = table["seeds"] == 1
    return table.assign(lowest=table["lowest"].mask(one), highest=table["highest"].mask(one))


def inside(table: pd.DataFrame, protocol: str = "paper") -> list[int]:
    """The rows whose published accuracy lies in our interval under a protocol."""
    low, high = table[f"{protocol}_low"] - 0.005, table[f"{protocol}_high"] + 0.005
    return table.loc[table["published"].between(low, high), "row"].tolist()


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`nine_rows` with each score and its interval in one cell, such as "0.71 (0.69 to 0.74)"."""
    shown = table[["model", "target", "published"]].copy()
    for name in [c for c in table if f"{c}_low" in table]:
        cells = zip(table[name], table[f"{name}_low"], table[f"{name}_high"], strict=True)
        shown[name.replace("_", ", ")] = [
            "-" if np.isnan(value) else f"{value:.2f} ({low:.2f} to {high:.2f})"
            for value, low, high in cells
        ]
    return shown


def gap(records: pd.DataFrame, measure: str = "balanced_accuracy") -> pd.DataFrame:
    """What `paper` gives more than `honest`: same model, seed and budget, another protocol.

    Args:
        records: from `run_records.load_records`; all the seeds that were run under both.

    Returns:
        one row a model and target: seeds (how many), paper, honest (means), gap, gap_low, gap_high
        (smallest and largest over the seeds).

        No row, and a sentence, where nothing was run under both protocols.
    """
    keys = ["model", "target", "seed"]
    wide = records.pivot_table(index=keys, columns="protocol", values=measure)
    wide = wide.reindex(columns=list(PROTOCOLS)).dropna()
    if wide.empty:
        print("Nothing was run under both protocols, so there is no gap to show: PROTOCOL=both.")
    wide["gap"] = wide["paper"] - wide["honest"]
    table = (
        wide.groupby(["model", "target"])
        .agg(seeds=("gap", "size"), paper=("paper", "mean"), honest=("honest", "mean"),
             gap=("gap", "mean"), gap_low=("gap", "min"), gap_high=("gap", "max"))
        .sort_values("gap", ascending=False, kind="stable")
        .reset_index()
    )  # fmt: skip
    return without_single_range(table)


def without_single_range(gaps: pd.DataFrame) -> pd.DataFrame:
    """The gaps, without a range where there was one seed: one number has none."""
    one = gaps["seeds"] == 1
    return gaps.assign(gap_low=gaps["gap_low"].mask(one), gap_high=gaps["gap_high"].mask(one))


def board(
    records: pd.DataFrame, cheap: Cheap, protocol: str = "honest", n: int = 1000
) -> pd.DataFrame:
    """Every network and every baseline of a protocol, on the same axes.

    Returns:
        target, name, kind ("network" or "baseline"), metric (accuracy, balanced_accuracy,
        macro_auc), value, low, high.

    Raises:
        LesionsError: nothing was run under the protocol.
    """
    metrics = ("accuracy", "balanced_accuracy", "macro_auc")
    runs = records[records["protocol"] == protocol]
    entries = [
        (run.target, run.model, "network", run_records.predictions_of(run.record))
        for run in runs.itertuples()
    ]
    entries += [
        (target, baselines.BASELINES[name].about, "baseline", predictions)
        for (one, target, name), predictions in cheap.items()
        if one == protocol
    ]
    if not entries:
        raise LesionsError(f"Nothing was run under the protocol {protocol}: set PROTOCOL=both.")
    tables = [
        evaluation.bootstrap(predictions, metrics, n=n)
        .reset_index()
        .assign(target=target, name=name, kind=kind)
        for target, name, kind, predictions in entries
    ]
    columns = ["target", "name", "kind", "metric", "value", "low", "high"]
    return pd.concat(tables, ignore_index=True)[columns]


def against_cheap(
    records: pd.DataFrame, cheap: Cheap, measure: str = "accuracy", n: int = 1000
) -> pd.DataFrame:
    """Each network against colours and logistic regression, on the same test images (`honest`).

    The baseline was fixed beforehand; picking the best one by its test score would be unfair.

    Returns:
        model, target, network, cheap, difference, low, high, verdict: "ahead", "behind", or "not
        told apart" where the interval holds 0.
    """
    lines = []
    for run in records[records["protocol"] == "honest"].itertuples():
        other = cheap.get(("honest", run.target, CHEAP))
        if other is None:
            continue
        found = evaluation.paired_difference(
            run_records.predictions_of(run.record), other, measure, n=n
        ).loc[measure]
        verdict = "ahead" if found["low"] > 0 else "behind" if found["high"] < 0 else None
        line = {"model": run.model, "target": run.target, "network": found["a"]}
        line |= {"cheap": found["b"]} | found[["difference", "low", "high"]].to_dict()
        lines.append(line | {"verdict": verdict or "not told apart"})
    return pd.DataFrame(lines)


# ---------------------------------------------------------------- probabilities and decisions


def _dx_runs(records: pd.DataFrame) -> dict[str, str]:
    """The honest runs on dx: name to record."""
    chosen = records[(records["protocol"] == "honest") & (records["target"] == "dx")]
    return dict(zip(chosen["model"], chosen["record"], strict=True))


def with_validation(
    records: pd.DataFrame, cheap_validation: Cheap, cheap: Cheap
) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """Validation and test predictions of each honest dx model, the cheap baseline last.

    Where nothing was learnt on dx under `honest`, there is nothing to compare: empty.
    """
    found = {
        name: (run_records.predictions_of(record, "validation"), run_records.predictions_of(record))
        for name, record in _dx_runs(records).items()
    }
    key = ("honest", "dx", CHEAP)
    if key in cheap:
        found["histogram, logistic"] = (cheap_validation[key], cheap[key])
    return found


def calibrations(models: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]) -> pd.DataFrame:
    """What one temperature, chosen on the validation part, does on the test part.

    Args:
        models: validation and test predictions by name, from `with_validation`.

    Returns:
        model, temperature, ece, log_loss, and both after scaling: ece_scaled, log_loss_scaled.
    """
    lines = []
    for name, (validation, test) in models.items():
        temperature = calibration.temperature(validation)
        before = evaluation.scores(test)
        after = evaluation.scores(calibration.calibrate(test, temperature))
        line = {"model": name, "temperature": temperature}
        line |= {measure: before[measure] for measure in ("ece", "log_loss")}
        line |= {f"{measure}_scaled": after[measure] for measure in ("ece", "log_loss")}
        lines.append(line)
    return pd.DataFrame(lines)


def decisions(
    models: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]], cls: str = ""
) -> pd.DataFrame:
    """The most probable class against a rule chosen on validation for balanced accuracy.

    Args:
        models: from `with_validation`.
        cls: the class looked at by itself; melanoma if it is not given, or the rarest.

    Returns:
        two rows a model: model, rule, accuracy, balanced_accuracy, sensitivity and specificity of
        `cls`, and its sensitivity where 95 % of the others are spared.
    """
    lines = []
    for name, (validation, test) in models.items():
        cls = evaluation.looked_at(validation, cls or "mel")
        weights = calibration.choose_decision(validation).to_dict()
        for rule, decision in (("most probable", "argmax"), ("chosen on validation", weights)):
            scores = evaluation.scores(test, decision)
            one = evaluation.per_class(test, decision).loc[cls]
            line = {"model": name, "rule": rule}
            line |= {m: scores[m] for m in ("accuracy", "balanced_accuracy")}
            line |= {f"{cls}_{m}": one[m] for m in ("sensitivity", "specificity")}
            at = evaluation.sensitivity_at_specificity(test, cls)
            lines.append(line | {f"{cls}_sensitivity_at_95": at})
    return pd.DataFrame(lines)


# ---------------------------------------------------------------- for whom


def by_subgroups(
    predictions: pd.DataFrame, table: pd.DataFrame, n: int, least: int = 10
) -> pd.DataFrame:
    """Accuracy and balanced accuracy by sex, age band, localization and cohort.

    Returns:
        column, group, images, lesions, metric, value, low, high.
    """
    parts = [
        subgroups.by_subgroup(predictions, table, column, n=n, least=least).assign(column=column)
        for column in ("sex", "age", "localization", "dataset")
        if column in table and len(set(table[column].astype(str))) > 1
    ]
    if not parts:
        print("Nothing is known of these images that would tell subgroups apart.")
        columns = ["column", "group", "images", "lesions", "metric", "value", "low", "high"]
        return pd.DataFrame(columns=columns)
    return pd.concat(parts, ignore_index=True)
