"""Can everybody use the site? axe-core over every page, in the light and the dark theme.

`make e2e` runs it. The rules are those of WCAG 2.1, levels A and AA, and the order of headings.
"""

import importlib.util
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from test_browser import ARGUMENTS, browser_path

from course import catalogue
from lesions.core.files import ROOT

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
         "resultTypes": ["violations"]}  # fmt: skip
# In the dark only colours are others.
OF_THEME = {"light": RULES, "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}}}
# Of pages that Sphinx and the theme make without us.
THEIRS = {"genindex.html", "search.html", "webpack-macros.html"}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The student's site, built from the stored notebooks."""
    spec = importlib.util.spec_from_file_location("site_build", ROOT / "docs" / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    folder = tmp_path_factory.mktemp("accessible")
    build.SOURCES = folder / "sources"
    return build.build(catalogue.NOTEBOOKS, folder, site=folder / "site").parent


@pytest.fixture(scope="module")
def address(site):
    """The site on a free port of loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def browser():
    path = browser_path()
    if path is None:
        pytest.skip("There is no Chromium here, so the pages are not opened in a browser.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


def faults(page, rules: dict = RULES) -> list[str]:
    """What axe-core finds on an open page: the rule, how often, and where first."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=rules).response["violations"]
    return [f"{one['id']} ({one['impact']}), {len(one['nodes'])}: {one['nodes'][0]['html'][:160]}"
            for one in found]  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(site, address, browser, theme):
    context = browser.new_context(color_scheme=theme, viewport={"width": 1280, "height": 900})
    page, found = context.new_page(), {}
    pages = [path.relative_to(site) for path in sorted(site.rglob("*.html"))
             if "_static" not in path.parts and path.name not in THEIRS]  # fmt: skip
    assert len(pages) > 20
    for path in pages:
        page.goto(f"{address}/{path.as_posix()}")
        said = faults(page, OF_THEME[theme])
        if said:
            found[path.as_posix()] = said
    context.close()
    assert not found, "\n".join(f"{path}\n  " + "\n  ".join(said) for path, said in found.items())


def test_the_first_key_leads_past_the_navigation(address, browser):
    page = browser.new_page()
    page.goto(f"{address}/student.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content"
    assert page.locator("html").get_attribute("lang") == "en"
    page.close()


def test_axe_sees_a_fault(address, browser):
    page = browser.new_page()
    page.goto(f"{address}/student.html")
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend',"
                  "'<img src=x.png><h6 style=\"color:#ddd\">pale</h6>')")  # fmt: skip
    said = " ".join(faults(page))
    assert "image-alt" in said and "color-contrast" in said
    page.close()
