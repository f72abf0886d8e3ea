"""What a table of trials teaches: who finds the best cell first, what matters, what it is worth.

The tables are those that `tools/search.py` keeps: every cell of `search_space.GRID` was trained, so
that a sampler may be asked again and again without training.
"""

import itertools
from collections.abc import Sequence
from math import comb

import numpy as np
import optuna
import pandas as pd

from lesions.core import seeds
from lesions.core.files import ROOT
from lesions.experiments.search_space import GRID

KEPT = ROOT / "data" / "results" / "search"
STARTUP = 5  # cells that TPE takes by chance first


def kept(name: str, otherwise: pd.DataFrame | None = None) -> pd.DataFrame:
    """A table of the real images that the course keeps, else this run's; says which it is."""
    path = KEPT / f"{name}.csv"
    if path.exists():
        table = pd.read_csv(path)
        print(f"Real images: {len(table)} trainings, kept as {name}.csv.")
        return table
    print(f"No table {name} of the real images is kept; this one is of this run's images.")
    return otherwise if otherwise is not None else pd.DataFrame()


def finished(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials that ran to their end."""
    return trials[trials["state"] == "complete"].reset_index(drop=True)


# ---------------------------------------------------------------- samplers on a table


def _values(trials: pd.DataFrame) -> dict[str, list]:
    """The parameters of the grid that differ between the trials, with their values."""
    found = {name: sorted(trials[name].unique()) for name in GRID if name in trials}
    return {name: values for name, values in found.items() if len(values) > 1}


def by_chance(trials: pd.DataFrame, rng: np.random.Generator, most: int) -> list[int]:
    """Cells in an order of chance: random search without putting back."""
    return rng.permutation(len(trials)).tolist()[:most]


def by_grid(trials: pd.DataFrame, rng: np.random.Generator, most: int) -> list[int]:
    """Cells row by row, as nested loops go through them.

    Which parameter is the outer loop, and from which end each is gone through, is left to chance.
    """
    values = _values(trials)
    names = list(rng.permutation(list(values)))
    turned = [values[name][:: rng.choice([-1, 1])] for name in names]
    places = {
        cell: row for row, cell in enumerate(trials[names].itertuples(index=False, name=None))
    }
    return [places[cell] for cell in itertools.product(*turned) if cell in places][:most]


def by_tpe(trials: pd.DataFrame, rng: np.random.Generator, most: int) -> list[int]:
    """Cells as Optuna's TPE asks for them; a cell that it has seen is told again, at no cost.

    It is asked twice as often as there are cells to open; what is then left to open, chance takes.
    """
    values = _values(trials)
    names = list(values)
    places = {
        cell: row for row, cell in enumerate(trials[names].itertuples(index=False, name=None))
    }
    scores = trials["validation"].to_numpy()
    sampler = optuna.samplers.TPESampler(seed=int(rng.integers(2**31)), n_startup_trials=STARTUP)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    order: list[int] = []
    for _ in range(2 * most):
        trial = study.ask()
        # Places in the sorted values: their order is known to the sampler, not their distances.
        cell = tuple(values[n][trial.suggest_int(n, 0, len(values[n]) - 1)] for n in names)
        row = places.get(cell)
        if row is None:  # the table has no such cell
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            continue
        study.tell(trial, scores[row])
        if row not in order:
            order.append(row)
        if len(order) == most:
            break
    rest = [row for row in rng.permutation(len(trials)).tolist() if row not in order]
    return (order + rest)[:most]


WAYS = {"grid": by_grid, "random": by_chance, "tpe": by_tpe}
SAMPLERS = tuple(WAYS)


def regret(scores: Sequence[float]) -> np.ndarray:
    """How far the best so far is below the best of all, after each trial."""
    scores = np.asarray(scores, float)
    return scores.max() - np.maximum.accumulate(scores)


def regrets(
    trials: pd.DataFrame,
    most: int = 20,
    orders: int = 20,
    seed: int = 0,
    samplers: Sequence[str] = SAMPLERS,
) -> pd.DataFrame:
    """Each way to search, on a table of cells, in several orders.

    Args:
        trials: finished trials; `GRID`'s parameters and validation.
        most: cells that a search may train.
        orders: how often each is done; the seeds fix them.

    Returns:
        sampler, order, trials (from 1), regret.
    """
    best, most, lines = trials["validation"].max(), min(most, len(trials)), []
    for number in range(orders):
        for name in samplers:
            rng = seeds.stream(seed, f"order of {name}", number)
            order = WAYS[name](trials, rng, most)
            reached = np.maximum.accumulate(trials["validation"].to_numpy()[order])
            for count, value in enumerate(reached, 1):
                lines.append((name, number, count, best - value))
    return pd.DataFrame(lines, columns=["sampler", "order", "trials", "regret"])


def to_come_near(found: pd.DataFrame, near: float) -> pd.DataFrame:
    """After how many trials each way is nearer to the best than `near`: median and range."""
    reached = found[found["regret"] <= near].groupby(["sampler", "order"])["trials"].min()
    never = found["trials"].max() + 1
    every = pd.MultiIndex.from_product(
        [SAMPLERS, sorted(found["order"].unique())], names=["sampler", "order"]
    )
    by = reached.reindex(every, fill_value=never).groupby("sampler", sort=False)
    return by.agg(["median", "min", "max"]).reindex(list(SAMPLERS))


# ---------------------------------------------------------------- what matters


def heat(trials: pd.DataFrame, rows: str = "LEARNING_RATE", columns: str = "CNN_WIDTH"):
    """Mean validation score of the trials in each cell of two parameters."""
    return trials.pivot_table(index=rows, columns=columns, values="validation", aggfunc="mean")


def importance(trials: pd.DataFrame, seed: int = 0) -> pd.Series:
    """Each parameter's importance (fANOVA, Hutter 2014), as shares that Optuna makes sum to 1."""
    values = _values(trials)
    study = optuna.create_study(direction="maximize")
    known = {
        name: optuna.distributions.IntDistribution(0, len(v) - 1) for name, v in values.items()
    }
    for trial in trials.to_dict("records"):
        place = {name: v.index(trial[name]) for name, v in values.items()}
        study.add_trial(
            optuna.trial.create_trial(params=place, distributions=known, value=trial["validation"])
        )
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return pd.Series(found, name="importance").sort_values(ascending=False)


# ---------------------------------------------------------------- what the best is worth


def best_of(trials: pd.DataFrame) -> pd.DataFrame:
    """What the best of N trials by validation scores there, and on the test part; N from 1 on.

    The mean over every way to draw N of the trials, not over some: with the trials sorted, the one
    at place i (from 0) is the best of N drawn of M in C(M - i - 1, N - 1) of C(M, N) ways.

    Args:
        trials: validation, and test where it is known.

    Returns:
        trials (N), validation, test (NaN where unknown), optimism (the difference).
    """
    ranked = trials.sort_values("validation", ascending=False, kind="stable")
    count = len(ranked)
    test = ranked["test"].to_numpy() if "test" in ranked else np.full(count, np.nan)
    lines = []
    for n in range(1, count + 1):
        ways = [comb(count - i - 1, n - 1) / comb(count, n) for i in range(count)]
        lines.append((n, np.dot(ways, ranked["validation"]), np.dot(ways, test)))
    table = pd.DataFrame(lines, columns=["trials", "validation", "test"])
    return table.assign(optimism=table["validation"] - table["test"])


def noise(repeats: pd.DataFrame, trials: pd.DataFrame) -> pd.Series:
    """How far one setting's scores are spread by the seed alone, beside those of all settings."""
    scores, best = repeats["validation"], trials["validation"].max()
    return pd.Series(
        {
            "seeds of one setting": len(repeats),
            "its lowest score": scores.min(),
            "its highest score": scores.max(),
            "its standard deviation": scores.std(),
            "standard deviation over settings": trials["validation"].std(),
            "settings that near to the best": (trials["validation"] >= best - scores.std()).sum(),
        }
    )
