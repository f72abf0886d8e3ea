"""Which runs the images at hand allow: a target that they do not have is left out, with a word."""

from collections.abc import Mapping, Sequence

import pandas as pd

from lesions.core.errors import LesionsError


def possible_runs(
    runs: Sequence[tuple[str, str]], splits: Mapping[str, pd.DataFrame], instead: bool = False
) -> list[tuple[str, str]]:
    """Those of the runs whose target notebook 03 could split; says which are left out.

    Images of one's own may come without sex, kind of proof or place.

    Args:
        runs: (model, target) each.
        splits: rows by `<protocol>-<target>`, from `handover.load_splits`.
        instead: if no run is left, train the same models on the first target that there is.

    Raises:
        LesionsError: 03 has made no split at all.
    """
    there = list(dict.fromkeys(name.partition("-")[2] for name in splits))
    if not there:
        raise LesionsError(
            "Notebook 03 has made no split: these images have no column with two values or more. "
            "Give them labels, then run 03 again."
        )
    kept = [(name, target) for name, target in runs if target in there]
    for target in dict.fromkeys(target for _, target in runs if target not in there):
        names = ", ".join(name for name, other in runs if other == target)
        print(f"These images have no two values of {target}; left out: {names} on {target}.")
    if runs and instead and not kept:
        target = "dx" if "dx" in there else there[0]
        kept = [(name, target) for name in dict.fromkeys(name for name, _ in runs)]
        print(f"The same networks are trained on {target} instead.")
    return kept
