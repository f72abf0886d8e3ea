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
| open | what the paper gives no means to check | why |
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from lesions.paper import audit
from lesions.paper.evidence import Evidence, dataset_facts, our_scores

__all__ = ["KINDS", "VERDICTS", "dataset_facts", "load", "our_scores", "verdicts"]

CLAIMS = ROOT / "data" / "claims.csv"
REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
CONTRADICTED = "contradicted by its own table"
NOT_CHECKABLE = "not checkable"
VERDICTS = (
    REPRODUCED,
    NOT_REPRODUCED,
    audit.IMPOSSIBLE,
    CONTRADICTED,
    audit.CONSTANT,
    NOT_CHECKABLE,
)
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
    return f"{result['value']:.3f} ({result['low']:.3f} to {result['high']:.3f})"


# ---------------------------------------------------------------- one function a kind


def _score(claim: dict, evidence: Evidence) -> Verdict:
    row, value = int(claim["row"]), float(claim["value"])
    names = EITHER.get(claim["metric"], (claim["metric"],))
    table = evidence.published.loc[row]
    metric = next((name for name in names if abs(table[name] - value) < 1e-9), None)
    if metric is None:
        says = " and ".join(f"{name} {table[name]:.2f}" for name in names)
        return CONTRADICTED, f"row {row} of the table has {says}"
    for finding in (audit.IMPOSSIBLE, audit.CONSTANT):
        says = evidence.finding(row, finding, metric)
        if says:
            return finding, says
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
    others = [int(other) for other in claim["other"].split()]
    sign = 1 if claim["relation"] == "above" else -1
    table = evidence.published
    mine = table.loc[row, metric]
    for other in others:
        if sign * (mine - table.loc[other, metric]) <= 0:
            return CONTRADICTED, (
                f"{metric} of row {row} ({evidence.name(row)}) is {mine:.2f}, of row {other} "
                f"({evidence.name(other)}) {table.loc[other, metric]:.2f}"
            )
    others = [other for other in others if table.loc[other, "target"] == table.loc[row, "target"]]
    if not others:
        return NOT_CHECKABLE, "the models compared have different targets"
    for finding in (audit.CONSTANT, audit.IMPOSSIBLE):
        for one in (row, *others):
            says = evidence.finding(one, finding, metric)
            if says:
                return finding, f"row {one}: {says}"
    results = [evidence.result(one, "honest", metric) for one in (row, *others)]
    needs = [result for result in results if isinstance(result, str)]
    if needs:
        return NOT_CHECKABLE, "; ".join(needs)
    first, rest = results[0], results[1:]
    near = ("low", "high") if sign > 0 else ("high", "low")
    clear = all(sign * (first[near[0]] - other[near[1]]) > 0 for other in rest)
    says = f"{metric} of ours under honest {' against '.join(map(_written, results))}"
    return (REPRODUCED if clear else NOT_REPRODUCED), says


def _constant(claim: dict, evidence: Evidence) -> Verdict:
    for row in map(int, claim["row"].split()):
        says = evidence.finding(row, audit.CONSTANT)
        if says:
            return audit.CONSTANT, f"row {row}: {says}"
    return NOT_CHECKABLE, "no constant answer shows in the table, and it shows nothing more"


def _resampled(claim: dict, evidence: Evidence) -> Verdict:
    rows = [int(row) for row in claim["row"].split()]
    same = [row for row in rows if evidence.finding(row, audit.SAME_AVERAGES)]
    if same:
        return CONTRADICTED, (
            f"rows {', '.join(map(str, same))} have equal macro and weighted averages, as on a "
            "test part with classes of equal size: it seems to have been resampled too"
        )
    return NOT_CHECKABLE, "the averages do not show whether the test part was resampled"


def _fact(claim: dict, evidence: Evidence) -> Verdict:
    if claim["fact"] not in evidence.facts:
        return NOT_CHECKABLE, f"needs {claim['fact'].replace('_', ' ')} of the original HAM10000"
    fact, value, relation = evidence.facts[claim["fact"]], claim["value"], claim["relation"]
    if relation == "equals":
        holds = str(fact) == value
    elif relation == "about":
        holds = abs(fact - float(value)) <= ABOUT
    else:
        holds = fact > float(value) if relation == "above" else fact < float(value)
    counted = f"{fact:.3f}" if isinstance(fact, float) else str(fact)
    says = f"{claim['fact'].replace('_', ' ')}: {counted}"
    return (REPRODUCED if holds else NOT_REPRODUCED), says


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
    verdict = REPRODUCED if claim["value"] == claim["other"] else NOT_REPRODUCED
    return verdict, f"{claim['value']} here, {claim['other']} in the source"


def _not_checkable(reason: str) -> Callable[[dict, Evidence], Verdict]:
    return lambda claim, evidence: (NOT_CHECKABLE, reason)


KINDS: dict[str, Callable[[dict, Evidence], Verdict]] = {
    "score": _score,
    "order": _order,
    "constant": _constant,
    "resampled": _resampled,
    "fact": _fact,
    "sum": _sum,
    "conflict": _conflict,
    "known": _known,
    "setting": _not_checkable(
        "a setting, which leaves no trace in the results; `paper` follows it"
    ),
    "outside": _not_checkable("about the world, not about this data or these models"),
    "open": _not_checkable(""),
}


def verdicts(
    claims: pd.DataFrame,
    published: pd.DataFrame,
    ours: pd.DataFrame | None = None,
    facts: Mapping[str, int | float | str] | None = None,
    runs: str = "",
) -> pd.DataFrame:
    """A verdict and its reason for each claim.

    What the paper's own numbers decide is decided first: text against table, then arithmetic, then
    constant answers. Only what is left is compared with our runs: a score with the paper's
    protocol, an order of models with the honest one. A score is reproduced if it lies in our 95 %
    interval; an order, if the intervals do not touch.

    Args:
        claims: from `load`.
        published: the paper's table (`published.published`).
        ours: from `our_scores`; only of runs on HAM10000.
        facts: from `dataset_facts`; only of HAM10000.
        runs: a remark on how our runs differ from the paper's, added to verdicts that rest on them.

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
    evidence = Evidence(published, ours, facts)
    rows = []
    for claim in claims.to_dict("records"):
        verdict, reason = KINDS[claim["kind"]](claim, evidence)
        from_runs = claim["kind"] in ("score", "order") and "of ours" in reason
        parts = [reason, claim["why"], runs if from_runs else ""]
        rows.append((verdict, "; ".join(part for part in parts if part)))
    columns = pd.DataFrame(rows, columns=["verdict", "reason"], index=claims.index)
    return pd.concat([claims[["id", "section", "quote"]], columns], axis=1)
