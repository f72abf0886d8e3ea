"""Few labels on the real images: every method, share and seed; kept for notebook 09.

    make 03 PROFILE=quick P="PROTOCOL=honest"
    python tools/few_labels.py quick

Reads `build/<profile>/`, which notebooks 02 and 03 have filled; keeps each run there under
`few_labels/` and goes on where it was interrupted. Tables of all runs that have ended, whatever was
asked for now, go to `data/results/few_labels/`, with `about.json`. Two processes may share the work
by `--seeds`. Nothing is chosen on the test part.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from keep_results import processor, versions
from lesions.core import tables
from lesions.core.files import BUILD, atomic, write_json
from lesions.core.progress import say
from lesions.data import pixel_store
from lesions.experiments import few_labels, few_labels_runs, few_labels_tables, few_labels_views
from lesions.experiments.few_labels_methods import METHODS
from lesions.experiments.few_labels_shared import Budget
from lesions.splits import handover

CHANGED = 1500  # training images, and as many of validation, that are changed in each way


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profile", help="whose build folder has 03's rows and pixels")
    parser.add_argument("--methods", default=" ".join(METHODS))
    parser.add_argument("--shares", default="1 5 10 25 100", help="of the lesions, in percent")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=Budget.steps)
    parser.add_argument("--pretraining", type=int, default=Budget.pretraining)
    parser.add_argument("--to", default=str(few_labels_tables.KEPT), help="folder of the tables")
    parser.add_argument("--bootstrap", type=int, default=500, help="samples behind an interval")
    parser.add_argument("--tables", action="store_true", help="only write the tables")
    parser.add_argument("--changes", action="store_true", help="which changes keep the diagnosis")
    given = parser.parse_args()
    folder = BUILD / given.profile
    about = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    rows = tables.read(folder / "splits" / "honest-dx.csv", handover.ROWS, "run 03 first")
    pixels, image_ids = pixel_store.open_pixels(Path(about["pixels"]["honest"]))
    budget = Budget(given.steps, given.pretraining)
    setting = few_labels_runs.Setting(rows, pixels, image_ids, budget, folder / "few_labels")
    methods = few_labels_runs.methods_of(given.methods)
    shares = few_labels_runs.shares_of(given.shares)
    if not given.tables:
        for done in few_labels_runs.run_all(methods, shares, given.seeds, setting):
            say(f"{done.folder.name}: done")
    for name, table in few_labels_tables.all_of(setting, given.bootstrap).items():
        if table.empty:
            continue
        with atomic(Path(given.to) / f"{name}.csv") as partial:
            table.round(4).to_csv(partial, index=False)
    changes = Path(given.to) / "changes.csv"
    if given.changes and not changes.exists():
        task = few_labels.task(rows, pixels, image_ids, 1.0, 0)
        with atomic(changes) as partial:
            few_labels_views.kept_diagnosis(task, 0, CHANGED).round(4).to_csv(partial, index=False)
    note = {"profile": given.profile, "IMAGE_SIZE": about["IMAGE_SIZE"], "budget": asdict(budget),
            "images": len(image_ids), "bootstrap": given.bootstrap, "processor": processor(),
            "versions": versions()}  # fmt: skip
    write_json(Path(given.to) / "about.json", note)


if __name__ == "__main__":
    main()
