"""`tables`: what is written comes back as it was, whatever the labels look like."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesions.core import tables
from lesions.core.errors import LesionsError
from made import HARD_TEXTS, texts

SCHEMA = tables.Schema(
    "made table", ("image_id", "label"), ("age",), ("width",), ("keep",), ("age", "width", "keep")
)
ROW = st.tuples(
    texts(),
    texts(),
    st.one_of(st.floats(allow_nan=False), st.just(np.nan)),
    st.integers(-(2**62), 2**62),
    st.booleans(),
)


@given(st.lists(ROW, max_size=6))
def test_every_table_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list) -> None:
    path = tmp_path_factory.getbasetemp() / "table.csv"
    columns = list(SCHEMA.columns())
    types = {"age": float, "width": "int64", "keep": bool, "image_id": str, "label": str}
    table = pd.DataFrame(rows, columns=columns).astype(types)
    tables.write(table, path, SCHEMA)
    pd.testing.assert_frame_equal(tables.read(path, SCHEMA), table)


def test_hard_texts_come_back_and_are_no_formulas(tmp_path: Path) -> None:
    table = pd.DataFrame({"image_id": HARD_TEXTS, "label": HARD_TEXTS[::-1]}, dtype=str)
    tables.write(table, tmp_path / "t.csv", SCHEMA)
    assert tables.read(tmp_path / "t.csv", SCHEMA)["label"].tolist() == HARD_TEXTS[::-1]
    text = (tmp_path / "t.csv").read_text(encoding="utf-8")
    assert '"=' not in text and '"@' not in text


def test_what_is_not_declared_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    good = pd.DataFrame({"image_id": ["a"], "label": ["1"], "keep": [True]})
    for bad, words in (
        (good.drop(columns="label"), "must have the columns"),
        (good.assign(more=1), "must have the columns"),
        (good.assign(label=1), "must have text in the column label; it holds 1"),
        (good.assign(label=[None]), "must have text in the column label"),
        (good.assign(keep="yes"), "in the column keep"),
    ):
        with pytest.raises(LesionsError, match=words):
            tables.write(bad, path, SCHEMA)
        assert not path.exists()
    for text, words in (
        ("", "has the columns"),
        ("image_id,label,more\na,b,c\n", "has the columns image_id, label, more"),
        ("image_id,label\na,b\nc\n", "1 broken lines"),
        ("image_id,label,keep\na,b,yes\n", "in the column keep, which cannot be"),
        ("image_id,label,age\na,b,old\n", "in the column age, which cannot be"),
        (None, "There is no made table"),
    ):
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        with pytest.raises(LesionsError, match=words) as error:
            tables.read(path, SCHEMA, "run 02")
        assert "\n" not in str(error.value) and "run 02" in str(error.value)


def test_a_table_for_people_has_no_formula(tmp_path: Path) -> None:
    table = pd.DataFrame({"=1": ["=cmd()", "fine", "-x"], "score": [-1.5, 0.0, 1.0]})
    tables.write_for_people(table, tmp_path / "t.csv")
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines == ["'=1,score", "'=cmd(),-1.5", "fine,0.0", "'-x,1.0"]
