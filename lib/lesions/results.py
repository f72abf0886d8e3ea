"""Read all run records back, and set them beside the paper: tables and the results page."""

import html
import json
from pathlib import Path

import pandas as pd

from lesions import evaluation
from lesions.errors import LesionsError
from lesions.files import ROOT, atomic, write_text

PAPER_RESULTS = ROOT / "data" / "paper_results.csv"


def published() -> pd.DataFrame:
    """The paper's results table: one row a model, with the key of our model and its target."""
    return pd.read_csv(PAPER_RESULTS)


def load_records(folder: Path) -> pd.DataFrame:
    """All run records of a profile, one row each.

    Args:
        folder: the profile's build folder.

    Returns:
        model, target, protocol, seed, init, weights (number of them), epochs, seconds, the scores
        on the test part, and `record`, the record's folder.

    Raises:
        LesionsError: there is no record yet.
    """
    rows = []
    for path in sorted((folder / "runs").glob("*/params.json")):
        about = json.loads(path.read_text(encoding="utf-8"))
        scores = json.loads((path.parent / "metrics.json").read_text(encoding="utf-8"))
        about["seed"] = about["settings"]["SEED"]
        kept = ["model", "target", "protocol", "seed", "init", "weights", "epochs", "seconds"]
        rows.append({key: about[key] for key in kept} | scores | {"record": str(path.parent)})
    if not rows:
        raise LesionsError(
            f"There are no run records in {folder / 'runs'}: run notebooks 04 and 05 first "
            f"(`make 06 PROFILE={folder.name}` runs what is missing)."
        )
    return pd.DataFrame(rows)


def predictions_of(record: str | Path, split: str = "test") -> pd.DataFrame:
    """A record's predictions for "test" or "validation"."""
    predictions = pd.read_parquet(Path(record) / "predictions.parquet")
    return predictions[predictions["split"] == split].reset_index(drop=True)


def history_of(record: str | Path) -> pd.DataFrame:
    """A record's history: one row an epoch."""
    return pd.read_csv(Path(record) / "history.csv")


def majority(record: str | Path) -> float:
    """The accuracy of always answering the class that is most frequent in the record's test."""
    truth = predictions_of(record)["truth"]
    return float(truth.value_counts(normalize=True).iloc[0])


def comparison(records: pd.DataFrame, seed: int, measure: str = "accuracy") -> pd.DataFrame:
    """The paper's nine rows beside ours: `measure` for each protocol, and the majority class.

    Args:
        records: from `load_records`.
        seed: which of our runs.
        measure: a score, such as "accuracy" or "balanced_accuracy".

    Returns:
        row, model (the paper's name), target, published (its accuracy), and for each protocol
        that was run `<protocol>_<measure>`, `<protocol>_majority` and `<protocol>_init`. A model
        that was not run has empty cells.
    """
    table = published().rename(columns={"accuracy": "published"})
    ours = records[records["seed"] == seed].rename(columns={"model": "key"})
    ours = ours.assign(majority=[majority(record) for record in ours["record"]])
    result = table[["row", "model", "key", "target", "published"]]
    for protocol in ("paper", "honest"):
        part = ours.loc[
            ours["protocol"] == protocol, ["key", "target", measure, "majority", "init"]
        ]
        if len(part):
            names = {name: f"{protocol}_{name}" for name in (measure, "majority", "init")}
            result = result.merge(part.rename(columns=names), on=["key", "target"], how="left")
    return result


