"""The course's commands. `make NAME` and `python -m course NAME` are the same.

Options are words NAME=value behind the command, as make takes them.
"""

# Until a command runs, only what every Python has: `help` and `clean` come before any environment.
import os
import shlex
import subprocess
import sys
from pathlib import Path

from course.options import OPTIONS, QUOTING, read_words

ROOT = Path(__file__).resolve().parents[2]


def notebook_numbers() -> list[str]:
    """The numbers of the notebooks, from their files."""
    found = (path.stem.partition("_")[0] for path in (ROOT / "notebooks").glob("[0-9]*_*.ipynb"))
    return sorted(found, key=int)


# Two processes, each with whole files: tests of one file may share what they have made.
SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")


def run_python(*arguments: str, **environment: str) -> int:
    """Run this Python with arguments in the course's folder; its exit status.

    Ctrl-C goes to that process as well; we wait until it has ended in its own way.
    """
    command = [sys.executable, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def words_of(given: dict[str, str], rest: list[str]) -> list[str]:
    """Arguments for a command that has options of its own: those in P, and further words."""
    return [*shlex.split(given.get("P", "")), *rest]


def study(given: dict[str, str], rest: list[str]) -> int:
    """the whole study, or a notebook with the earlier ones it needs: PROFILE, P, P_FILE, JOBS"""
    from course import runner

    words = ["--profile", given.get("PROFILE", "sample"), "--set", given.get("P", "")]
    words += ["--file", given.get("P_FILE", ""), "--jobs", given.get("JOBS", "2")]
    return runner.main([*words, *rest])


def test(given: dict[str, str], rest: list[str]) -> int:
    """every test but e2e: library, whole studies, notebooks, stored outputs"""
    # The whole studies take longest, so they begin; the stored outputs are then compared with what
    # the notebooks say over the runs that the sample's study has left.
    folders = [f"tests/{name}" for name in ("study", "unit", "notebooks", "project")]
    tested = run_python("-m", "pytest", *folders, *SIDE_BY_SIDE, *rest)
    if tested not in (0, 1):  # not some that failed, but stopped by a person or an error
        return tested
    stored = run_python("-m", "pytest", "notebooks", "--nbval", "--nbval-current-env",
                        *SIDE_BY_SIDE, *rest, LESIONS_PROGRESS=os.devnull)  # fmt: skip
    return tested or stored


def test_fast(given: dict[str, str], rest: list[str]) -> int:
    """unit tests, but for those that train for more than seconds: under 3 minutes"""
    return run_python("-m", "pytest", "tests/unit", "-m", "not slow", *SIDE_BY_SIDE, *rest)


def edition(given: dict[str, str], rest: list[str], name: str = "") -> int:
    """notebooks without solutions, in build/student; PROFILE, P and P_FILE for a class"""
    from course import copies

    words = [name or given.get("EDITION", "student")]
    for option, word in (("PROFILE", "--profile"), ("P", "--set"), ("P_FILE", "--file")):
        # Nothing given: as when the copies were last made.
        words += [word, given[option]] if option in given else []
    return copies.main([*words, *rest])


def lab(given: dict[str, str], rest: list[str]) -> int:
    """JupyterLab on this machine only, prints its address; EDITION, or FROM for what was run"""
    from course import copies, kernels
    from lesions.core.errors import LesionsError
    from lesions.core.files import BUILD

    try:
        place = kernels.listening(given.get("LISTEN", "127.0.0.1"))
    except LesionsError as error:
        print(error, file=sys.stderr)
        return 1
    kernels.use_writable_places(BUILD / "jupyter")
    if "FROM" in given:
        folder = Path(given["FROM"]).absolute()
        found = sorted(folder.glob("[0-9]*.ipynb"))
        if not found:
            print(f"There are no notebooks in {folder}: run `make all`, then "
                  "FROM=build/sample/notebooks.", file=sys.stderr)  # fmt: skip
            return 1
        for path in found:
            copies.trust(path)
    else:
        failed = edition(given, [])
        if failed:
            return failed
        folder = copies.place_of(given.get("EDITION", "student"))
    as_root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    return run_python(
        "-m", "jupyterlab", *place, f"--ServerApp.root_dir={folder}",
        "--ServerApp.kernel_spec_manager_class=course.kernels.OwnKernelSpecs", *as_root, *rest,
    )  # fmt: skip


def student(given: dict[str, str], rest: list[str]) -> int:
    return edition(given, rest, "student")


student.__doc__ = edition.__doc__


def grade(given: dict[str, str], rest: list[str]) -> int:
    """a table of the exercises that a class handed in, and their written answers: HANDIN=folder"""
    from course import grading

    return grading.main([given.get("HANDIN", "hand-in"), *rest])


def search(given: dict[str, str], rest: list[str]) -> int:
    """look for better settings: TRIALS, WORKERS=2 or SCHEDULER, PROFILE, P, P_FILE"""
    from course import searching

    return searching.main(given)


def study_on_cluster(given: dict[str, str], rest: list[str]) -> int:
    """all runs and baselines of several seeds: SEEDS, WORKERS or SCHEDULER, PROFILE, P, P_FILE"""
    from course import cluster_study

    return cluster_study.main(given)


def compare(given: dict[str, str], rest: list[str]) -> int:
    """the scores of several profiles side by side: PROFILES="over plain\""""
    from course import compare as comparison
    from lesions.core.errors import LesionsError

    names = given.get("PROFILES", given.get("PROFILE", "sample")).replace(",", " ").split()
    try:
        comparison.write([*names, *rest])
    except LesionsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def predict(given: dict[str, str], rest: list[str]) -> int:
    """ask a trained network: IMAGES=photo.jpg or a folder; PROFILE or MODEL. No diagnosis"""
    from course import predicting

    return predicting.main("predict", given.get("IMAGES", " ".join(rest)), given)


def card(given: dict[str, str], rest: list[str]) -> int:
    """write a trained network's model card and the datasheet of its images: PROFILE or MODEL"""
    from course import predicting

    return predicting.main("card", "", given)


def data(given: dict[str, str], rest: list[str]) -> int:
    """fetch the real HAM10000 record (2.8 GB) into data/raw/ham10000"""
    return run_python("-m", "lesions.data.download", *words_of(given, rest))


def weights(given: dict[str, str], rest: list[str]) -> int:
    """fetch the backbones' ImageNet weights (120 MB); P="--to data/weights\""""
    return run_python("-m", "lesions.networks.weights", *words_of(given, rest))


def check(given: dict[str, str], rest: list[str]) -> int:
    """is this machine ready: versions, memory, disk, data"""
    from course import machine

    return machine.main()


def params(given: dict[str, str], rest: list[str]) -> int:
    """list every parameter with its default and limits"""
    from course import runner

    return runner.main(["--parameters"])


def site(given: dict[str, str], rest: list[str]) -> int:
    """the course as a website in build/site: EDITION, FROM"""
    words = ["--edition", given.get("EDITION", "student")]
    return run_python("docs/build.py", *words, "--from", given.get("FROM", "notebooks"), *rest)


def e2e(given: dict[str, str], rest: list[str]) -> int:
    """the course in a real browser: JupyterLab, a notebook, an exercise, a slider"""
    return run_python("-m", "pytest", "tests/e2e", "-rs", *rest)


def lint(given: dict[str, str], rest: list[str]) -> int:
    """style of code and notebooks"""
    checked = run_python("-m", "ruff", "check", ".")
    return run_python("-m", "ruff", "format", "--check", ".") or checked


def bench(given: dict[str, str], rest: list[str]) -> int:
    """benchmarks: drawing, hashing, the pair search, the engine of training"""
    tools = ("synthetic", "engine", "dedup")
    return next((failed for tool in tools if (failed := run_python(f"tools/{tool}.py"))), 0)


def outputs(given: dict[str, str], rest: list[str]) -> int:
    """run the notebooks and store the outputs of profile sample in them"""
    from course import runner

    return runner.main(["--store", *rest])


def clean(given: dict[str, str], rest: list[str]) -> int:
    """remove what was made: build/ and the caches; downloads, .venv and a student's work stay"""
    from course import cleaning

    return cleaning.clean(ROOT)


def show_help(given: dict[str, str], rest: list[str]) -> int:
    """list the commands"""
    profiles = sorted(path.stem for path in (ROOT / "notebooks" / "profiles").glob("*.yaml"))
    numbers = " ".join(notebook_numbers())
    for name, command in COMMANDS.items():
        print(f"{name:10} {command.__doc__}")
        if name == "all":
            print(f"{numbers:10} one notebook, and the earlier ones it needs")
    print()
    for name, text in OPTIONS.items():
        print(f"{name:10} {text.format(profiles=' '.join(profiles))}")
    print(QUOTING.rstrip())
    return 0


COMMANDS = {
    "help": show_help, "all": study, "lab": lab, "student": student, "grade": grade,
    "search": search, "study": study_on_cluster, "compare": compare, "predict": predict,
    "card": card, "data": data, "weights": weights, "check": check, "params": params,
    "site": site, "test": test, "test-fast": test_fast, "e2e": e2e, "lint": lint, "bench": bench,
    "outputs": outputs, "clean": clean,
}  # fmt: skip


def main(words: list[str] | None = None) -> int:
    """Run a command; the exit status."""
    words = sys.argv[1:] if words is None else words
    name, rest = (words or ["help"])[0], words[1:]
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a letter shows another
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    given, rest = read_words(rest)
    # Notebooks run in their own folder, where a relative path would mean another place.
    if os.environ.get("HAM10000_DIR"):
        os.environ["HAM10000_DIR"] = os.path.abspath(os.path.expanduser(os.environ["HAM10000_DIR"]))
    # Without compiled files every start of TensorFlow takes three times as long.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONUNBUFFERED"] = "1"
    if name.isdecimal() or name in {p.stem for p in (ROOT / "notebooks").glob("[0-9]*_*.ipynb")}:
        return study(given, [name, *rest])
    if name not in COMMANDS:
        import difflib

        near = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
        print(f"Unknown command {name}." + (f" Did you mean {near[0]}?" if near else "")
              + " `python -m course help` lists them all.", file=sys.stderr)  # fmt: skip
        return 2
    return COMMANDS[name](given, rest)


if __name__ == "__main__":
    sys.exit(main())
