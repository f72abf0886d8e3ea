"""Parameters: one declaration; everything else is refused with one sentence."""

import ast
import json

import pytest
import yaml

from course import catalogue
from lesions.core.errors import LesionsError
from lesions.settings import parameters, params
from lesions.settings.parameters import Settings

WRONG = [
    ("EPOCH=3", "Did you mean EPOCHS?"),
    ("epochs=3", "Did you mean EPOCHS?"),
    ("COLOUR=red", "Unknown parameter COLOUR."),
    ("EPOCHS=many", "must be of type int"),
    ("EPOCHS=1.5", "must be of type int"),
    ("EPOCHS=true", "must be of type int"),
    ("EPOCHS=0", "must lie from 1 to"),
    ("LEARNING_RATE=nan", "must lie from"),
    ("AUGMENT=1", "must be of type bool"),
    ("DATASET=ham1000", "Did you mean ham10000?"),
    ("PROFILE=../elsewhere", "letters, digits"),
    ("EPOCHS", "NAME=value"),
    ("LEARNING_RATE=slow", "must be of type float"),
]


@pytest.mark.parametrize("text, part", WRONG)
def test_a_wrong_parameter_is_refused_with_one_sentence(text, part):
    with pytest.raises(LesionsError, match=part.replace("?", r"\?").replace(".", r"\.")) as caught:
        params.read_assignments(text)
    assert "\n" not in str(caught.value)


def test_right_parameters_get_the_declared_type():
    values = params.read_assignments("EPOCHS=3 LEARNING_RATE=1e-4 L2=1 AUGMENT=false WEIGHTS=a/b")
    assert values == {
        "EPOCHS": 3,
        "LEARNING_RATE": 1e-4,
        "L2": 1.0,
        "AUGMENT": False,
        "WEIGHTS": "a/b",
    }
    assert type(values["L2"]) is float


def test_every_default_passes_its_own_check():
    for name, declared in params.PARAMETERS.items():
        assert params.check_value(name, declared.default) == declared.default


def test_profiles_are_complete_and_named_after_themselves():
    profiles = {path.stem for path in params.PROFILES.glob("*.yaml")}
    assert {"smoke", "sample", "quick", "paper"} <= profiles
    for name in profiles:
        assert params.read_profile(name)["PROFILE"] == name


def test_the_default_profile_holds_the_defaults():
    for name, value in params.read_profile("sample").items():
        assert value == params.PARAMETERS[name].default, name


