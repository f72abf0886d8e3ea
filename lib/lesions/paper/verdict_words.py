"""The conclusion of a run in words, each sentence computed from its tables."""

from pathlib import Path

import pandas as pd

from lesions.baselines.baselines import BASELINES, CHEAP
from lesions.paper.rules import RULES


def read_table(path: Path) -> pd.DataFrame | None:
    """A table that a notebook left; None if it is not there or holds nothing."""
    try:
        table = pd.read_csv(path)
    except (FileNotFoundError, pd.errors.EmptyDataError):
        return None
    return None if table.empty else table


def left_out(rows: int, whole: int = 9) -> str:
    """A sentence on rows of the paper that the images at hand have no target for."""
    missing = whole - rows
    if not missing:
        return f"All {whole} rows of the paper's table have a run of ours."
    return f"{missing} of {whole} rows are left out: nothing was trained for them on these images."


WAYS = 5  # to resample, that the forensic experiment tries
# They show what chance gives, and are no rivals.
CONTROLS = ("permuted", "stratified")


def _table(results: Path, name: str) -> pd.DataFrame | None:
    return read_table(results / f"{name}.csv")


def many(count: int, whole: int, what: str) -> str:
    """`3 of 9 networks`, `none of 9 networks`, `all 9 networks`."""
    if count == whole:
        return f"all {whole} {what}" if whole > 1 else f"the one {what.removesuffix('s')}"
    return f"{count or 'none'} of {whole} {what}"


def ranking(table: pd.DataFrame) -> str:
    """How the networks rank lesions beside the colours: from `rules.without_rule`."""
    networks = table[table["kind"] == "network"]
    if "verdict" not in networks or networks["verdict"].dropna().empty:
        return "There is no colour baseline beside the networks."
    told = networks["verdict"].value_counts()
    counts = {name: int(told.get(name, 0)) for name in ("ahead", "behind", "not told apart")}
    behind = many(counts["behind"], len(networks), "networks")
    return (
        "By macro AUC, which needs no decision rule, with the whole interval of this seed behind "
        f"colours with logistic regression: {behind}; with the whole interval ahead: "
        f"{counts['ahead']}; not told apart from them on these test lesions: "
        f"{counts['not told apart']}."
    )


def same_rule(table: pd.DataFrame) -> str:
    """Networks and baselines under one rule: from `rules.both_rules`."""
    measure = f"balanced accuracy, {RULES[1]}"
    controls = [BASELINES[name].about for name in CONTROLS]
    table = table[~table["name"].isin(controls)]
    parts = []
    for target, part in table.groupby("target", sort=False):
        best = part.loc[part[measure].idxmax()]
        parts.append(f"on {target} by {best['name']} ({best['kind']}, {best[measure]:.2f})")
    best = "; ".join(parts)
    return f"With all classes weighed alike, the best balanced accuracy is reached {best}."


def leak(table: pd.DataFrame) -> str:
    """What the protocol is worth: from `comparison.gap`."""
    top = table.loc[table["gap"].idxmax()]
    seeds = int(table["seeds"].max())
    return (
        f"The protocol paper promises up to {top['gap']:.2f} more balanced accuracy than honest "
        f"leaves ({top['model']} on {top['target']}); "
        + ("each model was run with one seed." if seeds == 1 else f"with up to {seeds} seeds.")
    )


def arithmetic(readings: pd.DataFrame) -> str:
    """From the grid of readings: which rows of the paper's table cannot be as printed."""
    printed = ["as printed", "equal classes", "one answer for all"]
    bad = readings.loc[(readings[printed] == "impossible").all(axis=1), "row"].tolist()
    natural = ["as printed", "natural, macro copied", "natural, weighted copied"]
    equal = readings.loc[(readings[natural] == "impossible").all(axis=1), "row"].tolist()
    listed = ", ".join(map(str, bad)) or "none"
    return (
        f"Rows of the paper's table that no confusion matrix gives as printed: {listed}. Rows "
        "whose numbers need a test part with classes made equal: "
        f"{', '.join(map(str, equal)) or 'none'}."
    )


