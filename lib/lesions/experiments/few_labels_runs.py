"""Runs of notebook 09: a method, a share of labels, a seed; each is kept when it has ended."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lesions.core import cache
from lesions.core.errors import LesionsError
from lesions.core.files import write_json
from lesions.core.progress import say
from lesions.experiments import few_labels
from lesions.experiments.few_labels_methods import METHODS
from lesions.experiments.few_labels_shared import Budget, Place
from lesions.networks.backend import keras
from lesions.settings.parameters import nearest


@dataclass(frozen=True)
class Setting:
    """What all runs share: the split, its images, the budget, and where runs are kept."""

    rows: pd.DataFrame  # image_id, lesion_id, label, split, of all images
    pixels: np.ndarray  # uint8 (images, size, size, 3)
    image_ids: pd.Index
    budget: Budget
    folder: Path


@dataclass(frozen=True)
class Run:
    """A run that has ended."""

    method: str
    share: float
    seed: int
    folder: Path

    def answers(self, part: str) -> pd.DataFrame:
        """Predictions of "validation" or "test": image_id, lesion_id, split, truth, p_<class>."""
        table = pd.read_parquet(self.folder / "answers.parquet")
        return table[table["split"] == part].reset_index(drop=True)

    def about(self) -> dict:
        """How many lesions and images it had, and the class shares of its labels."""
        return json.loads((self.folder / "about.json").read_text(encoding="utf-8"))

    def beliefs(self) -> np.ndarray | None:
        """What FixMatch believed of the unlabelled images, (looks, images, classes)."""
        path = self.folder / "beliefs.npy"
        return np.load(path) if path.exists() else None


def methods_of(text: str) -> list[str]:
    """`"colours scratch"` as a list.

    Raises:
        LesionsError: there is no such method.
    """
    names = text.replace(",", " ").split()
    for name in names:
        if name not in METHODS:
            known = list(METHODS)
            raise LesionsError(
                f"Unknown method {name}.{nearest(name, known)} There are: {', '.join(known)}."
            )
    return names


def shares_of(text: str) -> list[float]:
    """`"1 10 100"`, in percent, as shares in rising order.

    Raises:
        LesionsError: one is no number above 0 and up to 100.
    """
    try:
        found = sorted({float(part) / 100 for part in text.replace(",", " ").split()})
    except ValueError as error:
        raise LesionsError(f"{text!r} are no shares in percent, such as 1 10 100.") from error
    if not found or not all(0 < share <= 1 for share in found):
        raise LesionsError(f"Shares lie above 0 and up to 100 percent; got {text!r}.")
    return found


def run(method: str, share: float, seed: int, setting: Setting) -> Run:
    """Train and ask one method; a run that has ended is kept.

    Args:
        method: a key of `METHODS`.
        share: of the lesions that are labelled.
        seed: of the choice of lesions, the first weights and all order.

    Raises:
        LesionsError: a lesion leaks, or the loss is no longer a number.
    """
    task = few_labels.task(setting.rows, setting.pixels, setting.image_ids, share, seed)
    folder = setting.folder / f"{method}-{100 * share:g}-seed{seed}"
    key = cache.key(
        *(method, share, seed, task.rows, list(setting.image_ids), setting.budget),
        _content(setting.pixels),
        code=[run],  # which imports the methods
    )  # fmt: skip

    def make(partial: Path) -> None:
        label = f"{method}, {100 * share:g} %, seed {seed}"
        say(f"{label}: begins")
        at = Place(task, setting.budget, seed, setting.folder, label)
        keras.backend.clear_session()
        found = METHODS[method].function(at)
        partial.mkdir(parents=True)
        tables = []
        for part in ("validation", "test"):
            of = task.rows[task.rows["split"] == part]
            about = of[["image_id", "lesion_id", "split"]].reset_index(drop=True)
            p = pd.DataFrame(found[part], columns=[f"p_{name}" for name in task.classes])
            tables.append(pd.concat([about.assign(truth=of["label"].to_numpy()), p], axis=1))
        pd.concat(tables, ignore_index=True).to_parquet(partial / "answers.parquet", index=False)
        if "beliefs" in found:
            np.save(partial / "beliefs.npy", found["beliefs"].astype(np.float32))
        learnt = dict(zip(task.classes, task.shares().tolist(), strict=True))
        write_json(partial / "about.json", task.counts() | {"learnt": learnt})

    cache.named(folder, key, make)
    return Run(method, share, seed, folder)


def _content(pixels: np.ndarray) -> list:
    """What tells one set of pixels from another: for a mapped file the name of its folder."""
    if isinstance(pixels, np.memmap):
        return [Path(pixels.filename).parent.name]
    return [pixels]


def run_all(
    methods: Sequence[str], shares: Sequence[float], seeds: Sequence[int], setting: Setting
) -> Iterator[Run]:
    """All runs, seed by seed and method by method, so that a curve is whole early."""
    for seed in seeds:
        for method in methods:
            for share in shares:
                yield run(method, share, seed, setting)
