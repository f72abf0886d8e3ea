"""Comparisons that are fair whatever classes a model was trained on.

A network that was trained on classes made equal and a baseline trained on natural ones follow two
decision rules; their accuracies compare the rules. Macro AUC and log loss need no rule. Where one
is needed, every model is brought to the same one (Saerens, Latinne and Decaestecker 2002).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lesions.baselines import baselines
from lesions.baselines.baselines import CHEAP
from lesions.core.numbers import ranked
from lesions.scores import calibration, evaluation
from lesions.training import recipes, run_records

RULES = ("as in nature", "all classes alike")
# Log loss of a class that a model calls impossible would be infinite.
WITHOUT_RULE = ("macro_auc", "log_loss")
FUSION = "fusion"  # of models that see nature's shares
HALVES = 5  # ways to cut the validation part in two


class Model(NamedTuple):
    """A model's answers, and the class shares that it learnt with."""

    target: str
    name: str
    kind: str  # "network" or "baseline"
    learnt: str  # one of "equal", "natural"
    validation: pd.DataFrame
    test: pd.DataFrame


def main_protocol(records: pd.DataFrame) -> str:
    """`honest` where it was run, else the protocol that was."""
    there = list(dict.fromkeys(records["protocol"]))
    return "honest" if "honest" in there else there[0]


def _learnt(record: str, model: str) -> str:
    given = run_records.About.read(Path(record)).settings
    if model == FUSION or recipes.each_image_once(model):
        return "natural"  # whatever RESAMPLE is
    equal = given.get("RESAMPLE", "over") != "none" or given.get("CLASS_WEIGHTS", False)
    return "equal" if equal else "natural"


def models_of(
    records: pd.DataFrame, cheap_validation: Mapping, cheap: Mapping, protocol: str
) -> list[Model]:
    """Every network and every baseline of a protocol, with the shares that it learnt with.

    Args:
        records: from `run_records.load_records`, of one seed.
        cheap_validation, cheap: the baselines on both parts, from `baseline_runs.baselines_of`.
        protocol: under `paper` all classes are equal anyway.
    """
    found = []
    for run in records[records["protocol"] == protocol].itertuples():
        parts = (run_records.predictions_of(run.record, part) for part in ("validation", "test"))
        found.append(
            Model(run.target, run.model, "network", _learnt(run.record, run.model), *parts)
        )
    for key, test in cheap.items():
        one, target, name = key
        if one == protocol and key in cheap_validation:
            learnt = "equal" if "balanced" in name else "natural"
            about = baselines.BASELINES[name].about
            found.append(Model(target, about, "baseline", learnt, cheap_validation[key], test))
    return found


def without_rule(models: list[Model], n: int = 1000) -> pd.DataFrame:
    """Macro AUC and log loss of each model, and the paired difference to colours in macro AUC.

    Returns:
        target, name, kind, macro_auc, log_loss, minus_colours (macro AUC), low, high (its interval
        over test lesions), verdict: "ahead", "behind" or "not told apart"; the best AUC first.
    """
    colours = {m.target: m.test for m in models if m.name == baselines.BASELINES[CHEAP].about}
    lines = []
    for model in models:
        scores = evaluation.scores(model.test)
        line = {"target": model.target, "name": model.name, "kind": model.kind}
        line |= {measure: scores[measure] for measure in WITHOUT_RULE}
        other = colours.get(model.target)
        if other is not None and other is not model.test:
            found = evaluation.paired_difference(model.test, other, "macro_auc", n=n)
            found = found.loc["macro_auc"]
            line |= {"minus_colours": found["difference"], "low": found["low"],
                     "high": found["high"]}  # fmt: skip
            line["verdict"] = (
                "ahead" if found["low"] > 0 else "behind" if found["high"] < 0 else "not told apart"
            )
        lines.append(line)
    return ranked(pd.DataFrame(lines), "macro_auc")


def shares_of(labels: pd.Series, classes: list[str]) -> dict[str, float]:
    """The share of each class; half an image where there is none, for no share may be 0."""
    counts = labels.value_counts().reindex(classes).fillna(0).clip(lower=0.5)
    return (counts / counts.sum()).to_dict()


def rule_weights(model: Model, rule: str) -> dict[str, float]:
    """Class weights that bring a model's probabilities from what it learnt with to a rule.

    The natural shares are counted on the validation part: the test part must not be looked at.
    """
    classes = list(evaluation.classes_of(model.test))
    natural = shares_of(model.validation["truth"], classes)
    equal = dict.fromkeys(classes, 1 / len(classes))
    shares = {"natural": natural, "equal": equal, RULES[0]: natural, RULES[1]: equal}
    return calibration.prior_weights(shares[model.learnt], shares[rule]).to_dict()