def ledger(claims: pd.DataFrame) -> str:
    """From the claims: how many have which verdict."""
    counts = claims["verdict"].value_counts()
    parts = ", ".join(f"{verdict} {count}" for verdict, count in counts.items())
    return f"Of {len(claims)} numbers and sentences of the paper: {parts}."


SENTENCES = (
    ("without_rule", ranking),
    ("rules", same_rule),
    ("gap", leak),
    ("readings", arithmetic),
    ("claims", ledger),
)


def conclusion(results: Path) -> list[str]:
    """One sentence for each table that is there."""
    tables = ((_table(results, name), say) for name, say in SENTENCES)
    return [say(table) for table, say in tables if table is not None]


def _listed(rows: pd.Series) -> str:
    if rows.empty:
        return "no row"
    return f"row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows))}"


def kept_study(
    accuracy: pd.DataFrame, board: pd.DataFrame, gaps: pd.DataFrame, kept: pd.DataFrame
) -> str:
    """What the kept study gives, in sentences that follow from its tables.

    Args:
        accuracy: the kept table of nine rows.
        board: the kept board, with macro AUC of networks and baselines.
        gaps: the kept gaps.
        kept: from `evidence.kept_scores`, with the range over seeds.
    """
    auc = board[board["metric"] == "macro_auc"].set_index(["target", "name"])["value"]
    rows = [(row.target, row.key) for row in accuracy.itertuples()]
    colours = BASELINES[CHEAP].about
    behind = sum(auc[target, key] < auc[target, colours] for target, key in rows)
    one = accuracy["published"].between(
        accuracy["paper_low"] - 0.005, accuracy["paper_high"] + 0.005
    )
    ours = kept[kept["protocol"] == "paper"].set_index("row").loc[accuracy["row"]]
    wide = accuracy["published"].between(
        ours["low"].to_numpy() - 0.005, ours["high"].to_numpy() + 0.005
    )
    lines = [
        "By macro AUC, without a rule and by the point estimates of one seed, "
        f"{many(behind, len(rows), 'networks')} rank behind colours with logistic regression "
        "under honest.",
        f"Of {len(rows)} published accuracies {int(one.sum())} "
        f"{'lies' if one.sum() == 1 else 'lie'} in our interval under paper of one seed "
        f"({_listed(accuracy.loc[one, 'row'])}), {int(wide.sum())} if the range over the seeds "
        f"that were run is added ({_listed(accuracy.loc[wide, 'row'])}).",
    ]
    own = [name for target, name in auc.index if target == "dx" and name == "compact_cnn"]
    if own:
        lines.append(
            f"The compact network, not resampled and trained longer, has {auc['dx', own[0]]:.3f} "
            f"on dx, the colours {auc['dx', colours]:.3f}."
        )
    top = gaps.loc[gaps["gap"].idxmax()]
    several = gaps.loc[gaps["seeds"] > 1, "model"].tolist()
    lines.append(
        f"The widest gap is that of {top['model']} on {top['target']}, {top['gap']:.2f}. Several "
        f"seeds were run of {' and '.join(several)} only; all other rows are one seed."
    )
    return "\n".join(lines)


def guess(closest: pd.DataFrame) -> str:
    """The way that comes closest to each row, from `forensic.closest`."""
    lines = []
    for row in closest.itertuples():
        way = (
            "no resampling"
            if row.when == "never"
            else f"{row.resampling}sampling {row.when} the split"
        )
        seeds = "one seed" if row.seeds == 1 else f"{row.seeds} seeds"
        told = "the seeds tell it from the next" if row.told_apart else "the next is as near"
        if row.seeds == 1:
            told = "one seed tells nothing of the order"
        epochs = "1 epoch" if row.epochs == 1 else f"{row.epochs} epochs"
        if row.as_near:
            told = f"as near: {row.as_near}"
        if row.ways < WAYS:
            told += f"; only {row.ways} of {WAYS} ways were tried"
        lines.append(
            f"Row {row.row}: {way}, {epochs}, distance {row.distance:.3f} ({seeds}; next "
            f"{row.next}, {row.next_distance:.3f}: {told})."
        )
    return "\n".join(lines)
