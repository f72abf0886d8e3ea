"""The settings: frozen, checked, and deciding unless declared otherwise."""

import dataclasses

import pytest

from lesions.core.errors import LesionsError
from lesions.core.files import BUILD
from lesions.settings import parameters
from lesions.settings.parameters import PARAMETERS, Settings

# What changes no run record: places, lists of runs, what is shown, how it is summed up; and which
# images there are, because a record's key is made of the images themselves.
NOT_DECIDING = {
    "PROFILE", "DATASET", "DATA_DIR", "LIMIT", "SAMPLE_IMAGES", "SAMPLE_SEED", "SAMPLE_WIDTH",
    "TEST_DIR", "HASH", "HASH_THRESHOLD", "PROTOCOL", "BINARY_RUNS", "MULTICLASS_RUNS", "OWN_RUNS",
    "DIAL_SEEDS", "COVER_SEEDS", "EXPLAIN_IMAGES", "BOOTSTRAP",
    "SEARCH_TRIALS", "SEARCH_IMAGES", "SEARCH_FOLDS", "SEARCH_SAMPLER", "LABEL_SHARES",
    "LABEL_SEEDS", "LABEL_METHODS", "LABEL_STEPS", "PRETRAIN_STEPS",
}  # fmt: skip


def test_settings_cannot_be_changed():
    settings = Settings()
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.SEED = 1
    other = settings.replace(SEED=1, L2=1)
    assert (settings.SEED, other.SEED, other.L2) == (0, 1, 1.0) and type(other.L2) is float


def test_a_changed_copy_is_checked():
    with pytest.raises(LesionsError, match=r"Unknown parameter SED\. Did you mean SEED\?"):
        Settings().replace(SED=1)
    with pytest.raises(LesionsError, match="must lie from 1 to"):
        Settings().replace(EPOCHS=0)
    with pytest.raises(LesionsError, match="Unknown parameter folders"):
        Settings.of({"folders": "x"})


def test_results_go_where_the_profile_says(tmp_path):
    assert Settings().folder == BUILD / "sample"
    assert Settings().replace(PROFILE="other").folder == BUILD / "other"
    kept = Settings(folder=tmp_path)
    assert kept.replace(SEED=1).folder == tmp_path
    assert kept.replace(PROFILE="other", folder=tmp_path).folder == tmp_path


def test_parameters_decide_unless_declared_otherwise():
    assert set(PARAMETERS) - set(Settings().deciding()) == NOT_DECIDING
    assert set(Settings().values()) == set(PARAMETERS)
    assert Settings(SEED=3).deciding()["SEED"] == 3
    assert parameters.Parameter(1, "a new one").decides


def test_every_parameter_has_help_and_the_type_that_is_annotated():
    kinds = {field.name: field.type for field in dataclasses.fields(Settings)}
    for name, declared in PARAMETERS.items():
        assert kinds[name] is type(declared.default), name
        assert declared.help and (declared.low is None) == (declared.high is None), name
