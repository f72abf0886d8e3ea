"""`make NAME` and `python -m course NAME`: the same commands, the same words, letter by letter."""

import os
import re
import subprocess
import sys

import pytest

from course import __main__ as commands
from course import runner
from lesions.core.errors import LesionsError
from lesions.core.files import ROOT

# What people have in the names of their folders, and in values.
STRANGE = [
    "my pictures",
    "o'brien",
    'the "best"',
    "a#b",
    "a$b",
    "$(x",
    "a$$b",
    "bilder-ü",
    "写真",
    "a;b & c",
]
FAKE = """#!{python}
import os, sys
wanted = {{n: v for n, v in os.environ.items() if n.startswith("COURSE_") or n == "HAM10000_DIR"}}
print(ascii((sys.argv[1:], wanted)))
"""


@pytest.fixture
def asked(tmp_path):
    """What make hands to Python, by a Python that only says it."""
    fake = tmp_path / "python"
    fake.write_text(FAKE.format(python=sys.executable), encoding="utf-8")
    fake.chmod(0o755)
    given = {*commands.OPTIONS, *(f"COURSE_{name}" for name in commands.OPTIONS), "HAM10000_DIR"}
    plain = {n: v for n, v in os.environ.items() if n not in given}

    def ask(*words: str, **environment: str) -> tuple[list[str], dict[str, str]]:
        done = subprocess.run(
            ["make", "-s", *words, f"PYTHON={fake}"], cwd=ROOT, env=plain | environment,
            capture_output=True, encoding="utf-8",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return eval(done.stdout)

    return ask


def test_make_has_every_command_and_no_other(asked):
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    named = re.search(r"^COMMANDS := (.*)$", text, flags=re.M)[1].split()
    assert {*named, "help", "clean"} == set(commands.COMMANDS)
    options = re.search(r"^OPTIONS := (.*)$", text, flags=re.M)[1].split()
    assert options == list(commands.OPTIONS) or set(options) == set(commands.OPTIONS)
    for name in ("all", "test-fast", *commands.notebook_numbers()):
        assert asked(name) == (["-m", "course", name], {})


@pytest.mark.parametrize("text", STRANGE)
def test_a_strange_value_reaches_python_letter_by_letter(asked, text):
    value = f"DATA_DIR=/{text}/x EPOCHS=3"
    assert asked("all", f"P={value}")[1] == {"COURSE_P": value}
    assert asked("all", P=value)[1] == {"COURSE_P": value}
    assert asked("all", f"P_FILE=/{text}.yaml")[1] == {"COURSE_P_FILE": f"/{text}.yaml"}
    assert asked("all", f"HAM10000_DIR=/{text}")[1] == {"HAM10000_DIR": f"/{text}"}
    assert asked("all", HAM10000_DIR=f"/{text}")[1] == {"HAM10000_DIR": f"/{text}"}


@pytest.mark.parametrize("text", STRANGE)
def test_a_strange_value_becomes_a_parameter(text, tmp_path):
    given = runner.given_values("smoke", f"DATA_DIR=/{text}/x EPOCHS=3 SEED=7")
    assert (given["DATA_DIR"], given["EPOCHS"], given["SEED"]) == (f"/{text}/x", 3, 7)
    folder = tmp_path / text
    folder.mkdir()
    file = folder / "my.yaml"
    lines = f"DATA_DIR: '/{text.replace(chr(39), chr(39) * 2)}'\nEPOCHS: 2\nSEED: 3\n"
    file.write_text(lines, encoding="utf-8")
    given = runner.given_values("smoke", "SEED=7", str(file))
    assert (given["DATA_DIR"], given["EPOCHS"], given["SEED"]) == (f"/{text}", 2, 7)
    assert given["IMAGE_SIZE"] == 32  # the profile's


def test_a_file_of_parameters_that_is_not_there_or_mistyped(tmp_path):
    for name in ("none.yaml", "my.json"):
        with pytest.raises(LesionsError, match="P_FILE names a file of parameters"):
            runner.given_values(file=str(tmp_path / name))
    (tmp_path / "my.yaml").write_text("EPOCH: 3\n", encoding="utf-8")
    with pytest.raises(LesionsError, match="Did you mean EPOCHS"):
        runner.given_values(file=str(tmp_path / "my.yaml"))


def test_words_stand_over_what_make_hands_over(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    monkeypatch.setenv("COURSE_P", " ")
    assert commands.read_words(["PROFILE=smoke", "-k", "x=y"]) == (
        {"PROFILE": "smoke"}, ["-k", "x=y"]
    )  # fmt: skip


@pytest.mark.parametrize(
    "words, expected",
    [
        (["all"], ["--profile", "sample", "--set", "", "--file", "", "--jobs", "2"]),
        (["07", "PROFILE=smoke", "P=A=1 B=2", "JOBS=1"],
         ["--profile", "smoke", "--set", "A=1 B=2", "--file", "", "--jobs", "1", "07"]),
        (["outputs", "--alone", "03"], ["--store", "--alone", "03"]),
        (["params"], ["--parameters"]),
    ],
)  # fmt: skip
def test_what_the_runner_is_asked(monkeypatch, words, expected):
    seen = []
    monkeypatch.setattr(runner, "main", lambda given: seen.append(given) or 0)
    assert commands.main(words) == 0 and seen == [expected]


def test_relative_and_home_folders_of_images(monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "main", lambda given: 0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HAM10000_DIR", "")
    for given, wanted in (("x y", tmp_path / "x y"), ("~/x", os.path.expanduser("~/x"))):
        commands.main(["all", f"HAM10000_DIR={given}"])
        assert os.environ["HAM10000_DIR"] == str(wanted)


def test_fast_tests_leave_the_slow_ones_out(monkeypatch):
    seen = []
    monkeypatch.setattr(commands, "run_python", lambda *words, **_: seen.append(words) or 0)
    commands.main(["test-fast", "-x"])
    assert seen == [("-m", "pytest", "tests/unit", "-m", "not slow", *commands.SIDE_BY_SIDE, "-x")]
    commands.main(["weights", "P=--to 'data/my weights'"])
    assert seen[1] == ("-m", "lesions.networks.weights", "--to", "data/my weights")


def test_an_unknown_command_is_named(capsys):
    assert commands.main(["tset"]) == 2
    assert "Unknown command tset. Did you mean test?" in capsys.readouterr().err


def test_help_needs_no_environment():
    """Only what every Python has: a newcomer asks for help before anything is installed."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c",
         "import sys; sys.path.insert(0, 'lib'); from course.__main__ import main; main(['help'])"],
        cwd=ROOT, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in (*commands.COMMANDS, *commands.OPTIONS):
        assert re.search(rf"^{name} +\w", done.stdout, flags=re.M), name
    assert "P_FILE=my.yaml" in done.stdout and " ".join(commands.notebook_numbers()) in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines())
