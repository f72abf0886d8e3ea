"""The results page: a conclusion in words, what the words mean, every table and every figure.

It is built from the files that notebooks 06 and 07 leave, so after 06 it has what is known by then.
All text that comes from a table is escaped: a label may hold anything.
"""

import base64
import html
from pathlib import Path

import pandas as pd
from IPython.display import HTML

from lesions.core import tables
from lesions.core.files import write_text
from lesions.paper import verdict_words
from lesions.paper.tables import as_html, with_intervals
from lesions.training import run_records

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; }}
body {{ margin: 2rem auto; padding: 0 1rem; }}
p, li, dd {{ max-width: 46rem; }}
nav ol {{ columns: 18rem; }}
dt {{ font-weight: 600; }}
dd {{ margin: 0 0 .5rem 1rem; }}
.scroll {{ overflow-x: auto; border-bottom: 1px solid #8886; }}
.scroll:focus-visible {{ outline: 2px solid #4a90d9; }}
table {{ border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .3rem .6rem; border-bottom: 1px solid #8884; vertical-align: top;
  text-align: left; }}
th.n, td.n {{ text-align: right; white-space: nowrap; }}
td.long {{ min-width: 16rem; }}
tbody th {{ font-weight: 400; }}
img {{ max-width: 100%; height: auto; background: white; }}
figure {{ margin: 1.5rem 0; }}
figcaption {{ font-size: .9rem; opacity: .8; }}
.note {{ border-left: 4px solid #c60; padding-left: .8rem; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""
# file, heading, what the table says
TABLES = (
    ("without_rule", "Ranking, without a decision rule",
     "Macro AUC and log loss need no decision. The difference to the colours is taken on the same "
     "test lesions; its interval covers other test lesions, not another seed."),
    ("rules", "Both decision rules for every model",
     "Each model's probabilities brought to the same class shares: those of nature, or all alike."),
    ("comparison_accuracy", "Accuracy beside the paper",
     "In brackets the 95 % interval over test lesions of one seed."),
    ("comparison_balanced_accuracy", "Balanced accuracy", "As above."),
    ("seeds", "Seeds", "Mean and range over seeds, which the intervals above do not cover."),
    ("gap", "The gap between the protocols", "In balanced accuracy; the range is over seeds."),
    ("calibration", "Calibration", "On dx; the temperature was chosen on validation."),
    ("decisions", "Decisions", "On dx; the second rule was chosen on validation."),
    ("flattery", "How much validation flatters",
     "A rule chosen on half of the validation lesions, scored there and on the other half."),
    ("cohorts", "Another clinic", "Tested on a cohort: trained with some of it, and without it."),
    ("readings", "What the printed numbers allow",
     "For each row of the paper's table, the test parts that its numbers can come from."),
    ("audit", "The arithmetic of the paper's table", ""),
    ("claims", "The paper's claims", ""),
    ("scores", "All scores", ""),
    ("sizes_and_times", "Sizes and times", ""),
)  # fmt: skip
WORDS = {
    "paper": "the protocol as we read the study: classes made equal first, then a split by image, "
    "so that copies of training images stand in the test part.",
    "honest": "the protocol that holds: no lesion in two parts, only training images are "
    "resampled, the test part is as nature has it.",
    "cheap, or colours": "a logistic regression on a histogram of colours, fitted in a second.",
    "init": "how a network's weights began: scratch, imagenet, a file, or random (a backbone "
    "without its pretrained weights, which says nothing about transfer learning).",
    "interval": "where 95 % of the scores lie if the test lesions are drawn anew. It covers "
    "neither another seed nor another training part.",
}
MEDICAL = (
    "This is a course about method. Nothing here is medical advice, and no model of it may be used "
    "to judge a patient's skin."
)
DRAWN = (
    "These images are drawn by a program, not photographed: the scores show how the method works, "
    "and say nothing about skin."
)


def build(folder: Path, title: str, dataset: str, notes: list[str]) -> Path:
    """Write the results page from the tables and figures under a profile's folder.

    Args:
        folder: the profile's build folder.
        dataset: "sample" brings the sentence that its images are drawn.
        notes: sentences below the conclusion, such as the budget of training.

    Returns:
        the path of `results/index.html`; beside it lies `results/results.html`, the same page with
        its pictures inside, one file to send.
    """
    sections = [section for known in TABLES if (section := _section(folder, *known))]
    pictures = figures_of(folder, "06_") + figures_of(folder, "07_")
    for name, whole in (("index", False), ("results", True)):
        shown = "\n".join(_figure(folder, picture, whole) for picture in pictures)
        parts = [*sections, ("figures", "Figures", shown)] if pictures else sections
        body = [_opening(folder, dataset, notes), _contents(parts)]
        body += [f'<h2 id="{key}">{head}</h2>\n{content}' for key, head, content in parts]
        page = PAGE.format(title=html.escape(title), body="\n".join(body))
        write_text(folder / "results" / f"{name}.html", page)
    return folder / "results" / "index.html"


def _opening(folder: Path, dataset: str, notes: list[str]) -> str:
    said = verdict_words.conclusion(folder / "results")
    parts = [f'<p class="note">{html.escape(DRAWN)}</p>'] if dataset == "sample" else []
    parts.append(f'<p class="note">{html.escape(MEDICAL)}</p>')
    parts.append('<h2 id="conclusion">In words</h2>')
    parts.append("<ul>" + "".join(f"<li>{html.escape(text)}</li>" for text in said) + "</ul>")
    parts += [f"<p>{html.escape(note)}</p>" for note in notes if note]
    listed = "".join(f"<dt>{html.escape(word)}</dt><dd>{html.escape(says)}</dd>"
                     for word, says in WORDS.items())  # fmt: skip
    return "\n".join([*parts, f'<h2 id="words">What the words mean</h2>\n<dl>{listed}</dl>'])


def _contents(parts: list[tuple[str, str, str]]) -> str:
    links = "".join(f'<li><a href="#{key}">{head}</a></li>' for key, head, _ in parts)
    return f'<nav aria-label="Contents"><h2>Contents</h2><ol>{links}</ol></nav>'


def _section(folder: Path, name: str, heading: str, says: str) -> tuple[str, str, str] | None:
    table = verdict_words.read_table(folder / "results" / f"{name}.csv")
    if table is None:
        return None
    head = html.escape(heading)
    text = f"<p>{html.escape(says)}</p>\n" if says else ""
    return name, head, text + as_html(with_intervals(table), heading)


def _figure(folder: Path, name: str, whole: bool) -> str:
    picture = folder / "figures" / f"{name}.png"
    alt = html.escape((folder / "figures" / f"{name}.txt").read_text(encoding="utf-8").strip())
    source = f"../figures/{name}.png"
    if whole:
        source = "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()
    image = f'<img src="{source}" alt="{alt}">'
    return f"<figure>{image}<figcaption>{alt}</figcaption></figure>"


def save_table(table: pd.DataFrame, name: str, folder: Path) -> None:
    """Keep a table as `results/<name>.csv`, in full precision."""
    tables.write_for_people(table, folder / "results" / f"{name}.csv")


def figures_of(folder: Path, prefix: str) -> list[str]:
    """The names of the figures that are kept under a prefix such as "06_"."""
    return sorted(path.stem for path in (folder / "figures").glob(f"{prefix}*.png"))


def scrolling(table: pd.DataFrame) -> HTML:
    """A long table of words in a box that scrolls, all of its text shown."""
    return HTML(f'<div style="max-height: 32em; overflow: auto">{as_html(table, "table")}</div>')


def budget_note(records: pd.DataFrame) -> str:
    """One sentence on how much our runs were trained, so that nobody takes them for the paper's."""
    given = run_records.About.read(records["record"].iloc[0]).settings
    most = f"at most {given['EPOCHS']} epoch{'s' if given['EPOCHS'] > 1 else ''}"
    if given["EPOCH_SAMPLES"]:
        most += f" of at most {given['EPOCH_SAMPLES']:,} images"
    stopped = records["epochs"][records["epochs"] > 0]
    spread = " to ".join(map(str, sorted({stopped.min(), stopped.max()}))) if len(stopped) else ""
    ended = f"; they ended after {spread}" if spread else ""
    return f"Our runs: {given['IMAGE_SIZE']} pixels, {most}{ended}, seed {given['SEED']}."


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
