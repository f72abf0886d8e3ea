"""Read all run records back, and set them beside the paper: tables and the results page."""

import html
import json
from pathlib import Path

import pandas as pd
from IPython.display import HTML

from lesions import claims
from lesions.errors import LesionsError
from lesions.files import IDS, ROOT, atomic, write_text

KEPT = ROOT / "data" / "results"
PAPER_RESULTS = ROOT / "data" / "paper_results.csv"
ANCHORS = ROOT / "data" / "isic2018_anchors.csv"


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


def baselines_of(
    folder: Path, seed: int, split: str = "test"
) -> dict[tuple[str, str, str], pd.DataFrame]:
    """Every baseline's predictions on one part, by (protocol, target, baseline).

    Args:
        folder: the profile's build folder.
        seed: of the split.
        split: "test" or "validation".

    Raises:
        LesionsError: there are none yet.
    """
    found = {}
    for path in sorted((folder / "baselines").glob(f"*-seed{seed}/params.json")):
        about = json.loads(path.read_text(encoding="utf-8"))
        predictions = pd.read_parquet(path.parent / "predictions.parquet")
        wanted = predictions[predictions["split"] == split]
        for name, part in wanted.groupby("baseline", sort=False):
            key = (about["protocol"], about["target"], name)
            found[key] = part.drop(columns="baseline").reset_index(drop=True)
    if not found:
        raise LesionsError(
            f"There are no baselines in {folder / 'baselines'}: run notebooks 04 and 05 first "
            f"(`make 06 PROFILE={folder.name}` runs what is missing)."
        )
    return found


def anchors() -> pd.DataFrame:
    """Published results on the official ISIC 2018 test set: name, metric, value, source."""
    return pd.read_csv(ANCHORS)


def kept(profile: str, table: str) -> pd.DataFrame:
    """A table of a long run on the real images that came with the course.

    Args:
        profile: a folder of `data/results/`; its about.json names machine, versions and parameters.
        table: such as "board"; data/results/README.md says what each holds.

    Raises:
        LesionsError: there is no such table.
    """
    path = KEPT / profile / f"{table}.csv"
    if not path.exists():
        there = ", ".join(sorted(str(file.relative_to(KEPT)) for file in KEPT.glob("*/*.csv")))
        raise LesionsError(f"There is no kept table {path}; there are: {there or 'none'}.")
    return pd.read_csv(path)


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


def budget_note(records: pd.DataFrame) -> str:
    """One sentence on how much our runs were trained, so that nobody takes them for the paper's."""
    about = json.loads((Path(records["record"].iloc[0]) / "params.json").read_text("utf-8"))
    given = about["settings"]
    most = f"at most {given['EPOCHS']} epochs"
    if given["EPOCH_SAMPLES"]:
        most += f" of at most {given['EPOCH_SAMPLES']:,} images"
    return f"Our runs: {given['IMAGE_SIZE']} pixels, {most}, seed {given['SEED']}."


def facts(folder: Path, table: pd.DataFrame) -> dict[str, int | float | str]:
    """What the paper's claims about the dataset are held against.

    Args:
        folder: the profile's build folder, with the keep-list of notebook 02.
        table: all images of HAM10000.

    Returns:
        see `claims.dataset_facts`.
    """
    keep = pd.read_csv(folder / "keep.csv", dtype=IDS)
    sizes = keep[["width", "height"]] if "width" in keep else None
    if sizes is not None and sizes["width"].max() < 600:
        sizes = None  # a smaller copy of the images cannot tell how large they were
    return claims.dataset_facts(
        table,
        removed=int((~keep["keep_paper"]).sum()),
        identical_or_unreadable=int((~keep["keep_honest"]).sum()),
        sizes=sizes,
    )


def figures_of(folder: Path, prefix: str) -> list[str]:
    """The names of the figures that are kept under a prefix such as "06_"."""
    return sorted(path.stem for path in (folder / "figures").glob(f"{prefix}*.png"))


def scrolling(table: pd.DataFrame) -> HTML:
    """A long table of words in a box that scrolls, all of its text shown."""
    with pd.option_context("display.max_colwidth", None, "display.max_rows", None):
        shown = table.to_html(index=False, border=0, justify="left")
    shown = shown.replace("<td>", '<td style="text-align: left">')
    return HTML(f'<div style="max-height: 32em; overflow: auto">{shown}</div>')


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
