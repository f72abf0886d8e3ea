"""`names`: any text becomes a name, a cell or HTML that does no harm, and can be led back."""

import csv
import html
import io
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesions.core.errors import LesionsError
from lesions.core.names import as_cell, as_html, from_cell, inside, safe_name, safe_names
from made import HARD_TEXTS, texts

SEPARATORS = set('/\\:*?"<>|')


def is_safe(name: str) -> bool:
    device = unicodedata.normalize("NFKC", name).split(".")[0].upper()
    return (
        0 < len(name.encode()) <= 150
        and not SEPARATORS & set(name)
        and not any(unicodedata.category(sign)[0] == "C" for sign in name)
        and name not in (".", "..")
        and name[0] not in " .-"
        and name[-1] not in " ."
        and device not in ("CON", "PRN", "AUX", "NUL", *(f"COM{n}" for n in range(10)))
    )


@pytest.mark.parametrize("text", ["nv", "ISIC_0024306", "basal cell carcinoma", "Übergang", "v1.2"])
def test_a_fit_name_stays(text: str) -> None:
    assert safe_name(text) == text


@pytest.mark.parametrize("text", HARD_TEXTS)
def test_hard_texts(text: str) -> None:
    assert is_safe(safe_name(text)), safe_name(text)


@given(st.lists(texts(), max_size=8))
def test_names_are_safe_different_and_lead_back(some: list[str]) -> None:
    some += [text.upper() for text in some] + [unicodedata.normalize("NFD", t) for t in some]
    named = safe_names(some)
    assert set(named) == set(some)
    assert all(is_safe(name) for name in named.values())
    folded = {unicodedata.normalize("NFC", name).casefold() for name in named.values()}
    assert len(folded) == len(set(some))
    assert named == safe_names(dict.fromkeys(some))


def test_a_text_that_is_another_ones_name() -> None:
    name = safe_name("../x")
    assert len(set(safe_names(["../x", name, name.upper()]).values())) == 3


@given(texts())
def test_nothing_is_written_outside(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "inside"
    place = folder / safe_name(text)
    place.mkdir(parents=True, exist_ok=True)
    assert place.resolve().parent == folder.resolve()
    assert inside(folder, place) == place


def test_a_path_that_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/")
    for way in ("../x", "link/x", "/x"):
        with pytest.raises(LesionsError, match="leads out of"):
            inside(tmp_path, tmp_path / way)


@given(texts())
def test_cells_are_no_formulas_and_lead_back(text: str) -> None:
    cell = as_cell(text)
    assert from_cell(cell) == text
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    line = io.StringIO(newline="")
    csv.writer(line).writerow([cell])
    line.seek(0)


@given(texts())
def test_html_holds_no_markup(text: str) -> None:
    shown = as_html(text)
    assert not set("<>\"'") & set(shown)
    assert html.unescape(shown) == text or "&" in text
