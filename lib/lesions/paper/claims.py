"""A verdict for each claim of the paper, computed from its own table, from the data and from runs.

`data/claims.csv` holds one claim a line: id, section, quote, kind, and what the kind needs:

| kind | the claim | needs |
|---|---|---|
| score | a published score | row of the table, metric (`f1` and `recall`: either average), value |
| order | one row is above (below) others | row, other rows, metric, relation |
| constant | a model learnt something | rows |
| resampled | the test part is as nature has it | rows |
| fact | something about the dataset | fact (see `dataset_facts`), relation, value |
| sum | a sum or difference | value, such as `70 + 15 + 15 = 100` |
| conflict | two places of the paper | value, other, why (the other place) |
| known | something the literature knows | value, other (what is right), why (the source) |
| setting | how something was done | |
| outside | a statement about the world | |
| plan | what is to be done later | |
| open | what the paper gives no means to check | why |
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from lesions.paper import audit, matrices, readings
from lesions.paper.evidence import (
    Estimate,
    Evidence,
    Fact,
    dataset_facts,
    our_differences,
    our_scores,
)

__all__ = ["KINDS", "VERDICTS", "dataset_facts", "load", "our_differences", "our_scores",
           "verdicts"]  # fmt: skip

CLAIMS = ROOT / "data" / "claims.csv"
REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
CONTRADICTED = "contradicted by its own table"
FALSE = "false"
# Two numbers of a row exclude each other: one of them is wrong, and the table does not say which.
EXCLUDED = "excluded by another number of its row"
TARGETS = "compares different targets"
UNDECIDED = "not decided by the evidence"
NOT_CHECKABLE = "not checkable"
NOT_CHECKED = "not checked"
PLAN = "a plan"
VERDICTS = (
    REPRODUCED, NOT_REPRODUCED, UNDECIDED, audit.IMPOSSIBLE, EXCLUDED, CONTRADICTED, FALSE,
    TARGETS, audit.CONSTANT, NOT_CHECKABLE, NOT_CHECKED, PLAN,
)  # fmt: skip
# Names of a score that the text leaves open.
EITHER = {
    "f1": ("macro_f1", "weighted_f1"),
    "recall": ("macro_recall", "weighted_recall"),
}
ABOUT = 0.05  # how near "approximately 70 %" has to be
Verdict = tuple[str, str]


def load(path: Path = CLAIMS) -> pd.DataFrame:
    """The claims, all as text; an empty cell is an empty text."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _written(result: dict) -> str:
    count = int(result["seeds"])
    seeds = f"mean of {count} seeds" if count > 1 else "one seed"
    return f"{result['value']:.3f} ({result['low']:.3f} to {result['high']:.3f}; {seeds})"


# ---------------------------------------------------------------- one function a kind


def _score(claim: dict, evidence: Evidence) -> Verdict:
    row, value = int(claim["row"]), float(claim["value"])
    names = EITHER.get(claim["metric"], (claim["metric"],))
    table = evidence.published.loc[row]
    metric = next((name for name in names if abs(table[name] - value) < 1e-9), None)
    if metric is None:
        says = " and ".join(f"{name} {table[name]:.2f}" for name in names)
        return CONTRADICTED, f"row {row} of the table has {says}"
    if says := evidence.finding(row, audit.IMPOSSIBLE, metric):
        return EXCLUDED, f"{says}; one of these numbers is wrong, and nothing says which"
    if says := evidence.finding(row, audit.CONSTANT, metric):
        return audit.CONSTANT, says
    paper = evidence.result(row, "paper", metric)
    if isinstance(paper, str):
        return NOT_CHECKABLE, paper
    half = audit.rounding()
    inside = paper["low"] - half <= value <= paper["high"] + half
    honest = evidence.result(row, "honest", metric)
    more = "" if isinstance(honest, str) else f"; under honest {_written(honest)}"
    verdict = REPRODUCED if inside else NOT_REPRODUCED
    return verdict, f"{metric} of ours under paper {_written(paper)}{more}"


