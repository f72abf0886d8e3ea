"""A fork's workflows: they run what .ci/run runs, each action is pinned, nothing is secret."""

import re
from pathlib import Path

import pytest
import yaml

from course import __main__ as commands
from lesions.core.files import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EACH = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def jobs(path: Path) -> dict[str, dict]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]


def runs(path: Path) -> list[str]:
    """Every command line of a workflow."""
    steps = [step for job in jobs(path).values() for step in job["steps"]]
    return [line for step in steps for line in step.get("run", "").splitlines()]


def test_these_workflows_are_there():
    assert [path.stem for path in FILES] == ["monthly", "site", "test"]


@EACH
def test_every_action_is_pinned_to_a_commit_and_says_its_version(path):
    uses = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert uses
    for line in uses:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_an_action_has_one_version_in_all_workflows():
    pinned = re.findall(r"uses: (.*)@(.*)", "".join(p.read_text(encoding="utf-8") for p in FILES))
    assert len({name for name, _ in pinned}) == len(set(pinned))


@EACH
def test_permissions_are_the_least(path):
    whole = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert whole["permissions"] == {"contents": "read"}
    more = {name: job["permissions"] for name, job in jobs(path).items() if "permissions" in job}
    pages = {"deploy": {"pages": "write", "id-token": "write"}}
    assert more == (pages if path.stem == "site" else {})
    for job in jobs(path).values():
        assert 0 < job["timeout-minutes"] <= 120
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


@EACH
def test_no_secret_and_no_words_of_strangers_in_a_command(path):
    text = path.read_text(encoding="utf-8")
    assert "secrets." not in text and "pull_request_target" not in text
    assert not [line for line in runs(path) if "${{" in line]


def test_a_change_has_to_pass_what_ci_runs():
    assert "bash .ci/run" in runs(ROOT / ".github" / "workflows" / "test.yml")
    assert "bash .ci/run" in runs(ROOT / ".github" / "workflows" / "monthly.yml")
    assert re.search(r"^make test$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), flags=re.M)


@EACH
def test_every_make_in_a_workflow_is_a_command_of_the_course(path):
    made = [re.match(r"make (\S+)", line) for line in runs(path)]
    assert {found[1] for found in made if found} <= set(commands.COMMANDS)


def test_the_pythons_are_those_of_the_course():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'requires-python = ">=3.11,<3.14"' in text
    strategy = jobs(ROOT / ".github" / "workflows" / "monthly.yml")["lock"]["strategy"]
    assert strategy["matrix"]["python"] == ["3.11", "3.12", "3.13"]
