"""Download a file that may take several tries: it is gone on with where it broke off."""

import errno
import math
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import Any

import pooch
import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from lesions.core.errors import LesionsError
from lesions.core.progress import say, track

# The server of the data answers the default agent of Python's libraries with 403.
USER_AGENT = "Mozilla/5.0 (compatible; lesions-course/0.1)"
DELAYS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)  # seconds before each new try
LONGEST_WAIT = 600.0  # seconds; a server that asks for more is left alone
TIMEOUT = (20.0, 60.0)  # seconds to connect, and without any data
MEGABYTE = 1_000_000
NO_ADDRESS = (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema,
              requests.exceptions.InvalidSchema)  # fmt: skip
# Which answers mean "later", and how long Retry-After asks to wait, as urllib3 knows them.
POLICY = Retry(status_forcelist=(408, 425, 429, 500, 502, 503, 504))


class Interrupted(Exception):
    """A download broke off, but may be gone on with, after `wait` seconds if the server said so."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


def partial_of(target: Path) -> Path:
    """Where a file is kept while it is not whole."""
    return target.with_name(f".{target.name}.partial")


def md5_of(path: Path) -> str:
    """The md5 of a file, as 32 hexadecimal digits."""
    return pooch.file_hash(str(path), alg="md5")


def retrieve(url: str, md5: str, target: Path, delays: tuple[float, ...] = DELAYS) -> None:
    """Download one file and check it; wrong bytes are thrown away and asked for once more.

    Args:
        url: what to fetch.
        md5: of the right bytes, as 32 hexadecimal digits.
        target: appears under its name only when it is whole and right.
        delays: see `persist`.

    Raises:
        LesionsError: the server refuses, keeps failing or sends other bytes; the disk is full.
    """

    def downloader(url: str, output_file: str, _: Any) -> None:
        partial = partial_of(target)
        persist(url, partial, delays)
        os.replace(partial, output_file)  # pooch checks the md5, then moves it to its name

    pooch.get_logger().setLevel("ERROR")
    for _ in range(2):
        try:
            pooch.retrieve(
                url,
                known_hash=f"md5:{md5}",
                fname=target.name,
                path=target.parent,
                downloader=downloader,
            )
            return
        except LesionsError:
            raise
        except ValueError:  # so pooch tells of a wrong md5; it has removed the file
            say(f"{target.name}: wrong md5, thrown away")
    raise LesionsError(
        f"{url} sent other bytes than those of {target.name} (by md5), twice, and nothing of it "
        "was kept; run it again later, or give another source with --mirror or --from."
    )


def persist(url: str, partial: Path, delays: tuple[float, ...] = DELAYS) -> None:
    """Download `url` into `partial`, going on with what is there already.

    Breaks and busy servers are waited for: after each of `delays` seconds, or what the server's
    Retry-After says. As long as the file grows, the count of tries begins anew.

    Args:
        url: what to fetch.
        partial: the file to write; it stays where it is when the download breaks off.
        delays: seconds to wait before each new try.

    Raises:
        LesionsError: the server refuses or keeps failing, or the disk is full.
    """
    most, tries = -1, 0
    while True:
        try:
            _stream(url, partial)
            return
        except Interrupted as reason:
            have = partial.stat().st_size if partial.exists() else 0
            tries = 0 if have > most else tries + 1
            most = max(most, have)
            if tries >= len(delays) or reason.wait > LONGEST_WAIT:
                raise LesionsError(
                    f"{url} could not be fetched ({reason}); {have / 1e6:,.1f} MB are kept, so "
                    "run it again later to go on, or give another source with --mirror or --from."
                ) from reason
            wait = max(delays[tries], reason.wait)
            say(f"{_name(partial)}: {reason}; again in {wait:g} s")
            sleep(wait)


def _stream(url: str, partial: Path) -> None:
    """Ask for what is missing of a file and append it to `partial`.

    Raises:
        Interrupted: it broke off, or the server is busy.
        LesionsError: the server refuses, or the disk is full.
    """
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            _check_status(response, url)
            span = response.headers.get("Content-Range", "")
            if response.status_code == 416:  # nothing comes after what we have
                if span == f"bytes */{have}":
                    return
                partial.unlink(missing_ok=True)
                raise Interrupted("the server's file is shorter than what was kept")
            if response.status_code == 206 and not span.startswith(f"bytes {have}-"):
                partial.unlink(missing_ok=True)
                raise Interrupted("the server sent another part than was asked for")
            length = response.headers.get("Content-Length", "")
            megabytes = math.ceil(int(length) / MEGABYTE) if length.isdecimal() else None
            chunks = response.iter_content(MEGABYTE)
            # 200 and not 206: the server knows no ranges and sends all of it.
            with open(partial, "ab" if response.status_code == 206 else "wb") as file:
                label = f"{_name(partial)}, MB"
                for chunk in track(chunks, label, megabytes or None):
                    file.write(chunk)
    except NO_ADDRESS as error:
        raise LesionsError(f"{url} is no web address; it must begin with https://.") from error
    except requests.RequestException as error:
        raise Interrupted(f"the connection broke off: {type(error).__name__}") from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise LesionsError(
            f"The disk is full: {partial.parent} could not take the rest of the download; free "
            "some space and run it again, it goes on from there."
        ) from error


def _name(partial: Path) -> str:
    """The name of the file that `partial` becomes: `.x.zip.partial` is `x.zip`."""
    return partial.name.removeprefix(".").removesuffix(".partial")


def _check_status(response: requests.Response, url: str) -> None:
    """Tell a busy server from one that refuses."""
    status = response.status_code
    if POLICY.is_retry("GET", status):
        wait = 0.0
        with suppress(InvalidHeader):
            wait = POLICY.get_retry_after(response.raw) or 0.0
        raise Interrupted(f"the server answered {status} {response.reason}", wait)
    if status not in (200, 206, 416):
        raise LesionsError(
            f"{url} was refused by the server ({status} {response.reason}); give another source "
            "with --mirror or --from, or fetch the files with a browser into the data folder."
        )


def exit_status(work: Callable[[], object]) -> int:
    """Do a command line's work; the exit status, with one sentence for whatever went wrong."""
    try:
        work()
    except LesionsError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}; choose another folder.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Run it again to go on from here.", file=sys.stderr)
        return 130
    return 0
