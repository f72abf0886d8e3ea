"""The course as a student meets it: JupyterLab in a real browser. `make e2e` runs it.

Screenshots go to build/e2e. Nothing leaves this machine: the server listens on loopback only.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from course import checks, copies
from lesions.core.files import BUILD, write_json
from lesions.settings import params

# ---------------------------------------------------------------- what is opened and looked for

NOTEBOOK = "01_exploration"
FIRST_CELL = "params.start("
FIRST_OUTPUT = "PROFILE='smoke'"  # printed by the cell that checks the parameters
TABLE_TEXT = "image_id"  # a column of the first table

EXERCISE = "01.2"
# The cell that the student writes is found by this line, and replaced by each of these in turn.
ANSWER_CELL = "def accuracy_of_naming("
WRONG_ANSWER = f"""def accuracy_of_naming(table, known, wanted):
    return 0.0


checks.exercise("{EXERCISE}").check(accuracy_of_naming)
"""
RIGHT_ANSWER = f"""def accuracy_of_naming(table, known, wanted):
    counts = pd.crosstab(table[known], table[wanted])
    return counts.max(axis=1).sum() / len(table)


checks.exercise("{EXERCISE}").check(accuracy_of_naming)
"""
SAID_WRONG = f"{EXERCISE}: not yet."
SAID_RIGHT = f"{EXERCISE}: right."

SLIDER_NOTEBOOK = "02_dedup"
SLIDER_CELL = "hash_threshold("

TRAINING_NOTEBOOK = "04_binary_fcnn"

# ---------------------------------------------------------------- the server and the browser

SHOTS = BUILD / "e2e"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
TOKEN = "a-token-for-this-test"
SECONDS = int(os.environ.get("E2E_SECONDS", 180))  # for a cell; the first load TensorFlow


def browser_path() -> str | None:
    """Chromium or Chrome of this machine."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A student edition of its own, of the profile smoke, whose notebook 03 has been run.

    It holds no outputs, so whatever is seen was computed in the browser's session.
    """
    place = tmp_path_factory.mktemp("e2e")
    made = place / "build" / "student"
    subprocess.run(
        [sys.executable, "-m", "course", "03", "PROFILE=smoke"],
        env=os.environ | {"LESIONS_BUILD": str(made.parent)}, capture_output=True, check=True,
    )  # fmt: skip
    copies.write("student", made, params.read_profile("smoke"))
    return made


def settings_for_jupyterlab(folder: Path) -> None:
    """All cells are in the page, also those out of sight; nobody asks for news."""
    wanted = {
        "notebook-extension/tracker": {"windowingMode": "none"},
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    }
    for name, values in wanted.items():
        write_json(folder / "@jupyterlab" / f"{name}.jupyterlab-settings", values)


@pytest.fixture(scope="module")
def address(folder):
    """JupyterLab on a free port of loopback; yields its address."""
    place = folder.parents[1]
    settings_for_jupyterlab(place / "settings")
    environment = os.environ | {
        "LESIONS_BUILD": str(folder.parent),
        "JUPYTER_CONFIG_DIR": str(place / "config"),
        "JUPYTER_DATA_DIR": str(place / "data"),
        "JUPYTER_RUNTIME_DIR": str(place / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(place / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(place / "workspaces"),
    }
    for name in ("PYTHONDONTWRITEBYTECODE", "HAM10000_DIR"):
        environment.pop(name, None)
    log = place / "server.log"
    with log.open("w", encoding="utf-8") as messages:
        server = subprocess.Popen(
            [sys.executable, "-m", "course", "lab", "--no-browser", "--port=0",
             f"--IdentityProvider.token={TOKEN}"],
            env=environment, stdout=messages, stderr=messages, start_new_session=True,
        )  # fmt: skip
    try:
        yield address_of(server, place / "runtime", log)
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # the command and the server that it started
        server.wait(30)


def address_of(server: subprocess.Popen, runtime: Path, log: Path) -> str:
    """Wait until the server has written where it listens, and answers there."""
    for _ in range(240):
        assert server.poll() is None, log.read_text(encoding="utf-8")[-2000:]
        for file in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(OSError, ValueError):
                found = json.loads(file.read_text())["url"]
                urllib.request.urlopen(f"{found}api?token={TOKEN}", timeout=10).close()
                return found
        time.sleep(0.25)
    pytest.fail(
        f"JupyterLab did not start within a minute: {log.read_text(encoding='utf-8')[-2000:]}"
    )


@pytest.fixture(scope="module")
def context(address):
    path = browser_path()
    if path is None:
        pytest.skip("There is no Chromium here, so the notebooks are not opened in a browser.")
    from playwright.sync_api import sync_playwright

    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        made = browser.new_context(viewport={"width": 1280, "height": 900})
        made.set_default_timeout(60_000)
        yield made
        browser.close()


class Lab:
    """A notebook opened in JupyterLab, and what a student does with it."""

    def __init__(self, context, address: str, name: str, folder: Path):
        self.folder = folder
        self.page, self.name, self.asked = context.new_page(), name, []
        self.address = address
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(f"{address}lab/tree/{name}.ipynb?token={TOKEN}&reset")
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        # The kernel's name and state stand at the bottom; before, running a cell asks for a kernel.
        ready = self.page.locator("#jp-main-statusbar").get_by_text(re.compile(r"\| Idle"))
        ready.wait_for(timeout=SECONDS * 1000)

    def shot(self, what: str) -> None:
        self.page.screenshot(path=SHOTS / f"{self.name}-{what}.png")

    def menu(self, menu: str, item: str) -> None:
        """Choose an item of the menu bar, such as Run, Run All Cells."""
        self.page.locator(".lm-MenuBar-item", has_text=re.compile(f"^{menu}$")).click()
        self.page.locator(".lm-Menu-item", has_text=re.compile(f"^{item}")).first.click()

    def cell(self, text: str):
        """The code cell whose source has this text."""
        with_text = self.page.locator(".jp-InputArea", has_text=text)
        found = self.page.locator(".jp-CodeCell").filter(has=with_text).first
        found.scroll_into_view_if_needed()
        return found

    def output(self, text: str) -> str:
        return "\n".join(self.cell(text).locator(".jp-OutputArea-output").all_inner_texts())

    def select(self, text: str) -> None:
        self.cell(text).locator(".cm-content").click()

    def write(self, text: str, source: str) -> None:
        """Replace the source of the cell that has `text`, as if pasted."""
        self.select(text)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)

    def run(self, text: str) -> str:
        """Run one cell; the text of its output."""
        self.select(text)
        before = self.cell(text).locator(".jp-InputPrompt").inner_text()
        self.page.keyboard.press("Control+Enter")
        self.wait(lambda: (now := self.cell(text).locator(".jp-InputPrompt").inner_text())
                  != before and re.search(r"\d", now), f"the end of {text}")  # fmt: skip
        self.page.wait_for_timeout(300)  # until the output is drawn
        return self.output(text)

    def run_all(self) -> None:
        """Run All Cells from the menu, and wait until every code cell has a number."""
        self.menu("Run", "Run All Cells")
        prompts = self.page.locator(".jp-CodeCell .jp-InputPrompt")
        self.wait(lambda: all(re.search(r"\d", text) for text in prompts.all_inner_texts()),
                  "the end of the notebook")  # fmt: skip

    def wait(self, done, what: str) -> None:
        deadline = time.time() + SECONDS
        while not done():
            if time.time() > deadline:
                self.shot("late")
                pytest.fail(f"{self.name}: waited {SECONDS} s in vain for {what}.")
            self.page.wait_for_timeout(200)

    def save(self) -> dict:
        """Save the notebook and shut its kernel down, as if the server had been stopped; the file
        as it then is."""
        self.menu("File", "Save Notebook")
        self.page.wait_for_timeout(2000)
        for session in self._api("GET", "sessions"):
            self._api("DELETE", f"sessions/{session['id']}")
        return json.loads((self.folder / f"{self.name}.ipynb").read_text(encoding="utf-8"))

    def _api(self, method: str, what: str) -> list:
        asked = urllib.request.Request(
            f"{self.address}api/{what}", method=method, headers={"Authorization": f"token {TOKEN}"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.loads(answer.read() or b"[]")

    def red(self) -> list[str]:
        """What stands on the red ground of stderr, and widgets that came to nothing."""
        lines = self.page.locator("[data-mime-type='application/vnd.jupyter.stderr']")
        lost = self.page.get_by_text("Error displaying widget")
        return lines.all_inner_texts() + lost.all_inner_texts()

    def faults(self) -> list[str]:
        """What went wrong in a cell, and what was asked of another machine."""
        errors = self.page.locator("[data-mime-type='application/vnd.jupyter.error']")
        here = ("http://127.0.0.1", "data:", "blob:")
        return errors.all_inner_texts() + [url for url in self.asked if not url.startswith(here)]


# ---------------------------------------------------------------- what a student does


@pytest.fixture(scope="module")
def lab(context, address, folder) -> Lab:
    """The notebook, opened and run from top to bottom."""
    opened = Lab(context, address, NOTEBOOK, folder)
    opened.shot("opened")
    opened.run_all()
    return opened


def test_a_notebook_runs_in_the_browser(lab):
    cells = lab.page.locator(".jp-CodeCell").count()
    assert cells > 10
    assert FIRST_OUTPUT in lab.output(FIRST_CELL)
    tables = lab.page.locator(".jp-RenderedHTMLCommon table")
    assert any(TABLE_TEXT in text for text in tables.all_inner_texts())
    pictures = lab.page.locator(".jp-RenderedImage img")
    assert pictures.count() >= 5
    # Each is there and has a size, that is, the browser could decode it.
    assert all(one.evaluate("image => image.naturalWidth") > 100 for one in pictures.all())
    pictures.first.scroll_into_view_if_needed()
    lab.shot("run")
    assert lab.faults() == []


def test_a_wrong_answer_is_told_apart_from_a_right_one(lab):
    lab.write(ANSWER_CELL, WRONG_ANSWER)
    said = lab.run(ANSWER_CELL)
    lab.shot("wrong")
    assert SAID_WRONG in said and SAID_RIGHT not in said
    lab.write(ANSWER_CELL, RIGHT_ANSWER)
    said = lab.run(ANSWER_CELL)
    lab.shot("right")
    assert SAID_RIGHT in said and SAID_WRONG not in said
    assert lab.faults() == []


def test_axe_finds_nothing_in_what_the_notebook_shows(lab):
    """In the prose and the outputs, which are ours; the bars around them are JupyterLab's."""
    from axe_playwright_python.sync_playwright import Axe

    where = {"include": [[".jp-RenderedMarkdown"], [".jp-OutputArea-output"]]}
    # JupyterLab 4.6 passes over the texts that our figures have in their metadata; the site shows
    # them, and test_notebooks.py holds that each figure has one.
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
             "rules": {"image-alt": {"enabled": False}}}  # fmt: skip
    found = Axe().run(lab.page, context=where, options=rules).response["violations"]
    said = [f"{one['id']}, {len(one['nodes'])}: {one['nodes'][0]['html'][:200]}" for one in found]
    assert not said, "\n".join(said)


