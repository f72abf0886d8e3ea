"""The reader of torch's old files: what it reads, and what it refuses."""

import hashlib
import io
import os
import pickle
import struct
from collections import OrderedDict

import pytest

from lesions.core.errors import LesionsError
from lesions.networks import torch_checkpoint
from lesions.networks.torch_checkpoint import MAGIC, PROTOCOL, Refused, parse, read

ABOUT = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {}}


class Named:
    """Pickled as the name of something in a module that need not be there."""

    def __init__(self, module: str, name: str):
        self.module, self.name = module, name


class Stored:
    """Pickled as torch pickles a tensor's storage."""

    def __init__(self, kind: str, key: str, values: list):
        self.kind, self.key, self.values = kind, key, values


class Call:
    """Pickled as a call of a named function."""

    def __init__(self, function: Named, *arguments: object):
        self.function, self.arguments = function, arguments


class Pickler(pickle._Pickler):
    """The pickler in Python's own code: it can be told to write names of things not there."""

    dispatch = dict(pickle._Pickler.dispatch)  # noqa: RUF012 - Python's own form

    def persistent_id(self, obj: object) -> object:
        if isinstance(obj, Stored):
            kind = Named("torch", obj.kind)
            return ("storage", kind, obj.key, "cpu", len(obj.values), None)
        return None

    def _named(self, obj: Named) -> None:
        self.write(b"c" + f"{obj.module}\n{obj.name}\n".encode())

    def _call(self, obj: Call) -> None:
        self.save(obj.function)
        self.save(obj.arguments)
        self.write(pickle.REDUCE)

    dispatch[Named] = _named
    dispatch[Call] = _call


REBUILD = Named("torch._utils", "_rebuild_tensor_v2")


def tensor(stored: Stored, shape: tuple, strides: tuple, start: int = 0) -> Call:
    hooks = Call(Named("collections", "OrderedDict"))
    return Call(REBUILD, stored, start, shape, strides, False, hooks)


def pickled(thing: object) -> bytes:
    buffer = io.BytesIO()
    Pickler(buffer, protocol=2).dump(thing)
    return buffer.getvalue()


def written(named: object, *storages: Stored, about: dict = ABOUT, magic: int = MAGIC) -> bytes:
    """A file as torch wrote it before 2020."""
    keys = [stored.key for stored in storages]
    data = b"".join(pickled(part) for part in (magic, PROTOCOL, about, named, keys))
    for stored in storages:
        form = "f" if stored.kind == "FloatStorage" else "q"
        data += struct.pack(f"<q{len(stored.values)}{form}", len(stored.values), *stored.values)
    return data


SIX = Stored("FloatStorage", "1", [0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
STEPS = Stored("LongStorage", "2", [7])


def good() -> bytes:
    named = OrderedDict(
        rows=tensor(SIX, (2, 3), (3, 1)), columns=tensor(SIX, (2, 3), (1, 2)),
        part=tensor(SIX, (2,), (1,), start=4), count=tensor(STEPS, (), ()),
    )  # fmt: skip
    return written(named, SIX, STEPS)


def test_arrays_come_with_their_shapes_and_orders():
    found = parse(good())
    assert found["rows"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["columns"].tolist() == [[0, 2, 4], [1, 3, 5]]  # stored column by column
    assert found["part"].tolist() == [4, 5]
    assert found["count"].shape == () and found["count"] == 7
    assert {array.dtype.name for array in found.values()} == {"float32", "int64"}


def test_a_pickle_that_runs_code_is_refused_before_it_runs(tmp_path):
    traces = tmp_path / "it-ran"
    for module in ("os", "posix", "nt", "subprocess", "builtins"):
        hostile = Call(Named(module, "system"), f"touch {traces}")
        for place in ({"weight": hostile}, hostile):
            with pytest.raises(Refused, match=f"it names {module}.system"):
                parse(written(place))
    assert not traces.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "eval"),
        ("collections", "namedtuple"),  # it evaluates text
        ("torch._utils", "_rebuild_parameter"),
        ("torch", "DoubleStorage"),
        ("torch.os", "FloatStorage"),
    ],
)
def test_no_fifth_name_is_known(module, name):
    with pytest.raises(Refused, match=f"it names {module}.{name}"):
        parse(written({"weight": Named(module, name)}))


@pytest.mark.parametrize(
    ("shape", "strides", "start"),
    [
        ((2, 4), (4, 1), 0),  # more numbers than there are
        ((6,), (1,), 1),
        ((2, 3), (0, 1), 0),  # the same numbers twice
        ((3,), (2,), 0),  # every other number
        ((2, 3), (3,), 0),
        ((-1, 3), (3, 1), 0),
        ((6.0,), (1,), 0),
        ((True, 6), (6, 1), 0),
        ((2**40, 2**40), (2**40, 1), 0),
    ],
)
def test_a_tensor_that_is_not_its_storage_in_order_is_refused(shape, strides, start):
    with pytest.raises(Refused):
        parse(written({"weight": tensor(SIX, shape, strides, start)}, SIX))


def test_other_contents_are_refused():
    fine = OrderedDict(rows=tensor(SIX, (2, 3), (3, 1)))
    for data in (
        written(fine, SIX, magic=1),
        written(fine, SIX, about=ABOUT | {"little_endian": False}),
        written(fine, SIX, STEPS),  # a storage that nothing needs
        written(fine),  # none where one is needed
        written({"rows": 5}),
        written({5: tensor(SIX, (2, 3), (3, 1))}, SIX),
        written([1, 2]),
        written(fine, SIX) + b"more",
        b"",
        b"PK\x03\x04",  # torch's files of today are archives
    ):
        with pytest.raises(Refused):
            parse(data)


def test_a_file_cut_anywhere_is_refused():
    data = good()
    for end in range(0, len(data), 7):
        with pytest.raises(Refused):
            parse(data[:end])


def test_the_file_is_opened_only_if_it_is_the_one_that_was_examined(tmp_path, monkeypatch):
    path = tmp_path / "made.pth"
    path.write_bytes(good())
    right = hashlib.sha256(good()).hexdigest()
    assert read(path, right)["count"] == 7
    path.write_bytes(good()[:-1] + b"\x01")
    monkeypatch.setattr(torch_checkpoint, "parse", lambda data: pytest.fail("it was opened"))
    with pytest.raises(LesionsError, match=r"made.pth is cut short or was changed .*again\.$"):
        read(path, right)
    path.write_bytes(good()[:-1])
    with pytest.raises(LesionsError, match="cut short or was changed"):
        read(path, right)
    with pytest.raises(LesionsError, match=r"no file of weights .*again\.$"):
        read(tmp_path / "other.pth", right)


def test_a_hostile_file_is_named_in_one_sentence(tmp_path):
    data = written({"weight": Call(Named("os", "getcwd"))})
    path = tmp_path / "made.pth"
    path.write_bytes(data)
    with pytest.raises(LesionsError) as raised:
        read(path, hashlib.sha256(data).hexdigest())
    text = str(raised.value)
    assert text == (
        "made.pth holds no weights that we can read: it names os.getcwd, which weights do not need."
    )
    assert os.linesep not in text
