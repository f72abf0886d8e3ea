"""The steps of `make study`: what travels to a worker, what it does, what comes back."""

import io
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from course.cluster_tasks import own_generator
from lesions.core.errors import LesionsError
from lesions.core.files import write_json
from lesions.settings.parameters import Settings

# What a profile's folder holds that the tasks read; all of it is small.
FILES = ("keep.csv", "table.csv", "splits/*.csv")


@dataclass(frozen=True)
class Step:
    """A task: what is made, from which settings. `about` is a model, or nothing."""

    what: str  # "run", "baselines", "dial" or "folds"
    settings: dict[str, Any]
    target: str
    protocol: str = ""
    about: str = ""
    hours: float = 0.0  # about how long, to begin with the longest

    @property
    def label(self) -> str:
        """For people."""
        words = (self.what, self.about, self.target, self.protocol)
        return " ".join(word for word in words if word) + f", seed {self.settings['SEED']}"


@dataclass(frozen=True)
class Hand:
    """What all tasks share: each seed's small files, and the pixels of each protocol by content."""

    files: dict[int, dict[str, bytes]]
    about: dict[int, dict[str, Any]]  # data.json of each seed, with names for the pixels' folders
    pixels: dict[str, tuple[np.ndarray, bytes]]  # by the folder's name: the array, the list of ids


def hand_for(settings: Settings, seeds: list[int]) -> Hand:
    """What the tasks need: of the profile's seed as 03 left it, of others split here likewise."""
    from lesions.duplicates.keep import read_keep
    from lesions.splits import handover, protocols

    _, caches = handover.load_splits(settings)
    table, keep = handover.load_table(settings.folder), read_keep(settings)
    files, about = {}, {}
    with tempfile.TemporaryDirectory() as other:
        for seed in seeds:
            folder, own = settings.folder, settings
            if seed != settings.SEED:
                folder = Path(other) / str(seed)
                own = settings.replace(SEED=seed, folder=folder)
                rows = {
                    f"{protocol}-{target}": protocols.rows_for(protocol, table, keep, target, own)
                    for protocol in protocols.chosen(own)
                    for target in protocols.targets(table)
                }
                handover.save_splits(own, rows, caches, table)
                (folder / "keep.csv").write_bytes((settings.folder / "keep.csv").read_bytes())
            found = [path for pattern in FILES for path in sorted(folder.glob(pattern))]
            files[seed] = {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}
            shared = {name: getattr(own, name) for name in handover.SHARED}
            about[seed] = shared | {"pixels": {p: place.name for p, place in caches.items()}}
    pixels = {
        place.name: (np.load(place / "pixels.npy"), (place / "image_ids.csv").read_bytes())
        for place in caches.values()
    }
    return Hand(files, about, pixels)


# ---------------------------------------------------------------- on a worker


def lay_out(hand: Hand, seed: int, place: Path) -> Path:
    """Write a seed's files as notebook 03 would have; returns its folder."""
    folder, caches = place / f"seed{seed}", {}
    for name, (array, image_ids) in hand.pixels.items():
        pixels = place / "pixels" / name
        pixels.mkdir(parents=True)
        np.save(pixels / "pixels.npy", array)
        (pixels / "image_ids.csv").write_bytes(image_ids)
        caches[name] = str(pixels)
    for name, content in hand.files[seed].items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    places = {p: caches[name] for p, name in hand.about[seed]["pixels"].items()}
    write_json(folder / "data.json", hand.about[seed] | {"pixels": places})
    return folder


def make(step: Step, folder: Path) -> None:
    """Carry a step out in a folder that was laid out; what it makes lies there."""
    from lesions.baselines import baseline_runs
    from lesions.experiments import experiments
    from lesions.splits import handover
    from lesions.training import records

    settings = Settings(**step.settings, folder=folder)
    splits, caches = handover.load_splits(settings)
    if step.what == "run":
        rows = handover.rows_of(splits, step.protocol, step.target)
        pixels = caches[step.protocol]
        records.train_run(step.about, step.target, step.protocol, rows, pixels, settings)
    elif step.what == "baselines":
        baseline_runs.fit_all([step.target], settings)
    elif step.what == "dial":
        experiments.dial(step.target, range(settings.DIAL_SEEDS), settings)
    else:
        experiments.folds_and_cohorts(step.target, settings)


def step(task: Step, hand: Hand) -> tuple[bytes, str]:
    """Carry a step out on a worker.

    Returns:
        what it made, packed, with the notes of the cache; or nothing, and a sentence why.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = lay_out(hand, task.settings["SEED"], Path(place))
        there = {path for path in folder.rglob("*") if path.is_file()}
        try:
            own_generator()
            make(task, folder)
        except LesionsError as error:
            return b"", str(error)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path not in there:
                    archive.write(path, path.relative_to(folder).as_posix())
    return packed.getvalue(), ""
