"""Read the weights in a file that torch saved before 2020, with NumPy and without torch.

Such a file is a pickle, and a pickle is a program: it may name any function of any module and have
it called. So the reader here knows the four names that weights need and refuses every other one.
Before that it compares the file's SHA-256 with the one that was written down when it was examined.
"""

import hashlib
import io
import pickle
from collections import OrderedDict
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lesions.core.errors import LesionsError

MAGIC = 0x1950A86A20F9469CFC6C  # what torch wrote first into every file of the old form
PROTOCOL = 1001
STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class Refused(Exception):
    """The bytes are not what a file of weights holds; the text goes on after "because"."""


class Storage(NamedTuple):
    """A run of numbers that lies further on in the file."""

    kind: str  # a key of STORAGES
    key: str
    count: int


class Tensor(NamedTuple):
    """A part of a storage, seen as an array."""

    storage: Storage
    start: int
    shape: tuple[int, ...]
    axes: tuple[int, ...]  # in the order in which they lie in the storage, slowest first

    def array(self, numbers: np.ndarray) -> np.ndarray:
        """The tensor as an array, out of its storage's numbers."""
        part = numbers[self.start : self.start + prod(self.shape)]
        stored = part.reshape([self.shape[axis] for axis in self.axes])
        return stored.transpose(np.argsort(self.axes))


def _tensor(
    storage: Any, start: Any, shape: Any, strides: Any, needs_gradient: Any, hooks: Any
) -> Tensor:
    """Stands where the file names torch's `_rebuild_tensor_v2`; checks what it is given."""
    numbers = [start, *shape, *strides]
    plain = all(type(n) is int and n >= 0 for n in numbers) and len(shape) == len(strides)
    if type(storage) is not Storage or not plain:
        raise Refused("a tensor in it is described in another way")
    axes = sorted(range(len(shape)), key=lambda axis: -strides[axis])
    expected = 1
    for axis in reversed(axes):
        # An axis of length 1 may have any stride: no step is ever taken along it.
        if shape[axis] > 1 and strides[axis] != expected:
            raise Refused("a tensor in it leaves out or repeats numbers")
        expected *= shape[axis]
    if start + prod(shape) > storage.count:
        raise Refused("a tensor in it is larger than its storage")
    return Tensor(storage, start, tuple(shape), tuple(axes))


class OnlyWeights(pickle.Unpickler):
    """An unpickler that knows four names; what it makes holds numbers and texts only."""

    KNOWN = {  # noqa: RUF012 - never changed
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _tensor,
        **{("torch", name): name for name in STORAGES},
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.KNOWN:
            raise Refused(f"it names {module}.{name}, which weights do not need")
        return self.KNOWN[module, name]

    def persistent_load(self, pid: Any) -> Storage:
        match pid:
            case ("storage", str(kind), str(key), "cpu", int(count), None) if kind in STORAGES:
                return Storage(kind, key, count)
        raise Refused("a storage in it is described in another way")


def _numbers(file: io.BytesIO, storage: Storage) -> np.ndarray:
    """The next storage of the file: how many numbers there are, then the numbers."""
    dtype = STORAGES[storage.kind]
    count = int.from_bytes(file.read(8), "little", signed=True)
    if count != storage.count:
        raise Refused("a storage in it has another length than was announced, or the file is cut")
    data = file.read(count * dtype.itemsize)
    if len(data) != count * dtype.itemsize:
        raise Refused("the file ends too early")
    return np.frombuffer(data, dtype)


def parse(data: bytes) -> dict[str, np.ndarray]:
    """The arrays by name in the bytes of a file.

    Args:
        data: five pickles (magic number, version, about the machine, the tensors by name, the
            storages' order), then the storages.

    Returns:
        float32 and int64 arrays, read-only, of the shapes that torch gave them.

    Raises:
        Refused: the bytes are anything else.
    """
    file = io.BytesIO(data)
    try:
        magic, version, about, named, order = (OnlyWeights(file).load() for _ in range(5))
        if (magic, version) != (MAGIC, PROTOCOL) or about["little_endian"] is not True:
            raise Refused("it does not begin as torch's old files do")
        tensors = {name: tensor for name, tensor in named.items() if type(name) is str}
        if len(tensors) < len(named) or not all(type(t) is Tensor for t in tensors.values()):
            raise Refused("there is something else than tensors by name in it")
        storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
        if sorted(order) != sorted(storages):
            raise Refused("its storages are not those that its tensors need")
        numbers = {key: _numbers(file, storages[key]) for key in order}
    except Refused:
        raise
    except Exception as error:
        # A pickle made of any bytes may fail in any way at all.
        raise Refused(f"it is damaged or no such file ({type(error).__name__})") from error
    if file.read(1):
        raise Refused("there is more in the file than was announced")
    return {name: tensor.array(numbers[tensor.storage.key]) for name, tensor in tensors.items()}


def read(path: Path, sha256: str) -> dict[str, np.ndarray]:
    """The arrays of a file of weights, if it is the file that was examined.

    Args:
        path: a `.pth` file in torch's old form.
        sha256: of the file, in hexadecimal digits.

    Returns:
        float32 and int64 arrays by name; read-only.

    Raises:
        LesionsError: there is no such file, it was changed, or it holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise LesionsError(f"There is no file of weights {path}: install its package again.")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise LesionsError(
            f"{path.name} is cut short or was changed (its SHA-256 is another one than ours), "
            "so it is not opened: install its package again."
        )
    try:
        return parse(data)
    except Refused as error:
        raise LesionsError(f"{path.name} holds no weights that we can read: {error}.") from error
