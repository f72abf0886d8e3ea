"""Image and metadata together: one small model on what two others say (late fusion).

A network answers from the image, a baseline from age, sex, place and colours. Both answers go into
a logistic regression. It must not be fitted on training images, which the two know by heart and are
too sure of, and not on test images; so it is fitted on the validation part.
"""

import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits

from lesions import records, results
from lesions.errors import LesionsError
from lesions.files import digest

# What the network is joined with; from `baselines.BASELINES`.
OTHER = "both_boosting"
STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)  # C of the logistic regression; small is strict
FOLDS = 5
FLOOR = 1e-4  # a probability of 0 has no logarithm


def _inputs(tables: list[pd.DataFrame]) -> np.ndarray:
    """Logarithms of all probabilities side by side, float64 (images, classes of all tables)."""
    parts = [table.filter(regex="^p_").to_numpy(float) for table in tables]
    return np.log(np.clip(np.hstack(parts), FLOOR, None))


def _answers(model: LogisticRegression, x: np.ndarray, names: list[str]) -> pd.DataFrame:
    p = pd.DataFrame(model.predict_proba(x), columns=[f"p_{c}" for c in model.classes_])
    return p.reindex(columns=names, fill_value=0.0)  # a class without validation images


def fuse(image: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Join two models' predictions of the same images.

    How strongly to regularise is chosen by cross-validation over lesions within the validation
    part. Its rows come back as predicted by the folds that did not hold them; so a decision rule
    that is chosen on them later is not chosen on flattering numbers.

    Args:
        image, other: image_id, lesion_id, split, truth and `p_<class>`: validation and test rows.

    Returns:
        the same columns, the rows of `image`.

    Raises:
        LesionsError: the two are not about the same images.
    """
    joined = image[["image_id", "split"]].merge(other, on=["image_id", "split"], how="left")
    if joined["truth"].isna().any() or (joined["truth"] != image["truth"].to_numpy()).any():
        raise LesionsError(
            "The two models to join were not asked about the same images: run 05 again, so that "
            "both have the split rows of today."
        )
    x = _inputs([image, joined])
    fitted = (image["split"] == "validation").to_numpy()
    known, truth = x[fitted], image["truth"].to_numpy(dtype=object)[fitted]
    lesions = image["lesion_id"].to_numpy()[fitted]
    names = [name for name in image if name.startswith("p_")]
    folds = list(GroupKFold(min(FOLDS, len(set(lesions)))).split(known, truth, lesions))

    def out_of_fold(strength: float) -> pd.DataFrame:
        parts = []
        for train, held in folds:
            model = LogisticRegression(C=strength, max_iter=2000).fit(known[train], truth[train])
            parts.append(_answers(model, known[held], names).set_axis(held))
        return pd.concat(parts).sort_index()

    with threadpool_limits(1):
        tried = {strength: out_of_fold(strength) for strength in STRENGTHS}
        labels = [name.removeprefix("p_") for name in names]

        def loss(strength: float) -> float:
            p = tried[strength].to_numpy().clip(FLOOR)
            return log_loss(truth, p / p.sum(axis=1, keepdims=True), labels=labels)

        best = min(tried, key=loss)
        model = LogisticRegression(C=best, max_iter=2000).fit(known, truth)
    answers = _answers(model, x, names)
    answers.loc[fitted] = tried[best].to_numpy()
    about = image[["image_id", "lesion_id", "split", "truth"]].reset_index(drop=True)
    return pd.concat([about, answers], axis=1)


def fuse_run(network: Path, target: str, settings: SimpleNamespace) -> Path:
    """Join a run of the `honest` protocol with the baseline of its target, and keep the record.

    Args:
        network: the run's record.
        target: what it predicts.
        settings: all parameters.

    Returns:
        the record's folder: params.json, metrics.json and predictions.parquet.
    """
    started = time.monotonic()
    image = pd.read_parquet(network / "predictions.parquet")
    parts = []
    for split in ("validation", "test"):
        found = results.baselines_of(settings.folder, settings.SEED, split)
        parts.append(found["honest", target, OTHER])
    joined = fuse(image, pd.concat(parts, ignore_index=True))
    names = [name.removeprefix("p_") for name in joined if name.startswith("p_")]
    about = {
        "model": "fusion",
        "target": target,
        "protocol": "honest",
        "init": "scratch",
        "classes": names,
        "weights": (2 * len(names) + 1) * len(names),
        "train_rows": int((joined["split"] == "validation").sum()),
        "epochs": 0,
        "seconds": round(time.monotonic() - started, 1),
        "key": digest(joined.to_csv(index=False)),
        "settings": records.said_settings(settings),
    }
    folder = records.folder_of(settings, "honest", target, "fusion")
    return records.write(folder, about, joined)
