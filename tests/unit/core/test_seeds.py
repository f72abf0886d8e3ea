"""Random streams: one a purpose, all fixed by one seed."""

import re

import numpy as np

from lesions.core import seeds
from lesions.core.files import ROOT

CALL = re.compile(r'seeds\.(?:stream|number)\(\s*[\w.]+,\s*"([^"]+)"')


def purposes() -> list[str]:
    """Every purpose named in the library, as often as it is named."""
    files = sorted((ROOT / "lib" / "lesions").rglob("*.py"))
    return [purpose for path in files for purpose in CALL.findall(path.read_text())]


def test_no_two_places_share_a_purpose():
    found = purposes()
    assert len(found) >= 8 and len(found) == len(set(found))


def test_no_two_purposes_share_a_stream():
    drawn = {
        (purpose, seed, more): tuple(seeds.stream(seed, purpose, *more).integers(0, 2**62, 4))
        for purpose in purposes()
        for seed in (0, 1, 2)
        for more in ((), (0,), (1,), (0, 0), (2, 1), (1, 2))
    }
    values = {value for draws in drawn.values() for value in draws}
    assert len(values) == 4 * len(drawn)
    numbers = {seeds.number(seed, purpose, *more) for purpose, seed, more in drawn}
    assert len(numbers) == len(drawn) and all(0 <= n < 2**31 for n in numbers)


def test_view_2_of_seed_0_is_not_view_1_of_seed_1():
    view = "view of an image"
    assert view in purposes()
    assert seeds.number(0, view, 2) != seeds.number(1, view, 1)


def test_the_same_question_has_the_same_answer():
    assert seeds.number(3, "order of images", 5) == seeds.number(np.int64(3), "order of images", 5)
    a, b = (seeds.stream(3, "order of images", 5).permutation(20) for _ in range(2))
    assert a.tolist() == b.tolist()


def test_streams_do_not_change_from_one_version_to_the_next():
    """Kept results hang on it: NumPy promises that a seed sequence stays what it is."""
    assert seeds.number(0, "order of images", 0) == 413434653
