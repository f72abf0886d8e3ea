"""`lesions.data.download` against a server that behaves badly: nothing wrong is ever kept for good.

Every test of a fault ends with a good run, which must reach the good state.
"""

import hashlib
import io
import socket
import struct
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import made
from lesions.core import transfer
from lesions.core.errors import LesionsError
from lesions.data import datasets, download

Answer = Callable[["Handler", bytes], None]


def zipped(names: list[str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, made.jpeg(number, width=400, height=300))
    return buffer.getvalue()


TABLE = made.as_csv(made.rows(6)).encode()
IDS = [row["image_id"] for row in made.rows(6)]
CONTENT = {
    "HAM10000_metadata": TABLE,
    "HAM10000_images_part_1.zip": zipped([f"{name}.jpg" for name in IDS[:3]]),
    "HAM10000_images_part_2.zip": zipped([f"{name}.jpg" for name in IDS[3:]]),
    "HAM10000_segmentations_lesion_tschandl.zip": zipped([f"{IDS[0]}_segmentation.png"]),
    "ISIC2018_Task3_Test_Images.zip": zipped([f"ISIC2018/{name}.jpg" for name in IDS]),
    "ISIC2018_Task3_Test_GroundTruth.csv": TABLE,
}
PARTS = ["base", "base", "base", "masks", "isic2018", "isic2018"]
RECORD = [
    {
        "name": name,
        "id": number,
        "bytes": len(data),
        "md5": hashlib.md5(data).hexdigest(),
        "part": part,
        "table": data == TABLE,
    }
    for number, ((name, data), part) in enumerate(zip(CONTENT.items(), PARTS, strict=True), 1)
]
BASE = [file["name"] for file in RECORD if file["part"] == "base"]
BIG = "HAM10000_images_part_1.zip"


class Handler(BaseHTTPRequestHandler):
    """Serves /by-id/<id> like the Dataverse, /by-name/<name> like a mirror; misbehaves to order."""

    protocol_version = "HTTP/1.1"
    faults: dict[str, list[Answer]]  # by file name: answers to give before the good ones
    requests: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        last = path.rpartition("/")[2]
        by_id = path.startswith("/by-id/")
        name = RECORD[int(last) - 1]["name"] if by_id else last
        self.requests.append((name, dict(self.headers)))
        data = CONTENT[name]
        if by_id and data == TABLE and query != "format=original":
            data = data.replace(b",", b"\t")  # the Dataverse's own conversion
        waiting = self.faults.get(name)
        if waiting:
            waiting.pop(0)(self, data)
        elif "lesions" not in self.headers["User-Agent"]:
            status(403)(self, data)
        else:
            good(self, data)

    def send(self, code: int, data: bytes, **headers: str) -> None:
        self.send_response(code)
        headers.setdefault("Content_Length", str(len(data)))
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_) -> None:
        pass


def good(handler: Handler, data: bytes) -> None:
    """The whole file, or the part that is asked for."""
    wanted = handler.headers.get("Range")
    if not wanted:
        handler.send(200, data)
        return
    start = int(wanted.removeprefix("bytes=").removesuffix("-"))
    if start >= len(data):
        handler.send(416, b"", Content_Range=f"bytes */{len(data)}")
        return
    span = f"bytes {start}-{len(data) - 1}/{len(data)}"
    handler.send(206, data[start:], Content_Range=span)


def status(code: int, **headers: str) -> Answer:
    return lambda handler, data: handler.send(code, b"<html>sorry</html>", **headers)


def wrong_bytes(handler: Handler, data: bytes) -> None:
    good(handler, data[:-1] + bytes([data[-1] ^ 1]))


def web_page(handler: Handler, data: bytes) -> None:
    handler.send(200, b"<html>please log in</html>")


def ignoring_range(handler: Handler, data: bytes) -> None:
    handler.send(200, data)


def another_part(handler: Handler, data: bytes) -> None:
    handler.send(206, data[5:], Content_Range=f"bytes 5-{len(data) - 1}/{len(data)}")


