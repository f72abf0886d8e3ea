"""How fast duplicates are searched for: `python tools/dedup.py` prints a Markdown table.

Every measurement runs in a process of its own, so that its peak memory is known. The images are
drawn, 600 x 450 JPEG as in HAM10000. The hashes are random, or crowded as those of real images.
"""

import importlib.util
import multiprocessing
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import cv2
import imagehash
import numpy as np
import pandas as pd
from PIL import Image

from lesions.core import files
from lesions.duplicates import hashes, pairs

IMAGES = 300
PART = 2000  # hashes that imagehash's loop is timed on
SIZES = (10_015, 100_000, 400_000)
IMAGEDEDUP_UP_TO = 20_000  # hashes; it compares all pairs twice and keeps Python objects
BITS = 8


def drawn_jpeg(seed: int) -> bytes:
    """A dark spot on grainy skin."""
    rng = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(rng.normal(0, 60, (450, 600, 3)), (0, 0), 2)
    y, x = np.mgrid[-1:1:450j, -1:1:600j]
    spot = np.exp(-4 * ((x - rng.normal(0, 0.1)) ** 2 + (y - rng.normal(0, 0.1)) ** 2))
    image = np.array([150, 170, 220]) - 110 * spot[..., None] + grain
    return cv2.imencode(".jpg", np.clip(image, 0, 255).astype(np.uint8))[1].tobytes()


def made_hashes(kind: str, count: int) -> np.ndarray:
    """uint64 (count,): "random", or "crowded".

    Crowded ones are dhashes of coarse pictures, each a dark spot near the middle and grain. About
    one pair in 10,000 is within 8 bits, as with phash on HAM10000 (5,767 of 50 million).
    """
    rng = np.random.default_rng(0)
    if kind == "random":
        return rng.integers(0, 2**64, count, dtype=np.uint64)
    y, x = np.mgrid[-1:1:8j, -1:1:9j].astype(np.float32)
    parts = []
    for start in range(0, count, 20_000):
        size = min(20_000, count - start)
        middle = rng.normal(0, 0.12, (2, size, 1, 1)).astype(np.float32)
        spot = np.exp(-3 * ((x - middle[0]) ** 2 + (y - middle[1]) ** 2))
        grain = rng.normal(0, 8, spot.shape).astype(np.float32)
        parts.append(hashes.hash_shrunk((150 - 100 * spot + grain).astype(np.uint8), "dhash"))
    return np.concatenate(parts)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def hash_ours(folder: str) -> float:
    """Images a second: read, decode, four hashes, SHA-256 of the file and of the pixels."""
    paths = sorted(map(str, Path(folder).glob("*.jpg")))
    table = pd.DataFrame({"image_id": paths, "path": paths}, dtype=str)
    files.CACHE = Path(folder) / "cache"
    return len(paths) / seconds(lambda: hashes.hash_images(table))


def hash_imagehash(folder: str) -> float:
    """Images a second: open with Pillow and call imagehash's four functions."""

    def work() -> None:
        for path in paths:
            image = Image.open(path).convert("RGB")
            for method in hashes.METHODS:
                getattr(imagehash, method)(image)

    paths = sorted(Path(folder).glob("*.jpg"))
    return len(paths) / seconds(work)


def search_ours(kind: str, count: int, bits: int) -> tuple[float, str]:
    """Seconds, and a few words on what was searched and found."""
    made = made_hashes(kind, count)
    start = time.perf_counter()
    found = len(pairs.pairs_within(made, bits)[0])
    spent = time.perf_counter() - start
    way = "buckets" if pairs.buckets_help(made, bits) else "blocks"
    return spent, f"{count:,} {kind} hashes, {bits} bits, by {way}: {found:,} pairs"


def search_imagehash(kind: str, bits: int) -> float:
    """Seconds a pair, of the loop over all pairs of PART hashes."""
    made = made_hashes(kind, PART)
    each = [imagehash.hex_to_hash(f"{value:016x}") for value in made.tolist()]

    def work() -> list:
        return [(a, b) for a, b in combinations(each, 2) if a - b <= bits]

    return seconds(work) / (PART * (PART - 1) / 2)


def search_imagededup(kind: str, count: int, bits: int) -> float | None:
    """Seconds of imagededup's search; None where it is not installed."""
    try:
        from imagededup.handlers.search.retrieval import HashEval
    except ImportError:
        return None
    made = {str(n): f"{value:016x}" for n, value in enumerate(made_hashes(kind, count).tolist())}
    return seconds(
        lambda: HashEval(
            test=made, queries=made, distance_function=None, verbose=False, threshold=bits
        ).retrieve_results(scores=False)
    )


def _in_child(pipe, work: Callable, arguments: tuple) -> None:
    result = work(*arguments)
    unit = 1 if platform.system() == "Darwin" else 1024  # bytes there, KiB elsewhere
    pipe.send((result, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6))


def measure(work: Callable, *arguments: object) -> tuple:
    """`work(*arguments)` in a fresh process: its result, and its peak memory in MB."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_in_child, args=(theirs, work, arguments))
    child.start()
    theirs.close()
    try:
        return ours.recv()
    finally:
        child.join()


def show(step: str, ours: str, loop: str, other: str, faster: str, memory: float) -> None:
    """Print one line of the table."""
    print(f"| {step} | {ours} | {loop} | {other} | {faster} | {memory:,.0f} MB |", flush=True)


def show_search(kind: str, count: int, bits: int, loop: float, other: float | None) -> None:
    """Measure our search and print it beside the others' seconds."""
    (ours, step), memory = measure(search_ours, kind, count, bits)
    shown = f"{other:,.1f} s" if other else "not run"
    show(step, f"{ours:,.2f} s", f"{loop:,.0f} s *", shown, f"{loop / ours:,.0f}", memory)


def main(sizes: tuple[int, ...] = SIZES) -> None:
    print("| step | ours | imagehash | imagededup | faster than imagehash | our peak memory |")
    print("|---|---:|---:|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(IMAGES):
            Path(folder, f"{seed}.jpg").write_bytes(drawn_jpeg(seed))
        ours, memory = measure(hash_ours, folder)
        theirs, _ = measure(hash_imagehash, folder)
    step = f"four hashes of {IMAGES} JPEG files of 600 x 450 (ours: SHA-256 too)"
    rates = f"{ours:,.0f} images/s", f"{theirs:,.0f} images/s"
    show(step, *rates, "not run", f"{ours / theirs:.1f}", memory)
    for kind in ("random", "crowded"):
        a_pair, _ = measure(search_imagehash, kind, BITS)
        for count in sizes:
            other = None
            if count <= IMAGEDEDUP_UP_TO:
                other, _ = measure(search_imagededup, kind, count, BITS)
            show_search(kind, count, BITS, a_pair * count * (count - 1) / 2, other)
        for bits in (0, 3):
            count = max(sizes)
            show_search(kind, count, bits, a_pair * count * (count - 1) / 2, None)
    print(
        f"\n\\* timed on the pairs of {PART:,} hashes and scaled to all pairs. "
        f"{os.cpu_count()} processors; Python {platform.python_version()}, NumPy {np.__version__}; "
        f"imagededup is {'' if imagededup_is_here() else 'not '}installed, and run up to "
        f"{IMAGEDEDUP_UP_TO:,} hashes where it is."
    )


def imagededup_is_here() -> bool:
    return importlib.util.find_spec("imagededup") is not None


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or SIZES)
