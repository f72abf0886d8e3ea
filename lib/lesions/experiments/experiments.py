"""Experiments on the split itself: what a leak is worth, how far folds and cohorts spread.

Each leaves one file under `experiments/` and is not done again while nothing it depends on changed.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from lesions.baselines import baselines, histograms
from lesions.baselines.baselines import CHEAP
from lesions.core import cache
from lesions.core.errors import LesionsError
from lesions.core.progress import track
from lesions.data import datasets, pixel_store
from lesions.duplicates.keep import read_keep
from lesions.networks import registry
from lesions.scores import evaluation
from lesions.settings.parameters import Settings
from lesions.splits import balance, handover, leaks, protocols, splits
from lesions.training import features, heads, split_data, trained

# The dial's two scales, each from the worst to the best.
SPLITS = ("by image", "by lesion", "by lesion and duplicates")
RESAMPLING = ("before the split", "after the split", "none")
# The network of the dial: its features are at hand, so only its head is trained.
BACKBONE = "densenet121"
HEAD_BATCH = 256  # large, because the dial fits many heads
MOST = 2500  # images for the dial: it shows a difference that a quarter of HAM10000 shows as well
FOLDS = 5

Learner = Callable[[pd.DataFrame, int], pd.DataFrame]


def _world(settings: Settings, target: str) -> tuple[pd.DataFrame, pd.Series, Path]:
    """The images kept under `honest` that have the target, their groups, and the pixel cache."""
    _, caches = handover.load_splits(settings)
    table = handover.load_table(settings.folder)
    keep = read_keep(settings, table)
    kept = table[table["image_id"].isin(keep.loc[keep["keep_honest"], "image_id"])]
    groups = keep.set_index("image_id")["group"]
    cached = caches.get("honest", next(iter(caches.values())))
    return protocols.usable(kept, target), groups, cached


def _kept(path: Path, key: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """The table at `path`, made anew if its key has changed."""
    cache.named(path, key, lambda partial: make().to_parquet(partial, index=False))
    return pd.read_parquet(path)


# ---------------------------------------------------------------- the leak as a dial


def dial_rows(
    table: pd.DataFrame, target: str, split: str, resampling: str, groups: pd.Series, seed: int
) -> pd.DataFrame:
    """Split rows for one position of the dial.

    Args:
        table: the images, with image_id, lesion_id and the target's column.
        split: one of `SPLITS`: what is never torn apart.
        resampling: one of `RESAMPLING`: when RandomOverSampler repeats images of small classes.
        groups: indexed by image_id; the duplicates of notebook 02.
        seed: of the resampling and the split.

    Returns:
        image_id, lesion_id, label, split.
    """
    table = table.assign(label=table[target])
    if resampling == "before the split":
        table = balance.resample(table, "over", seed)
    if split == "by image":
        rows = splits.split_by_image(table, target, seed=seed)
    else:
        known = groups if split == "by lesion and duplicates" else None
        rows = splits.split_by_lesion(table, target, seed=seed, groups=known)
    if resampling == "after the split":
        train = balance.resample(rows[rows["split"] == "train"], "over", seed)
        rows = pd.concat([train, rows[rows["split"] != "train"]], ignore_index=True)
    return rows


def learners(
    table: pd.DataFrame, target: str, cached: Path, settings: Settings
) -> dict[str, Learner]:
    """Three ways to learn, from one that only remembers to one that cannot.

    Returns:
        functions from split rows and a seed to predictions of the validation and test rows.
    """
    colours = histograms.histogram_table(*pixel_store.open_pixels(cached))

    def baseline(name: str) -> Learner:
        return lambda rows, seed: baselines.predict(
            name, rows, table, target, colours, seed, repeats=True
        )

    def head(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
        # The backbone is that of SEED; each seed has its own split and its own head.
        network, origin = features.frozen_backbone(
            BACKBONE, settings.IMAGE_SIZE, settings.WEIGHTS, settings.SEED
        )
        data = split_data.prepare(rows, cached)
        found = heads.fit_head(
            network,
            features.cached_features(network, BACKBONE, origin, data.pixels, f"dial {BACKBONE}"),
            data,
            "dial",
            units=registry.entry(BACKBONE).units,
            epochs=settings.HEAD_EPOCHS,
            patience=settings.PATIENCE,
            rate=settings.LEARNING_RATE,
            batch_size=HEAD_BATCH,
            seed=seed,
            weights=data.class_weights() if settings.CLASS_WEIGHTS else None,
            lines=0,
        )
        return trained.predictions(found, data, HEAD_BATCH)

    return {
        "nearest image": baseline("histogram_nearest"),
        f"{BACKBONE}, head": head,
        "logistic regression": baseline(CHEAP),
    }


def dial(target: str, seeds: Sequence[int], settings: Settings) -> pd.DataFrame:
    """Turn the leak up and down: every split with every time of resampling, several seeds.

    Of more than `MOST` images about so many are taken, whole lesions in the shares of `dx`.

    Returns:
        one row a learner, split, resampling and seed: leaked (the share of test rows whose image,
        lesion or duplicate is in training), accuracy and balanced_accuracy on the test part. Kept
        as `experiments/dial-<target>.parquet`.
    """
    table, groups, cached = _world(settings, target)
    if len(table) > MOST:
        table = datasets.take(table, MOST, settings.SEED)
    key = cache.key(
        *(table, groups, cached.name, target, list(seeds)),
        code=[dial, registry.module_of(BACKBONE)],
        settings=settings.deciding(),
    )

    def make() -> pd.DataFrame:
        ways = learners(table, target, cached, settings)
        positions = [(s, r, seed) for s in SPLITS for r in RESAMPLING for seed in seeds]
        found = []
        for split, resampling, seed in track(positions, f"dial {target}"):
            rows = dial_rows(table, target, split, resampling, groups, seed)
            report = leaks.leak_report(rows, duplicates=groups)
            leaked = report.query("split == 'test' and label == 'all'")["share"].iloc[0]
            about = {"split": split, "resampling": resampling, "seed": seed, "leaked": leaked}
            for name, learn in ways.items():
                answers = learn(rows, seed)
                scores = evaluation.scores(answers[answers["split"] == "test"])
                kept = {k: scores[k] for k in ("accuracy", "balanced_accuracy")}
                found.append({"learner": name} | about | kept)
        return pd.DataFrame(found)

    return _kept(settings.folder / "experiments" / f"dial-{target}.parquet", key, make)


# ---------------------------------------------------------------- folds and cohorts


def folds_and_cohorts(target: str, settings: Settings) -> pd.DataFrame:
    """The cheap baseline in a cross-validation, and trained without one cohort after the other.

    Returns:
        predictions (image_id, lesion_id, split, truth, `p_<class>`) with two more columns: fold (0
        to 4; -1 where a cohort was left out) and cohort (of the image). Every image stands once in
        a fold's test part: there its cohort was among the training images. Kept as
        `experiments/cohorts-<target>.parquet`.
    """
    table, groups, cached = _world(settings, target)
    key = cache.key(*(table, groups, cached.name, target, settings.SEED), code=[folds_and_cohorts])
    cohort = table.set_index("image_id")["dataset"]

    def make() -> pd.DataFrame:
        colours = histograms.histogram_table(*pixel_store.open_pixels(cached))
        folded = splits.folds(table, target, FOLDS, settings.SEED, groups)
        parts = [(fold, splits.fold_rows(folded, fold)) for fold in range(FOLDS)]
        if len(set(table["dataset"])) > 1:
            parts += [
                (-1, splits.split_by_cohort(table, target, one, seed=settings.SEED, groups=groups))
                for one in sorted(cohort.unique())
            ]
        found = []
        for fold, rows in track(parts, f"folds and cohorts {target}"):
            answers = baselines.predict(CHEAP, rows, table, target, colours, settings.SEED)
            found.append(answers[answers["split"] == "test"].assign(fold=fold))
        # A class that was in no training row of one part has no column there.
        together = pd.concat(found, ignore_index=True)
        p = [name for name in together if name.startswith("p_")]
        together[p] = together[p].fillna(0.0)
        return together.assign(cohort=together["image_id"].map(cohort))

    return _kept(settings.folder / "experiments" / f"cohorts-{target}.parquet", key, make)


def experiment(folder: Path, name: str) -> pd.DataFrame:
    """A table that notebook 05 left under `experiments/`.

    Raises:
        LesionsError: it is not there.
    """
    path = folder / "experiments" / f"{name}.parquet"
    if not path.exists():
        raise LesionsError(
            f"There is no experiment {path}: run notebook 05 first (`make 05 "
            f"PROFILE={folder.name}`)."
        )
    return pd.read_parquet(path)
