"""Would the tests notice? Change the library in one small place at random, and run its tests.

    python tools/mutants.py --count 300 --seed 0 --out build/mutants

A mutant is one change of one operator, number or word. The quick unit tests that run its line are
found once, with coverage, and are then run against it; what passes them meets the slow ones of its
room, and survives if it passes those, too. What was tried is kept after each mutant, so that a run
that was stopped goes on. The last command:

    python tools/mutants.py --out build/mutants --report docs/mutants.md

writes the table of the survivors. Why each may live stands in `tools/mutants_explained.csv`.
"""

import argparse
import ast
import copy
import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("data", "splits", "scores", "baselines", "training", "paper")
EXPLAINED = Path(__file__).with_name("mutants_explained.csv")

SWAPS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "first": "last", "last": "first",
         "low": "high", "high": "low"}  # fmt: skip


# ---------------------------------------------------------------- making mutants


def docstrings(tree: ast.AST) -> set[int]:
    """The nodes of docstrings, which are no code."""
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        and isinstance(node.body[0], ast.Expr)
        and isinstance(node.body[0].value, ast.Constant)
    }


def changes(node: ast.AST) -> list[tuple[str, object]]:
    """What can be changed about a node: a word for it, and the new value of the part."""
    found: list[tuple[str, object]] = []
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        found.append(("ops", [SWAPS[type(node.ops[0])](), *node.ops[1:]]))
    elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in SWAPS:
        found.append(("op", SWAPS[type(node.op)]()))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        found.append(("op", ast.UAdd()))  # `+ x` has the truth of x
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            found.append(("value", not node.value))
        elif isinstance(node.value, int | float):
            found += [("value", node.value + 1), ("value", node.value - 1)]
    elif isinstance(node, ast.Attribute) and node.attr in NAMES:
        found.append(("attr", NAMES[node.attr]))
    elif isinstance(node, ast.Name) and node.id in NAMES and isinstance(node.ctx, ast.Load):
        found.append(("id", NAMES[node.id]))
    return found


def sites(path: Path) -> list[tuple[int, int, str, object]]:
    """Every possible change of a module: number of the node, its line, the part, its new value."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    words = docstrings(tree)
    return [
        (number, node.lineno, part, value)
        for number, node in enumerate(ast.walk(tree))
        if id(node) not in words
        for part, value in changes(node)
    ]


def mutated(path: Path, number: int, part: str, value: object) -> tuple[str, str]:
    """The module's text with one change, and the change in words."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    node = list(ast.walk(tree))[number]
    before = ast.unparse(node)
    setattr(node, part, copy.deepcopy(value))
    return ast.unparse(ast.fix_missing_locations(tree)), f"{before}  ->  {ast.unparse(node)}"


# ---------------------------------------------------------------- running tests


def python_path(library: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(library), "LESIONS_PROGRESS": os.devnull}


def covering_tests(out: Path) -> dict[str, dict[int, list[str]]]:
    """Which quick unit tests run which line, by file: from one run of them all with coverage."""
    kept = out / "coverage.json"
    if not kept.exists():
        print("Finding out which test runs which line …", flush=True)
        data = out / ".coverage"
        command = [sys.executable, "-m", "pytest", "tests/unit", "-q", "-m", "not slow",
                   "--cov=lib/lesions", "--cov-context=test", "--cov-report="]  # fmt: skip
        subprocess.run(command, cwd=ROOT, env=python_path(ROOT / "lib")
                       | {"COVERAGE_FILE": str(data)}, check=False)  # fmt: skip
        import coverage

        measured = coverage.CoverageData(str(data))
        measured.read()
        found = {
            str(Path(file).relative_to(ROOT)): {
                line: sorted({name.rpartition("|")[0] for name in names if name})
                for line, names in measured.contexts_by_lineno(file).items()
            }
            for file in measured.measured_files()
        }
        kept.write_text(json.dumps(found), encoding="utf-8")
    found = json.loads(kept.read_text(encoding="utf-8"))
    return {file: {int(n): t for n, t in lines.items()} for file, lines in found.items()}