def save_table(table: pd.DataFrame, name: str, folder: Path) -> None:
    """Keep a table as `results/<name>.csv`, in full precision."""
    with atomic(folder / "results" / f"{name}.csv") as partial:
        table.to_csv(partial, index=False)


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; }}
body {{ padding: 0 1rem; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }}
th, td {{ padding: 0.3rem 0.6rem; border-bottom: 1px solid #8886; text-align: right; }}
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) {{ text-align: left; }}
img {{ max-width: 100%; height: auto; background: white; }}
figure {{ margin: 1.5rem 0; }}
figcaption {{ font-size: 0.9rem; opacity: 0.8; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def write_page(
    folder: Path,
    title: str,
    notes: list[str],
    tables: dict[str, pd.DataFrame],
    figures: list[str],
) -> Path:
    """Write the results page, one HTML file beside the tables; figures are linked, not copied.

    Args:
        folder: the profile's build folder.
        notes: sentences at the top of the page.
        tables: heading and table of each section; numbers are shown with three digits.
        figures: names of figures that `plots.show` has kept.

    Returns:
        the path of `results/index.html`.
    """
    body = [f"<p>{html.escape(note)}</p>" for note in notes]
    for heading, table in tables.items():
        shown = table.to_html(index=False, border=0, float_format="{:.3f}".format, na_rep="-")
        body.append(f'<h2>{html.escape(heading)}</h2>\n<div class="scroll">{shown}</div>')
    for name in figures:
        alt = (folder / "figures" / f"{name}.txt").read_text(encoding="utf-8").strip()
        image = f'<img src="../figures/{name}.png" alt="{html.escape(alt)}">'
        body.append(f"<figure>{image}<figcaption>{html.escape(alt)}</figcaption></figure>")
    page = PAGE.format(title=html.escape(title), body="\n".join(body))
    return write_text(folder / "results" / "index.html", page)


def with_intervals(table: pd.DataFrame, records: pd.DataFrame, samples: int) -> pd.DataFrame:
    """Add `<protocol>_low` and `<protocol>_high` to a comparison of accuracies.

    Args:
        table: from `comparison`.
        records: the same that it was made from, of one seed.
        samples: how many bootstrap samples; lesions are drawn, not images.
    """
    limits = {}
    for run in records.itertuples():
        found = evaluation.bootstrap(predictions_of(run.record), "accuracy", n=samples)
        limits[run.protocol, run.model, run.target] = found.loc["accuracy", ["low", "high"]]
    table = table.copy()
    for protocol in records["protocol"].unique():
        keys = [(protocol, row.key, row.target) for row in table.itertuples()]
        for end in ("low", "high"):
            table[f"{protocol}_{end}"] = [limits[k][end] if k in limits else None for k in keys]
    return table


def gap(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """What `paper` gives more than `honest`, for each row that was run under both."""
    both = [f"paper_{measure}", f"honest_{measure}"]
    if not set(both) <= set(table):
        raise LesionsError("The gap needs runs under both protocols: set PROTOCOL=both.")
    result = table[["model", "target", *both]].dropna()
    return result.assign(gap=result[both[0]] - result[both[1]])


def weights_note(records: pd.DataFrame) -> str:
    """One sentence on where the backbones' weights came from."""
    begun = records.loc[~records["init"].isin(["scratch"]), ["model", "init"]].drop_duplicates()
    if begun.empty:
        return "No model here uses pretrained weights."
    parts = [f"{row.model}: init={row.init}" for row in begun.itertuples()]
    note = "Backbones: " + ", ".join(sorted(parts)) + "."
    if (begun["init"] == "random").any():
        note += " Random weights transfer nothing: these rows say nothing about transfer learning."
    return note


def claims(table: pd.DataFrame) -> pd.DataFrame:
    """Four sentences of the paper against its own table and ours.

    Args:
        table: from `comparison`, of accuracies.

    Returns:
        claim (quoted), published, ours (under the honest protocol), verdict.
    """
    rows = table.set_index("key")
    published = rows["published"]
    ours = rows.get("honest_accuracy", pd.Series(index=rows.index, dtype=float))

    def pair(first: str, second: str, of: pd.Series) -> str:
        return f"{first} {of[first]:.2f}, {second} {of[second]:.2f}"

    def compared(first: str, second: str) -> str:
        """Whether `first` beats `second` in the paper's own table, if they can be compared."""
        if rows.loc[first, "target"] != rows.loc[second, "target"]:
            targets = f"{rows.loc[first, 'target']} and {rows.loc[second, 'target']}"
            return f"compares different targets: {targets}"
        if published[first] <= published[second]:
            return "contradicted by its own table"
        return "supported by its own table"

    sentences = [
        ("\"this transfer learning method greatly increased accuracy when compared to the "
         "baseline CNN\" (VGG16)", "vgg16", "cnn"),
        ("\"DenseNet121 was the best model for multiclass classification\"", "densenet121", "cnn"),
        ("\"The autoencoder outperformed CNN-based models in classification\"",
         "autoencoder_classifier", "cnn"),
        ("\"ResNet50 performed marginally better for dx_type\" than the FCNN",
         "resnet50", "fcnn_dx_type"),
    ]  # fmt: skip
    return pd.DataFrame(
        [
            {
                "claim of the paper": sentence,
                "published": pair(first, second, published),
                "ours, honest": pair(first, second, ours),
                "verdict": compared(first, second),
            }
            for sentence, first, second in sentences
        ]
    )
