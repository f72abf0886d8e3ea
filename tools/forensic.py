"""The forensic experiment on the real images, kept as `data/results/forensic/tried.csv`.

    python tools/forensic.py --data ../HAM10000 --size 32 --seeds 3

    python tools/forensic.py --rows 5,6,9 --stand-in efficientnet_lite0 --size 64
    python tools/forensic.py --rows 5,6,8,9 --weights random

Each of the paper's rows is trained under every way to resample (`lesions.experiments.forensic`);
without `--rows` those that need no pretrained weights. Each training adds a line to the table, and
lines that are there are not made again, so it may be stopped at any moment. About an hour on two
cores. In place of the networks of rows 5, 6 and 9 something else may stand; `about.json` says what
that then says.
"""

import argparse
import json
import os
from datetime import date
from pathlib import Path

import pandas as pd

from keep_results import processor, versions
from lesions.core.files import atomic, write_json
from lesions.data import datasets, pixel_store
from lesions.experiments import forensic
from lesions.networks import registry
from lesions.paper import published
from lesions.settings.parameters import Settings

KEYS = [*forensic.Position._fields, "stand_in"]
SAID = ("IMAGE_SIZE", "EPOCH_SAMPLES", "BATCH_SIZE", "LEARNING_RATE", "AUGMENT", "L2", "CNN_DENSE",
        "LATENT_FILTERS")  # fmt: skip


def place_of(row: int, given: argparse.Namespace) -> str:
    """What stands in the place of a row's network: nothing, a stand-in, or where weights begin."""
    recipe = registry.entry(forensic.model_of(row)[0]).recipe
    return "" if recipe != "head" else given.stand_in or f"weights: {given.weights}"


def note(target: Path, settings: Settings, places: set[str], given: argparse.Namespace) -> None:
    """Write about.json beside the table: its own rows, and what each stand-in says."""
    path = target.with_name("about.json")
    about = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    about |= {"date": date.today().isoformat(), "processor": processor(),
              "cores": os.cpu_count(), "versions": versions()}  # fmt: skip
    kept = {name: getattr(settings, name) for name in SAID}
    for place in sorted(places):
        if place:
            says = {"says": forensic.STAND_INS[given.stand_in], "settings": kept}
            about["stand_ins"] = about.get("stand_ins", {}) | {place: says}
        else:
            about["settings"] = kept
    write_json(path, about)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.environ.get("HAM10000_DIR"), type=Path)
    parser.add_argument("--size", default=32, type=int)
    parser.add_argument("--seeds", default=3, type=int)
    parser.add_argument("--epochs", default="1,4")
    parser.add_argument("--rows", default=",".join(map(str, forensic.ROWS)))
    parser.add_argument("--epoch-samples", default=0, type=int)
    parser.add_argument("--stand-in", default="", choices=list(forensic.STAND_INS))
    parser.add_argument("--weights", default="random", help="of the paper's backbones; as WEIGHTS")
    given = parser.parse_args()
    values = {"IMAGE_SIZE": given.size, "EPOCH_SAMPLES": given.epoch_samples}
    settings = Settings.of(values | {"DATASET": "ham10000", "WEIGHTS": given.weights})
    table = datasets.load("ham10000", str(given.data or ""))
    cache = pixel_store.pixel_cache(table, given.size)
    target = published.KEPT / "forensic" / "tried.csv"
    done = pd.read_csv(target) if target.exists() else pd.DataFrame(columns=KEYS)
    done["stand_in"] = done["stand_in"].fillna("") if "stand_in" in done else ""
    there = set(done[KEYS].itertuples(index=False, name=None))
    rows = [int(row) for row in given.rows.split(",")]
    note(target, settings, {place_of(row, given) for row in rows}, given)
    epochs = [int(length) for length in given.epochs.split(",")]
    for position in forensic.positions(rows, epochs, range(given.seeds)):
        place = place_of(position.row, given)
        if (*position, place) in there:
            continue
        line = forensic.one(table, cache, position, settings, given.stand_in)
        done = pd.concat([done, pd.DataFrame([line | {"stand_in": place}])], ignore_index=True)
        with atomic(target) as partial:
            done.to_csv(partial, index=False)
        print(position, place, line["accuracy"], flush=True)


if __name__ == "__main__":
    main()
