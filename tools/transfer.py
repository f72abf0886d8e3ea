"""Does pretraining help? The same split, seeds and images for several networks, on the real images.

    make 03 PROFILE=own P="PROFILE=transfer PROTOCOL=honest GEOMETRY=crop IMAGE_SIZE=128"
    python tools/transfer.py transfer --data DIR --seeds 0 1 2 --models tuned_lite0 cnn

Every run is a record under `build/<profile>/runs`, and goes on where it was interrupted. Printed
are the scores of the validation part, for choosing; with --keep, those of the test part as well go
to `data/results/<profile>/transfer.csv`, under decision rules that were chosen on validation, and
replace the lines of the same model and seed. Beside them: what age, sex and place add to each
model that is asked for with --ablate (`ablation.csv`, `ablation_differences.csv`,
`ablation_by_class.csv`), and what the runs had in common (`about.json`).
"""

import argparse
import json
import os
from datetime import date
from pathlib import Path

import pandas as pd

from keep_results import processor, versions
from lesions.core.files import ROOT, atomic, write_json
from lesions.core.numbers import rounded
from lesions.data import pixel_store, source
from lesions.duplicates.keep import read_keep
from lesions.experiments import ablation
from lesions.scores import calibration, evaluation
from lesions.settings import params
from lesions.settings.parameters import Settings
from lesions.splits import protocols
from lesions.training import records, run_records

SCORES = ["accuracy", "balanced_accuracy", "macro_auc", "log_loss"]
MODELS = ["efficientnet_lite0", "tuned_lite0", "scratch_lite0", "cnn", "compact_cnn"]


def settings_for(profile: str, data: str, seed: int, assignments: str) -> Settings:
    """All parameters of one run; `assignments` as on the command line of make."""
    given = {
        "PROFILE": profile,
        "DATASET": "ham10000",
        "DATA_DIR": data,
        "PROTOCOL": "honest",
        "GEOMETRY": "crop",
        "IMAGE_SIZE": 128,
        "EPOCH_SAMPLES": 0,
        "RESAMPLE": "none",  # for all of them alike: the class shares of nature
        "TUNE_EPOCHS": 9,
    }
    return Settings.of(given | params.read_assignments(assignments) | {"SEED": seed})


def scored(record: Path, part: str) -> dict[str, float]:
    """Accuracy of the most probable class, balanced accuracy under a chosen rule, macro AUC."""
    validation = run_records.predictions_of(record, "validation")
    part = run_records.predictions_of(record, part)
    rule = calibration.choose_decision(validation).to_dict()
    plain = evaluation.scores(part)
    return {
        "accuracy": plain["accuracy"],
        "balanced_accuracy": evaluation.scores(part, rule)["balanced_accuracy"],
        "macro_auc": plain["macro_auc"],
        "log_loss": plain["log_loss"],
    }


def ablated(record: Path, rows: pd.DataFrame, table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What age, sex and place add to a run's answers, by name of the table that it belongs to."""
    image = run_records.predictions_of(record, split=None)
    answers = ablation.fused(image, rows, table, "dx")
    return {
        "ablation": ablation.scores(answers).reset_index(),
        "ablation_differences": ablation.differences(answers),
        "ablation_by_class": ablation.by_class(answers).rename_axis("class").reset_index(),
    }


def keep_table(place: Path, new: pd.DataFrame, keys: list[str]) -> None:
    """Write lines to a kept table, in the place of those with the same keys."""
    if place.exists():
        old = pd.read_csv(place)
        there = pd.MultiIndex.from_frame(new[keys])
        new = pd.concat([old[~pd.MultiIndex.from_frame(old[keys]).isin(there)], new])
    with atomic(place) as partial:
        rounded(new, 4).to_csv(partial, index=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profile", help="whose build folder has 02's keep-list")
    parser.add_argument("--data", default=os.environ.get("HAM10000_DIR", ""))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--ablate", nargs="*", default=[], help="of the models")
    parser.add_argument("--set", default="", metavar="'NAME=value …'")
    parser.add_argument("--keep", action="store_true", help="keep the scores, of test images too")
    given = parser.parse_args()
    lines: list[dict] = []
    beside: dict[str, list[pd.DataFrame]] = {}
    for seed in given.seeds:
        settings = settings_for(given.profile, given.data, seed, given.set)
        table = source.load_table(settings)
        keep = read_keep(settings, table)
        readable = table[
            table["image_id"].isin(keep.loc[keep["reason"] != "unreadable", "image_id"])
        ]
        cache = pixel_store.pixel_cache(
            readable.reset_index(drop=True), settings.IMAGE_SIZE, settings.GEOMETRY
        )
        rows = protocols.rows_for("honest", table, keep, "dx", settings)
        for name in given.models:
            record = records.train_run(name, "dx", "honest", rows, cache, settings)
            about = json.loads((record / "params.json").read_text(encoding="utf-8"))
            run = {key: about[key] for key in ("model", "init", "epochs", "seconds")}
            for part in ("validation", "test"):
                lines.append(run | {"seed": seed, "part": part} | scored(record, part))
            print(rounded(pd.DataFrame(lines[-2:-1]), 4).to_string(index=False), flush=True)
            if name in given.ablate and given.keep:
                for kind, found in ablated(record, rows, table).items():
                    beside.setdefault(kind, []).append(found.assign(model=name, seed=seed))
    found = pd.DataFrame(lines)
    validation = found[found["part"] == "validation"].groupby("model", sort=False)[SCORES]
    print("\n", rounded(validation.agg(["mean", "std"]), 4).to_string(), sep="")
    if given.keep:
        place = ROOT / "data" / "results" / given.profile
        keep_table(place / "transfer.csv", found, ["model", "init", "seed"])
        for kind, parts in beside.items():
            keep_table(place / f"{kind}.csv", pd.concat(parts), ["model", "seed"])
        note = {"date": date.today().isoformat(), "processor": processor(),
                "cores": os.cpu_count(), "versions": versions(),
                "settings": records.said_settings(settings)}  # fmt: skip
        write_json(place / "about.json", note)


if __name__ == "__main__":
    main()
