"""The site: it builds without a warning, every link leads somewhere, and nothing is fetched."""

import importlib.util
import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from course import catalogue
from lesions.core.errors import LesionsError
from lesions.core.files import ROOT

spec = importlib.util.spec_from_file_location("site_build", ROOT / "docs" / "build.py")
site_build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(site_build)

# Attributes that make a browser load something, and attributes that a reader follows.
LOADS = {"src", "srcset", "poster", "data"}
LOADING_TAGS = {"link": "href", "use": "href", "image": "href"}


class Page(HTMLParser):
    """What a test wants to know of one HTML page."""

    def __init__(self, text: str):
        super().__init__()
        self.ids: set[str] = set()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.images: list[dict] = []
        self.styles, self._in_style = "", False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self._in_style = tag == "style"
        self.ids |= {given[key] for key in ("id", "name") if given.get(key)}
        self.styles += given.get("style") or ""
        if tag == "img":
            self.images.append(given)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        for name, value in given.items():
            if value and (name in LOADS or LOADING_TAGS.get(tag) == name):
                self.loaded.append(value)

    def handle_endtag(self, tag):
        self._in_style = self._in_style and tag != "style"

    def handle_data(self, data):
        if self._in_style:
            self.styles += data


def results_of_a_run(folder: Path) -> Path:
    """A profile's build folder with a tiny results page."""
    (folder / "figures").mkdir(parents=True)
    (folder / "results").mkdir()
    (folder / "figures" / "06_accuracy.png").write_bytes((ROOT / "docs/accuracy.png").read_bytes())
    (folder / "results" / "index.html").write_text(
        "<html><body><h1>Results</h1><p>A note.</p><h2>Scores &amp; more</h2>"
        '<div class="scroll"><table><tr><td>0.512</td></tr></table></div>'
        '<figure><img src="../figures/06_accuracy.png" alt="Nine models"></figure></body></html>'
    )
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The student's site, built from the stored notebooks."""
    folder = tmp_path_factory.mktemp("site")
    site_build.SOURCES = folder / "sources"
    results = results_of_a_run(folder / "made")
    return site_build.build(catalogue.NOTEBOOKS, results, site=folder / "site").parent


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    # The themes put templates among their own files, which are no pages.
    found = [path for path in sorted(site.rglob("*.html"))
             if "_static" not in path.relative_to(site).parts]  # fmt: skip
    return {path: Page(path.read_text(encoding="utf-8")) for path in found}


def broken_links(pages: dict[Path, Page]) -> list[str]:
    """Links and loaded files inside the site that lead nowhere."""
    broken = []
    for path, page in pages.items():
        for address in [*page.links, *page.loaded]:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                broken.append(f"{path.name}: {address}")
            elif parts.fragment and target in pages:
                known = unquote(parts.fragment) in pages[target].ids
                broken += [] if known else [f"{path.name}: {address}"]
    return broken


