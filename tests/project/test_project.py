"""The project as a whole: versions agree, and nothing is in it that should not be."""

import re
import subprocess
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

from course import __main__ as commands
from course.machine import locked_versions
from lesions.core.files import ROOT


def declared() -> dict[str, Requirement]:
    """The direct dependencies in pyproject.toml, of all groups."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = project["dependencies"], *project["optional-dependencies"].values()
    return {r.name.lower(): r for group in groups for r in map(Requirement, group)}


def test_the_lock_has_every_dependency_with_hashes():
    lock = (ROOT / "requirements.lock").read_text()
    locked = locked_versions()
    for name, requirement in declared().items():
        assert requirement.specifier.contains(locked[name]), name
    entries = re.findall(r"^[a-z0-9._-]+==.*?(?=^[a-z0-9]|\Z)", lock, flags=re.M | re.S)
    assert len(entries) > 100
    assert all("--hash=sha256:" in entry for entry in entries)


def test_environment_has_the_locked_versions_and_a_note_on_every_line():
    text = (ROOT / "environment.yml").read_text()
    pinned = yaml.safe_load(text)["dependencies"][-1]["pip"]
    versions = dict(line.split("==") for line in pinned if "==" in line)
    locked = locked_versions()
    assert versions == {name: locked[name] for name in declared()}
    assert all("#" in line for line in text.splitlines())


def tracked_files() -> list[str]:
    try:
        done = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_address_of_a_package_index_and_no_path_of_one_machine():
    index = re.compile(r"pypi\.org|pythonhosted|--index-url|--find-links|/root/|/home/\w+/|/work/")
    for name in tracked_files():
        path = ROOT / name
        if path.suffix in (".png", ".jpg") or name == "tests/project/test_project.py":
            continue
        found = index.search(path.read_text(encoding="utf-8"))
        assert not found, f"{name}: {found}"


def test_only_ci_and_tests_name_the_optional_data_folder():
    for name in tracked_files():
        if name.startswith("tests/") or name == ".ci/run" or name.endswith(".png"):
            continue
        assert "../shared" not in (ROOT / name).read_text(encoding="utf-8"), name


def test_nothing_large_and_no_photograph_is_kept():
    for name in tracked_files():
        assert (ROOT / name).stat().st_size < 1_500_000, name
        assert not re.search(r"ISIC_\d+\.(jpg|png)$", name), name


def test_make_help_lists_each_target_with_a_line():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("all", "test", "lab", "data", "check", "clean", "lint", "01 02 03"):
        assert re.search(rf"^{target}\b.* \w+", done.stdout, flags=re.M), target


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", changes, flags=re.M)
    assert newest.groups() == (cited["version"], str(cited["date-released"]))
    assert project["version"] == cited["version"] and project["license"] == cited["license"]


def test_the_changelog_names_commands_and_parts_that_are_there():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("## 0.1.0")[0]
    assert set(re.findall(r"`make ([a-z][a-z0-9-]*)", text)) <= set(commands.COMMANDS)
    kinds = re.findall(r"^### (\w+)$", text, flags=re.M)
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_both_licences_are_stated_where_people_look():
    for name in ("README.md", "LICENSE-prose.md", "CITATION.cff", "docs/conf.py"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "MIT" in text and "CC BY 4.0" in text, name
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")


def test_every_link_of_the_pages_at_the_top_leads_to_a_file():
    for path in ROOT.glob("*.md"):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8")):
            assert (ROOT / link).exists(), f"{path.name}: {link}"


def test_the_readme_is_read_in_minutes():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 100
