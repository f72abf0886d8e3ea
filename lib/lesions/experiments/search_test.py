"""The last step, and the only one that sees the test part: what chosen settings are worth there.

No module of the search imports this one, and a test holds that. It is run once, after the search.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from lesions.core.errors import LesionsError
from lesions.experiments import search_trial
from lesions.experiments.search_data import Development
from lesions.experiments.search_space import MODEL, SPACE
from lesions.networks import registry
from lesions.networks.backend import full_precision
from lesions.settings.parameters import Settings


def test_part(rows: pd.DataFrame, pixels: np.ndarray, image_ids: pd.Index) -> Development:
    """The test images of a split in the form that a trial is scored in; each image once."""
    once = rows[rows["split"] == "test"].drop_duplicates("image_id").reset_index(drop=True)
    places = image_ids.get_indexer(once["image_id"])
    return Development(once, np.ascontiguousarray(pixels[places]), sorted(rows["label"].unique()))


@full_precision()
def scores(
    trials: pd.DataFrame, test: Development, networks: Path, settings: Settings
) -> pd.DataFrame:
    """The test score of each trial that ran to its end, by the network that it trained.

    Args:
        trials: from `search.table`.
        test: from `test_part`.
        networks: the folder in which the trials kept their networks.

    Returns:
        number, test.

    Raises:
        LesionsError: a trial's network is not there.
    """
    found = []
    for trial in trials[trials["state"] == "complete"].to_dict("records"):
        path = search_trial.weights_file(networks, trial["seed"])
        if not path.exists():
            raise LesionsError(
                f"Trial {trial['number']} left no network in {networks}: only trials of one fold, "
                "carried out on this machine, keep theirs."
            )
        own = Settings(**settings.values() | {name: trial[name] for name in SPACE})
        model = registry.build(MODEL, test.size, len(test.classes), own)
        model.load_weights(path)
        value = search_trial.score_of(model, test, np.arange(len(test.rows)))
        found.append({"number": trial["number"], "test": value})
    return pd.DataFrame(found, columns=["number", "test"])
