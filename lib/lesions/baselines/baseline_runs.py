"""Baselines kept like runs: the same split rows as the networks, their predictions on disk."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lesions.baselines import baselines, histograms
from lesions.core import cache
from lesions.core.errors import LesionsError
from lesions.core.files import note_output, write_json
from lesions.core.progress import say
from lesions.data import pixel_store
from lesions.scores import predictions
from lesions.settings.parameters import Settings
from lesions.splits import handover

# Boosted trees take up to a minute on the many copies of the leaky protocol, and show there what
# the nearest image shows in a second.
SLOW_ON_COPIES = ("histogram_boosting", "both_boosting")


def names_for(protocol: str) -> list[str]:
    """The baselines that are fitted under a protocol."""
    leave_out = SLOW_ON_COPIES if protocol == "paper" else ()
    return [name for name in baselines.BASELINES if name not in leave_out]


def fit_all(targets: Sequence[str], settings: Settings) -> list[Path]:
    """Fit every baseline on some targets, under each protocol that notebook 03 has split by.

    What was fitted before on the same rows is kept.

    Args:
        targets: columns such as "dx".
        settings: as `params.start` returns them.

    Returns:
        the records' folders, `baselines/<protocol>-<target>-seed<seed>`: params.json and
        predictions.parquet with the columns of a run's predictions and `baseline`.

    Raises:
        LesionsError: notebook 03 has not run.
    """
    splits, caches = handover.load_splits(settings)
    table = handover.load_table(settings.folder)
    folders = []
    for protocol, cached in caches.items():
        colours: list[pd.DataFrame] = []  # made when the first record asks for them
        for target in targets:
            rows = splits[f"{protocol}-{target}"]
            folders.append(_fit(protocol, target, rows, table, cached, colours, settings))
    return folders


def _fit(
    protocol: str,
    target: str,
    rows: pd.DataFrame,
    table: pd.DataFrame,
    cached: Path,
    colours: list[pd.DataFrame],
    settings: Settings,
) -> Path:
    folder = settings.folder / "baselines" / f"{protocol}-{target}-seed{settings.SEED}"
    key = cache.key(rows, table, cached.name, names_for(protocol), settings.SEED, code=[fit_all])
    if cache.is_kept(folder, key):
        note_output(folder)
        return folder
    if not colours:
        colours.append(histograms.histogram_table(*pixel_store.open_pixels(cached)))
    say(f"baselines for {target} under {protocol}")
    found = []
    for name in names_for(protocol):
        if name == "cohort" and (table["dataset"] == "unknown").all():
            continue
        # A network sees each copy of a resampled image, so a baseline under `paper` does too.
        answers = baselines.predict(
            name, rows, table, target, colours[0], settings.SEED, repeats=protocol == "paper"
        )
        found.append(answers.assign(baseline=name))

    def make(partial: Path) -> None:
        partial.mkdir(parents=True)
        pd.concat(found).to_parquet(partial / "predictions.parquet", index=False)
        about = {"protocol": protocol, "target": target, "seed": settings.SEED}
        write_json(partial / "params.json", about)

    cache.named(folder, key, make)
    return folder


def baselines_of(
    folder: Path, seed: int, split: str = "test"
) -> dict[tuple[str, str, str], pd.DataFrame]:
    """Every baseline's predictions on one part, by (protocol, target, baseline).

    Args:
        folder: the profile's build folder.
        seed: of the split.
        split: "test" or "validation".

    Raises:
        LesionsError: there are none yet.
    """
    found = {}
    for path in sorted((folder / "baselines").glob(f"*-seed{seed}/params.json")):
        if not cache.is_whole(path.parent):
            continue
        about = json.loads(path.read_text(encoding="utf-8"))
        answers = predictions.read(path.parent / "predictions.parquet")
        wanted = answers[answers["split"] == split]
        for name, part in wanted.groupby("baseline", sort=False):
            key = (about["protocol"], about["target"], name)
            found[key] = part.drop(columns="baseline").reset_index(drop=True)
    if not found:
        raise LesionsError(
            f"There are no baselines in {folder / 'baselines'}: run notebooks 04 and 05 first "
            f"(`make 06 PROFILE={folder.name}` runs what is missing)."
        )
    return found
