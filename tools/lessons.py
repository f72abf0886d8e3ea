"""Does the sample teach what the real images teach? Prints one markdown table for both.

    python tools/lessons.py --images 1500 --epochs 15 --seeds 3
    python tools/lessons.py --data ../HAM10000 …        (or set HAM10000_DIR)

On the sample, and on as many real images (whole lesions) where they are to be had: the colour
histogram with logistic regression on dx, dx_type and sex; the fully connected network and the CNN
on dx; the CNN and the nearest image under a split by image, which leaks, and by lesion. Each number
is the mean over the seeds, on the test part. About 2 minutes a seed and dataset on 2 cores.
"""

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd

from lesions.baselines import baselines, histograms
from lesions.data import datasets, pixel_store, source, validation
from lesions.networks.backend import keras
from lesions.scores import evaluation
from lesions.settings.parameters import Settings
from lesions.splits import balance, splits
from lesions.training import recipes, split_data, trained

SIZE = 64
# what it is called, which model, the target, the split
RUNS = (
    ("majority class", "majority", "dx", "lesion"),
    ("histogram + logistic regression", "histogram_logistic", "dx", "lesion"),
    ("histogram + logistic regression", "histogram_logistic", "dx_type", "lesion"),
    ("histogram + logistic regression", "histogram_logistic", "sex", "lesion"),
    ("FCNN", "fcnn_dx_type", "dx", "lesion"),
    ("CNN", "cnn", "dx", "lesion"),
    ("CNN", "cnn", "dx", "image"),
    ("nearest image", "histogram_nearest", "dx", "lesion"),
    ("nearest image", "histogram_nearest", "dx", "image"),
)


def table_of(name: str, folder: Path | None, images: int) -> pd.DataFrame:
    """The readable images of a dataset; exact copies and all, as a careless person takes them."""
    table = datasets.load(name, folder, images)
    faults = validation.validate(table)
    bad = set(faults.loc[faults["severity"] == "error", "file"].map(lambda path: Path(path).stem))
    return table[~table["image_id"].isin(bad)].reset_index(drop=True)


def score(model: str, target: str, split: str, table: pd.DataFrame, seed: int, epochs: int) -> dict:
    """Accuracy, balanced accuracy and AUC of one model on its test part."""
    known = table[table[target] != "unknown"].reset_index(drop=True)
    deal = splits.split_by_lesion if split == "lesion" else splits.split_by_image
    rows = deal(known, target, seed=seed)
    cache = pixel_store.pixel_cache(table, SIZE)
    if model in baselines.BASELINES:
        pixels, image_ids = pixel_store.open_pixels(cache)
        colours = histograms.histogram_table(pixels, image_ids)
        predictions = baselines.predict(model, rows, known, target, colours, seed)
    else:
        given = {
            "IMAGE_SIZE": SIZE,
            "EPOCHS": epochs,
            "PATIENCE": 8,
            "AUGMENT": False,
            "SEED": seed,
        }
        settings = Settings.of(given | {"EPOCH_SAMPLES": 0})
        # Without it a network of so few images answers "nv" to nearly all of them.
        train = balance.resample(rows[rows["split"] == "train"], "over", seed)
        rows = pd.concat([train, rows[rows["split"] != "train"]], ignore_index=True)
        keras.utils.set_random_seed(seed)
        data = split_data.prepare(rows, cache)
        found = recipes.train(model, data, settings, f"{model}, split by {split}, seed {seed}")
        predictions = trained.predictions(found, data, settings.BATCH_SIZE)
    test = evaluation.scores(predictions[predictions["split"] == "test"])
    return {name: test[name] for name in ("accuracy", "balanced_accuracy", "macro_auc")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1500)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=("sample", "real"))
    parser.add_argument("--data", type=Path, default=os.environ.get("HAM10000_DIR"))
    given = parser.parse_args()
    tables = {}
    if given.only != "real":
        sample = Settings.of({"SAMPLE_IMAGES": max(given.images, 120)})
        tables["sample"] = table_of("sample", source.data_folder(sample), 0)
    if given.only != "sample" and given.data:
        tables["HAM10000"] = table_of("ham10000", Path(given.data), given.images)
    print("| data | model | target | split by | accuracy | balanced accuracy | AUC |")
    print("|---|---|---|---|---|---|---|")
    for name, table in tables.items():
        for label, model, target, split in RUNS:
            runs = [score(model, target, split, table, s, given.epochs) for s in range(given.seeds)]
            means = " | ".join(f"{np.mean([run[key] for run in runs]):.3f}" for key in runs[0])
            print(f"| {name} | {label} | {target} | {split} | {means} |", flush=True)


if __name__ == "__main__":
    main()
