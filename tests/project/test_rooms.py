"""The house has an order: rooms and modules import downwards only; nobody imports the course."""

import ast

import pytest

from lesions.core import cache
from lesions.core.files import ROOT

# Ground floor first. A room imports from those before it alone.
ROOMS = ["core", "settings", "sample", "data", "duplicates", "splits", "scores", "baselines",
         "networks", "training", "experiments", "predict", "explain", "paper",
         "figures"]  # fmt: skip
LIBRARY = ROOT / "lib"


def module_names(package: str) -> list[str]:
    found = []
    for path in sorted((LIBRARY / package).rglob("*.py")):
        parts = path.relative_to(LIBRARY).with_suffix("").parts
        found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


def imports(name: str) -> set[str]:
    """Those of our modules that a module imports, at its top or in a function."""
    names = cache._parsed(cache.source_of(name))[1]
    direct = {one for one in names if cache.source_of(one)}
    # `from lesions.data import images` names the room as well; it means the module.
    rooms = {one for one in direct if any(other.startswith(f"{one}.") for other in names)}
    return direct - rooms


def room(name: str) -> str:
    return name.split(".")[1] if name.count(".") else ""


def test_there_is_no_room_that_the_order_does_not_know():
    there = {path.name for path in (LIBRARY / "lesions").iterdir() if path.is_dir()}
    assert there - {"__pycache__"} <= set(ROOMS)
    loose = [p.name for p in (LIBRARY / "lesions").glob("*.py") if p.name != "__init__.py"]
    assert not loose, "a module stands outside of the rooms"


@pytest.mark.parametrize("name", module_names("lesions"))
def test_a_room_imports_from_rooms_below_it_alone(name):
    for other in imports(name):
        assert not other.startswith("course"), f"{name} imports {other}"
        if room(name) and room(other):
            assert ROOMS.index(room(other)) <= ROOMS.index(room(name)), f"{name} imports {other}"


def test_no_two_modules_need_each_other():
    names = module_names("lesions") + module_names("course")
    needs = {name: imports(name) & set(names) for name in names}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join([*way[way.index(name) :], name])
        if name not in done:
            for other in sorted(needs[name]):
                visit(other, (*way, name))
            done.add(name)

    for name in names:
        visit(name, ())


def test_every_module_says_what_it_is_for():
    for package in ("lesions", "course"):
        for name in module_names(package):
            source = cache.source_of(name).read_text(encoding="utf-8")
            assert ast.get_docstring(ast.parse(source)), name


def test_no_module_is_longer_than_a_person_reads_at_once():
    long = {}
    for package in ("lesions", "course"):
        for name in module_names(package):
            lines = len(cache.source_of(name).read_text(encoding="utf-8").splitlines())
            if lines > 310:
                long[name] = lines
    assert not long
