"""A trained model, and what it answers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lesions.networks.backend import keras
from lesions.networks.input_pipeline import images_only
from lesions.training.fitting import probabilities
from lesions.training.split_data import Data


@dataclass
class Trained:
    """A trained model and how it came about."""

    model: keras.Model
    history: pd.DataFrame  # one row an epoch
    init: str  # where the weights began: "scratch", "imagenet", "file" or "random"
    autoencoder: keras.Model | None = None  # what the encoder was trained in
    # Where only a head was trained: the head, and its inputs, float32 (images, features).
    head: keras.Model | None = None
    features: np.ndarray | None = None


def predict(trained: Trained, data: Data, numbers: np.ndarray, batch_size: int) -> np.ndarray:
    """Probabilities for rows of the split, float64 (rows, classes).

    Each image is predicted once, however many rows it stands in; a frozen network's features are
    used where they are at hand.
    """
    images, rows = np.unique(data.positions[numbers], return_inverse=True)
    if trained.features is not None:
        return probabilities(trained.head, trained.features[images])[rows]
    return probabilities(trained.model, images_only(data.pixels, batch_size, images))[rows]


def predictions(trained: Trained, data: Data, batch_size: int) -> pd.DataFrame:
    """Probabilities of the validation and test rows, as a table of the run record's form.

    Returns:
        image_id, lesion_id, split, truth, and `p_<class>` for each class.
    """
    numbers = np.flatnonzero(data.rows["split"].isin(["validation", "test"]))
    p = predict(trained, data, numbers, batch_size)
    table = data.rows.iloc[numbers][["image_id", "lesion_id", "split"]].reset_index(drop=True)
    table["truth"] = data.rows["label"].to_numpy()[numbers]
    return pd.concat([table, pd.DataFrame(p, columns=[f"p_{c}" for c in data.classes])], axis=1)
