"""Kill `make all` at random moments; does the next run end with an undisturbed one's numbers?

    python tools/kill_runs.py --times 20 --profile smoke

Every run has folders of its own for results and caches, under --folder. A run is begun, killed with
-9 (the whole process group, so kernels too) after a random time, begun again and killed again;
after the last time it is left to end. Its scores are compared with those of an undisturbed run.
Prints one line a kill, and JSON at the end; the exit status is 1 if a number differs.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
# Times of training differ from run to run; all else must not.
MOVES = ("seconds",)


def begin(profile: str, given: str, folder: Path) -> subprocess.Popen:
    """Start the study in a process group of its own."""
    environment = os.environ | {
        "LESIONS_BUILD": str(folder / "build"),
        "LESIONS_CACHE": str(folder / "cache"),
        "PYTHONPATH": str(ROOT / "lib"),
    }
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "course.runner", "--profile", profile, "--set", given,
             "--jobs", "2"],
            cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def kill(process: subprocess.Popen) -> None:
    """Kill a run and everything that it started, as a full memory would."""
    os.kill(process.pid, signal.SIGSTOP)  # or it would see its children die, and say so
    # Kernels begin sessions of their own, so the tree is walked before its root is gone.
    for child in [*children(process.pid), process.pid]:
        for send in (os.kill, os.killpg):
            try:
                if send is os.kill or os.getpgid(child) == child:
                    send(child, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
    process.wait()


def children(pid: int) -> list[int]:
    """All processes below one, the deepest first."""
    import psutil

    try:
        return [child.pid for child in reversed(psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def to_its_end(profile: str, given: str, folder: Path) -> float:
    """Run the study to its end; the seconds that it took."""
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    process = begin(profile, given, folder)
    try:
        status = process.wait()
    except KeyboardInterrupt:
        kill(process)
        raise
    if status:
        tail = (folder / "log.txt").read_text(encoding="utf-8", errors="replace")[-1500:]
        sys.exit(f"The run in {folder} ended with status {status}:\n{tail}")
    return time.monotonic() - started


def numbers(folder: Path) -> dict[str, pd.DataFrame]:
    """The tables that a run left under results/, without what moves by itself."""
    found = {}
    for path in sorted((folder / "build").glob("*/results/*.csv")):
        if path.stat().st_size > 1:
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
            found[path.stem] = table.drop(columns=[c for c in MOVES if c in table])
    return found


def differences(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> list[str]:
    """What two runs do not have in common."""
    found = [f"{name}: in one run only" for name in sorted(set(one) ^ set(other))]
    return found + [
        f"{name}: differs" for name in sorted(set(one) & set(other))
        if not one[name].equals(other[name])
    ]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--profile", default="smoke")
    parser.add_argument("--set", default="", metavar="'NAME=value …'")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--folder", type=Path, default=None, help="kept; without it a temporary one"
    )
    options = parser.parse_args()
    base = options.folder or Path(tempfile.mkdtemp(prefix="kill-runs-"))
    quiet, disturbed = base / "undisturbed", base / "killed"
    seconds = to_its_end(options.profile, options.set, quiet)
    print(f"undisturbed: {seconds:.0f} s", flush=True)
    rng = random.Random(options.seed)
    disturbed.mkdir(parents=True, exist_ok=True)
    killed = 0
    for number in range(options.times):
        after = rng.uniform(0.5, seconds * 0.6)
        process = begin(options.profile, options.set, disturbed)
        try:
            process.wait(after)
            # It came to its end before: what was finished is taken away, so that there is work.
            for stamp in (disturbed / "build").glob("*/notebooks/.stamps/*.json"):
                stamp.unlink()
            print(f"{number + 1}: ended before {after:.0f} s", flush=True)
        except subprocess.TimeoutExpired:
            kill(process)
            killed += 1
            print(f"{number + 1}: killed after {after:.0f} s", flush=True)
    last = to_its_end(options.profile, options.set, disturbed)
    differing = differences(numbers(quiet), numbers(disturbed))
    print(json.dumps({"killed": killed, "of": options.times, "undisturbed_s": round(seconds),
                      "last_s": round(last), "tables": len(numbers(quiet)),
                      "differences": differing, "folder": str(base)}, indent=1))  # fmt: skip
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
