"""Which runs the images at hand allow."""

import pandas as pd
import pytest

from lesions.core.errors import LesionsError
from lesions.splits.possible import possible_runs

ROWS = pd.DataFrame({"label": ["a"]})
BINARY = [("fcnn_relu", "sex"), ("fcnn_l2", "sex")]


def test_runs_with_a_split_stay_as_they_are(capsys):
    splits = {"honest-sex": ROWS, "paper-sex": ROWS, "honest-dx": ROWS}
    assert possible_runs(BINARY, splits) == BINARY
    assert not capsys.readouterr().out


def test_a_target_that_the_images_lack_is_left_out_with_a_sentence(capsys):
    runs = [("cnn", "dx"), ("resnet50", "dx_type"), ("densenet121", "localization")]
    assert possible_runs(runs, {"honest-dx": ROWS, "honest-localization": ROWS}) == [
        ("cnn", "dx"), ("densenet121", "localization")]  # fmt: skip
    said = capsys.readouterr().out
    assert "no two values of dx_type; left out: resnet50 on dx_type" in said


def test_networks_on_sex_learn_what_there_is_instead(capsys):
    splits = {"honest-dx": ROWS, "paper-dx": ROWS}
    assert possible_runs(BINARY, splits, instead=True) == [("fcnn_relu", "dx"), ("fcnn_l2", "dx")]
    assert "trained on dx instead" in capsys.readouterr().out
    assert possible_runs(BINARY, splits) == []
    assert possible_runs([], splits, instead=True) == []


def test_without_any_split_there_is_nothing_to_train():
    with pytest.raises(LesionsError, match="made no split"):
        possible_runs(BINARY, {})
