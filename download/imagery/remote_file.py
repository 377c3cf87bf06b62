"""Files behind addresses: only the bytes that are needed are fetched, each of them once, and kept."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

from download.errors import DownloadError

Span = tuple[int, int]
"""First byte, and the one after the last."""

HEAD = 64 << 10
"""Fetched first: the directories of a cloud-optimised GeoTIFF, and the offsets of its blocks, stand there."""

PAGE = 32 << 10
"""What a reader asks for on its own is rounded up to this, for it comes in small bites."""

NEAR = 8 << 10
"""A gap up to this long between wanted bytes is fetched along: that costs less than a request."""

LONGEST = 8 << 20
"""Of one request, so that a broken transfer has not much to repeat."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a file.

    Attributes:
        content: the bytes.
        size: of the whole file.
        version: tells versions of the file apart; empty where the other side does not.
    """

    content: bytes
    size: int
    version: str


class RemoteFile:
    """A file of which parts lie on this disk, at their places in a sparse copy.

    Beside the copy lies a journal (`….jsonl`) that says where the file comes from and which bytes are here, with
    their SHA-256. Processes share the copy: whoever fetches holds its lock, and the others wait and find the bytes.
    One lock for each file is enough, as a scene is the work of few units.

    Attributes:
        size: of the whole file.
    """

    def __init__(self, fetch: Callable[[Span], Piece], copy: Path, source: str) -> None:
        """Opens the copy; begins it with the file's first bytes if there is none.

        Args:
            fetch: gets bytes from the other side; may give fewer at the end of the file.
            copy: the sparse copy.
            source: where the file comes from, for people; without secrets.

        Raises:
            DownloadError: as `fetch` says, or the copy was changed behind our back.
        """
        self._fetch = fetch
        self._copy = copy
        self._journal = copy.with_name(f"{copy.name}.jsonl")
        self._have: list[Span] = []
        self._read_to = 0
        self._version = ""
        self.size = 0
        copy.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{copy}.lock"):
            if self._journal.exists() and copy.exists():
                self._catch_up()
            if not self._read_to:
                self._begin(source)

    def need(self, spans: Iterable[Span]) -> None:
        """Makes sure that some bytes are here; those that are not are fetched with as few requests as makes sense.

        Raises:
            DownloadError: as `fetch` says, or the file is another now.
        """
        wanted = [(max(0, start), min(end, self.size)) for start, end in spans]
        if not any(_gaps(self._have, wanted)):
            return
        with FileLock(f"{self._copy}.lock"):
            self._catch_up()
            together = joined(_gaps(self._have, wanted), NEAR)
            for start, end in list(_gaps(self._have, together)):
                for first in range(start, end, LONGEST):
                    self._get((first, min(end, first + LONGEST)))

    def read(self, start: int, length: int) -> bytes:
        """Bytes of the file, fewer at its end; what is not here is fetched."""
        end = min(self.size, start + length)
        if start >= end:
            return b""
        if any(_gaps(self._have, [(start, end)])):
            self.need([(start, -(-end // PAGE) * PAGE)])
        with self._copy.open("rb") as copy:
            copy.seek(start)
            return copy.read(end - start)

    def _begin(self, source: str) -> None:
        piece = self._fetch((0, HEAD))
        self.size, self._version = piece.size, piece.version
        with self._copy.open("wb") as copy:
            copy.truncate(piece.size)
        self._journal.write_bytes(_line({"source": source, "bytes": piece.size, "version": piece.version}))
        self._read_to = self._journal.stat().st_size
        self._keep((0, len(piece.content)), piece.content)

    def _get(self, span: Span) -> None:
        piece = self._fetch(span)
        if (piece.size, piece.version) != (self.size, self._version):
            raise DownloadError(
                f"The file was replaced at its source since parts of it were fetched. Delete {self._copy} and "
                f"{self._journal.name} beside it, then run again."
            )
        self._keep(span, piece.content)

    def _keep(self, span: Span, content: bytes) -> None:
        """First the bytes, then the word that they are here: a process that dies in between has fetched in vain."""
        with self._copy.open("r+b") as copy:
            copy.seek(span[0])
            copy.write(content)
        said = {
            "from": span[0],
            "to": span[1],
            "sha256": sha256(content).hexdigest(),
            "fetched": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        }
        with self._journal.open("r+b") as journal:
            journal.truncate(self._read_to)  # drops half a line of a process that died
            journal.seek(self._read_to)
            journal.write(_line(said))
            self._read_to = journal.tell()
        self._have = joined([*self._have, span])

    def _catch_up(self) -> None:
        """Reads what other processes, or an earlier run, wrote into the journal."""
        with self._journal.open("rb") as journal:
            journal.seek(self._read_to)
            lines = [line for line in journal if line.endswith(b"\n")]
        spans = []
        for line in lines:
            said = json.loads(line)
            if "version" in said:
                self.size, self._version = said["bytes"], said["version"]
            else:
                spans.append((said["from"], said["to"]))
        self._read_to += sum(map(len, lines))
        self._have = joined([*self._have, *spans])
        if self._read_to and self._copy.stat().st_size != self.size:
            raise DownloadError(
                f"{self._copy} was changed after it was fetched. Delete it and {self._journal.name} beside it, "
                "then run again."
            )


def joined(spans: Iterable[Span], near: int = 0) -> list[Span]:
    """Spans in order, made one where they overlap or lie at most `near` bytes apart."""
    together: list[Span] = []
    for start, end in sorted(spans):
        if together and start - together[-1][1] <= near:
            together[-1] = (together[-1][0], max(end, together[-1][1]))
        else:
            together.append((start, end))
    return together


def _gaps(have: Sequence[Span], wanted: Iterable[Span]) -> Iterator[Span]:
    """The parts of what is wanted that are not among what there is (in order, apart from each other)."""
    for start, end in wanted:
        position = start
        for held in have[max(0, bisect_right(have, (start, 0)) - 1) :]:
            if held[0] >= end:
                break
            if held[0] > position:
                yield position, held[0]
            position = max(position, held[1])
        if position < end:
            yield position, end


def _line(said: dict[str, object]) -> bytes:
    return json.dumps(said).encode() + b"\n"
