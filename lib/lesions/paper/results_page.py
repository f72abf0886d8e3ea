"""The results page, and the sentences and tables on it."""

import html
from pathlib import Path

import pandas as pd
from IPython.display import HTML

from lesions.core import tables
from lesions.core.files import write_text
from lesions.training import run_records

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


def save_table(table: pd.DataFrame, name: str, folder: Path) -> None:
    """Keep a table as `results/<name>.csv`, in full precision."""
    tables.write_for_people(table, folder / "results" / f"{name}.csv")


def figures_of(folder: Path, prefix: str) -> list[str]:
    """The names of the figures that are kept under a prefix such as "06_"."""
    return sorted(path.stem for path in (folder / "figures").glob(f"{prefix}*.png"))


def scrolling(table: pd.DataFrame) -> HTML:
    """A long table of words in a box that scrolls, all of its text shown."""
    with pd.option_context("display.max_colwidth", None, "display.max_rows", None):
        shown = table.to_html(index=False, border=0, justify="left")
    shown = shown.replace("<td>", '<td style="text-align: left">')
    return HTML(f'<div style="max-height: 32em; overflow: auto">{shown}</div>')


def budget_note(records: pd.DataFrame) -> str:
    """One sentence on how much our runs were trained, so that nobody takes them for the paper's."""
    given = run_records.About.read(records["record"].iloc[0]).settings
    most = f"at most {given['EPOCHS']} epochs"
    if given["EPOCH_SAMPLES"]:
        most += f" of at most {given['EPOCH_SAMPLES']:,} images"
    return f"Our runs: {given['IMAGE_SIZE']} pixels, {most}, seed {given['SEED']}."


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
