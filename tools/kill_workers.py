"""Kill workers at random moments, and count: is every trial told once, and none lost?

    python tools/kill_workers.py [--kills 10] [--trials 30]

Two workers of this machine carry out trials that take a second and train nothing. A worker that is
killed (`kill -9`) is started again by its nanny, as on a cluster. At the end each trial must be
in the journal once, with the settings that a search without kills has.
"""

import argparse
import os
import random
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from course import cluster
from lesions.settings.parameters import Settings

# A worker imports this file anew whenever it starts, so TensorFlow is imported in `main` only.
Task = Any


def pretended(told: tuple[int, float, int], seconds: float) -> dict:
    """A trial's result without a network: the score is the setting's learning rate."""
    time.sleep(seconds)
    _, score, images = told
    return {"score": score, "looks": [score], "images": images, "pruned": False,
            "seconds": seconds}  # fmt: skip


def told_of(task: Task) -> tuple[int, float, int]:
    """What `pretended` needs: no TensorFlow, which a worker would have to import first."""
    return task.number, task.setting["LEARNING_RATE"], task.images


class Here:
    """Pretended trials in this process, at once."""

    def __init__(self):
        self.waiting: list[Task] = []

    def room(self) -> int:
        return 1 - len(self.waiting)

    def submit(self, task: Task) -> None:
        self.waiting.append(task)

    def next_done(self) -> tuple[Task, dict]:
        task = self.waiting.pop()
        return task, pretended(told_of(task), 0.0)


class There:
    """Pretended trials on a cluster."""

    def __init__(self, tasks: cluster.Tasks):
        self.tasks, self.known, self.room = tasks, {}, tasks.room

    def submit(self, task: Task) -> None:
        self.known[task.number] = task
        self.tasks.submit(told_of(task))

    def next_done(self) -> tuple[Task, dict]:
        told, result = self.tasks.next_done()
        return self.known.pop(told[0]), result


def keep_killing(tasks: cluster.Tasks, kills: int, stop: threading.Event) -> list[float]:
    """Kill a worker after another at random moments; returns the moments."""
    rng, moments = random.Random(0), []
    while len(moments) < kills and not stop.wait(rng.uniform(0.3, 2.5)):
        pids = list(tasks.client.run(os.getpid, on_error="ignore").values())
        if pids:
            os.kill(rng.choice(pids), signal.SIGKILL)
            moments.append(time.monotonic())
            print(f"kill {len(moments)} of {kills}", flush=True)
    return moments


def main() -> None:
    from lesions.experiments import search

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--trials", type=int, default=30)
    given = parser.parse_args()
    settings = Settings(SEARCH_TRIALS=given.trials, SEARCH_IMAGES=100)
    killed: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        calm, wild = (
            search.Search(
                search.open_study(Path(place) / name / "journal.log", "a study"),
                settings, "random", prune=False,
            )
            for name in ("calm", "wild")
        )  # fmt: skip
        search.search(calm, Here())
        with cluster.local(2) as address, cluster.Tasks(address, pretended, 1.0) as tasks:
            stop = threading.Event()
            killer = threading.Thread(
                target=lambda: killed.extend(keep_killing(tasks, given.kills, stop))
            )
            killer.start()
            search.search(wild, There(tasks))
            stop.set()
            killer.join()
        tables = [search.table(one.study).drop(columns=["number", "seconds"])
                  for one in (calm, wild)]  # fmt: skip
    here, there = (table.sort_values("seed", ignore_index=True) for table in tables)
    same = here.equals(there)
    print(f"{len(killed)} workers killed; {len(there)} trials told of {given.trials}, "
          f"{there['seed'].nunique()} different; the same as without kills: {same}")  # fmt: skip
    raise SystemExit(not same)


if __name__ == "__main__":
    main()
