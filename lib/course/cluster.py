"""Tasks on a Dask cluster: who may work there, what happens when somebody vanishes.

The client keeps every task that it has given out. What is lost with a worker or with the scheduler
is given out again; a result counts once, when it is handed on. `docs/cluster.md` has the use of it.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dask
from distributed import Client, KilledWorker, LocalCluster

from course import cluster_tasks
from course.cluster_tasks import Shared, WrongVersion
from lesions.core.errors import LesionsError
from lesions.core.progress import say

PATIENCE = 600.0  # seconds to wait for a scheduler that has gone, or for a first worker
CONNECT = 10.0  # seconds that a scheduler has to answer
POLL = 0.05  # seconds between two looks at what is out
MOST_LOSSES = 10  # workers that may die over one task before we think it is the task


def quiet() -> None:
    """Dask's own lines of log are not for a reader of ours: we say what was lost ourselves."""
    for name in ("distributed", "distributed.client", "distributed.core", "distributed.nanny"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def local(workers: int) -> Iterator[str]:
    """A cluster of this machine, reached from this machine only; gives its address.

    Each worker is a process with one thread.
    """
    quiet()
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": MOST_LOSSES}),
        LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1",
            dashboard_address="127.0.0.1:0", memory_limit=0, silence_logs=logging.CRITICAL,
        ) as cluster,
    ):  # fmt: skip
        yield cluster.scheduler_address


@dataclass
class Out:
    """A task that is out."""

    task: Any
    future: Any
    losses: int = 0


@dataclass
class Tasks:
    """Tasks on a cluster, each carried out once as far as their giver can tell.

    Args:
        address: of the scheduler, such as tcp://host:8786.
        function: of `cluster_tasks`; takes a task and what is shared.
        shared: sent to every worker once, and to each that comes later.
    """

    address: str
    function: Callable
    shared: Any
    client: Client | None = None
    out: list[Out] = field(default_factory=list)

    def __enter__(self) -> "Tasks":
        quiet()
        self._connect()
        return self

    def __exit__(self, *error: object) -> None:
        for one in self.out:
            one.future.cancel()
        self.client.close(timeout=5)

    # ------------------------------------------------------------ what a giver calls

    def room(self) -> int:
        """How many more tasks the workers can take: one each; one if none is there yet."""
        return max(1, len(self._workers())) - len(self.out)

    def submit(self, task: Any) -> None:
        """Give a task out."""
        self.out.append(Out(task, self._send(task)))

    def next_done(self) -> tuple[Any, Any]:
        """Wait for a task to end; give it with its result.

        Raises:
            LesionsError: the scheduler has gone for too long, no worker may work here, or one task
                has outlived none of many workers.
            Exception: whatever the task raised.
        """
        told = time.monotonic()
        while True:
            if self.client.status != "running":
                self._connect_again()
            for one in list(self.out):
                if one.future.status == "finished":
                    self.out.remove(one)
                    return one.task, one.future.result()
                if one.future.status in ("error", "cancelled", "lost"):
                    self._lost(one)
            if not self._workers() and time.monotonic() - told > 30:
                told = time.monotonic()
                say(f"cluster: no worker at {self.address}; waiting for one")
            time.sleep(POLL)

    # ------------------------------------------------------------ inside

    def _workers(self) -> list[str]:
        return list(self.client.scheduler_info(n_workers=-1)["workers"])

    def _connect(self) -> None:
        try:
            self.client = Client(self.address, timeout=CONNECT, set_as_default=False)
        except OSError as error:
            raise LesionsError(
                f"No scheduler answers at {self.address}: start one with `dask scheduler`, or "
                "leave SCHEDULER out and give WORKERS=2."
            ) from error
        self._greet()

    def _greet(self) -> None:
        """Send away workers of another version, and give the others what is shared."""
        workers = self.client.run(cluster_tasks.version, on_error="return")
        wrong = [one for one, version in workers.items() if version != cluster_tasks.version()]
        for address in wrong:
            self._refuse(address)
        if workers and len(wrong) == len(workers):
            raise LesionsError(
                f"No worker at {self.address} has this version of the course: install the same "
                "commit and the same requirements.lock there, and start the workers again."
            )
        self.client.register_plugin(Shared(self.address, self.shared), name="course")

    def _refuse(self, address: str) -> None:
        say(
            f"cluster: the worker {address} has another version of the code or of "
            "requirements.lock, so it gets no task. Install the same commit there."
        )
        self.client.retire_workers([address], close_workers=True)
        deadline = time.monotonic() + 10
        while address in self._workers() and time.monotonic() < deadline:
            time.sleep(POLL)

    def _send(self, task: Any) -> Any:
        return self.client.submit(
            cluster_tasks.carry_out, self.function, cluster_tasks.version(), self.address, (task,),
            pure=False,
        )  # fmt: skip

    def _lost(self, one: Out) -> None:
        """A task came back without a result: give it out again, unless it is its own fault."""
        error = one.future.exception() if one.future.status == "error" else None
        if isinstance(error, WrongVersion):
            self._refuse(error.address)
        elif error is not None and not isinstance(error, KilledWorker):
            raise error
        else:
            one.losses += 1
            say("cluster: a task was lost with its worker; it is given out again")
        if one.losses > MOST_LOSSES:
            raise LesionsError(
                f"{one.losses} workers ended while they had the task {one.task}: look at what they "
                "said last. Mostly memory was short."
            )
        one.future = self._send(one.task)

    def _connect_again(self) -> None:
        """Wait for a scheduler at the same address, and give it all that is out."""
        say(f"cluster: the scheduler at {self.address} has gone; waiting for one there")
        deadline = time.monotonic() + PATIENCE
        self.client.close(timeout=1)
        while True:
            try:
                self._connect()
                break
            except LesionsError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)
        for one in self.out:
            one.future = self._send(one.task)
