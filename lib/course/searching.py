"""`make search`: look for better settings, in this process, in several, or on a cluster."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from course import runner
from course.lock import alone_in
from lesions.core.errors import LesionsError
from lesions.core.files import atomic, write_text
from lesions.settings import params
from lesions.settings.parameters import Settings


def pool_for(scheduler: str, workers: int, data: Any, stack: ExitStack) -> Any:
    """Where trials run: a cluster, processes of this machine, or this process.

    Args:
        scheduler: address of a Dask scheduler; empty: none.
        workers: processes to start here, where there is no scheduler; 1: none.
        data: what the trials work on.
        stack: closes what was opened.
    """
    if not scheduler and workers < 2:
        from lesions.experiments import search

        return search.InOrder(data)
    from course import cluster, cluster_tasks

    address = scheduler or stack.enter_context(cluster.local(workers))
    return stack.enter_context(cluster.Tasks(address, cluster_tasks.trial, data))


def run(settings: Settings, given: dict[str, Any], scheduler: str = "", workers: int = 1) -> Path:
    """Search for a profile; notebook 03 has run. Returns the file of the best profile.

    A search that was stopped goes on. SEARCH_TRIALS counts whole trials, those of earlier searches
    included: to go on beyond them, give more.
    """
    from lesions.experiments import search, search_data, search_space

    data = search_data.of_profile(settings)
    folder = settings.folder / "search"
    with alone_in(folder), ExitStack() as stack:
        study = search.open_study(
            folder / "journal.log", search.name_of(data, settings, settings.SEARCH_SAMPLER)
        )
        one = search.Search(study, settings, settings.SEARCH_SAMPLER)
        if one.spent():
            print(f"Goes on: {len(one.over())} trials are there already.", flush=True)
        search.search(one, pool_for(scheduler, workers, data, stack))
    with atomic(folder / "trials.csv") as partial:
        search.table(study).to_csv(partial, index=False)
    found = f"{settings.PROFILE}-search"
    text = search_space.profile_text(search.best(study), given, found)
    return write_text(params.PROFILES / f"{found}.yaml", text)


def main(given: dict[str, str]) -> int:
    """The command `search`; `given` are the options by name. Returns the exit status."""
    runner.any_terminal()

    def work() -> int:
        values = runner.given_values(
            given.get("PROFILE", "sample"), given.get("P", ""), given.get("P_FILE", "")
        )
        if "TRIALS" in given:
            values["SEARCH_TRIALS"] = whole("TRIALS", given["TRIALS"])
        workers = whole("WORKERS", given.get("WORKERS", "1"))
        runner.study(runner.chosen(["03"]), values)
        settings = Settings.of(values)
        path = run(settings, values, given.get("SCHEDULER", ""), workers)
        print(f"Trials: {settings.folder / 'search' / 'trials.csv'}")
        print(f"The best setting by its validation score: make all PROFILE={path.stem}")
        return 0

    return runner.in_sentences(work)


def whole(name: str, text: str) -> int:
    """A whole number from 1 on, as an option gives it."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise LesionsError(f"{name} is a whole number from 1 on; got {text!r}.")
    return int(text)
