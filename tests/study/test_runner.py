"""The runner: what runs, what is skipped, what is refused, and what a failure leaves."""

import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest

from course import catalogue, execute
from course import runner as study
from lesions.core.errors import LesionsError
from lesions.core.files import ROOT

CHAIN = {"01_first": [], "02_second": ["01_first"], "03_third": ["02_second"]}


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Three tiny notebooks in a row, each writing one file; the last reads a parameter."""
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    for number, name in enumerate(CHAIN):
        cells = [
            nbformat.v4.new_code_cell(
                "# Parameters\nPROFILE: str = 'sample'\n"
                + ("EPOCHS: int = 8\n" if number == 2 else ""),
                metadata={"tags": ["parameters"]},
            ),
            nbformat.v4.new_code_cell(
                "from pathlib import Path\nfrom lesions.core.files import write_text\n"
                f"out = Path({str(tmp_path)!r}) / 'build' / PROFILE / '{name}.txt'\n"
                "write_text(out, 'x')"
            ),
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        about = {"kernelspec": kernel, "course": {"needs": CHAIN[name]}}
        book = nbformat.v4.new_notebook(cells=cells, metadata=about)
        nbformat.write(book, notebooks / f"{name}.ipynb")
    monkeypatch.setattr(catalogue, "NOTEBOOKS", notebooks)
    monkeypatch.setattr(study, "BUILD", tmp_path / "build")
    monkeypatch.setenv("LESIONS_PROGRESS", os.devnull)
    return tmp_path


def change_needs(course, **needs: list[str]) -> None:
    for name, needed in needs.items():
        (path,) = (course / "notebooks").glob(f"*_{name}.ipynb")
        book = nbformat.read(path, as_version=4)
        book.metadata["course"]["needs"] = needed
        nbformat.write(book, path)


def executed(course, capsys, *arguments: str) -> list[str]:
    """Run the study; the names of the notebooks that ran."""
    assert study.main(list(arguments)) == 0
    return [line.split()[0] for line in capsys.readouterr().out.splitlines() if "done in" in line]


def test_only_what_changed_runs_again(course, capsys):
    assert executed(course, capsys) == list(CHAIN)
    assert study.main([]) == 0
    assert "Nothing to do" in capsys.readouterr().out
    # a parameter that only the last one has
    assert executed(course, capsys, "--set", "EPOCHS=3") == ["03_third"]
    # an output that is gone, and all that reads it
    (course / "build" / "sample" / "02_second.txt").unlink()
    assert executed(course, capsys, "--set", "EPOCHS=3") == ["02_second", "03_third"]
    # a notebook's code
    path = course / "notebooks" / "03_third.ipynb"
    path.write_text(path.read_text().replace("'x'", "'y'"))
    assert executed(course, capsys, "--set", "EPOCHS=3") == ["03_third"]
    # its prose and outputs do not count
    book = nbformat.read(path, as_version=4)
    book.cells.append(nbformat.v4.new_markdown_cell("more"))
    nbformat.write(book, path)
    assert executed(course, capsys, "--set", "EPOCHS=3") == []


def test_one_notebook_brings_what_it_needs(course, capsys):
    assert executed(course, capsys, "02") == ["01_first", "02_second"]
    assert executed(course, capsys, "3") == ["03_third"]


def test_a_failing_notebook_is_kept_and_named(course, capsys):
    path = course / "notebooks" / "02_second.ipynb"
    path.write_text(path.read_text().replace("write_text(out, 'x')", "1 / 0"))
    assert study.main([]) == 1
    said = capsys.readouterr().err
    assert "02_second failed in cell In [3]: ZeroDivisionError" in said
    kept = course / "build" / "sample" / "notebooks" / "02_second.ipynb"
    assert str(kept) in said and "ZeroDivisionError" in kept.read_text()
    assert not (course / "build" / "sample" / "notebooks" / "03_third.ipynb").exists()
    assert study.main([]) == 1  # it is tried again, and not taken for done


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--profile", "quik"], "Unknown profile quik. Did you mean quick?"),
        (["--set", "EPOCH=3"], "Unknown parameter EPOCH. Did you mean EPOCHS?"),
        (["--set", "EPOCHS=0"], "must lie from 1"),
        (["07"], "Unknown notebook 07."),
        (["--file", "none.yaml"], "P_FILE names a file of parameters"),
    ],
)
def test_mistakes_are_refused_before_anything_runs(course, capsys, arguments, sentence):
    assert study.main(arguments) == 1
    assert sentence in capsys.readouterr().err
    assert not (course / "build").exists()


def test_nothing_to_do_takes_no_time_to_import():
    """A second `make all` must not load TensorFlow or papermill."""
    code = "import sys, course.runner; print([m for m in ('tensorflow', 'papermill', 'pandas') "
    code += "if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_ctrl_c_stops_with_a_sentence_and_the_next_run_goes_on(tmp_path):
    environment = os.environ | {"LESIONS_BUILD": str(tmp_path), "LESIONS_PROGRESS": os.devnull}
    command = [sys.executable, "-m", "course.runner", "--profile", "smoke", "01"]
    # A process group of its own, as a terminal gives it: Ctrl-C reaches all of it.
    running = subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    for _ in range(600):
        if (tmp_path / "smoke" / "params" / "01.json").exists():
            break
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130 and "Stopped." in said and "Traceback" not in said
    stamps = tmp_path / "smoke" / "notebooks" / ".stamps"
    assert not (stamps / "01_exploration.json").exists()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads((stamps / "01_exploration.json").read_text())["outputs"]


def test_of_two_at_a_time_each_failure_is_told():
    with pytest.raises(LesionsError) as refused:
        study._run_beside(["04_binary_fcnn", "05_multiclass_cnn"], {"EPOCHS": 0})
    assert str(refused.value).count("EPOCHS") == 2


def test_two_at_a_time_where_neither_needs_the_other(course, capsys, monkeypatch):
    """What runs beside what; the processes themselves run in the smoke profile's test."""
    beside = []

    def run_beside(names, given):
        beside.append(names)
        for name in names:
            study.run([name], given)

    change_needs(course, third=["01_first"])
    monkeypatch.setattr(study, "_run_beside", run_beside)
    assert executed(course, capsys, "--jobs", "2") == list(CHAIN)
    assert beside == [["02_second", "03_third"]]
    assert executed(course, capsys, "--jobs", "2") == []
    assert executed(course, capsys, "--jobs", "2", "--set", "EPOCHS=3") == ["03_third"]
    assert len(beside) == 1
    # The first fetches the images, and no other runs beside it; it is one that others wait for.
    change_needs(course, second=[], third=["02_second"])
    monkeypatch.setattr(study, "BUILD", course / "again")
    in_order = ["02_second", "01_first", "03_third"]
    assert executed(course, capsys, "--jobs", "2") == in_order
    assert beside[1:] == [in_order[1:]]