def cut_after(share: float, reset: bool = False) -> Answer:
    """Send part of what is asked for and close the connection, politely or not."""

    def answer(handler: Handler, data: bytes) -> None:
        wanted = handler.headers.get("Range")
        start = int(wanted[6:-1]) if wanted else 0
        rest = data[start:]
        headers = {"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        part = rest[: int(share * len(rest))]
        handler.send(206 if start else 200, part, Content_Length=str(len(rest)), **headers)
        handler.close_connection = True
        if reset:
            time.sleep(0.05)
            linger = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    return answer


def slow(handler: Handler, data: bytes) -> None:
    """Send a little, then nothing for longer than the client waits."""
    handler.send(200, data[:1000], Content_Length=str(len(data)))
    time.sleep(0.5)
    handler.close_connection = True


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Handler]]:
    handler = type("Fresh", (Handler,), {"faults": {}, "requests": []})
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    handler.address = f"http://127.0.0.1:{running.server_port}"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "ADDRESS", f"{handler.address}/by-id/")
    monkeypatch.setattr(download, "RECORD", RECORD)
    monkeypatch.setattr(transfer, "TIMEOUT", (2, 0.2))
    monkeypatch.setattr(transfer, "MEGABYTE", 1000)
    yield handler
    running.shutdown()
    running.server_close()


def fetch(folder: Path, **options) -> list[Path]:
    return download.fetch(folder, **{"delays": (0.0, 0.0)} | options)