def survives(text: str, file: str, tests: list[str], limit: float) -> bool:
    """Whether a mutated module passes these tests."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "lib"
        shutil.copytree(ROOT / "lib", library, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("data", "notebooks", "requirements.lock", "pyproject.toml"):
            (Path(folder) / name).symlink_to(ROOT / name)
        (Path(folder) / file).write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        try:
            done = subprocess.run(command, cwd=ROOT, env=python_path(library), timeout=limit,
                                  capture_output=True, check=False)  # fmt: skip
        except subprocess.TimeoutExpired:
            return False  # it never ended, and somebody would have noticed
        if done.returncode == 4:
            raise RuntimeError(f"pytest did not understand {tests}:\n{done.stderr[-500:]}")
        return done.returncode in (0, 5)  # 5: there was no such test


def run(out: Path, count: int, seed: int, rooms: tuple[str, ...], limit: float) -> None:
    """Try `count` mutants; those that were tried before are not tried again."""
    out.mkdir(parents=True, exist_ok=True)
    covered = covering_tests(out)
    files = sorted(p for room in rooms for p in (ROOT / "lib" / "lesions" / room).glob("*.py"))
    everywhere = [(path, *site) for path in files for site in sites(path)]
    chosen = random.Random(seed).sample(everywhere, min(count, len(everywhere)))
    tried_file = out / "tried.jsonl"
    lines = tried_file.read_text(encoding="utf-8").splitlines() if tried_file.exists() else []
    tried = {tuple(one["id"]) for one in map(json.loads, lines)}
    for done, (path, number, line, part, value) in enumerate(chosen, 1):
        file = str(path.relative_to(ROOT))
        name = (file, number, part, repr(value))
        if name in tried:
            continue
        text, words = mutated(path, number, part, value)
        tests = covered.get(file, {}).get(line, [])
        slow = ["-m", "slow", f"tests/unit/{path.parent.name}"]
        asked = [tests, slow] if tests else [slow]
        alive = all(survives(text, file, one, limit) for one in asked)
        outcome = ("survived" if tests else "no quick test") if alive else "killed"
        note = {"id": name, "line": line, "change": words, "outcome": outcome, "tests": len(tests)}
        with tried_file.open("a", encoding="utf-8") as notes:
            notes.write(json.dumps(note) + "\n")
        print(f"{done}/{len(chosen)}  {outcome:9}  {file}:{line}  {words}", flush=True)


def report(out: Path, target: Path) -> None:
    """Write how many died, and the survivors with what is said of them."""
    lines = (out / "tried.jsonl").read_text(encoding="utf-8").splitlines()
    tried = [json.loads(line) for line in lines]
    with EXPLAINED.open(encoding="utf-8", newline="") as file:
        why = {(row["file"], row["change"]): row["why"] for row in csv.DictReader(file)}
    alive = [one for one in tried if one["outcome"] != "killed"]
    share = 1 - len(alive) / len(tried)
    text = [f"{len(tried)} mutants, {share:.0%} of them killed by the unit tests that run their "
            "line.\n", "| file, line | change | why it lives |", "|---|---|---|"]  # fmt: skip
    for one in sorted(alive, key=lambda one: one["id"]):
        said = why.get((one["id"][0], one["change"]), one["outcome"])
        change = one["change"].replace("|", "\\|").replace("\n", " ")
        text.append(f"| {one['id'][0]}:{one['line']} | `{change}` | {said} |")
    target.write_text("\n".join(text) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rooms", nargs="*", default=ROOMS)
    parser.add_argument("--limit", type=float, default=300, help="seconds for a mutant's tests")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "mutants")
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    if given.report:
        report(given.out, given.report)
    else:
        run(given.out, given.count, given.seed, tuple(given.rooms), given.limit)


if __name__ == "__main__":
    main()
