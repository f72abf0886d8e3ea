"""`make study`: every run, baseline and experiment of several seeds, each a task of a cluster.

What travels to the workers is the split, the table and the pixels, once; then a few words a task.
What comes back is the finished record, as bytes, whole or not at all. The notebooks find it under
the key that they would have kept it under themselves, so that `make all` trains nothing again.
"""

import io
import json
import shutil
import tempfile
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from course import runner
from course.cluster_steps import Step, hand_for, step
from course.lock import alone_in
from course.searching import whole
from lesions.core import cache
from lesions.core.errors import LesionsError
from lesions.core.files import atomic, write_json, write_text
from lesions.core.progress import say
from lesions.settings.parameters import Settings


def steps(settings: Settings, splits: dict[str, Any], seeds: list[int]) -> list[Step]:
    """The tasks of a study, the longest first; those of the split are there for the first seed."""
    from lesions.splits import protocols
    from lesions.splits.possible import possible_runs
    from lesions.training import records

    runs = possible_runs(records.parse_runs(settings.BINARY_RUNS), splits, instead=True)
    runs = list(dict.fromkeys(runs + possible_runs(
        records.parse_runs(settings.MULTICLASS_RUNS), splits)))  # fmt: skip
    own = possible_runs(records.parse_runs(settings.OWN_RUNS), splits)
    chosen, found = protocols.chosen(settings), []
    targets = list(dict.fromkeys(["dx", *(target for _, target in [*runs, *own])]))
    for seed in seeds:
        values = settings.replace(SEED=seed).values()
        for protocol in chosen:
            some = runs + (own if protocol == "honest" else [])
            found += [Step("run", values, t, protocol, n, _hours(n, t, protocol)) for n, t in some]
        found += [Step("baselines", values, t) for t in targets if f"{chosen[-1]}-{t}" in splits]
    first = settings.values()
    if settings.DIAL_SEEDS:
        found.append(Step("dial", first, "dx", hours=0.2))
    found.append(Step("folds", first, "dx"))
    return sorted(found, key=lambda step: -step.hours)


def _hours(model: str, target: str, protocol: str) -> float:
    """How long a run took on the real images, or .1: only the order is taken from it."""
    from lesions.paper import published

    runs = published.kept("paper", "runs")
    same = runs.query("model == @model and target == @target and protocol == @protocol")
    return float(same["seconds"].mean()) / 3600 if len(same) else 0.1


# ---------------------------------------------------------------- after


def take_in(packed: bytes, folder: Path) -> list[str]:
    """Unpack what a step made into the profile's folder; returns the names of what is new.

    Each file or folder is put in place at once, and its note of the cache last: until then it does
    not count. A name that leads out of the folder is refused.
    """
    with zipfile.ZipFile(io.BytesIO(packed)) as archive, tempfile.TemporaryDirectory() as place:
        for name in archive.namelist():
            if not (Path(place) / name).resolve().is_relative_to(Path(place).resolve()):
                raise LesionsError(f"A worker sent the name {name!r}, which leads out of {folder}.")
        archive.extractall(place)
        names = []
        for note in sorted(Path(place).rglob(".*.key")):
            made = note.with_name(note.name[1:].removesuffix(".key"))
            target = folder / made.relative_to(place)
            kept_note = target.with_name(note.name)
            kept_note.unlink(missing_ok=True)
            with atomic(target) as partial:
                copy = shutil.copytree if made.is_dir() else shutil.copyfile
                copy(made, partial)
            write_text(kept_note, note.read_text(encoding="utf-8"))
            names.append(target.relative_to(folder).as_posix())
    return names


class Ledger:
    """Which steps are done, by this version of the code, and what each left."""

    def __init__(self, folder: Path):
        self.folder, self.path = folder, folder / "study.json"
        self.lines: dict[str, list[str]] = {}
        if self.path.exists():
            self.lines = json.loads(self.path.read_text(encoding="utf-8"))

    def key(self, one: Step) -> str:
        """A step's name in the ledger."""
        from course import cluster_tasks

        return cache.digest(one.label, one.settings, cluster_tasks.version())

    def done(self, one: Step) -> bool:
        """Whether a step is done, and all that it left is there and whole."""
        names = self.lines.get(self.key(one))
        return names is not None and all(cache.is_whole(self.folder / name) for name in names)

    def note(self, one: Step, names: list[str]) -> None:
        """Write down that a step is done."""
        self.lines[self.key(one)] = names
        write_json(self.path, self.lines)


def run(settings: Settings, seeds: list[int], scheduler: str, workers: int) -> list[str]:
    """Have all steps carried out that are not done; notebook 03 has run.

    Returns:
        a sentence for each step that failed; the others are in the profile's folder.
    """
    from course import cluster
    from lesions.splits import handover

    splits, _ = handover.load_splits(settings)
    failed = []
    with alone_in(settings.folder), ExitStack() as stack:
        ledger = Ledger(settings.folder)
        every = steps(settings, splits, seeds)
        waiting = [one for one in every if not ledger.done(one)]
        say(f"study: {len(every)} steps, {len(every) - len(waiting)} of them done before")
        if not waiting:
            return []
        address = scheduler or stack.enter_context(cluster.local(workers))
        hand = hand_for(settings, seeds)
        tasks = stack.enter_context(cluster.Tasks(address, step, hand))
        waiting.reverse()  # taken from the end
        while waiting or tasks.out:
            while waiting and tasks.room() > 0:
                tasks.submit(waiting.pop())
            one, (packed, error) = tasks.next_done()
            if error:
                failed.append(f"{one.label}: {error}")
            else:
                ledger.note(one, take_in(packed, settings.folder))
            left = len(waiting) + len(tasks.out)
            say(f"study: {one.label} {'failed' if error else 'done'}; {left} of {len(every)} left")
    return failed


def seeds_of(text: str, otherwise: int) -> list[int]:
    """The seeds in a text such as `0,1,2`; none: the profile's."""
    words = text.replace(",", " ").split()
    if not all(word.isdecimal() for word in words):
        raise LesionsError(f"SEEDS are whole numbers with commas, such as 0,1,2; got {text!r}.")
    return list(dict.fromkeys(int(word) for word in words)) or [otherwise]


def main(given: dict[str, str]) -> int:
    """The command `study`; `given` are the options by name. Returns the exit status."""
    runner.any_terminal()

    def work() -> int:
        values = runner.given_values(
            given.get("PROFILE", "sample"), given.get("P", ""), given.get("P_FILE", "")
        )
        settings = Settings.of(values)
        seeds = seeds_of(given.get("SEEDS", ""), settings.SEED)
        # The split that 03 leaves is that of the profile's seed.
        runner.study(runner.chosen(["03"]), values)
        workers = whole("WORKERS", given.get("WORKERS", "1"))
        failed = run(settings, seeds, given.get("SCHEDULER", ""), workers)
        print("\n".join(failed) or f"Records: {settings.folder / 'runs'}")
        return 1 if failed else 0

    return runner.in_sentences(work)
