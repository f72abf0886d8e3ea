"""Where one parameter of a text ends and the next begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesions.settings.assignments import split_assignments


@pytest.mark.parametrize(
    "text, parts",
    [
        ("", []),
        ("A=1", ["A=1"]),
        (" A=1   B=2 ", ["A=1", "B=2"]),
        ("OWN_RUNS= B=", ["OWN_RUNS=", "B="]),
        ("A=/my pictures B=2", ["A=/my pictures", "B=2"]),
        ("A=/o'brien's B=it's", ["A=/o'brien's", "B=it's"]),
        ("A='x B=2' C=3", ["A=x B=2", "C=3"]),
        ('A="/my pictures" B=2', ["A=/my pictures", "B=2"]),
        ("A='' B=\"\"", ["A=", "B="]),
        ('A="x B=2', ['A="x', "B=2"]),
        ("A='b' c B=1", ["A='b' c", "B=1"]),
        ("A=a=b", ["A=a=b"]),
        ("EPOCHS 3", ["EPOCHS 3"]),
        ("so A=1", ["so", "A=1"]),
        ("A=C:\\new B=1", ["A=C:\\new", "B=1"]),
    ],
)
def test_parts(text, parts):
    assert split_assignments(text) == parts


@given(st.lists(st.text(st.characters(exclude_characters="\"'"), max_size=12), max_size=5))
def test_quoted_values_come_back_whole(values):
    text = " ".join(f'N{number}="{value}"' for number, value in enumerate(values))
    assert split_assignments(text) == [f"N{n}={value}" for n, value in enumerate(values)]
