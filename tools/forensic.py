"""The forensic experiment on the real images, kept as `data/results/forensic/tried.csv`.

    python tools/forensic.py --data ../HAM10000 --size 32 --seeds 3

Each of the paper's rows that needs no pretrained weights is trained under every way to resample
(see `lesions.experiments.forensic`). Each training adds a line to the table, and lines that are
there are not made again, so it may be stopped at any moment. About an hour on two cores.
"""

import argparse
import os
from datetime import date
from pathlib import Path

import pandas as pd

from keep_results import processor, versions
from lesions.core.files import atomic, write_json
from lesions.data import datasets, pixel_store
from lesions.experiments import forensic
from lesions.paper import published
from lesions.settings.parameters import Settings

KEYS = list(forensic.Position._fields)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.environ.get("HAM10000_DIR"), type=Path)
    parser.add_argument("--size", default=32, type=int)
    parser.add_argument("--seeds", default=3, type=int)
    parser.add_argument("--epochs", default="1,4")
    parser.add_argument("--rows", default=",".join(map(str, forensic.ROWS)))
    parser.add_argument("--epoch-samples", default=0, type=int)
    given = parser.parse_args()
    settings = Settings.of({"IMAGE_SIZE": given.size, "EPOCH_SAMPLES": given.epoch_samples,
                                "DATASET": "ham10000"})  # fmt: skip
    table = datasets.load("ham10000", str(given.data or ""))
    cache = pixel_store.pixel_cache(table, given.size)
    target = published.KEPT / "forensic" / "tried.csv"
    done = pd.read_csv(target) if target.exists() else pd.DataFrame(columns=KEYS)
    there = set(done[KEYS].itertuples(index=False, name=None))
    kept = {name: getattr(settings, name) for name in ("IMAGE_SIZE", "EPOCH_SAMPLES", "BATCH_SIZE",
            "LEARNING_RATE", "AUGMENT", "L2", "CNN_DENSE", "LATENT_FILTERS")}  # fmt: skip
    about = {"date": date.today().isoformat(), "processor": processor(), "cores": os.cpu_count(),
             "versions": versions(), "settings": kept}  # fmt: skip
    write_json(target.with_name("about.json"), about)
    todo = forensic.positions(
        [int(row) for row in given.rows.split(",")],
        [int(length) for length in given.epochs.split(",")],
        range(given.seeds),
    )
    for place in todo:
        if tuple(place) in there:
            continue
        line = forensic.one(table, cache, place, settings)
        done = pd.concat([done, pd.DataFrame([line])], ignore_index=True)
        with atomic(target) as partial:
            done.to_csv(partial, index=False)
        print(place, line["accuracy"], flush=True)


if __name__ == "__main__":
    main()
