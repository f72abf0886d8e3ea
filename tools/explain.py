"""Explanations on the real images: cover-up, shuffled labels, maps held to account; kept.

    python tools/explain.py own                     every step
    python tools/explain.py own colours network     some of them

Reads `build/<profile>/`, which notebooks 02 and 03 have filled, and the run record of a network on
dx: any of the registry that has layers with places. Writes `data/results/explanation/`. What a step
has made lies in `build/<profile>/explanation/` under a key of everything that it was made from, so
an interrupted run goes on, and a second one does only what has changed. Nothing is chosen on the
test part: the methods, their amounts and the images looked at are fixed beforehand.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from keep_results import processor, versions
from lesions.core import cache
from lesions.core.content import contents
from lesions.core.files import BUILD, atomic, write_json
from lesions.core.numbers import rounded
from lesions.core.progress import say
from lesions.data import datasets, pixel_store, source
from lesions.duplicates.keep import read_keep
from lesions.explain import (
    artefacts,
    cover_study,
    covering,
    localisation,
    maps,
    masks,
    short_networks,
    study,
)
from lesions.settings.parameters import Settings
from lesions.splits import handover
from lesions.training import run_records

FEW = 24  # images whose maps are asked again and again
STAGES = 3  # from the trained network to a random one
SHOWN = 70  # images whose maps are compared after training on shuffled labels
COVERS = {"colours": tuple(covering.COVERS), "network": short_networks.COVERS}


@dataclass(frozen=True)
class World:
    """What 02 and 03 left of a profile, with the masks at the size of its images."""

    folder: Path  # of this tool's results
    rows: pd.DataFrame  # the split of dx, each image once
    cached: Path
    pixels: np.ndarray
    image_ids: pd.Index
    table: pd.DataFrame  # in the order of the pixels
    groups: pd.Series
    honest: np.ndarray  # bool: which images `honest` keeps
    masks: np.ndarray


def world_of(settings: Settings) -> World:
    """Read it all; the masks are made once."""
    splits, caches = handover.load_splits(settings)
    pixels, image_ids = pixel_store.open_pixels(caches["honest"])
    table = handover.load_table(settings.folder).set_index("image_id").loc[image_ids].reset_index()
    keep = read_keep(settings, table).set_index("image_id")
    place = datasets.locate(settings.DATASET, source.data_folder(settings))
    shape = settings.IMAGE_SIZE, settings.GEOMETRY
    folder = settings.folder / "explanation"

    def make(partial: Path) -> None:
        found, faults = masks.load_masks(table, place, *shape)
        say(f"masks: {len(faults)} faults")
        np.save(partial, found)

    path = folder / f"masks-{shape[0]}-{shape[1]}.npy"
    cache.named(path, cache.key(list(image_ids), str(place), *shape, code=[masks]), make)
    return World(
        folder=folder,
        rows=splits["honest-dx"].drop_duplicates(["image_id", "split"], ignore_index=True),
        cached=caches["honest"],
        pixels=pixels,
        image_ids=image_ids,
        table=table,
        groups=keep["group"],
        honest=keep.loc[image_ids, "keep_honest"].to_numpy(),
        masks=np.load(path),
    )


def table_of(name: str, key: str, make: Callable[[], pd.DataFrame], folder: Path) -> pd.DataFrame:
    """A table under the profile's folder, made anew if its key has changed."""
    path = folder / f"{name}.parquet"
    cache.named(path, key, lambda partial: make().to_parquet(partial, index=False))
    say(f"{name}: there")
    return pd.read_parquet(path)


def keep_table(name: str, table: pd.DataFrame, given: argparse.Namespace) -> None:
    """Write a table to the kept results."""
    with atomic(Path(given.to) / f"{name}.csv") as partial:
        rounded(table, 4).to_csv(partial, index=False)


def cover_up(kind: str, world: World, given: argparse.Namespace) -> None:
    """Steps `colours` and `network`: train and test under each cover, seed by seed."""
    pixels, known = world.pixels[world.honest], world.table[world.honest].reset_index(drop=True)
    lesions = world.masks[world.honest]
    if kind == "colours":
        learner, makers, epochs = covering.colours_learner(known), [covering], 0
    else:
        epochs = given.epochs
        learner, makers = short_networks.network_learner(known, epochs), [short_networks]
    answers = []
    for seed in range(given.seeds):
        for what in COVERS[kind]:
            key = cache.key(known, world.cached.name, world.groups, what, seed, epochs, code=makers)
            answers.append(table_of(
                f"cover-up-{kind}-{seed}-{what.replace(' ', '-')}", key,
                lambda what=what, seed=seed: covering.cover_up(
                    known, study.TARGETS, pixels, lesions, learner, [seed], world.groups, [what]
                ), world.folder,
            ))  # fmt: skip
        # After each seed: what there is can be looked at.
        name = "cover_up" if kind == "colours" else "cover_up_network"
        keep_table(name, cover_study.cover_scores(pd.concat(answers)), given)


