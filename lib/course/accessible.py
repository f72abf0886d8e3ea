"""What pages need so that everybody can use them, where those who make them leave it out.

Tables: a corner without words is no header, and a header says what it heads. Slides: one landmark,
and a page that may be made larger.
"""

import re
from pathlib import Path

EMPTY = re.compile(r"<th\b([^>]*)>\s*(?:<p>\s*</p>)?\s*</th>")
PLAIN = re.compile(r"<th(?![^>]*\bscope=)(?=[\s>])")
NO_ZOOM = re.compile(r",\s*maximum-scale=[\d.]+|,\s*user-scalable=no")


def table_headers(page: str) -> str:
    """HTML in which empty headers are cells, and all others say whether they head a row or column.

    A table's own `scope` stays.
    """

    def mended(part: re.Match) -> str:
        scope = "col" if part[1] == "thead" else "row"
        inside = EMPTY.sub(lambda th: f"<td{th[1]}></td>", part[0])
        return PLAIN.sub(f'<th scope="{scope}"', inside)

    return re.sub(r"<(thead|tbody)\b.*?</\1>", mended, page, flags=re.S)


def references(page: str) -> str:
    """HTML in which works are no list items of a list that holds other things, as Sphinx has it."""
    page = page.replace('<div role="list" class="citation-list">', '<div class="citation-list">')
    return page.replace(' role="doc-biblioentry"', "")


def slide_page(page: str) -> str:
    """A page of slides with all of it in one main landmark, which a reader may zoom into."""
    page = NO_ZOOM.sub("", page.replace('<div class="slides" role="main">', '<div class="slides">'))
    opened = page.replace('<div class="reveal">', '<main style="height: 100%"><div class="reveal">')
    return opened.replace(
        '<script src="_static/revealjs', '</main><script src="_static/revealjs', 1
    )


def mend(site: Path) -> None:
    """Mend all pages of a site that has just been built, its slides too."""
    for path in site.rglob("*.html"):
        if "_static" in path.relative_to(site).parts:
            continue
        page = path.read_text(encoding="utf-8")
        made = references(table_headers(page))
        if path.parent.name == "slides":
            made = slide_page(made)
        if made != page:
            path.write_text(made, encoding="utf-8")
