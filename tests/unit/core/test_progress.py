"""Progress: lines in a log, one changing line in a notebook, nothing that stays behind."""

import pytest

from lesions.core import progress


class Kernel:
    """A notebook's shell, as far as progress looks at it."""

    kernel = object()
    execution_count = 1


@pytest.fixture
def notebook(monkeypatch):
    """What a notebook would show: a list of lines, each a list of what it said in turn."""
    lines: list[list[str]] = []

    class Shown:
        def __init__(self, data):
            self.said = [data["text/plain"]]
            lines.append(self.said)

        def update(self, data, raw):
            assert raw
            self.said.append(data["text/plain"])

    def display(data, raw, display_id):
        assert raw and display_id and set(data) == {"text/plain"}
        return Shown(data)

    import IPython.display

    monkeypatch.setattr(IPython.display, "display", display)
    monkeypatch.setattr(progress, "_shell", lambda: Kernel)
    monkeypatch.setattr(progress._Last, "cell", None)
    return lines


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def work(clock, count: int, each: float):
    for number in range(count):
        clock[0] += each
        yield number


def test_short_work_leaves_nothing_in_a_notebook(notebook, clock, capsys):
    assert list(progress.track(work(clock, 5, 0.1), "images", 5)) == list(range(5))
    assert notebook == [] and capsys.readouterr() == ("", "")


def test_long_work_is_one_line_that_ends_as_text(notebook, clock, capsys):
    assert len(list(progress.track(work(clock, 2000, 0.01), "images", 2000))) == 2000
    (line,) = notebook
    assert line[-1] == "images: 2,000, 20 s" and "of 2,000" in line[0] and len(line) < 90
    assert capsys.readouterr() == ("", "")


def test_training_is_one_line_a_model(notebook, capsys):
    for epoch in (1, 2, 3):
        progress.say(f"cnn:dx, honest: epoch {epoch}/3")
    progress.say("vgg16:dx, honest: epoch 1/3")
    progress.say("no subject")
    progress.say("no subject")
    assert [line[-1] for line in notebook[:2]] == [
        "cnn:dx, honest: epoch 3/3", "vgg16:dx, honest: epoch 1/3"
    ]  # fmt: skip
    assert len(notebook[0]) == 3 and len(notebook) == 4
    Kernel.execution_count += 1  # the cell is run once more
    progress.say("no subject: x")
    progress.say("cnn:dx, honest: epoch 1/3")
    assert len(notebook) == 6
    assert capsys.readouterr() == ("", "")


def test_a_log_gets_plain_lines_and_the_notebook_none(notebook, monkeypatch, tmp_path, clock):
    log = tmp_path / "log"
    monkeypatch.setenv("LESIONS_PROGRESS", str(log))
    progress.say("cnn: epoch 1 …")
    list(progress.track(work(clock, 100, 1), "images", 100))
    lines = log.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "cnn: epoch 1 …" and lines[-1] == "images: 100 of 100, 100 s"
    assert len(lines) <= 11 and notebook == []


def test_outside_of_a_notebook_lines_go_to_stdout(monkeypatch, capsys):
    progress.say("cnn: epoch 1")
    assert capsys.readouterr() == ("cnn: epoch 1\n", "")