def shuffled(world: World, given: argparse.Namespace) -> None:
    """Step `labels`: are the maps of networks that learnt shuffled labels any different?"""
    test = world.rows[world.rows["split"] == "test"].rename(columns={"label": "truth"})
    shown = study.chosen_images(test, SHOWN)["image_id"].tolist()
    key = cache.key(world.rows, world.cached.name, shown, given.epochs, code=[short_networks])
    both = {}

    def made() -> tuple[pd.DataFrame, pd.DataFrame]:
        if not both:
            both["all"] = short_networks.shuffled_labels(
                world.rows, world.pixels, world.image_ids, shown, given.epochs
            )
        return both["all"]

    for number, name in enumerate(("shuffled_labels", "shuffled_networks")):
        table = table_of(name, key, lambda number=number: made()[number], world.folder)
        keep_table(name, table, given)


def maps_of(record: Path, who: study.Subject, key: str, folder: Path) -> dict[str, dict]:
    """The maps of the trained network, of the untrained one and of the controls; each is kept."""
    found: dict[str, dict] = {}
    for network, model in (("trained", who.network), ("untrained", who.untrained)):
        found[network] = {}
        for method in maps.METHODS:
            path = folder / f"maps-{record.name}-{network}-{method.replace(' ', '-')}.npy"

            def make(partial: Path, model=model, method=method) -> None:
                np.save(partial, maps.explain(model, who.images, who.answers, [method])[method])

            cache.named(path, key, make)
            say(f"{network}, {method}: there")
            found[network][method] = np.load(path)
    return found | {"no network": study.control_maps(who)}


def look(world: World, given: argparse.Namespace) -> None:
    """Step `maps`: everything that needs the trained network."""
    record = BUILD / given.profile / "runs" / given.record
    who = study.subject(record, world.pixels, world.masks, world.image_ids, given.images)
    file = contents([str(run_records.network_of(record))])[0]
    key = cache.key(file, who.about, world.cached.name, FEW, STAGES, code=[study, artefacts])
    found = maps_of(record, who, key, world.folder)
    trained, others = found["trained"], found["no network"]
    asked = trained | {name: others[name] for name in ("centre Gaussian", "edge detector")}
    few = study.spread_evenly(len(who.about), FEW)
    error = maps.completeness_error(
        who.network, who.images, who.answers, trained["integrated gradients"]
    )

    def step(name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        table = table_of(f"{record.name}-{name}", key, make, world.folder)
        keep_table(name, table, given)
        return table

    measured = study.localised(who, found)
    step("localisation", lambda: localisation.summary(measured, ("network", "map", "measure")))
    step("by_class", lambda: localisation.summary(
        measured, ("network", "map", "measure", "truth")))  # fmt: skip
    step("completeness", lambda: pd.DataFrame(
        [{"images": len(error), "median": np.median(error), "p90": np.quantile(error, 0.9)}]
    ))  # fmt: skip
    step("published_beside", lambda: study.published_beside(found, who))
    step("answers", lambda: who.about.groupby("truth", as_index=False).agg(
        images=("right", "size"), right=("right", "sum"), confidence=("confidence", "mean")
    ))  # fmt: skip
    step("artefacts", lambda: artefacts.flip_table(
        artefacts.flips(who.network, who.pixels, who.about, who.classes)))  # fmt: skip
    steps = step("randomisation", lambda: study.forgotten(who, asked, FEW, STAGES)[0])
    step("faithfulness", lambda: study.faithful(who, asked, steps, few))


STEPS = {
    "colours": lambda world, given: cover_up("colours", world, given),
    "network": lambda world, given: cover_up("network", world, given),
    "labels": shuffled,
    "maps": look,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profile")
    parser.add_argument("steps", nargs="*", metavar="step", help=f"of {', '.join(STEPS)}")
    parser.add_argument("--record", default="honest-dx-compact_cnn-seed0", help="under runs/")
    parser.add_argument("--seeds", type=int, default=3, help="of the cover-up")
    parser.add_argument("--epochs", type=int, default=2, help="of the cover-up's network")
    parser.add_argument("--images", type=int, default=100, help="to explain, about")
    parser.add_argument("--data", default="", help="folder of the images; as HAM10000_DIR")
    parser.add_argument("--to", default=str(study.KEPT), help="folder of the tables")
    given = parser.parse_args()
    unknown = set(given.steps) - set(STEPS)
    if unknown:
        parser.error(f"there is no step {', '.join(unknown)}; there are {', '.join(STEPS)}")
    saved = BUILD / given.profile / "params" / "03.json"
    if not saved.exists():
        parser.error(f"there is no {saved}: run notebook 03 first (`make 03`)")
    values = json.loads(saved.read_text(encoding="utf-8"))
    settings = Settings.of(values | ({"DATA_DIR": given.data} if given.data else {}))
    world = world_of(settings)
    about = Path(given.to) / "about.json"
    notes = json.loads(about.read_text(encoding="utf-8")) if about.exists() else {}
    for name in given.steps or STEPS:
        STEPS[name](world, given)
        used = {"profile": given.profile, "IMAGE_SIZE": settings.IMAGE_SIZE,
                "GEOMETRY": settings.GEOMETRY, "processor": processor(),
                "versions": versions()}  # fmt: skip
        used |= {"maps": {"record": given.record, "images": given.images},
                 "labels": {"epochs": given.epochs},
                 "colours": {"seeds": given.seeds},
                 "network": {"seeds": given.seeds, "epochs": given.epochs}}[name]  # fmt: skip
        notes[name] = used
        write_json(about, notes)


if __name__ == "__main__":
    main()