def _order(claim: dict, evidence: Evidence) -> Verdict:
    row, metric = int(claim["row"]), claim["metric"]
    all_others = [int(other) for other in claim["other"].split()]
    sign = 1 if claim["relation"] == "above" else -1
    table = evidence.published

    def shown(one: int) -> str:
        return f"row {one} ({evidence.name(one)})"

    same = table["target"] == table.loc[row, "target"]
    others = [other for other in all_others if same[other]]
    strange = [other for other in all_others if not same[other]]
    if not others:
        numbers = ", ".join(f"{table.loc[one, metric]:.2f}" for one in strange)
        return TARGETS, (
            f"{shown(row)} has another target than rows {', '.join(map(str, strange))}: "
            f"{metric} {table.loc[row, metric]:.2f} against {numbers} says nothing"
        )
    aside = f"; rows {', '.join(map(str, strange))} have another target" if strange else ""
    for other in others:
        # Where two numbers exclude each other, the order may hold with one and not with the other.
        values = [
            {float(table.loc[one, metric]), evidence.excluded_by(one, metric)} - {None}
            for one in (row, other)
        ]
        holds = {sign * (mine - its) > 0 for mine in values[0] for its in values[1]}
        if holds == {False}:
            return CONTRADICTED, (
                f"{metric} of {shown(row)} is {table.loc[row, metric]:.2f}, of {shown(other)} "
                f"{table.loc[other, metric]:.2f}{aside}"
            )
        if len(holds) == 2:
            return EXCLUDED, (
                f"whether {shown(row)} is {claim['relation']} {shown(other)} depends on which of "
                f"the numbers that exclude each other is wrong{aside}"
            )
    for one in (row, *others):
        if says := evidence.finding(one, audit.CONSTANT, metric):
            return audit.CONSTANT, f"row {one}: {says}{aside}"
    results = [evidence.result(one, "honest", metric) for one in (row, *others)]
    needs = [result for result in results if isinstance(result, str)]
    if needs:
        return NOT_CHECKABLE, "; ".join(needs) + aside
    pairs = [evidence.difference(row, other, metric) for other in others]
    if None in pairs:
        return NOT_CHECKABLE, "needs both runs on the same test lesions" + aside
    says = f"{metric} of ours under honest, on the same test lesions: " + "; ".join(
        f"row {row} minus row {other} {pair['difference']:+z.3f} ({pair['low']:+z.3f} to "
        f"{pair['high']:+z.3f}, seeds: {int(pair['seeds'])})"
        for other, pair in zip(others, pairs, strict=True)
    )
    ends = [sorted((sign * pair["low"], sign * pair["high"])) for pair in pairs]
    if all(low > 0 for low, _ in ends):
        return REPRODUCED, says + aside
    return (NOT_REPRODUCED if any(high < 0 for _, high in ends) else UNDECIDED), says + aside


def _constant(claim: dict, evidence: Evidence) -> Verdict:
    for row in map(int, claim["row"].split()):
        says = evidence.finding(row, audit.CONSTANT)
        if says:
            return audit.CONSTANT, f"row {row}: {says}"
    return NOT_CHECKABLE, "no constant answer shows in the table, and it shows nothing more"


def _resampled(claim: dict, evidence: Evidence) -> Verdict:
    rows = [int(row) for row in claim["row"].split()]
    found = evidence.readings
    found = readings.readings(evidence.published.reset_index()) if found is None else found
    able = found[found["verdict"] != matrices.IMPOSSIBLE].groupby("row")["reading"].agg(set)
    equal = [row for row in rows if not any("equal" not in r for r in
             able.get(row, set()) - {readings.CONSTANT}) and able.get(row)]  # fmt: skip
    natural = [row for row in rows if row not in equal]
    also = f"; rows {', '.join(map(str, natural))} fit a test part as in nature, too"
    if equal:
        return CONTRADICTED, (
            f"row {', '.join(map(str, equal))}: its numbers need classes of equal size in the test "
            f"part, so more than the training set was resampled{also if natural else ''}"
        )
    return NOT_CHECKABLE, "the numbers do not show whether the test part was resampled"


def _fact(claim: dict, evidence: Evidence) -> Verdict:
    if claim["fact"] not in evidence.facts:
        return NOT_CHECKABLE, f"needs {claim['fact'].replace('_', ' ')} of the original HAM10000"
    fact, value, relation = evidence.facts[claim["fact"]], claim["value"], claim["relation"]
    says = claim["fact"].replace("_", " ")
    if isinstance(fact, Estimate):
        low, high = (fact.low, fact.high) if relation == "above" else (-fact.high, -fact.low)
        limit = float(value) if relation == "above" else -float(value)
        verdict = REPRODUCED if low > limit else NOT_REPRODUCED if high < limit else UNDECIDED
        return verdict, f"{says}: {fact.value:.2f} ({fact.low:.2f} to {fact.high:.2f})"
    if relation == "equals":
        holds = str(fact) == value
    elif relation == "about":
        holds = abs(fact - float(value)) <= ABOUT
    else:
        holds = fact > float(value) if relation == "above" else fact < float(value)
    counted = f"{fact:.3f}" if isinstance(fact, float) else str(fact)
    return (REPRODUCED if holds else NOT_REPRODUCED), f"{says}: {counted}"


