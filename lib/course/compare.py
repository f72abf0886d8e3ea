"""The scores of one profile or of several side by side: `make compare PROFILES="over plain"`."""

import json
from pathlib import Path

import pandas as pd

from lesions.core.errors import LesionsError
from lesions.core.files import BUILD, atomic
from lesions.training import run_records

KEYS = ["protocol", "target", "model", "seed"]
# Accuracy depends on how frequent the classes are, balanced accuracy on the rule of decision; the
# third on neither.
MEASURES = ["accuracy", "balanced_accuracy", "macro_auc"]


def scores(profiles: list[str]) -> pd.DataFrame:
    """What each profile's runs scored on their test part.

    Args:
        profiles: names of folders under build/.

    Returns:
        a row for each protocol, target, model and seed; a column for each measure and profile,
        (measure, profile), NaN where the profile has no such run.

    Raises:
        LesionsError: a profile has no run records.
    """
    parts = {}
    for profile in dict.fromkeys(profiles):
        if not (BUILD / profile / "runs").is_dir():
            known = sorted(path.parent.name for path in BUILD.glob("*/runs"))
            raise LesionsError(
                f"Profile {profile} has no runs under {BUILD}; "
                + (f"these have: {', '.join(known)}." if known else "run `make all` first.")
            )
        records = run_records.load_records(BUILD / profile)
        # One model may stand there twice, as with other epochs: the last is compared.
        parts[profile] = records.drop_duplicates(KEYS, keep="last").set_index(KEYS)[MEASURES]
    table = pd.concat(parts, axis=1).swaplevel(axis=1)
    return table[[(measure, profile) for measure in MEASURES for profile in parts]].sort_index()


def differences(profiles: list[str]) -> dict[str, list]:
    """The parameters in which the profiles' last runs differ, each with its value in every one."""
    given: dict[str, dict] = {}
    for profile in dict.fromkeys(profiles):
        given[profile] = {}
        for path in sorted((BUILD / profile / "params").glob("*.json")):
            given[profile] |= json.loads(path.read_text(encoding="utf-8"))
    names = dict.fromkeys(name for values in given.values() for name in values)
    found = {name: [values.get(name, "") for values in given.values()] for name in names}
    return {
        name: values
        for name, values in found.items()
        if name != "PROFILE" and any(value != values[0] for value in values)
    }


def readable(table: pd.DataFrame) -> str:
    """The table as text, as a reader would write it: two decimals, no NaN; with one profile, it
    stands in no column of its own.
    """
    if len(set(table.columns.get_level_values(1))) == 1:
        table = table.droplevel(1, axis=1)
    table = table.rename(columns=lambda text: text.replace("_", " ")).rename_axis(
        columns=[None] * table.columns.nlevels
    )
    shown = table.reset_index().to_string(index=False, float_format="{:.2f}".format, na_rep="")
    return f"Scores on the test part:\n{shown}"


def write(profiles: list[str]) -> Path:
    """Print the comparison and keep it as build/compare/<profiles>.csv; returns that file.

    Raises:
        LesionsError: a profile has no run records.
    """
    table = scores(profiles)
    print(readable(table))
    for name, values in differences(profiles).items():
        print(f"{name}: " + ", ".join(map(str, values)))
    names = "-".join(dict.fromkeys(profiles))
    path = BUILD / "compare" / f"{names if len(names) < 100 else 'profiles'}.csv"
    flat = table.copy()
    flat.columns = [f"{measure}_{profile}" for measure, profile in table.columns]
    with atomic(path) as partial:
        flat.reset_index().to_csv(partial, index=False)
    print(f"Kept in {path}.")
    return path
