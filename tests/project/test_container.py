"""The container's files: one recipe, no root, a lock with hashes, and no port for the world."""

import json
import re
from pathlib import Path

import pytest

from course import __main__ as commands
from lesions.core.files import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
# One instruction a line, without comments.
STEPS = re.sub(r"^#.*\n|\\\n\s*", "", DOCKERFILE, flags=re.M).split("\n")
FILES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]
DEV = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))


def values_of(word: str) -> list[str]:
    return [step.removeprefix(word).strip() for step in STEPS if step.startswith(f"{word} ")]


def test_the_image_runs_as_a_user_and_starts_jupyterlab():
    assert values_of("USER") == ["${NB_USER}"] and "NB_USER=learner" in values_of("ARG")
    assert json.loads(values_of("CMD")[0]) == ["make", "lab"]
    assert "ENTRYPOINT" not in {step.split(" ")[0] for step in STEPS}  # Binder starts its own
    assert not [
        n for n in ("binder", ".binder") if (ROOT / n).exists()
    ]  # these would be read instead


def test_the_image_installs_the_lock_with_hashes_and_nothing_else():
    installs = [step for step in values_of("RUN") if "pip install" in step]
    assert len(installs) == 2 and all("--no-deps" in step for step in installs)
    assert "--require-hashes -r requirements.lock" in installs[0]
    versions = re.search(r"^FROM python:(3\.\d+)-slim", DOCKERFILE, flags=re.M)
    assert versions and versions[1] in ("3.11", "3.12", "3.13")


def test_what_the_environment_says_is_an_option_of_the_course():
    names = re.findall(r"COURSE_(\w+)=", DOCKERFILE) + [
        name.removeprefix("COURSE_") for name in DEV["remoteEnv"] if name.startswith("COURSE_")
    ]
    assert set(names) == {"LISTEN"} <= set(commands.OPTIONS)


def test_the_dev_container_is_the_same_image():
    build = DEV["build"]
    folder = ROOT / ".devcontainer"
    assert (folder / build["dockerfile"]).resolve() == ROOT / "Dockerfile"
    assert (folder / build["context"]).resolve() == ROOT
    assert f"NB_USER={DEV['remoteUser']}" in DOCKERFILE
    python = DEV["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert python.startswith(re.search(r"VIRTUAL_ENV=(\S+)", DOCKERFILE)[1])


def test_what_is_not_for_others_stays_out_of_the_image():
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {".git", ".venv", "build", "data/raw", "data/cache"} <= set(left_out)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_port_is_published_on_this_machine_alone(path: Path):
    text = path.read_text(encoding="utf-8")
    published = re.findall(r"docker run[^`\n]* -p (\S+)", text)
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert path.name != "start.md" or published


def test_pip_is_told_that_the_lock_is_all():
    """pip 23.2 takes a package with an extra for one that the lock lacks, and refuses the lock."""
    found = []
    for path in (*FILES, ROOT / "Makefile", ROOT / "Dockerfile"):
        text = path.read_text(encoding="utf-8")
        found += re.findall(r"(?:uv )?pip (?:install|download)[^\n`]*-r requirements\.lock", text)
    assert len(found) >= 4
    assert [line for line in found if "--no-deps" not in line and "uv pip" not in line] == []