def _sum(claim: dict, evidence: Evidence) -> Verdict:
    left, right = claim["value"].split("=")
    terms = left.replace("- ", "-").replace("+ ", "").split()
    total = sum(int(term) for term in terms)
    verdict = REPRODUCED if total == int(right) else audit.IMPOSSIBLE
    return verdict, f"{left.strip()} is {total}"


def _conflict(claim: dict, evidence: Evidence) -> Verdict:
    verdict = REPRODUCED if claim["value"] == claim["other"] else CONTRADICTED
    return verdict, f"{claim['value']} here, {claim['other']} elsewhere"


def _known(claim: dict, evidence: Evidence) -> Verdict:
    verdict = REPRODUCED if claim["value"] == claim["other"] else FALSE
    return verdict, f"{claim['value']} here, {claim['other']} in the source"


def _always(verdict: str, reason: str) -> Callable[[dict, Evidence], Verdict]:
    return lambda claim, evidence: (verdict, reason)


KINDS: dict[str, Callable[[dict, Evidence], Verdict]] = {
    "score": _score,
    "order": _order,
    "constant": _constant,
    "resampled": _resampled,
    "fact": _fact,
    "sum": _sum,
    "conflict": _conflict,
    "known": _known,
    "setting": _always(
        NOT_CHECKABLE, "a setting, which leaves no trace in the results; `paper` follows it"
    ),
    "outside": _always(
        NOT_CHECKED, "about the world, not about this data or these models; we did not look it up"
    ),
    "open": _always(NOT_CHECKABLE, ""),
    "plan": _always(PLAN, "what is to be done later; there is nothing to check yet"),
}


def verdicts(
    claims: pd.DataFrame,
    published: pd.DataFrame,
    ours: pd.DataFrame | None = None,
    facts: Mapping[str, Fact] | None = None,
    runs: str = "",
    differences: pd.DataFrame | None = None,
    found: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """A verdict and its reason for each claim.

    What the paper's own numbers decide is decided first: text against table, then arithmetic, then
    constant answers. Only what is left is compared with our runs: a score with the paper's
    protocol, an order of models with the honest one. A score is reproduced if it lies in our 95 %
    interval (over test lesions, from the lowest to the highest seed); an order, if the paired
    difference on the same test lesions has one sign throughout its interval.

    Args:
        claims: from `load`.
        published: the paper's table (`published.published`).
        ours: from `our_scores`; only of runs on HAM10000.
        facts: from `dataset_facts`; only of HAM10000.
        runs: a remark on how our runs differ from the paper's, added to verdicts that rest on them.
        differences: from `our_differences`; without it no order is judged by our runs.
        found: from `readings.readings`; made here if it is not given.

    Returns:
        id, section, quote, verdict, reason. The verdict is one of `VERDICTS`; "not checkable" also
        stands where `ours` or `facts` lacks something; the reason then says what is needed.

    Raises:
        LesionsError: a claim has an unknown kind.
    """
    strange = sorted(set(claims["kind"]) - set(KINDS))
    if strange:
        raise LesionsError(
            f"Unknown kind of claim {strange[0]} in claim "
            f"{claims.loc[claims['kind'] == strange[0], 'id'].iloc[0]}; "
            f"there are {', '.join(KINDS)}."
        )
    evidence = Evidence(published, ours, facts, differences, found)
    rows = []
    for claim in claims.to_dict("records"):
        verdict, reason = KINDS[claim["kind"]](claim, evidence)
        from_runs = claim["kind"] in ("score", "order") and "of ours" in reason
        parts = [reason, claim["why"], runs if from_runs else ""]
        rows.append((verdict, "; ".join(part for part in parts if part)))
    columns = pd.DataFrame(rows, columns=["verdict", "reason"], index=claims.index)
    return pd.concat([claims[["id", "section", "quote"]], columns], axis=1)