@pytest.mark.parametrize("name", catalogue.names())
def test_a_notebook_declares_parameters_as_the_library_does(name):
    text = (catalogue.NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    (given,) = [c for c in cells if c["metadata"].get("tags") == ["parameters"]]
    tree = ast.parse("".join(given["source"]))
    assert tree.body
    for node in tree.body:
        declared = params.PARAMETERS[node.target.id]
        assert ast.literal_eval(node.value) == declared.default
        assert node.annotation.id == type(declared.default).__name__


def test_an_unknown_profile_names_the_nearest():
    with pytest.raises(LesionsError, match=r"Unknown profile quik\. Did you mean quick\?"):
        params.read_profile("quik")


def test_a_broken_profile_is_named(tmp_path):
    (tmp_path / "bad.yaml").write_text("EPOCHS: [1\n")
    with pytest.raises(LesionsError, match=r"bad\.yaml is not valid YAML"):
        params.read_profile("bad", tmp_path)
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(LesionsError, match="NAME: value"):
        params.read_profile("list", tmp_path)


START = 'settings = params.start("04", globals())'
OWN = "# Parameters\nEPOCHS: int = 8\nSEED: int = 0"


def notebook_namespace(*cells: str) -> dict:
    """What `globals()` holds after these cells ran in a kernel."""
    namespace: dict = {}
    for cell in cells:
        if not cell.startswith(START):
            exec(cell, namespace)
    return namespace | {"In": ["", *cells]}


def test_start_reads_the_injected_cell(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(parameters, "BUILD", tmp_path)
    given = notebook_namespace(
        "# Parameters\nPROFILE = 'x'\nEPOCHS = 8", "# Parameters\nEPOCHS = 3", "n = 1\nOTHER = 2"
    )
    settings = params.start("04", given)
    assert (settings.EPOCHS, settings.PATIENCE) == (3, Settings().PATIENCE)
    assert settings.folder == tmp_path / "x"
    assert "EPOCHS=3" in capsys.readouterr().out
    saved = json.loads((tmp_path / "x" / "params" / "04.json").read_text())
    assert saved == {"PROFILE": "x", "EPOCHS": 3}


def test_start_does_without_a_history(tmp_path, monkeypatch):
    monkeypatch.setattr(parameters, "BUILD", tmp_path)
    given = notebook_namespace("# Parameters\nPROFILE = 'x'\nEPOCHS = 3\nother = 1") | {"In": [""]}
    assert params.start("04", given).EPOCHS == 3


def test_start_refuses_what_papermill_lets_through(tmp_path, monkeypatch):
    monkeypatch.setattr(parameters, "BUILD", tmp_path)
    for injected in ("EPOCH = 3", "epochs = 3", "foo = 1"):
        given = notebook_namespace("# Parameters\nEPOCHS = 8", f"# Parameters\n{injected}")
        with pytest.raises(LesionsError, match="Unknown parameter"):
            params.start("04", given)
    assert not list(tmp_path.iterdir())


REFUSED = "refused"
# the cells that were run, in order, and what `start` makes of them
HISTORIES = {
    "as it stands": ([OWN, START], {"EPOCHS": 8, "SEED": 0}),
    "a mistake": ([OWN + "\nEPOCH: int = 3", START], REFUSED),
    "the same again": ([OWN + "\nEPOCH: int = 3", START, START], REFUSED),
    "corrected in place": (
        [OWN + "\nEPOCH: int = 3", START, OWN + "\nPATIENCE: int = 2", START],
        {"EPOCHS": 8, "SEED": 0, "PATIENCE": 2},
    ),
    "a line of one's own is taken back": (
        [OWN + "\nL2: float = 0.1", START, OWN, START],
        {"EPOCHS": 8, "SEED": 0},
    ),
    "a mistake in the injected cell": ([OWN, "# Parameters\nEPOCH = 3", START], REFUSED),
    "corrected there": (
        [OWN, "# Parameters\nEPOCH = 3", START, "# Parameters\nEPOCHS = 3", START],
        {"EPOCHS": 3, "SEED": 0},
    ),
    "taken out, and all run again": (
        [OWN, "# Parameters\nEPOCH = 3", START, OWN, START],
        {"EPOCHS": 8, "SEED": 0},
    ),
    "another cell is corrected, this one not": (
        [OWN + "\nEPOCH: int = 3", START, "# Parameters\nSEED = 3", START],
        REFUSED,
    ),
    "run out of order, cells between": (
        [OWN, "x = 1", "# Parameters\nSEED = 3", START, "x = 2", START],
        {"EPOCHS": 8, "SEED": 3},
    ),
}


@pytest.mark.parametrize("what", list(HISTORIES))
def test_the_parameters_cells_count_as_they_stand(what, tmp_path, monkeypatch):
    monkeypatch.setattr(parameters, "BUILD", tmp_path)
    cells, expected = HISTORIES[what]
    given = notebook_namespace(*cells)
    if expected == REFUSED:
        with pytest.raises(LesionsError, match=r"Unknown parameter EPOCH\. Did you mean EPOCHS\?"):
            params.start("04", given)
    else:
        assert params.given_in(given) == expected
        assert params.start("04", given).values() == Settings(**expected).values()


def test_a_cell_that_is_no_python_has_set_nothing():
    assert params.names_in_history(["# Parameters\nEPOCHS = = 3", "# Parameters\nSEED = 1"]) == {
        "SEED"
    }


def test_yaml_takes_numbers_for_texts_and_we_do_not(tmp_path):
    (tmp_path / "small.yaml").write_text("PROFILE: small\nLEARNING_RATE: 1e-3\nL2: 1\n")
    assert yaml.safe_load("1e-3") == "1e-3", "so it is in YAML 1.1"
    values = params.read_profile("small", tmp_path)
    assert values == {"PROFILE": "small", "LEARNING_RATE": 1e-3, "L2": 1.0}
    with pytest.raises(LesionsError, match=r"write 1\.0e-3"):
        Settings(LEARNING_RATE="1e-3")


def test_papermill_is_told_how_to_keep_a_text():
    for value in (7, True, 0.5):
        with pytest.raises(LesionsError, match="-r, which keeps it a text"):
            Settings(PROFILE=value)


def test_profiles_are_plain_yaml_for_papermill():
    for path in params.PROFILES.glob("*.yaml"):
        assert all(
            isinstance(value, int | float | str | bool)
            for value in yaml.safe_load(path.read_text()).values()
        )


def test_a_mistake_in_a_notebook_is_one_sentence_without_a_traceback():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    shown = []
    shell._showtraceback = lambda kind, value, lines: shown.extend(lines)
    shell.run_cell("from lesions.settings.parameters import Settings\nSettings.of({'SED': 1})")
    assert len(shown) == 1 and shown[0].startswith("LesionsError: Unknown parameter SED.")