def moved(lab: Lab) -> None:
    """Move the slider by its keys: figure and number change with it."""
    cell = lab.cell(SLIDER_CELL)
    slider, picture = cell.locator("input[type=range]"), cell.locator("img")
    slider.wait_for()
    assert picture.count() == 1, "either the slider's figure or a still one, never both"
    assert not cell.get_by_text("Run this cell").count()
    before, number = picture.get_attribute("src"), cell.locator("output").inner_text()
    slider.focus()
    for _ in range(3):
        lab.page.keyboard.press("ArrowRight")
    lab.wait(lambda: picture.get_attribute("src") != before, "another figure")
    assert cell.locator("output").inner_text() != number


def test_a_slider_moves_its_figure_and_a_notebook_reopened_is_clean(context, address, folder):
    lab = Lab(context, address, SLIDER_NOTEBOOK, folder)
    lab.run_all()
    moved(lab)
    lab.shot("slider")
    assert lab.red() == [] and lab.faults() == []
    saved = lab.save()
    kinds = {k for c in saved["cells"] for o in c.get("outputs", []) for k in o.get("data", {})}
    assert "text/html" in kinds and not any("widget" in kind for kind in kinds)
    lab.page.close()
    again = Lab(context, address, SLIDER_NOTEBOOK, folder)
    assert again.red() == []
    moved(again)  # nothing has been run: it needs no kernel
    again.shot("reopened")
    assert again.faults() == []


def test_an_untrusted_notebook_says_what_to_do(context, address, folder, lab):
    """As somebody else's: its scripts do not run, and no Python object stands in their place."""
    book = lab.save()
    book["cells"][0]["source"] = "# Somebody else's"
    write_json(folder / "01_untrusted.ipynb", book)
    other = Lab(context, address, "01_untrusted", folder)
    text = "\n".join(other.page.locator(".jp-OutputArea-output").all_inner_texts())
    other.shot("untrusted")
    assert checks.UNTRUSTED in text and "<IPython.core.display" not in text


def test_training_is_calm(context, address, folder):
    """One line a model that changes, nothing red; and a second run of all cells works as well."""
    lab = Lab(context, address, TRAINING_NOTEBOOK, folder)
    for _ in range(2):
        lab.run_all()
        lab.shot("trained")
        assert lab.red() == [] and lab.faults() == []
    texts = lab.page.locator(".jp-OutputArea-output").all_inner_texts()
    lines = [line for text in texts for line in text.splitlines() if re.search(r"epoch \d+/", line)]
    models = {line.partition(": ")[0] for line in lines}
    assert len(lines) == len(models), lines
