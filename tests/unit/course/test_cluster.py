"""Tasks on a cluster of this machine: processes end at bad moments, and every task counts once."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from course import cluster
from course.cluster import Tasks
from lesions.core.errors import LesionsError
from lesions.core.files import ROOT
from made import noted_and_slow

pytestmark = pytest.mark.slow
PATHS = [str(ROOT / "lib"), str(ROOT / "tests")]


class Machines:
    """A scheduler and workers, each a process that a test may kill."""

    def __init__(self):
        self.processes: list[subprocess.Popen] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"

    def _start(self, words: list[str], paths: list[str]) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def scheduler(self) -> subprocess.Popen:
        words = ["scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        process = self._start(words, PATHS)
        wait(lambda: answers(self.port))
        return process

    def worker(self, paths: list[str] = PATHS) -> subprocess.Popen:
        words = ["worker", self.address, "--host", "127.0.0.1", "--no-nanny", "--nthreads", "1"]
        return self._start([*words, "--no-dashboard"], paths)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def wait(until, seconds: float = 120.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


@pytest.fixture
def machines() -> Iterator[Machines]:
    found = Machines()
    yield found
    found.end()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where `noted_and_slow` notes who does what."""
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


def who(folder: Path, task: int) -> list[int]:
    """The processes that have begun a task."""
    return [int(path.name.split("-")[1]) for path in folder.glob(f"{task}-*")]


def all_done(tasks: Tasks, count: int) -> list[tuple[int, int]]:
    found = sorted(tasks.next_done() for _ in range(count))
    assert not tasks.out
    return found


def test_a_worker_that_is_killed_costs_its_task_a_second_start(machines, folder):
    machines.scheduler()
    for _ in range(2):
        machines.worker()
    with Tasks(machines.address, noted_and_slow, str(folder)) as tasks:
        wait(lambda: tasks.room() == 2)
        for number in range(4):
            tasks.submit(number)
        wait(lambda: who(folder, 0) and who(folder, 1))
        os.kill(who(folder, 0)[0], signal.SIGKILL)
        (folder / "go").touch()
        assert all_done(tasks, 4) == [(n, n * n) for n in range(4)]
    assert len(who(folder, 0)) == 2 and len(who(folder, 1)) == 1


def test_a_scheduler_that_is_killed_and_started_again_loses_nothing(machines, folder, capsys):
    scheduler = machines.scheduler()
    worker = machines.worker()
    with Tasks(machines.address, noted_and_slow, str(folder)) as tasks:
        for number in range(3):
            tasks.submit(number)
        wait(lambda: who(folder, 0))
        for process in (scheduler, worker):
            process.kill()
            process.wait()
        (folder / "go").touch()
        machines.scheduler()
        machines.worker()
        assert all_done(tasks, 3) == [(n, n * n) for n in range(3)]
    assert "the scheduler at tcp://127.0.0.1" in capsys.readouterr().out


def test_a_worker_of_another_version_is_refused_with_a_sentence(machines, folder, tmp_path, capsys):
    shutil.copytree(ROOT / "lib", tmp_path / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    with open(tmp_path / "lib" / "lesions" / "core" / "seeds.py", "a", encoding="utf-8") as file:
        file.write("CHANGED = True\n")
    (folder / "go").touch()
    other = [str(tmp_path / "lib"), str(ROOT / "tests")]
    machines.scheduler()
    wrong = machines.worker(other)
    wait(lambda: count_workers(machines.address) == 1)
    with (
        pytest.raises(LesionsError, match=r"No worker at .* has this version"),
        Tasks(machines.address, noted_and_slow, str(folder)),
    ):
        pass
    assert wrong.wait(timeout=60) is not None
    assert "another version of the code" in capsys.readouterr().out
    # One that comes later is found out by its first task.
    machines.worker()
    with Tasks(machines.address, noted_and_slow, str(folder)) as tasks:
        wait(lambda: tasks.room() == 1 and len(tasks._workers()) == 1)
        late = machines.worker(other)
        wait(lambda: tasks.room() == 2)
        for number in range(8):
            tasks.submit(number)
        assert all_done(tasks, 8) == [(n, n * n) for n in range(8)]
    assert late.wait(timeout=60) is not None


def count_workers(address: str) -> int:
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        return len(client.scheduler_info(n_workers=-1)["workers"])


def test_no_scheduler_is_said_in_a_sentence(machines, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT", 0.5)
    with pytest.raises(LesionsError, match="No scheduler answers at"):
        Tasks(machines.address, noted_and_slow, "").__enter__()


def test_what_a_task_raises_comes_to_its_giver():
    with (
        cluster.local(1) as address,
        Tasks(address, divmod, 0) as tasks,
        pytest.raises(ZeroDivisionError),
    ):
        tasks.submit(1)
        tasks.next_done()


def test_a_search_on_two_workers_finds_what_one_process_finds(tmp_path):
    """The same settings and seeds and, on one machine, the same scores to the last digit."""
    from course import cluster_tasks
    from lesions.experiments import search
    from lesions.settings.parameters import Settings
    from made import development

    settings = Settings(SEARCH_TRIALS=4, SEARCH_IMAGES=64, CNN_DENSE=8)
    data, found = development(), []
    cluster_tasks.own_generator()  # threads of the clusters above may still draw in this process
    for place in ("alone", "two"):
        study = search.open_study(tmp_path / place / "journal.log", "a study")
        one = search.Search(study, settings, "random", prune=False)
        if place == "alone":
            search.search(one, search.InOrder(data))
        else:
            with (
                cluster.local(2) as address,
                Tasks(address, cluster_tasks.trial, data) as tasks,
            ):
                search.search(one, tasks)
        found.append(search.table(study).drop(columns=["number", "seconds"]))
    alone, two = (table.sort_values("seed", ignore_index=True) for table in found)
    pd.testing.assert_frame_equal(alone, two, check_exact=True)
