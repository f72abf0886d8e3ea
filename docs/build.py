"""Build the course's site: the notebooks with the outputs they hold, and the pages in docs/.

Sphinx wants all sources in one folder, so they are gathered in build/site-sources first. Nothing is
executed and nothing is fetched.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from course import accessible, catalogue, slides, start
from course.editions import without_solutions
from lesions.core.errors import LesionsError
from lesions.core.files import BUILD, ROOT, atomic, write_text

DOCS = ROOT / "docs"
SOURCES = BUILD / "site-sources"
SITE = BUILD / "site"
# Pages outside docs/ that are part of the site, and where they go.
OTHER_PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "data/README.md": "data.md",
    "data/results/README.md": "kept.md",
}
SLIDES_PAGE = """# Slides and text

## Slides for five sessions

Made from the notebooks and the [timetable](instructor.md#five-sessions-of-90-minutes). Arrow keys
move: right to the next notebook, down to the next section; Esc shows all, and F fills the screen.

{slides}

## The notebooks as text

Each notebook without its outputs, as a Python file whose comments are the prose: to read where
there is no Jupyter, and to compare two versions line by line.

{texts}
"""
NO_RESULTS = """There is no results page in this copy of the site: no run of the study lay beside it
when it was built. `make all` runs the study in a few minutes, and `make site` then takes it up.
"""
NOT_RUN = "This notebook was not run with profile {}: what you see is the sample's."
WIDGET = "<p><em>Here stands a slider: open the notebook with <code>make lab</code>.</em></p>"


def page_links(text: str) -> str:
    """Links between files of the repository, as links between pages of the site."""
    for file, page in OTHER_PAGES.items():
        text = re.sub(rf"\]\((\.\./)*{re.escape(file)}", f"]({page}", text)
    return re.sub(r"\]\((\.\./|docs/)", "](", text)


def notebook_page(source: Path, edition: str, note: str = "") -> str:
    """A notebook as the site shows it: the text of an .ipynb file.

    A widget needs a running kernel, so a sentence takes its place.

    Args:
        source: the notebook.
        edition: "student" leaves the solutions out.
        note: stands below the title; empty: nothing.
    """
    import nbformat

    notebook = start.without(nbformat.read(source, as_version=4))
    if note:
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(f"*{note}*", id="note"))
    if edition == "student":
        notebook = without_solutions(notebook)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":  # a page of docs/ lies beside the folder of notebooks
            cell.source = cell.source.replace("](../docs/", "](../")
        for output in cell.get("outputs", []):
            if "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
                output["data"] = {"text/html": WIDGET}
    return nbformat.writes(notebook)


def results_page(folder: Path) -> str:
    """The results page of a run as a page of the site, or how to get one.

    Args:
        folder: a profile's build folder. Its figures are copied to the site.
    """
    page = folder / "results" / "index.html"
    if not page.exists():
        return f"# Results\n\n{NO_RESULTS}"
    text = page.read_text(encoding="utf-8")
    body = re.sub(r"<h1>.*?</h1>", "", text.split("<body>")[1].split("</body>")[0], flags=re.S)
    for name in sorted(set(re.findall(r'src="\.\./figures/([^"]+)"', body))):
        place = SOURCES / "extra" / "results-figures" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "figures" / name, place)
    body = body.replace('src="../figures/', 'src="results-figures/')
    body = body.replace("<figure>", "<h2>Figures</h2>\n<figure>", 1)
    # Headings become Sphinx's own, so that they stand in the list of contents.
    parts = re.split(r"<h2[^>]*>(.*?)</h2>", body, flags=re.S)
    pages = [f"# Results of the profile {folder.name}", raw_html(parts[0])]
    for heading, part in zip(parts[1::2], parts[2::2], strict=True):
        pages += [f"## {heading}", raw_html(part)]
    return "\n\n".join(pages) + "\n"


def raw_html(text: str) -> str:
    return f"````{{raw}} html\n{text.strip()}\n````" if text.strip() else ""


def gather(notebooks: Path, results: Path, edition: str) -> None:
    """Lay all sources of the site into `SOURCES`, made anew."""
    files = sorted(notebooks.glob("[0-9]*.ipynb"))
    if not files:
        raise LesionsError(
            f"There are no notebooks in {notebooks}: give FROM=notebooks for the stored ones, or "
            "run `make all` and give FROM=build/sample/notebooks."
        )
    shutil.rmtree(SOURCES, ignore_errors=True)
    shutil.copytree(DOCS, SOURCES, ignore=shutil.ignore_patterns("build.py", "*.md", "__pycache__"))
    (SOURCES / "extra").mkdir()
    for page in sorted(DOCS.glob("*.md")):
        write_text(SOURCES / page.name, page_links(page.read_text(encoding="utf-8")))
    for file, page in OTHER_PAGES.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        write_text(SOURCES / page, page_links(text))
    run = {file.stem: file for file in files}
    for name in catalogue.names():  # pages link to each other, so all of them are there
        stored = catalogue.NOTEBOOKS / f"{name}.ipynb"
        note = "" if name in run else NOT_RUN.format(results.name)
        page = notebook_page(run.get(name, stored), edition, note)
        write_text(SOURCES / "notebooks" / stored.name, page)
    write_text(SOURCES / "results.md", results_page(results))
    write_text(SOURCES / "slides.md", slides_page())


def slides_page() -> str:
    """The page that leads to the slides and to the notebooks as text, which are no pages."""
    sessions = slides.sessions(slides.TIMETABLE.read_text(encoding="utf-8"))
    shows = [(f"slides/session_{one.number}.html", f"Session {one.number}") for one in sessions]
    texts = [(f"text/{name}.py", f"{name}.py") for name in catalogue.names()]
    lists = ["".join(f'<li><a href="{place}">{words}</a></li>' for place, words in part)
             for part in (shows, texts)]  # fmt: skip
    made = [raw_html(f"<ul>{items}</ul>") for items in lists]
    return SLIDES_PAGE.format(slides=made[0], texts=made[1])


def add_texts(site: Path) -> None:
    """The notebooks as text, `text/<name>.py`, in jupytext's percent format."""
    import jupytext

    for path in sorted((SOURCES / "notebooks").glob("*.ipynb")):
        text = jupytext.writes(jupytext.read(path), fmt="py:percent")
        write_text(site / "text" / f"{path.stem}.py", text)


def add_slides(site: Path) -> None:
    """The slides, `slides/session_N.html`, with everything that they load beside them."""
    sources = SOURCES.with_name(f"{SOURCES.name}-slides")
    shutil.rmtree(sources, ignore_errors=True)
    sources.mkdir(parents=True)
    slides.gather(SOURCES / "notebooks", sources)
    sphinx("revealjs", sources, site / "slides")
    # The themes that we do not use would fetch their letters from another server.
    for path in (site / "slides" / "_static").rglob("theme/*.css"):
        if path.stem != slides.THEME:
            path.unlink()


def sphinx(builder: str, sources: Path, target: Path) -> None:
    """Run Sphinx; a warning is an error.

    Raises:
        LesionsError: Sphinx had something to complain of.
    """
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-b", builder, "-W", "--keep-going", "-q", "-E",
         "-d", f"{sources}.doctrees", str(sources), str(target)],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise LesionsError(f"The site could not be built:\n{done.stderr.strip()}")
    (target / ".buildinfo").unlink(missing_ok=True)


def build(notebooks: Path, results: Path, edition: str = "student", site: Path = SITE) -> Path:
    """Build the site; a warning is an error, and then an older site stays as it was.

    Args:
        notebooks: folder with the notebooks to show.
        results: a profile's build folder, for the results page.
        edition: "student" leaves the solutions out.
        site: where to.

    Returns:
        the site's first page.

    Raises:
        LesionsError: there is nothing to build from, or Sphinx had something to complain of.
    """
    gather(notebooks, results, edition)
    with atomic(site) as partial:
        sphinx("html", SOURCES, partial)
        add_texts(partial)
        add_slides(partial)
        accessible.mend(partial)
    return site / "index.html"


def main(arguments: list[str] | None = None) -> int:
    """Behind `make site`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="notebooks", default="notebooks", help="their folder")
    parser.add_argument("--edition", default="student", choices=["student", "instructor"])
    options = parser.parse_args(arguments)
    notebooks = ROOT / options.notebooks
    stored = notebooks.resolve() == (ROOT / "notebooks").resolve()
    # The stored outputs are those of the profile sample.
    results = BUILD / "sample" if stored else notebooks.parent
    try:
        page = build(notebooks, results, options.edition)
    except LesionsError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(f"Site: {os.path.relpath(page)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