def both_rules(models: list[Model]) -> pd.DataFrame:
    """Each model under two rules: the classes as often as in nature, and all alike.

    Returns:
        target, name, kind, learnt, and accuracy and balanced accuracy under each rule.
    """
    lines = []
    for model in models:
        line = {"target": model.target, "name": model.name, "kind": model.kind,
                "learnt": model.learnt}  # fmt: skip
        for rule in RULES:
            scores = evaluation.scores(model.test, rule_weights(model, rule))
            line |= {f"accuracy, {rule}": scores["accuracy"],
                     f"balanced accuracy, {rule}": scores["balanced_accuracy"]}  # fmt: skip
        lines.append(line)
    return ranked(pd.DataFrame(lines), f"balanced accuracy, {RULES[1]}")


# ---------------------------------------------------------------- what validation flatters


def flattery(models: list[Model], seed: int = 0) -> pd.DataFrame:
    """How much better a rule looks on the images that it was chosen on.

    The validation lesions are cut in halves, `HALVES` times; a decision rule is chosen on one half
    and scored on it and on the other.

    Returns:
        target, name, chosen_on_them (balanced accuracy on the half that chose), on_others (on the
        other half), flattered (their difference), validation_minus_test (macro AUC: what stopping,
        fusion and chance make of the validation part).
    """
    lines = []
    for model in models:
        if model.kind == "baseline":
            continue
        lesions = model.validation["lesion_id"].unique()
        own, others = [], []
        for turn in range(HALVES):
            order = np.random.default_rng([seed, turn]).permutation(lesions)
            first = model.validation["lesion_id"].isin(order[: len(order) // 2])
            for half in (first, ~first):
                weights = calibration.choose_decision(model.validation[half]).to_dict()
                for part, kept in ((half, own), (~half, others)):
                    scores = evaluation.scores(model.validation[part], weights)
                    kept.append(scores["balanced_accuracy"])
        line = {
            "target": model.target,
            "name": model.name,
            "chosen_on_them": np.mean(own),
            "on_others": np.mean(others),
            "flattered": np.mean(own) - np.mean(others),
        }
        line["validation_minus_test"] = (
            evaluation.scores(model.validation)["macro_auc"]
            - evaluation.scores(model.test)["macro_auc"]
        )
        lines.append(line)
    return pd.DataFrame(lines)


def absent(models: list[Model]) -> pd.DataFrame:
    """Which classes of each target the test part does not hold: macro averages leave them out.

    Returns:
        target, classes (known from training), in_the_test_part, absent (names).
    """
    lines = {}
    for model in models:
        missing = evaluation.absent_classes(model.test)
        known = len(evaluation.classes_of(model.test))
        lines[model.target] = (known, known - len(missing), ", ".join(missing) or "none")
    table = pd.DataFrame.from_dict(lines, orient="index",
                                   columns=["classes", "in_the_test_part", "absent"])  # fmt: skip
    return table.rename_axis("target").reset_index()


# ---------------------------------------------------------------- another clinic


def across_cohorts(answers: pd.DataFrame, n: int) -> pd.DataFrame:
    """Tested on one cohort: trained with some of it, without it, and then told its class shares.

    A cohort differs in what it photographs and in which lesions it has. The third way changes only
    the class shares that the model reckons with, so what is left is about the pictures.

    Args:
        answers: from `experiments.folds_and_cohorts`.

    Returns:
        cohort, trained ("with it", "without it", "without it, told its shares"), metric, value,
        low, high.
    """
    lines = []
    classes = list(evaluation.classes_of(answers))
    within = answers[answers["fold"] >= 0]
    for (cohort, elsewhere), part in answers.groupby(["cohort", answers["fold"] < 0]):
        ways = {"without it" if elsewhere else "with it": "argmax"}
        if elsewhere:
            learnt = shares_of(within.loc[within["cohort"] != cohort, "truth"], classes)
            there = shares_of(part["truth"], classes)
            ways["without it, told its shares"] = calibration.prior_weights(learnt, there).to_dict()
        for trained, decision in ways.items():
            found = evaluation.bootstrap(
                part, ("accuracy", "balanced_accuracy"), n=n, decision=decision
            ).reset_index()
            lines.append(found.assign(cohort=cohort, trained=trained))
    columns = ["cohort", "trained", "metric", "value", "low", "high"]
    return pd.concat(lines, ignore_index=True)[columns]
