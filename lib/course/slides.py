"""Slides for the sessions in class, from the notebooks and the timetable in docs/instructor.md.

A slide is a section: its heading, the first sentences, the paper's sentence where it is quoted, and
the first figure. An exercise is a slide that asks, and shows no answer.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from course import catalogue
from lesions.core.errors import LesionsError
from lesions.core.files import ROOT, write_text

TIMETABLE = ROOT / "docs" / "instructor.md"
MOST_WORDS = 45  # on a slide
MOST_POINTS = 5
WITHOUT = ("Quiz", "References", "A page to keep")  # sections that are no slides
THEME = "white"
CONFIGURATION = f"""project = "Skin lesions, honestly"
extensions = ["myst_parser", "sphinx_revealjs"]
language = "en"
revealjs_style_theme = "{THEME}"
revealjs_static_path = ["own"]
revealjs_css_files = ["slides.css"]
revealjs_use_section_ids = True
revealjs_script_conf = {{"hash": True, "slideNumber": True, "width": 1100, "height": 700}}
html_show_sourcelink = False
html_copy_source = False
"""


STYLE = """.reveal { font-size: 30px; }
.reveal h1, .reveal h2, .reveal h3 { text-transform: none; text-wrap: balance; }
.reveal section img { max-height: 420px; margin: 0.3em auto; background: white; }
.reveal blockquote { width: 85%; }
"""


@dataclass
class Slide:
    """One section of a notebook."""

    heading: str
    text: str = ""
    quote: str = ""
    figure: tuple[bytes, str] | None = None  # PNG and its text


@dataclass
class Session:
    """A row of the timetable: what is shown of which notebook."""

    number: int
    plan: str
    parts: list[tuple[str, str, str]] = field(default_factory=list)  # notebook, from, up to


def sessions(text: str) -> list[Session]:
    """The sessions of the timetable, and the sections that each has of its notebooks.

    Where a notebook is planned *up to* a section, its next session goes on behind it.

    Args:
        text: of `docs/instructor.md`.

    Raises:
        LesionsError: there is no such table.
    """
    found, reached = [], {}
    for number, plan in re.findall(r"^\| (\d) \| (.+?) \| .+? \|$", text, flags=re.M):
        session = Session(int(number), plan)
        for part in re.finditer(r"\b(\d\d)\b(?:[^;,\d]*? up to \*(.+?)\*)?", plan):
            last = part[2] or ""
            session.parts.append((part[1], reached.get(part[1], ""), last))
            reached[part[1]] = last
        found.append(session)
    if not found:
        raise LesionsError("docs/instructor.md has no table of sessions: | 1 | what | at home |.")
    return found


def shortened(text: str, most: int = MOST_WORDS) -> str:
    """The first whole sentences of a text, of so many words in all; at least one."""
    found: list[str] = []
    for sentence in re.split(r"(?<=[.?!:])\s+", text.strip()):
        if found and len(" ".join([*found, sentence]).split()) > most:
            break
        found.append(sentence)
    return " ".join(found).rstrip(":")


def slides_of(notebook: nbformat.NotebookNode) -> Iterator[Slide]:
    """The slides of a notebook, in order; its title is the first."""
    slide: Slide | None = None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                if slide and slide.figure is None and "image/png" in data:
                    about = output["metadata"].get("image/png", {}).get("alt", "")
                    slide.figure = base64.b64decode(data["image/png"]), about
            continue
        if "solution" in cell.metadata.get("tags", []):
            continue
        for block in re.split(r"\n\s*\n", cell.source):
            heading = re.match(r"#{1,3} (.+)", block)
            if heading:
                if slide:
                    yield slide
                slide = Slide(heading[1])
            elif slide and block.startswith("> ") and not slide.quote:
                slide.quote = block
            elif slide and not slide.text and block.startswith("- "):
                slide.text = "\n".join(block.splitlines()[:MOST_POINTS])
            elif slide and not slide.text and re.match(r"[\w\"*`\[(]", block):
                slide.text = shortened(block)
    if slide:
        yield slide


def between(slides: list[Slide], first: str, last: str) -> list[Slide]:
    """Those behind the section `first` and up to `last`; empty names: from the start, to the end.

    Raises:
        LesionsError: there is no such section.
    """
    headings = [slide.heading for slide in slides]
    for name in filter(None, (first, last)):
        if name not in headings:
            raise LesionsError(f"The timetable names the section {name!r}, which no heading has.")
    start = headings.index(first) + 1 if first else 0
    end = headings.index(last) + 1 if last else len(slides)
    return [slide for slide in slides[start:end] if not slide.heading.startswith(WITHOUT)]


def page(session: Session, notebooks: Path, folder: Path) -> str:
    """A session as Markdown with its figures beside it: a column a notebook, a slide a section."""
    lines = [f"# Session {session.number}", session.plan]
    for number, first, last in session.parts:
        name = catalogue.find(number, catalogue.names())
        notebook = nbformat.read(notebooks / f"{name}.ipynb", as_version=4)
        slides = between(list(slides_of(notebook)), first, last)
        title = slides_title(notebook)
        lines.append(f"## {title}")
        if slides and slides[0].heading == title:
            lines.append(slides.pop(0).text)
        for place, slide in enumerate(slides):
            lines += [f"### {slide.heading}", plain_links(slide.quote), plain_links(slide.text)]
            if slide.figure:
                file = folder / f"{number}-{session.number}-{place}.png"
                file.write_bytes(slide.figure[0])
                text = re.sub(r"[\[\]\n]", " ", slide.figure[1])
                lines.append(f"![{text}]({file.name})")
    return "\n\n".join(line for line in lines if line) + "\n"


def slides_title(notebook: nbformat.NotebookNode) -> str:
    """A notebook's title."""
    return re.search(r"^# (.+)$", notebook.cells[0].source, flags=re.M)[1]


def plain_links(text: str) -> str:
    """Links as their words alone: a slide leads nowhere."""
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text)


def gather(notebooks: Path, folder: Path) -> list[Session]:
    """Write the sources of all slides, for Sphinx's builder `revealjs`; returns the sessions.

    Args:
        notebooks: as the site shows them.
        folder: is there, and empty.
    """
    found = sessions(TIMETABLE.read_text(encoding="utf-8"))
    for session in found:
        write_text(folder / f"session_{session.number}.md", page(session, notebooks, folder))
    names = "\n".join(f"session_{session.number}" for session in found)
    write_text(folder / "index.md", f"# Slides\n\n```{{toctree}}\n{names}\n```\n")
    write_text(folder / "conf.py", CONFIGURATION)
    write_text(folder / "own" / "slides.css", STYLE)
    return found
