"""`content`: a file is known by what it holds, and not read again while it stays as it is."""

import os
from pathlib import Path

import pytest

from lesions.core import content


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(content.files, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are read from now on."""
    read, real = [], content._read
    monkeypatch.setattr(content, "_read", lambda path: read.append(path) or real(path))
    return read


def test_a_settled_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"one")
    monkeypatch.setattr(content, "FRESH", -1.0)  # as if it were old
    read = looks(monkeypatch)
    first = content.contents([str(path), str(path)])
    assert first[0] == first[1] and first[0].size == 3
    read.clear()
    assert content.contents([str(path)]) == first[:1]
    assert read == []


def test_a_file_replaced_in_place_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Same size, same path, and the time of modification set back."""
    path = tmp_path / "a.jpg"
    path.write_bytes(b"one")
    about = path.stat()
    before = content.contents([str(path)])
    for way in (lambda: path.write_bytes(b"two"), lambda: replaced(path, b"six")):
        way()
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
        assert path.stat().st_mtime_ns == about.st_mtime_ns
        after = content.contents([str(path)])
        assert after != before
        before = after


def replaced(path: Path, data: bytes) -> None:
    other = path.with_name("new")
    other.write_bytes(data)
    os.replace(other, path)


def test_a_file_changed_just_now_is_looked_at_again(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"one")
    read = looks(monkeypatch)
    content.contents([str(path)])
    content.contents([str(path)])
    assert len(read) == 2


def test_what_is_not_there_and_a_damaged_memory(tmp_path: Path, monkeypatch, cache) -> None:
    monkeypatch.setattr(content, "FRESH", -1.0)
    path = tmp_path / "a.jpg"
    path.write_bytes(b"one")
    known = content.contents([str(path), str(tmp_path / "none.jpg")])
    assert known[1] is None
    (kept,) = (cache / "content").glob("*.json")
    for damage in (
        "",
        "[]",
        '{"files": 3}',
        '{"files": {"a.jpg": 3}}',
        '{"files": {"a.jpg": [1]}}',
    ):
        kept.write_text(damage)
        assert content.contents([str(path)]) == known[:1]
    assert content.contents([]) == []
