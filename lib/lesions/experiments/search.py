"""A search for settings: Optuna proposes, trials are carried out somewhere, one process keeps book.

Optuna is asked and told here and nowhere else ("ask and tell"), so that one writer owns the
journal, wherever the trials run. The journal is a text file to which lines are added: it needs no
server, and a search that was stopped, by Ctrl-C or by `kill -9`, goes on from it.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import optuna
import pandas as pd
from optuna.trial import TrialState

from lesions.core import cache, seeds
from lesions.core.progress import say
from lesions.experiments import search_space, search_trial
from lesions.experiments.search_data import Development
from lesions.experiments.search_trial import Task
from lesions.settings.parameters import Settings, Value

optuna.logging.set_verbosity(optuna.logging.WARNING)
OVER = (TrialState.COMPLETE, TrialState.PRUNED)
STARTUP = 5  # trials before TPE proposes and before one is pruned


class Pool(Protocol):
    """Where trials are carried out."""

    def room(self) -> int:
        """How many more tasks it would take now."""

    def submit(self, task: Task) -> None:
        """Take a task."""

    def next_done(self) -> tuple[Task, dict[str, Any]]:
        """Wait for a task to end; give it with its result."""


class InOrder:
    """One trial after the other, in this process."""

    def __init__(self, data: Development, networks: Path | None = None):
        self.data, self.networks, self.waiting = data, networks, []

    def room(self) -> int:
        return 1 - len(self.waiting)

    def submit(self, task: Task) -> None:
        self.waiting.append(task)

    def next_done(self) -> tuple[Task, dict[str, Any]]:
        task = self.waiting.pop()
        return task, search_trial.run(task, self.data, self.networks)


# ---------------------------------------------------------------- the study and its journal


def mend(journal: Path) -> None:
    """Take off a line that was not written to its end: whoever wrote it was killed."""
    if journal.exists():
        text = journal.read_bytes()
        whole = text.rfind(b"\n") + 1
        if whole < len(text):
            with open(journal, "r+b") as file:
                file.truncate(whole)


def name_of(data: Development, settings: Settings, sampler: str) -> str:
    """A study's name: another one as soon as its trials would not be comparable."""
    others = {k: v for k, v in settings.deciding().items() if k not in search_space.SPACE}
    given = (sampler, settings.SEARCH_IMAGES, settings.SEARCH_FOLDS, data.key())
    code = [search_trial.run, search_space.suggest, "lesions.networks.convolutional"]
    return f"{search_space.TARGET}-{sampler}-{cache.key(*given, code=code, settings=others)}"


def open_study(journal: Path, name: str) -> optuna.Study:
    """The study of this name, with all of its trials so far.

    A trial that was being carried out when the last search ended is asked for again, with its own
    setting and seed. Only one process may have the study open.
    """
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    journal.parent.mkdir(parents=True, exist_ok=True)
    mend(journal)
    journal.with_name(journal.name + ".lock").unlink(missing_ok=True)  # of a writer that was killed
    storage = JournalStorage(JournalFileBackend(str(journal)))
    study = optuna.create_study(
        storage=storage, study_name=name, direction="maximize", load_if_exists=True
    )
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params, user_attrs=trial.user_attrs)
    return study


def sampler_for(kind: str, seed: int) -> optuna.samplers.BaseSampler:
    """Who proposes the next setting; "grid" settings are in the queue, so nobody is asked."""
    if kind == "tpe":
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
    return optuna.samplers.RandomSampler(seed=seed)


def bars(finished: Sequence[optuna.trial.FrozenTrial]) -> tuple[float, ...]:
    """For each look but the last, the median score of the finished trials there.

    Trials that were stopped count as long as they lasted. Empty until `STARTUP` trials are over.
    """
    if len(finished) < STARTUP:
        return ()
    looks = [[trial.intermediate_values.get(n) for trial in finished] for n in range(100)]
    known = [[v for v in at if v is not None and math.isfinite(v)] for at in looks]
    medians = [statistics.median(at) for at in known if len(at) >= STARTUP]
    return tuple(medians[:-1]) if len(medians) > 1 else ()


# ---------------------------------------------------------------- ask and tell