def outside(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def loaded_from_outside(pages: dict[Path, Page], texts: dict[Path, str]) -> list[str]:
    """What a browser would ask another server for: by tags, by styles, by style sheets."""
    asked = [f"{p.name}: {a}" for p, page in pages.items() for a in page.loaded if outside(a)]
    styles = {path: page.styles for path, page in pages.items()}
    styles |= {path: text for path, text in texts.items() if path.suffix == ".css"}
    for path, text in styles.items():
        found = re.findall(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", text)
        asked += [f"{path.name}: {a or b}" for a, b in found if outside(a or b)]
    return asked


def test_every_page_is_there(site, pages):
    names = {path.relative_to(site).as_posix() for path in pages}
    wanted = {"index", "student", "instructor", "study", "results", "glossary", "references"}
    wanted |= {"data", "contributing", "search"} | {
        f"notebooks/{name}" for name in catalogue.names()
    }
    wanted |= {"use_a_model", "slides", *(f"slides/session_{number}" for number in range(1, 6))}
    assert {f"{name}.html" for name in wanted} <= names


def test_every_notebook_is_there_as_text_without_solutions(site):
    for name in catalogue.names():
        text = (site / "text" / f"{name}.py").read_text(encoding="utf-8")
        assert f"# # {catalogue.number_of(name)} · " in text and "# %% [markdown]" in text
        assert "BEGIN SOLUTION" not in text and "git" not in text.split("params.start(")[0]


def test_every_link_and_anchor_leads_somewhere(pages):
    assert sum(len(page.links) for page in pages.values()) > 500
    assert broken_links(pages) == []


def test_notebooks_link_to_each_other(site, pages):
    names = catalogue.names()
    for name, following in itertools.pairwise(names):
        links = pages[site / "notebooks" / f"{name}.html"].links
        assert f"{following}.html" in links, name


def test_every_picture_has_a_text(site, pages):
    texts = [(path.name, i.get("alt") or "") for path, page in pages.items() for i in page.images]
    assert [name for name, text in texts if len(text.strip()) < 5] == []
    figures = {
        output["metadata"]["image/png"]["alt"]
        for path in (site_build.SOURCES / "notebooks").glob("*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    }
    assert len(figures) >= 15 and figures <= {text for _, text in texts}


def test_nothing_is_loaded_from_another_server(site, pages):
    texts = {p: p.read_text(encoding="utf-8") for p in site.rglob("*") if p.suffix == ".css"}
    assert texts and loaded_from_outside(pages, texts) == []
    for path in pages:
        text = path.read_text(encoding="utf-8").lower()
        for name in ("mathjax", "require.min.js", "jsdelivr", "cdnjs", "unpkg", "googleapis"):
            assert name not in text, f"{path.name}: {name}"


def test_the_search_knows_every_page_and_the_words_in_it(site, pages):
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    wanted = {"glossary", "instructor", *(f"notebooks/{name}" for name in catalogue.names())}
    assert wanted <= {*index["docnames"]}
    # Sphinx keeps a page's words by their stem, and a page as its place in the list.
    found = index["terms"]["dermatofibroma"]
    found = {index["docnames"][n] for n in (found if isinstance(found, list) else [found])}
    assert "glossary" in found


def test_the_glossary_has_each_term_once():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```\{glossary\}\n(.*?)```", text, flags=re.S)
    lists = [re.findall(r"^(\S.*)$", block, flags=re.M) for block in blocks]
    terms = [term.lower() for found in lists for term in found]
    assert len(terms) >= 50 and len(set(terms)) == len(terms)
    for found in lists:
        assert found == sorted(found, key=str.lower)


def test_the_results_of_the_run_are_part_of_the_site(site, pages):
    page = pages[site / "results.html"]
    assert "0.512" in (site / "results.html").read_text(encoding="utf-8")
    assert {"scores-more", "figures"} <= page.ids
    assert (site / "results-figures" / "06_accuracy.png").is_file()


def test_without_results_it_says_how_to_get_them(tmp_path):
    assert "`make all`" in site_build.results_page(tmp_path)


def test_the_bibliography_has_every_work_that_a_notebook_names():
    text = (ROOT / "docs" / "references.bib").read_text(encoding="utf-8")
    entries = [re.sub(r"[{}]", "", one).lower() for one in re.split(r"^@", text, flags=re.M)[1:]]
    named = 0
    for name in catalogue.names():
        cells = json.loads((catalogue.NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))[
            "cells"
        ]
        prose = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        for line in re.findall(r"^- .*$", prose.split("## References")[1], flags=re.M):
            title = re.search(r"\*(.+?)\.?\*", line)[1].lower()
            family = re.match(r"- ([\w-]+)", line)[1].lower()
            named += 1
            assert any(title in e and family in e for e in entries), f"{name}: {line}"
    assert named >= 10


def test_a_widget_becomes_a_sentence_and_solutions_are_left_out(tmp_path):
    import nbformat

    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "VBox()"}
    cell = nbformat.v4.new_code_cell("x = 1")
    cell.outputs = [nbformat.v4.new_output("display_data", data=widget)]
    book = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {"state": {}}})
    nbformat.write(book, tmp_path / "01_x.ipynb")
    page = site_build.notebook_page(tmp_path / "01_x.ipynb", "student")
    assert "make lab" in page and "VBox" not in page and "widgets" not in page
    book.cells.append(nbformat.v4.new_code_cell("### BEGIN SOLUTION\ny = 7\n### END SOLUTION"))
    nbformat.write(book, tmp_path / "01_x.ipynb")
    assert "y = 7" not in site_build.notebook_page(tmp_path / "01_x.ipynb", "student")
    assert "y = 7" in site_build.notebook_page(tmp_path / "01_x.ipynb", "instructor")
    book.cells.append(nbformat.v4.new_markdown_cell("See [more](../docs/cluster.md)."))
    nbformat.write(book, tmp_path / "01_x.ipynb")
    assert "[more](../cluster.md)" in site_build.notebook_page(tmp_path / "01_x.ipynb", "student")


def test_a_run_of_some_notebooks_makes_a_site_of_all(tmp_path, monkeypatch):
    """Pages link to each other: what was not run is shown as it is stored, and says so."""
    monkeypatch.setattr(site_build, "SOURCES", tmp_path / "sources")
    run = tmp_path / "few" / "notebooks"
    run.mkdir(parents=True)
    (run / "05_multiclass_cnn.ipynb").write_bytes(
        (catalogue.NOTEBOOKS / "05_multiclass_cnn.ipynb").read_bytes()
    )
    site_build.gather(run, tmp_path / "few", "student")
    made = {path.stem: path for path in (tmp_path / "sources" / "notebooks").glob("*.ipynb")}
    assert sorted(made) == catalogue.names()
    for name, path in made.items():
        noted = "was not run with profile few" in path.read_text(encoding="utf-8")
        assert noted == (name != "05_multiclass_cnn"), name


def test_a_folder_without_notebooks_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(LesionsError, match="There are no notebooks in"):
        site_build.gather(tmp_path, tmp_path, "student")


# ---------------------------------------------------------------- do these tests see a fault?


FAULTS = [
    ('<a href="nowhere.html">x</a>', "nowhere.html"),
    ('<a href="#nowhere">x</a>', "#nowhere"),
    ('<a href="other.html#nowhere">x</a>', "other.html#nowhere"),
    ('<img src="gone.png" alt="a text">', "gone.png"),
]


@pytest.mark.parametrize("text, address", FAULTS)
def test_a_broken_link_is_seen(tmp_path, text, address):
    for name, body in (("page.html", text), ("other.html", '<p id="here">x</p>')):
        (tmp_path / name).write_text(body)
    made = {path: Page(path.read_text()) for path in tmp_path.glob("*.html")}
    assert broken_links(made) == [f"page.html: {address}"]


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<script src="//cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="https://cdn.example/x.css">',
        "<style>@import 'https://cdn.example/x.css';</style>",
        '<p style="background: url(https://cdn.example/x.png)">x</p>',
        '<iframe src="https://cdn.example"></iframe>',
    ],
)
def test_a_load_from_another_server_is_seen(tmp_path, text):
    assert len(loaded_from_outside({tmp_path / "page.html": Page(text)}, {})) == 1
    link = Page('<a href="https://x.example">a link may lead outside</a>')
    assert not loaded_from_outside({tmp_path / "page.html": link}, {})
