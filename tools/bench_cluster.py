"""Trials an hour on one worker and on two, and what a task costs beside its own work.

    python tools/bench_cluster.py [--trials 8] [--page docs/cluster.md]

The trials are those of the search, on random images of 64 pixels: one thread a worker. A worker's
first trial, in which TensorFlow starts, is not counted. With --page, the tables between the marks
of that page are written anew, the plan of the study among them.
"""

import argparse
import re
import time
from pathlib import Path

import numpy as np
import pandas as pd

from course import cluster, cluster_tasks
from keep_results import processor
from lesions.core.files import write_text
from lesions.experiments import scaling, search_data, search_space
from lesions.experiments.search_trial import Task
from lesions.paper import published
from lesions.settings.parameters import Settings


def images(count: int = 400, size: int = 64) -> search_data.Development:
    """Random images of two classes, half to train on."""
    rng = np.random.default_rng(0)
    ids = pd.Index([f"I{n}" for n in range(count)])
    rows = pd.DataFrame({"image_id": ids, "lesion_id": ids, "label": ["mel", "nv"] * (count // 2)})
    rows["split"] = np.where(np.arange(count) < count // 2, "train", "validation")
    pixels = rng.integers(0, 255, (count, size, size, 3), dtype=np.uint8)
    return search_data.development(rows, pixels, ids, pd.Series(ids, index=ids))


def task(number: int, seen: int) -> Task:
    setting = search_space.defaults(Settings()) | {"CNN_WIDTH": 0.5}
    return Task(number=number, setting=setting, images=seen, seed=number)


def measure(workers: int, trials: int, seen: int, data: search_data.Development) -> dict:
    """Seconds of some trials on so many workers, from the first of them out to the last back."""
    with (
        cluster.local(workers) as address,
        cluster.Tasks(address, cluster_tasks.trial, data) as tasks,
    ):
        for number in range(workers):
            tasks.submit(task(-1 - number, 64))
        for _ in range(workers):
            tasks.next_done()
        started, waiting, inside = time.monotonic(), list(range(trials)), 0.0
        while waiting or tasks.out:
            while waiting and tasks.room() > 0:
                tasks.submit(task(waiting.pop(0), seen))
            inside += tasks.next_done()[1]["seconds"]
        seconds = time.monotonic() - started
    return {
        "workers": workers,
        "trials an hour": 3600 * trials / seconds,
        "seconds a trial": inside / trials,
        "overhead a trial (s)": (workers * seconds - inside) / trials,
    }


def table_of(frame: pd.DataFrame) -> str:
    """A table in Markdown."""
    lines = [" | ".join(frame.columns), "|".join(["---"] * len(frame.columns))]
    lines += [" | ".join(f"{v:g}" for v in row) for row in frame.itertuples(index=False)]
    return "\n".join(f"| {line} |" for line in lines)


def between(page: str, mark: str, text: str) -> str:
    """A page with other text between the comments `mark` and `/mark`."""
    pattern = rf"(<!-- {mark} -->\n).*?(\n<!-- /{mark} -->)"
    return re.sub(pattern, lambda m: f"{m[1]}\n{text}\n{m[2]}", page, flags=re.S)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--images", type=int, default=2000, help="that a trial sees")
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    data = images()
    found = pd.DataFrame([measure(n, given.trials, given.images, data) for n in (1, 2)])
    print(found.round(2).to_string(index=False))
    if given.page:
        plan = scaling.plan(published.kept("paper", "runs")["seconds"]).round(2)
        page = between(given.page.read_text(encoding="utf-8"), "plan", table_of(plan))
        about = f"{given.trials} trials of {given.images:,} images each, {processor()}:\n\n"
        page = between(page, "bench", about + table_of(found.round(2)))
        write_text(given.page, page)


if __name__ == "__main__":
    main()