class Search:
    """A study, what it may still spend, and the trials that are out."""

    def __init__(self, study: optuna.Study, settings: Settings, sampler: str, prune: bool = True):
        self.study, self.settings, self.sampler, self.prune = study, settings, sampler, prune
        self.out: dict[int, optuna.Trial] = {}
        if sampler == "grid":
            self._queue_cells()

    def _queue_cells(self) -> None:
        """All cells, once, in an order of chance: where it is stopped, chance left some out."""
        cells = search_space.cells(self.settings)
        order = seeds.stream(self.settings.SEED, "order of cells").permutation(len(cells))
        for number in order:
            self.study.enqueue_trial(cells[number], skip_if_exists=True)

    def over(self) -> list[optuna.trial.FrozenTrial]:
        """The trials that have ended."""
        return self.study.get_trials(deepcopy=False, states=OVER)

    def spent(self) -> int:
        """Images seen by the trials that have ended."""
        return sum(trial.user_attrs["images"] for trial in self.over())

    @property
    def budget(self) -> int:
        """Images that the search may spend; no more than its cells need."""
        cells = len(search_space.cells(self.settings))
        trials = self.settings.SEARCH_TRIALS
        return self.cost * (min(trials, cells) if self.sampler == "grid" else trials)

    @property
    def cost(self) -> int:
        """Images that a whole trial sees."""
        return self.settings.SEARCH_IMAGES * self.settings.SEARCH_FOLDS

    def ask(self) -> Task:
        """The next trial. What a sampler proposes depends on its number and on what was told."""
        place = len(self.over()) + len(self.out)
        self.study.sampler = sampler_for(
            self.sampler, seeds.number(self.settings.SEED, f"search by {self.sampler}", place)
        )
        trial = self.study.ask()
        if "seed" not in trial.user_attrs:
            trial.set_user_attr("seed", seeds.number(self.settings.SEED, "seed of trial", place))
        self.out[trial.number] = trial
        others = self.settings.deciding()
        return Task(
            number=trial.number,
            setting=search_space.suggest(trial),
            images=self.settings.SEARCH_IMAGES,
            seed=trial.user_attrs["seed"],
            folds=self.settings.SEARCH_FOLDS,
            fold_seed=self.settings.SEED,
            bars=bars(self.over()) if self.prune else (),
            settings={k: v for k, v in others.items() if k not in search_space.SPACE},
        )

    def tell(self, task: Task, result: Mapping[str, Any]) -> None:
        """Write a trial's end into the journal."""
        trial = self.out.pop(task.number)
        trial.set_user_attr("images", result["images"])
        trial.set_user_attr("seconds", round(result["seconds"], 2))
        for look, score in enumerate(result["looks"]):
            trial.report(score, look)
        if result["pruned"] or not math.isfinite(result["score"]):
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.study.tell(trial, result["score"])


def search(search: Search, pool: Pool, most: int | None = None) -> optuna.Study:
    """Ask, have carried out, tell; until the images of SEARCH_TRIALS whole trials are spent.

    A trial that is stopped early leaves what it did not see to others. A trial that has ended is
    never run again.

    Args:
        search: with the study and its settings.
        pool: where trials run.
        most: end after so many trials, although there is more to spend.
    """
    budget, told = search.budget, 0
    while True:
        while (
            pool.room() > 0
            and search.spent() + (len(search.out) + 1) * search.cost <= budget
            and (most is None or told + len(search.out) < most)
        ):
            pool.submit(search.ask())
        if not search.out:
            return search.study
        task, result = pool.next_done()
        search.tell(task, result)
        told += 1
        say(_line(search, task, result, budget))


def _line(search: Search, task: Task, result: Mapping[str, Any], budget: int) -> str:
    scores = [trial.value for trial in search.over() if trial.value is not None]
    best = f", best {max(scores):.3f}" if scores else ""
    said = "stopped at" if result["pruned"] else "scores"
    return (
        f"search: trial {task.number} {said} {result['score']:.3f}{best}; "
        f"{search.spent() / budget:.0%} of {budget:,} images, {result['seconds']:.0f} s"
    )


# ---------------------------------------------------------------- what came out


def table(study: optuna.Study) -> pd.DataFrame:
    """The trials that have ended, in the order in which they were asked for.

    Returns:
        number, state ("complete" or "pruned"), the parameters of the space, seed, images, seconds,
        `look_1` and so on (validation scores on the way), validation (NaN if stopped).
    """
    lines = []
    for trial in study.get_trials(deepcopy=False, states=OVER):
        looks = {f"look_{n + 1}": v for n, v in sorted(trial.intermediate_values.items())}
        about = {name: trial.user_attrs[name] for name in ("seed", "images", "seconds")}
        done = trial.state == TrialState.COMPLETE
        state = {"number": trial.number, "state": "complete" if done else "pruned"}
        score = trial.value if done else np.nan
        lines.append(state | trial.params | about | looks | {"validation": score})
    return pd.DataFrame(lines)


def best(study: optuna.Study) -> dict[str, Value]:
    """The setting with the best validation score."""
    return dict(study.best_trial.params)
