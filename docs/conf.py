"""How Sphinx builds the site. `make site` gathers the sources and starts it: see build.py."""

import hashlib
import json
from binascii import a2b_base64
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

project = "Skin lesions, honestly"
author = "The authors of the course"
copyright = "the authors of the course; code MIT, prose CC BY 4.0"  # the name that Sphinx asks for
language = "en"
extensions = ["myst_nb", "sphinxcontrib.bibtex"]
exclude_patterns = ["extra"]

# The outputs are those that the notebooks hold.
nb_execution_mode = "off"
nb_merge_streams = True
# Widgets would load scripts from the network; build.py puts a sentence in place of each.
nb_ipywidgets_js = {}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"

highlight_language = "none"  # of blocks without a name, which are commands

html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path = ["_static"]
html_extra_path = ["extra"]
html_css_files = ["course.css"]
html_copy_source = False
html_show_sourcelink = False
# Only the notebooks are many enough to need a list beside the page.
html_sidebars = {"*": [], "notebooks/*": ["sidebar-nav-bs"]}
html_theme_options = {
    "logo": {"text": project},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 6,
    "show_nav_level": 2,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "search_bar_text": "Search the course",
}


def alternative_texts(folder: Path) -> dict[str, str]:
    """The alternative text of each figure in the notebooks, by the name that MyST-NB gives it.

    A notebook keeps it in the metadata of the output, which MyST-NB does not read.
    """
    texts = {}
    for path in folder.glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                picture = output.get("data", {}).get("image/png")
                if picture:
                    name = hashlib.sha256(a2b_base64("".join(picture))).hexdigest()
                    texts[name] = output["metadata"].get("image/png", {}).get("alt", "")
    return texts


def add_alternative_texts(app: Sphinx, doctree: nodes.document) -> None:
    for image in doctree.findall(nodes.image):
        text = app.config.figure_texts.get(Path(image["uri"]).stem)
        if text:
            image["alt"] = text


def setup(app: Sphinx) -> None:
    texts = alternative_texts(Path(app.srcdir) / "notebooks")
    app.add_config_value("figure_texts", texts, "env")
    app.connect("doctree-read", add_alternative_texts)
