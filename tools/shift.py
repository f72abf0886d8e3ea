"""Where a network breaks, on the real images: corruptions, skin tone, pictures that are none; kept.

    python tools/shift.py own --records honest-dx-compact_cnn-seed0
    python tools/shift.py seed0/runs/… seed1/runs/…          (profiles of several seeds)

Each record is a folder under `build/`, or the name of a profile with `--records` under its `runs/`.
Writes `data/results/shift/`. The answers to each corruption are kept beside the record's profile,
so an interrupted run goes on; `--again` makes all anew. Nothing is chosen on the test part.
"""

import argparse
from pathlib import Path

import pandas as pd

from keep_results import processor, versions
from lesions.core import cache
from lesions.core.files import BUILD, atomic, write_json
from lesions.core.progress import say
from lesions.data import datasets
from lesions.explain import breaking, shift
from lesions.predict import export
from lesions.training import run_records


def records_of(given: argparse.Namespace) -> list[Path]:
    """The folders of the records that were named."""
    places = [BUILD / name for name in given.places]
    found = [place / "runs" / name for place in places for name in given.records.split()]
    return found if given.records else places


def tables_of(record: Path, given: argparse.Namespace) -> dict[str, pd.DataFrame]:
    """The three tables of one record, each corruption's answers kept as they come."""
    about = run_records.About.read(record)
    folder = datasets.locate(about.settings["DATASET"], given.data)
    test = breaking.test_of(record, given.images)
    place = export.profile_of(record) / "shift" / record.name
    key = cache.key(test.rows, test.pixels, test.chosen.model.about, code=[shift])
    parts = []
    for what, severity in shift.settings_of(range(1, 6)):
        path = place / f"{what.replace(' ', '-')}-{severity}-{key}.parquet"
        if given.again or not path.exists():
            say(f"{record.name}: {what} {severity}")
            found = shift.answers_to(test.chosen, test.pixels, test.rows, what, severity)
            with atomic(path) as partial:
                found.to_parquet(partial, index=False)
        parts.append(pd.read_parquet(path))
    say(f"{record.name}: skin, and pictures that are none")
    return breaking.tables_of(
        test, pd.concat(parts, ignore_index=True), folder, given.each, given.n
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", nargs="+", help="under build/: records, or profiles")
    parser.add_argument("--records", default="", help="names under runs/ of each profile")
    parser.add_argument("--images", type=int, default=0, help="test images; 0: all")
    parser.add_argument("--each", type=int, default=200, help="strangers of a kind")
    parser.add_argument("--n", type=int, default=1000, help="resamples of the lesions")
    parser.add_argument("--data", default=None, help="folder of the images; as HAM10000_DIR")
    parser.add_argument("--to", type=Path, default=breaking.KEPT, help="folder of the tables")
    parser.add_argument("--again", action="store_true")
    given = parser.parse_args()
    records = records_of(given)
    found = {record: tables_of(record, given) for record in records}
    for name in breaking.NAMES:
        parts = [tables[name].assign(record=record.name) for record, tables in found.items()]
        with atomic(given.to / f"{name}.csv") as partial:
            pd.concat(parts).round(4).to_csv(partial, index=False)
    about = {"records": [str(record.relative_to(BUILD)) for record in records],
             "images": given.images, "processor": processor(), "versions": versions()}  # fmt: skip
    write_json(given.to / "about.json", about)


if __name__ == "__main__":
    main()
