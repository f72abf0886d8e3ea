"""What runs on a worker of a cluster. It is imported there, so nothing slow stands at its top."""

import hashlib
import os
import random
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from distributed import WorkerPlugin, get_worker

from lesions.core.files import ROOT

# What the tasks of a client have in common, by name; `Shared` brings it.
SHARED: dict[str, Any] = {}
# Seeds and layer names are a process's own, so one task at a time, however many threads there are.
ONE_AT_A_TIME = threading.Lock()


class WrongVersion(Exception):
    """The worker has other code, or another lock of the environment, than the client."""

    def __init__(self, address: str):
        super().__init__(address)
        self.address = address


@cache
def version() -> str:
    """A short name of the course's code and of `requirements.lock`, as this process has them."""
    sources = sorted((ROOT / "lib").rglob("*.py"))
    found = hashlib.sha256()
    for path in [*sources, ROOT / "requirements.lock"]:
        found.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:12]


version()  # now: what this process runs, not what the files become later


class Shared(WorkerPlugin):
    """Brings workers what all tasks need, such as the images; also those that come later.

    It is sent once to each worker, over the connection: no shared folder is needed.
    """

    def __init__(self, name: str, value: Any):
        self.name, self.value = name, value

    def setup(self, worker: Any) -> None:
        # TensorFlow reads these when it is first imported. A worker of one thread is one core.
        for what in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            os.environ.setdefault(what, str(worker.state.nthreads))
        SHARED[self.name] = self.value


def carry_out(function: Callable, wanted: str, shared: str, arguments: tuple) -> Any:
    """A task: refuse if the code is another, else call the function with its arguments.

    Args:
        function: of a module of the course; it travels by its name.
        wanted: the client's version.
        shared: name of what it gets as its last argument, see `Shared`.
        arguments: the first ones.

    Raises:
        WrongVersion: the client then sends this worker away.
    """
    if version() != wanted:
        raise WrongVersion(get_worker().address)
    with ONE_AT_A_TIME:
        return function(*arguments, SHARED[shared])


def own_generator() -> None:
    """Give Keras random numbers that no other thread draws from.

    Keras draws the seeds of its layers from Python's generator, and so do Dask's own threads draw
    from it, at moments of chance. Without this a training on a worker is another one each time.
    """
    from lesions.networks import backend  # first: it imports Keras quietly, and sets it up

    seeds, seeding = backend.keras.src.random.seed_generator, backend.keras.src.utils.rng_utils
    if not isinstance(seeds.python_random, random.Random):
        # The numbers after `seed` are those of Python's generator, so nothing else changes.
        seeds.python_random = seeding.random = random.Random()


def trial(task: Any, data: Any) -> dict[str, Any]:
    """A trial of the search, see `search_trial.run`."""
    from lesions.experiments import search_trial

    own_generator()
    return search_trial.run(task, data)
