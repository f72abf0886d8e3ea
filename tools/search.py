"""A search on the real images, kept in `data/results/search`.

    python tools/search.py quick --data ../HAM10000           # the cells, seeds, more networks
    python tools/search.py quick --data ../HAM10000 --test    # once, at the end: test scores

Reads the keep-list that notebook 02 left in `build/<profile>/`. Written are trials.csv (every cell
of `search_space.GRID` by its validation score), seeds.csv (the study's setting with other seeds),
networks.csv (more networks) and about.json. Each training adds a line, so that it may be stopped
at any moment. `--test` adds the test score of each trial; nothing is chosen by it.
"""

import argparse
import os
from datetime import date
from pathlib import Path

import pandas as pd

from keep_results import processor, versions
from lesions.core.files import BUILD, ROOT, atomic, write_json
from lesions.data import pixel_store, source
from lesions.duplicates.keep import read_keep
from lesions.experiments import more_networks, search, search_data, search_space, search_test
from lesions.settings.parameters import Settings
from lesions.splits import protocols

KEPT = ROOT / "data" / "results" / "search"
SEEDS = 3  # of each of more networks


def write(table: pd.DataFrame, name: str) -> None:
    with atomic(KEPT / f"{name}.csv") as partial:
        table.round(4).to_csv(partial, index=False)


def repeated(path: Path, todo: list[tuple[str, int]], data, settings: Settings) -> pd.DataFrame:
    """Variants with seeds, a line each in a file; lines that are there are not made again."""
    done = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["variant", "seed"])
    there = set(done[["variant", "seed"]].itertuples(index=False, name=None))
    for variant, seed in todo:
        if (variant, seed) not in there:
            line = more_networks.score(variant, data, settings, seed)
            done = pd.concat([done, pd.DataFrame([line])], ignore_index=True)
            with atomic(path) as partial:
                done.round(4).to_csv(partial, index=False)
            print(line, flush=True)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profile", help="whose build folder has 02's keep-list")
    parser.add_argument("--data", default=os.environ.get("HAM10000_DIR", ""))
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--images", type=int, default=6000, help="that a trial sees")
    parser.add_argument("--seeds", type=int, default=8, help="of one setting")
    parser.add_argument("--only", default="cells seeds networks", help="some of these steps")
    parser.add_argument("--test", action="store_true", help="the last step: test scores")
    given = parser.parse_args()
    cells = len(search_space.cells(Settings()))
    settings = Settings(PROFILE=given.profile, DATASET="ham10000", DATA_DIR=given.data,
                        IMAGE_SIZE=given.size, SEARCH_TRIALS=cells, SEARCH_IMAGES=given.images,
                        SEARCH_SAMPLER="grid")  # fmt: skip
    images = source.load_table(settings)
    keep = read_keep(settings, images)
    readable = images[images["image_id"].isin(keep.loc[keep["reason"] != "unreadable", "image_id"])]
    cached = pixel_store.pixel_cache(
        readable.reset_index(drop=True), settings.IMAGE_SIZE, settings.GEOMETRY
    )
    rows = protocols.rows_for("honest", images, keep, search_space.TARGET, settings)
    pixels, image_ids = pixel_store.open_pixels(cached)
    folder = BUILD / given.profile / "search"
    if given.test:
        test = search_test.test_part(rows, pixels, image_ids)
        trials = pd.read_csv(KEPT / "trials.csv")
        trials = trials.drop(columns="test", errors="ignore")
        scored = search_test.scores(trials, test, folder / "networks", settings)
        write(trials.merge(scored, how="left", on="number"), "trials")
        return
    data = search_data.development(rows, pixels, image_ids, keep.set_index("image_id")["group"])
    about = {"date": date.today().isoformat(), "processor": processor(), "cores": os.cpu_count(),
             "versions": versions(), "images": len(data.rows), "images a trial": given.images,
             "settings": settings.deciding()}  # fmt: skip
    write_json(KEPT / "about.json", about)
    if "cells" in given.only:
        study = search.open_study(folder / "journal.log", "kept cells")
        run = search.Search(study, settings, "grid", prune=False)
        pool = search.InOrder(data, folder / "networks")
        while run.spent() < run.budget:
            search.search(run, pool, most=1)
            write(search.table(study).sort_values("number"), "trials")
    seeds = [(more_networks.REPEATED, seed) for seed in range(given.seeds)]
    several = [(name, seed) for seed in range(SEEDS) for name in more_networks.VARIANTS]
    for name, todo in (("seeds", seeds), ("networks", several)):
        if name in given.only:
            # Kept when it is whole: half of it would compare some changes and not others.
            write(repeated(folder / f"{name}.csv", todo, data, settings), name)


if __name__ == "__main__":
    main()
