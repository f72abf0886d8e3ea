"""Keep a run's tables, not its models, under `data/results/<profile>/`.

    python tools/keep_results.py quick

Written are board.csv (every network and baseline of the protocol `honest`, with intervals),
runs.csv (size, time and scores of every run) and about.json (machine, versions, parameters).
Where dx was learnt, decisions.csv (two decision rules). Where all nine models of the paper were
run, accuracy.csv and balanced_accuracy.csv (its rows, with intervals) and gap.csv (over all seeds).
Where our own network learnt sex, cohorts.csv (its AUC in each source cohort).
"""

import argparse
import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from lesions.baselines import baseline_runs
from lesions.core.files import BUILD, ROOT, atomic, write_json
from lesions.core.numbers import rounded
from lesions.paper import comparison, published
from lesions.scores import evaluation
from lesions.training import run_records

RUN = ["protocol", "model", "target", "seed", "init", "weights", "epochs", "seconds",
       "accuracy", "balanced_accuracy", "macro_auc"]  # fmt: skip
PAPERS = ("accuracy", "balanced_accuracy")
PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "opencv-python-headless")


def processor() -> str:
    """The processor's name, where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except ModuleNotFoundError:
            continue
    return found


def auc_by_cohort(record: str, table: pd.DataFrame, n: int) -> pd.DataFrame:
    """The AUC of a run in the test images of each source cohort, with an interval over lesions."""
    tested = run_records.predictions_of(record)
    cohort = tested["image_id"].map(table.set_index("image_id")["dataset"])
    parts = {"all": tested} | {name: tested[cohort == name] for name in sorted(set(cohort))}
    lines = []
    for name, part in parts.items():
        found = evaluation.bootstrap(part, "macro_auc", n=n).loc["macro_auc"]
        line = {"cohort": name, "images": len(part), "lesions": part["lesion_id"].nunique()}
        lines.append(line | {"auc": found["value"], "low": found["low"], "high": found["high"]})
    return pd.DataFrame(lines)


def keep(profile: str, n: int) -> Path:
    """Write the tables of `build/<profile>/`; returns their folder."""
    folder, target = BUILD / profile, ROOT / "data" / "results" / profile
    records = run_records.load_records(folder)
    seed = int(records["seed"].min())
    one = records[records["seed"] == seed]
    cheap = baseline_runs.baselines_of(folder, seed)
    tables = {"board": comparison.board(one, cheap, "honest", n), "runs": records[RUN]}
    models = comparison.with_validation(
        one, baseline_runs.baselines_of(folder, seed, "validation"), cheap
    )
    if models:
        tables["decisions"] = comparison.decisions(models)
    of_sex = one.query("target == 'sex' and protocol == 'honest' and model == 'compact_cnn'")
    for record in of_sex["record"]:
        tables["cohorts"] = auc_by_cohort(record, pd.read_csv(folder / "table.csv"), n)
    if set(published.scores()["key"]) <= set(one["model"]):
        tables |= {m: comparison.nine_rows(one, cheap, m, n) for m in PAPERS}
        tables["gap"] = comparison.gap(records)
    for name, table in tables.items():
        with atomic(target / f"{name}.csv") as partial:
            rounded(table, 4).to_csv(partial, index=False)
    run = run_records.About.read(one["record"].iloc[0])
    about = {"date": date.today().isoformat(), "processor": processor(), "cores": os.cpu_count(),
             "versions": versions(), "settings": run.settings}  # fmt: skip
    write_json(target / "about.json", about)
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profile")
    parser.add_argument("--bootstrap", type=int, default=1000)
    given = parser.parse_args()
    target = keep(given.profile, given.bootstrap)
    print(f"Kept in {target}.")


if __name__ == "__main__":
    main()
