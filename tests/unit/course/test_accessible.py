"""Tables and slides that those who made them left hard to use."""

from course import accessible

TABLE = """<table><thead><tr><th></th><th>a</th><th class="x"><p></p></th></tr></thead>
<tbody><tr><th>0</th><td>1</td></tr><tr><th scope="rowgroup">1</th></tr></tbody></table>
<th>no table"""
SLIDES = """<meta name="viewport" content="width=device-width, maximum-scale=1.0, user-scalable=no">
<body><div class="reveal"><div class="slides" role="main"><section>x</section></div></div>
<script src="_static/revealjs/reveal.js"></script>
<script src="_static/revealjs/more.js"></script>"""


def test_empty_headers_are_cells_and_the_others_say_what_they_head():
    made = accessible.table_headers(TABLE)
    assert '<td></td><th scope="col">a</th><td class="x"></td>' in made
    assert '<th scope="row">0</th>' in made and '<th scope="rowgroup">1</th>' in made
    assert made.endswith("<th>no table") and "<thead>" in made
    assert accessible.table_headers(made) == made


def test_references_have_no_roles_that_are_none():
    page = '<div role="list" class="citation-list"><div class="citation" role="doc-biblioentry">'
    assert accessible.references(page) == '<div class="citation-list"><div class="citation">'


def test_slides_have_one_landmark_and_can_be_zoomed():
    made = accessible.slide_page(SLIDES)
    assert 'content="width=device-width"' in made and 'role="main"' not in made
    assert made.count("<main") == made.count("</main>") == 1
    assert made.index("</div></div>") < made.index("</main>") < made.index("<script")


def test_a_site_is_mended_but_for_the_files_of_its_theme(tmp_path):
    for name in ("page.html", "_static/page.html", "slides/page.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(TABLE + SLIDES)
    accessible.mend(tmp_path)
    page, theirs, slide = ((tmp_path / name).read_text() for name in (
        "page.html", "_static/page.html", "slides/page.html"))  # fmt: skip
    assert theirs == TABLE + SLIDES
    assert 'scope="col"' in page and "<main" not in page and "<main" in slide
