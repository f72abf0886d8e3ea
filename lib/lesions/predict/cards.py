"""A model card and a datasheet, written from what the files know, and nothing typed by hand.

The headings are those of Mitchell and others 2019 (model cards) and of Gebru and others 2021
(datasheets). What no file knows is said to be unknown: on a card, a gap is information.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lesions.core.markdown import interval, table, text
from lesions.data import known
from lesions.data.datacard import DATA_CARD
from lesions.scores.subgroups import age_band

SCORES = {
    "balanced_accuracy": "balanced accuracy, with the decision rule below",
    "accuracy": "accuracy, with the same rule",
    "macro_auc": "AUC, each class against the rest, averaged",
    "log_loss": "log loss of the calibrated probabilities",
    "ece": "expected calibration error",
}
UNKNOWN = "Not recorded."
PUBLISHED = "ham10000"
DRAWN = "sample"


def _origin(dataset: str) -> str:
    """Where a dataset comes from, in a sentence."""
    if dataset == PUBLISHED:
        return (
            f"{text(DATA_CARD['title'])}. {text(DATA_CARD['source'])}. "
            f"doi:{DATA_CARD['doi']}. Licence: {text(DATA_CARD['licence'])}."
        )
    if dataset == DRAWN:
        return (
            "The images are **drawn by a program** after textbook criteria. No score on them says "
            "anything about patients."
        )
    return f"{text(known.entry(dataset).about.capitalize())}. What they are, this file cannot know."


def _parts(parts: Mapping[str, Mapping[str, int]]) -> str:
    """The counts of each part, a class a row."""
    order = [name for name in ("train", "validation", "test") if name in parts]
    names = list(dict.fromkeys(name for part in order for name in parts[part]))
    rows = [(name, *(parts[part].get(name, 0) for part in order)) for name in names]
    return table(["", *order], rows)


def model_card(about: Mapping[str, Any]) -> str:
    """The model card of a file that answers, as Markdown.

    Args:
        about: its description, see `export.describe`.
    """
    record, settings = about["record"], about["record"]["settings"]
    classes = ", ".join(text(name) for name in about["classes"])
    false, chosen = about["unlike"]["false_alarms"], about["calibration"]
    alarms = interval([false[name] for name in ("value", "low", "high")])
    prior = "turned to the class shares before resampling" if chosen["prior"] == "natural" else (
        "with the class shares that it learnt with"
    )  # fmt: skip
    weights = about["decision"]["weights"]
    scores = [(SCORES[name], interval(values)) for name, values in about["test"].items()]
    columns = ["class", "sensitivity", "specificity", "precision", "auc", "support"]
    by_class = [[line[name] for name in columns] for line in about["classes_of_test"]]
    return "\n\n".join([
        f"# Model card: {text(record['model'])} on {text(record['target'])}",
        f"**{about['notice']}**",
        "## Model details",
        f"A network of the family `{record['model']}` with {record['weights']:,} weights, begun "
        f"from `{record['init']}`, trained for {record['epochs']} epochs on "
        f"{record['train_rows']:,} rows ({record['seconds']:,.0f} s) under the protocol "
        f"`{record['protocol']}`.",
        f"In: {text(about['input']['array'])}; {about['input']['colours']}; "
        f"{about['input']['values']}. Inside, {about['input']['how']}, to {about['input']['size']} "
        f"pixels. Out: {classes}; {text(about['output']['probabilities'])}.",
        f"Temperature {chosen['temperature']:.2f}, {prior}: the pair with the smallest log loss on "
        f"the validation part ({chosen['log_loss_before']:.3f} before, "
        f"{chosen['log_loss_after']:.3f} after).",
        "## Intended use",
        "To learn how such a network is made, tested and doubted. Not for diagnosis, triage or "
        "advice, nor as a second opinion.",
        "## Metrics",
        "On the test part, which no choice has seen. Intervals of 95 % cover the choice of test "
        "lesions; another seed or another training part is not in them.",
        table(["score", "value"], scores),
        "## Quantitative analyses",
        "Each class against the rest, by the decision rule. A class with few images has numbers "
        "that say little.",
        table([*columns[:-1], "test images"], by_class),
        f"Decision: {text(about['decision']['rule'])}.",
        table(["class", "weight"], weights.items()),
        f"*Not like the training images*: a distance above {about['unlike']['threshold']:.2f}, "
        f"which {about['unlike']['of_validation']:.0%} of the validation images have. Of the test "
        f"images, which are like them, a share of {alarms} is flagged: the false alarms. The flag "
        "sees colours and sharpness; a picture that it lets pass may still be none that the "
        "network should answer.",
        "## Training and evaluation data",
        _origin(settings.get("DATASET", "folder")),
        _parts(about["parts"]),
        "Images of one lesion stand in one part only. `datasheet.md` beside this file has more.",
        "## Factors and caveats",
        "Age, sex, place on the body and source cohort are counted in the datasheet. "
        "Skin tone is recorded for no image: how the network does on dark skin is unknown, and "
        "nearly all images that it learnt from show light skin."
        if settings.get("DATASET") == PUBLISHED else
        "Age, sex, place and cohort are counted in the datasheet, where they are known. How the "
        "network does on groups that are not there is unknown.",
        "## Settings",
        table(["parameter", "value"], [(name, str(value)) for name, value in settings.items()]),
    ]) + "\n"  # fmt: skip


def _counted(values: pd.Series) -> str:
    counts = values.astype(str).value_counts(sort=True)
    share = counts / counts.sum()
    rows = [(name, int(counts[name]), f"{share[name]:.1%}") for name in counts.index]
    return table(["value", "images", "share"], rows)


def datasheet(data: pd.DataFrame, about: Mapping[str, Any], kept: int | None = None) -> str:
    """The datasheet of a run's images, as Markdown.

    Args:
        data: the table of notebook 03: image_id, lesion_id, dx and what else is known.
        about: as for `model_card`.
        kept: how many images the notebook on duplicates left; None: not known.
    """
    settings, target = about["record"]["settings"], about["record"]["target"]
    dataset = settings.get("DATASET", "folder")
    sizes = data.groupby("lesion_id").size()
    lines = [f"# Datasheet: {text(DATA_CARD['name'] if dataset == PUBLISHED else dataset)}",
             "## Motivation", _origin(dataset), "## Composition",
             f"{len(data):,} images of {len(sizes):,} lesions; "
             f"{int((sizes > 1).sum()):,} lesions have more than one image, "
             f"{int(sizes.max())} at most."]  # fmt: skip
    columns = {"dx": "Diagnosis", "dx_type": "How it was made", "sex": "Sex", "age": "Age in years",
               "localization": "Place on the body", "dataset": "Source cohort"}  # fmt: skip
    for name, heading in columns.items():
        if name in data:
            values = age_band(data[name]) if name == "age" else data[name].fillna("unknown")
            lines += [f"### {heading}", _counted(values)]
    if dataset == PUBLISHED:
        meanings = DATA_CARD["classes"].items()
        lines += ["### What the diagnoses mean", table(["class", "meaning"], meanings)]
    lines += ["### What is not there",
              "Skin tone, the patient's history and who took the picture. "
              "Two lesions of one patient cannot be told from two patients'."]  # fmt: skip
    lines += ["## Collection process",
              text(DATA_CARD["source"]) + "." if dataset == PUBLISHED else UNKNOWN,
              "## Preprocessing"]  # fmt: skip
    if kept is not None:
        lines.append(f"Of {len(data):,} images, {kept:,} are left once exact and near duplicates "
                     "that one would count twice are taken out (notebook 02).")  # fmt: skip
    lines += [f"For the network: {about['input']['how']}, to {about['input']['size']} pixels.",
              f"### Parts, for {text(target)}", _parts(about["parts"]),
              "## Uses", f"To learn methods, and to test them. {about['notice']}",
              "## Distribution and maintenance",
              f"Licence of the images: {text(DATA_CARD['licence'])}; this course does not contain "
              "them." if dataset == PUBLISHED else UNKNOWN]  # fmt: skip
    return "\n\n".join(lines) + "\n"
