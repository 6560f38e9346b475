"""Bytes from the registry: a stretch of a file where its server gives stretches, else the whole, continued where it broke."""

from __future__ import annotations

import hashlib
import io
import re
import time
import urllib.error
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Iterable
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar

BLOCK = 2**16
"""Bytes that are kept or asked for together: what a reader asks for is rounded up to these."""
RUN = 64
"""Blocks in one request at most."""
GAP = 4
"""Blocks that nobody asked for and that cost less than one more request."""
TIMEOUT = 60
"""Seconds without a byte after which a server is given up."""
PAUSE = 0.2
"""Seconds before a second try; each further one waits twice as long."""
WHOLE_LIMIT = 2 * 2**30
"""Bytes of a file whose size the index does not name."""

Received = Callable[[int], None]
"""Told about every piece that arrived, in bytes."""

_T = TypeVar("_T")
_BLOCKS_KEPT = 4 * RUN
_PIECE = 2**20
_TRIES = 4
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_LOST = (urllib.error.URLError, HTTPException, OSError)


class NotFetched(Exception):
    """The registry did not give a file, or gave another one than its index names."""


class NoRanges(Exception):
    """The server gives whole files only."""


class RangedFile(io.RawIOBase):
    """A file on a server, of which only the blocks arrive that are read."""

    def __init__(self, url: str, size: int, received: Received) -> None:
        """Read the file of `size` bytes at `url`.

        Nothing is asked for before the first read, which raises NoRanges if the server gives whole files only.
        """
        self._url = url
        self._size = size
        self._received = received
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._expected: set[int] = set()

    def expect(self, stretches: Iterable[tuple[int, int]]) -> None:
        """Say what will be read, from where to where, so that one request brings as much of it as lies together."""
        for start, end in stretches:
            self._expected.update(range(start // BLOCK, (end - 1) // BLOCK + 1))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        written = 0
        while self._at < end:
            number, offset = divmod(self._at, BLOCK)
            piece = self._block(number, (end - 1) // BLOCK)[offset : offset + end - self._at]
            buffer[written : written + len(piece)] = piece
            written += len(piece)
            self._at += len(piece)
        return written

    def _block(self, number: int, last: int) -> bytes:
        """A block of the file; if it is not there it comes together with those up to `last`, and with expected ones."""
        if number not in self._blocks:
            start = number * BLOCK
            end = min((self._end_of_run(number, last) + 1) * BLOCK, self._size)
            content = _stretch(self._url, start, end, self._size)
            self._received(len(content))
            for offset in range(0, len(content), BLOCK):
                self._blocks[number + offset // BLOCK] = content[offset : offset + BLOCK]
            while len(self._blocks) > _BLOCKS_KEPT:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]

    def _end_of_run(self, number: int, last: int) -> int:
        """The last block that is worth the same request as `number`."""
        end = min(last, number + RUN - 1)
        for block in range(end + 1, number + RUN):
            if block in self._blocks or block - end > GAP:
                break
            if block in self._expected:
                end = block
        return end


def fetch_whole(url: str, sha256: str, size: int | None, path: Path, received: Received) -> None:
    """Fetch a whole file to `path`, and go on from what an interrupted fetch left there.

    Raises:
        NotFetched: The server does not give it, or it is not the one whose hash the index names.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    was_begun = path.exists()
    _fetch_rest(url, size, path, received)
    if _sha256(path) != sha256 and was_begun:
        path.unlink()
        _fetch_rest(url, size, path, received)
    found = _sha256(path)
    if found != sha256:
        path.unlink()
        raise NotFetched(f"{_name(url)} is not the file that the index names: sha256 {found}, not {sha256}")


def _stretch(url: str, start: int, end: int, size: int) -> bytes:
    def ask() -> bytes:
        with _opened(url, f"bytes={start}-{end - 1}") as answer:
            if answer.status != 206:
                raise NoRanges(url)
            if _total(answer) not in {size, None}:
                raise NotFetched(f"{_name(url)} has {_total(answer)} bytes, and {size} in the index")
            content: bytes = answer.read(end - start)
        if len(content) < end - start:
            raise EOFError(f"{len(content)} of {end - start} bytes came")
        return content

    return _patiently(url, ask)


def _fetch_rest(url: str, size: int | None, path: Path, received: Received) -> None:
    limit = WHOLE_LIMIT if size is None else size

    def ask() -> None:
        begun = path.stat().st_size if size is not None and path.exists() else 0
        if size is not None and begun >= size:
            return
        with _opened(url, f"bytes={begun}-" if begun else None) as answer:
            is_continued = answer.status == 206
            length = answer.headers.get("Content-Length")
            left = int(length) if length else None
            with path.open("ab" if is_continued else "wb") as file:
                while piece := answer.read(_PIECE):
                    file.write(piece)
                    received(len(piece))
                    left = None if left is None else left - len(piece)
                    if file.tell() > limit:
                        break
                at = file.tell()
        if at > limit:
            path.unlink()
            raise NotFetched(f"{_name(url)} has more than the {limit} bytes that the index names")
        if left or (size is not None and at < size):
            raise EOFError(f"{at} bytes came, and then no more")

    _patiently(url, ask)


def _patiently(url: str, ask: Callable[[], _T]) -> _T:
    for attempt in range(_TRIES):
        try:
            return ask()
        except urllib.error.HTTPError as error:
            failure: Exception = error
            if error.code not in _PASSING:
                break
        except (*_LOST, EOFError) as error:
            failure = error
        time.sleep(PAUSE * 2**attempt if attempt + 1 < _TRIES else 0)
    raise NotFetched(f"{_name(url)} does not come: {failure}") from failure


def _opened(url: str, stretch: str | None) -> Any:
    headers = {"Accept-Encoding": "identity"} | ({"Range": stretch} if stretch else {})
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)


def _total(answer: Any) -> int | None:
    match = re.search(r"/(\d+)$", answer.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
