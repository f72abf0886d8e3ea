"""Files are written whole or not at all."""

import pytest

from lesions.core import files


def test_atomic_keeps_the_old_file_when_the_new_one_fails(tmp_path):
    target = files.write_text(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), files.atomic(target) as partial:
        partial.write_text("new")
        raise RuntimeError
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]
