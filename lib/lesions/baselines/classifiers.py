"""The classifiers behind the baselines, each fitted in seconds.

What there is to choose, how strongly to regularise and when to stop, is chosen by the log loss on
the validation rows.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lesions.core import seeds


@dataclass(frozen=True)
class Part:
    """What a classifier is fitted to, or chosen by."""

    x: np.ndarray  # float64 (rows, features)
    y: np.ndarray  # labels, (rows,)
    weight: np.ndarray  # float64 (rows,)


def logistic(train: Part, validation: Part, seed: int, balanced: bool = False):
    """Logistic regression; the regularisation with the smallest validation loss of three."""
    best, smallest = None, np.inf
    for c in (0.01, 0.1, 1.0):
        weight = "balanced" if balanced else None
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=c, class_weight=weight, max_iter=300, tol=1e-3)
        ).fit(train.x, train.y, logisticregression__sample_weight=train.weight)
        loss = log_loss(validation.y, model.predict_proba(validation.x), labels=model.classes_,
                        sample_weight=validation.weight)  # fmt: skip
        if loss < smallest:
            best, smallest = model, loss
    return best


def balanced_logistic(train: Part, validation: Part, seed: int):
    """Logistic regression that counts every class as equally frequent."""
    counts = pd.Series(validation.y).map(pd.Series(validation.y).value_counts()).to_numpy()
    even = Part(validation.x, validation.y, validation.weight / counts)
    return logistic(train, even, seed, balanced=True)


def boosting(train: Part, validation: Part, seed: int):
    """Gradient-boosted trees; stops when the validation loss no longer falls."""
    model = HistGradientBoostingClassifier(
        max_iter=300, max_leaf_nodes=15, min_samples_leaf=40, l2_regularization=10, max_bins=63,
        max_features=0.3, early_stopping=True, n_iter_no_change=10,
        random_state=seeds.number(seed, "boosted trees"),
    )  # fmt: skip
    return model.fit(train.x, train.y, sample_weight=train.weight, X_val=validation.x,
                     y_val=validation.y, sample_weight_val=validation.weight)  # fmt: skip


def nearest(train: Part, validation: Part, seed: int):
    """The label of the most similar training image: a memory, and so the surest leak detector."""
    return KNeighborsClassifier(n_neighbors=1).fit(train.x, train.y)


def majority(train: Part, validation: Part, seed: int):
    """The class shares of the training part for every image, so always the largest class."""
    return DummyClassifier(strategy="prior").fit(train.x, train.y, sample_weight=train.weight)


def stratified(train: Part, validation: Part, seed: int):
    """A class drawn at random with the shares of the training part."""
    return DummyClassifier(
        strategy="stratified", random_state=seeds.number(seed, "answers at random")
    ).fit(train.x, train.y, sample_weight=train.weight)


def permuted(train: Part, validation: Part, seed: int):
    """Logistic regression on shuffled training labels: there is nothing to learn."""
    shuffled = seeds.stream(seed, "shuffled labels").permutation(train.y)
    return logistic(Part(train.x, shuffled, train.weight), validation, seed)