# ---------------------------------------------------------------- other machines


def replace_last_cell(course, name: str, source: str) -> None:
    path = course / "notebooks" / f"{name}.ipynb"
    book = nbformat.read(path, as_version=4)
    book.cells[-1].source = source
    nbformat.write(book, path)


def test_the_kernel_is_this_python_whatever_kernel_is_installed(course, capsys, monkeypatch):
    """A kernel called python3 in the user's folder, of a Python that ends at once."""
    kernel = course / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    broken = course / "other-python"
    broken.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    broken.chmod(0o755)
    about = {"argv": [str(broken), "{connection_file}"], "display_name": "", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(about), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(course / "jupyter"))
    replace_last_cell(course, "01_first", "import sys; print(sys.executable)")
    assert executed(course, capsys, "01") == ["01_first"]
    kept = course / "build" / "sample" / "notebooks" / "01_first.ipynb"
    assert json.dumps(sys.executable)[1:-1] in kept.read_text(encoding="utf-8")
    # The notebook may name a kernel that is not here at all.
    path = course / "notebooks" / "01_first.ipynb"
    book = nbformat.read(path, as_version=4)
    book.metadata["kernelspec"] = {"name": "elsewhere", "display_name": "E", "language": "python"}
    book.cells[-1].source += "  # changed"
    nbformat.write(book, path)
    assert executed(course, capsys, "01") == ["01_first"]
    execute.store("01_first")


@pytest.mark.skipif(os.name == "nt", reason="no kill -9 there")
def test_a_kernel_that_is_killed_is_one_sentence(course, capsys):
    killed = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    replace_last_cell(course, "02_second", killed)
    assert study.main([]) == 1
    said = capsys.readouterr().err.strip()
    assert said.startswith("02_second: its Python was ended from outside in cell In [3], mostly")
    assert "JOBS=1" in said and "Traceback" not in said and len(said.splitlines()) == 1
    replace_last_cell(course, "02_second", "1")
    assert executed(course, capsys) == ["02_second", "03_third"]


def test_a_home_that_cannot_be_written_does_no_harm(course, capsys, monkeypatch):
    for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    nowhere = course / "a-file"
    nowhere.touch()
    monkeypatch.setenv("HOME", str(nowhere / "home"))  # below a file there can be no folder
    assert executed(course, capsys, "01") == ["01_first"]


def test_two_runs_at_once_in_one_folder(course, capsys):
    folder = course / "build" / "sample"
    code = (
        "import sys, pathlib; from course.lock import alone_in\n"
        f"with alone_in(pathlib.Path({str(folder)!r})): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    assert study.main(["01"]) == 1
    said = capsys.readouterr().err
    assert f"Another run is at work in {folder} (process {holder.pid}, since" in said
    assert study.main(["01", "--set", "PROFILE=second"]) == 0  # another folder
    holder.kill()  # a lock is no more than its holder
    holder.communicate()
    assert study.main(["01"]) == 0


def test_a_stamp_that_was_cut_off_counts_as_none(course, capsys):
    assert executed(course, capsys, "01") == ["01_first"]
    stamp = course / "build" / "sample" / "notebooks" / ".stamps" / "01_first.json"
    stamp.write_text(stamp.read_text()[:20], encoding="utf-8")
    assert executed(course, capsys, "01") == ["01_first"]


LATIN = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0",
         "PYTHONIOENCODING": "latin-1"}  # fmt: skip


def test_a_latin_1_terminal_breaks_nothing(tmp_path):
    environment = os.environ | LATIN | {"LESIONS_BUILD": str(tmp_path / "gebaut")}
    done = subprocess.run(
        [sys.executable, "-m", "course", "01", "PROFILE=smoke"],
        cwd=ROOT, env=environment, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode("latin-1")
    assert b"01_exploration ?" in done.stdout and b"Executed notebooks:" in done.stdout