def names_in(folder: Path) -> set[str]:
    """Every file there, also hidden and half-written ones."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def assert_good(folder: Path) -> None:
    """Fetching leads to the good state, whatever was there before."""
    fetch(folder)
    assert names_in(folder) == set(BASE)
    for name in BASE:
        assert (folder / name).read_bytes() == CONTENT[name]


def assert_nothing_wrong(folder: Path) -> None:
    """What stands under its final name is right."""
    for name in names_in(folder) & set(CONTENT):
        assert (folder / name).read_bytes() == CONTENT[name]


def one_sentence(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


# ---------------------------------------------------------------- when all is well


def test_fetch_says_what_it_does_and_the_course_reads_it(tmp_path: Path, server, capsys) -> None:
    assert_good(tmp_path)
    first = capsys.readouterr().out.splitlines()[0]
    for part in ("HAM10000", "CC BY-NC 4.0", "10.7910/DVN/DBW86T", "MB", str(tmp_path)):
        assert part in first
    assert datasets.load("ham10000", tmp_path)["image_id"].tolist() == IDS
    assert datasets.validate(tmp_path).empty


def test_what_is_there_is_not_fetched_again(tmp_path: Path, server) -> None:
    assert_good(tmp_path)
    count = len(server.requests)
    assert_good(tmp_path)
    assert len(server.requests) == count
    (tmp_path / BIG).write_bytes(b"spoilt")
    assert_good(tmp_path)
    assert len(server.requests) == count + 1


def test_masks_and_test_set_are_options(tmp_path: Path, server) -> None:
    fetch(tmp_path, masks=True, isic2018=True)
    assert names_in(tmp_path) == {
        *BASE,
        "HAM10000_segmentations_lesion_tschandl.zip",
        "isic2018/ISIC2018_Task3_Test_Images.zip",
        "isic2018/ISIC2018_Task3_Test_GroundTruth.csv",
    }
    table = datasets.load("ham10000", tmp_path)
    assert table["path"].str.contains("HAM10000_images").all()
    assert set(datasets.mask_paths(tmp_path, table)) == {IDS[0]}
    assert len(datasets.load("folder", tmp_path / "isic2018")) == 6


def test_a_mirror_has_the_files_by_name(tmp_path: Path, server, monkeypatch) -> None:
    monkeypatch.setattr(download, "ADDRESS", "http://127.0.0.1:1/none/")
    fetch(tmp_path, mirror=f"{server.address}/by-name/")
    assert names_in(tmp_path) == set(BASE)


def test_a_local_folder(tmp_path: Path, server) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in BASE:
        (source / name).write_bytes(CONTENT[name])
    (source / BASE[0]).rename(source / f"{BASE[0]}.csv")
    fetch(tmp_path / "to", local=source)
    assert names_in(tmp_path / "to") == set(BASE)
    assert server.requests == []
    (source / BIG).write_bytes(b"another copy")
    with pytest.raises(LesionsError, match="other bytes than the record's") as error:
        fetch(tmp_path / "to2", local=source)
    assert "HAM10000_DIR" in one_sentence(error)
    assert names_in(tmp_path / "to2") == {BASE[0]}
    (source / BIG).unlink()
    with pytest.raises(LesionsError, match="is not there in"):
        fetch(tmp_path / "to2", local=source)
    assert_good(tmp_path / "to2")


# ---------------------------------------------------------------- when the server misbehaves

MENDS_ITSELF = {
    "cut once": [cut_after(0.5)],
    "cut again and again": [cut_after(0.4)] * 8,
    "cut before the first byte": [cut_after(0), cut_after(0)],
    "connection reset": [cut_after(0.5, reset=True)],
    "500": [status(500), status(503)],
    "429": [status(429, Retry_After="0")],
    "429 in between": [cut_after(0.5), status(429, Retry_After="0"), cut_after(0.5)],
    "slow": [slow],
    "ignores ranges": [cut_after(0.5), ignoring_range],
    "sends another part": [cut_after(0.5), another_part],
    "wrong bytes once": [wrong_bytes],
    "a page once": [web_page],
    "wrong bytes after a break": [cut_after(0.5), wrong_bytes],
}


@pytest.mark.parametrize("fault", MENDS_ITSELF)
def test_passing_faults_are_overcome_in_one_run(tmp_path: Path, server, fault: str) -> None:
    server.faults[BIG] = list(MENDS_ITSELF[fault])
    assert_good(tmp_path)
    assert not server.faults[BIG]


STOPS = {
    "403": ([status(403)], "refused by the server"),
    "404": ([status(404)], "refused by the server"),
    "500": ([status(500)] * 3, "500 Internal Server Error"),
    "429": ([status(429)] * 3, "429"),
    "wait too long": ([status(429, Retry_After="86400")], "429"),
    "cut": ([cut_after(0)] * 4, "the connection broke off"),
    "wrong bytes": ([wrong_bytes, wrong_bytes], "other bytes than those of"),
    "a page": ([web_page, web_page], "other bytes than those of"),
}


@pytest.mark.parametrize("fault", STOPS)
def test_lasting_faults_stop_with_one_sentence(tmp_path: Path, server, fault: str) -> None:
    answers, words = STOPS[fault]
    server.faults[BIG] = list(answers)
    with pytest.raises(LesionsError, match=words) as error:
        fetch(tmp_path)
    one_sentence(error)
    assert_nothing_wrong(tmp_path)
    assert BIG not in names_in(tmp_path)
    server.faults.clear()
    assert_good(tmp_path)


def test_only_the_rest_is_asked_for(tmp_path: Path, server) -> None:
    server.faults[BIG] = [cut_after(0.5)]
    assert_good(tmp_path)
    first, second = [headers for name, headers in server.requests if name == BIG]
    assert "Range" not in first
    begun = int(second["Range"][6:-1])
    assert 0.4 * len(CONTENT[BIG]) < begun <= 0.5 * len(CONTENT[BIG])


@pytest.mark.parametrize("answer", [ignoring_range, another_part])
def test_an_answer_that_is_not_the_rest_is_not_appended(tmp_path, server, capsys, answer) -> None:
    server.faults[BIG] = [cut_after(0.5), answer]
    assert_good(tmp_path)
    assert "wrong md5" not in capsys.readouterr().err


def test_the_next_run_goes_on_too(tmp_path: Path, server) -> None:
    server.faults[BIG] = [cut_after(0.5)] + [status(503)] * 3
    with pytest.raises(LesionsError, match="are kept"):
        fetch(tmp_path)
    assert f".{BIG}.partial" in names_in(tmp_path)
    assert_good(tmp_path)
    last = [headers for name, headers in server.requests if name == BIG][-1]
    assert int(last["Range"][6:-1]) > 0.4 * len(CONTENT[BIG])


@pytest.mark.parametrize("kept", ["all", "too much", "other bytes"])
def test_whatever_an_earlier_run_left(tmp_path: Path, server, kept: str) -> None:
    data = CONTENT[BIG]
    left = {"all": data, "too much": data + b"x", "other bytes": b"x" * (len(data) // 2)}[kept]
    (tmp_path / f".{BIG}.partial").write_bytes(left)
    assert_good(tmp_path)


def test_the_default_agent_would_be_refused(tmp_path: Path, server, monkeypatch) -> None:
    monkeypatch.setattr(transfer, "USER_AGENT", "python-requests/2")
    with pytest.raises(LesionsError, match="403"):
        fetch(tmp_path)
    monkeypatch.undo()
    assert "lesions" in transfer.USER_AGENT


def test_waits_as_the_server_asks(tmp_path: Path, server, monkeypatch) -> None:
    waits = []
    monkeypatch.setattr(transfer, "sleep", waits.append)
    date = formatdate(time.time() + 30, usegmt=True)
    server.faults[BIG] = [
        status(429, Retry_After="7"),
        status(503, Retry_After=date),
        status(500),
        status(503, Retry_After="soon"),
    ]
    fetch(tmp_path, delays=(1.0, 2.0, 4.0, 8.0))
    assert waits[0] == 7
    assert 25 < waits[1] <= 30
    assert waits[2:] == [4, 8]


def test_what_is_no_address(tmp_path: Path, server) -> None:
    with pytest.raises(LesionsError, match="is no web address"):
        fetch(tmp_path, mirror="mirror.example/files")


# ---------------------------------------------------------------- when this machine is at fault


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk(tmp_path: Path, server) -> None:
    partial = tmp_path / f".{BIG}.partial"
    partial.symlink_to("/dev/full")  # writing there fails as on a full disk
    with pytest.raises(LesionsError, match="disk is full") as error:
        fetch(tmp_path)
    one_sentence(error)
    assert_nothing_wrong(tmp_path)
    partial.unlink()
    assert_good(tmp_path)


def test_too_little_space_is_said_before(tmp_path: Path, server, monkeypatch) -> None:
    usage = type(download.shutil.disk_usage(tmp_path))(10**9, 10**9 - 1000, 1000)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(LesionsError, match="are free there") as error:
        fetch(tmp_path)
    one_sentence(error)
    assert server.requests == []
    assert names_in(tmp_path) == set()


def test_interrupted_by_the_user(tmp_path: Path, server, monkeypatch, capsys) -> None:
    server.faults[BIG] = [cut_after(0.5)]

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(transfer, "sleep", interrupt)
    assert download.main(["--to", str(tmp_path)]) == 130
    assert "go on from here" in capsys.readouterr().err
    assert names_in(tmp_path) == {BASE[0], f".{BIG}.partial"}
    monkeypatch.undo()
    monkeypatch.setattr(download, "ADDRESS", f"{server.address}/by-id/")
    monkeypatch.setattr(download, "RECORD", RECORD)
    assert_good(tmp_path)


def test_the_command_line(tmp_path: Path, server, capsys) -> None:
    address = f"{server.address}/by-name"
    assert download.main(["--to", str(tmp_path), "--mirror", address, "--masks"]) == 0
    assert "HAM10000_segmentations_lesion_tschandl.zip" in names_in(tmp_path)
    assert download.main(["--to", str(tmp_path / "a"), "--from", str(tmp_path / "none")]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    (tmp_path / "file").write_text("")
    assert download.main(["--to", str(tmp_path / "file" / "b")]) == 1
    assert "Traceback" not in capsys.readouterr().err


# ---------------------------------------------------------------- unpacking


def test_unpacking_is_an_option(tmp_path: Path, server) -> None:
    fetch(tmp_path, unpack=True)
    unpacked = tmp_path / BIG.removesuffix(".zip")
    assert names_in(unpacked) == {f"{name}.jpg" for name in IDS[:3]}
    table = datasets.load("ham10000", tmp_path)
    assert not table["path"].str.contains(".zip", regex=False).any()


@pytest.mark.parametrize("name", ["../evil.jpg", "a/../../evil.jpg", "/evil.jpg", "C:\\evil.jpg"])
def test_a_zip_that_leads_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "in" / "x.zip"
    path.parent.mkdir()
    path.write_bytes(zipped(["fine.jpg", name]))
    with pytest.raises(LesionsError, match="leads out of the folder") as error:
        download.unpack_zip(path)
    one_sentence(error)
    assert names_in(tmp_path) == {"in/x.zip"}
    path.write_bytes(zipped(["fine.jpg"]))
    download.unpack_zip(path)
    assert names_in(tmp_path) == {"in/x.zip", "in/x/fine.jpg"}


def test_such_a_zip_does_no_harm_unopened_either(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "HAM10000_metadata").write_bytes(TABLE)
    (folder / "x.zip").write_bytes(zipped([f"../../{name}.jpg" for name in IDS]))
    with pytest.raises(LesionsError, match="6 missing file"):
        datasets.load("ham10000", folder)
    assert names_in(tmp_path) == {"data/HAM10000_metadata", "data/x.zip"}


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_zip_leaves_nothing(tmp_path: Path, damage: str) -> None:
    data = zipped(["a.jpg", "b.jpg"])
    path = tmp_path / "x.zip"
    at = data.index(made.jpeg(1, width=400, height=300)) + 100
    path.write_bytes(data[:-50] if damage == "cut" else data[:at] + b"????" + data[at + 4 :])
    with pytest.raises(LesionsError, match="is damaged"):
        download.unpack_zip(path)
    assert names_in(tmp_path) == {"x.zip"}
