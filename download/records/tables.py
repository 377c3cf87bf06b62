"""Rows of large CSV files as they stand there: by their bytes, so that any of them can be found again.

A row may hold line breaks inside quotes. What is no text, or does not close its quotes, is one bad row and not the end
of the file.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from download.errors import DownloadError
from download.records.refused import Refused

MOST_BYTES: Final = 1 << 16
"""Longest row read; a quote that is never closed ends there."""
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Row:
    """A row where it stands.

    Attributes:
        offset: its first byte in the file.
        content: its bytes with the line break.
    """

    offset: int
    content: bytes

    @property
    def end(self) -> int:
        """The byte after it."""
        return self.offset + len(self.content)

    def cells(self, number: int) -> list[str]:
        """Its cells.

        Args:
            number: how many the header has.

        Raises:
            Refused: it is no text, has other cells than the header, or a quote that is not closed.
        """
        try:
            text = self.content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Refused("row is no UTF-8", f"byte {self.offset + error.start:,}") from error
        try:
            found = next(csv.reader([text], strict=True), [])
        except csv.Error as error:
            raise Refused("row is broken", str(error)) from error
        if len(found) != number:
            raise Refused("row is broken", f"{len(found)} cells, the header has {number}")
        return found


@dataclass(frozen=True, slots=True)
class Header:
    """The first row.

    Attributes:
        names: of the columns.
        end: the byte after it.
    """

    names: tuple[str, ...]
    end: int

    def place(self, name: str) -> int | None:
        """Which column has a name."""
        return self.names.index(name) if name in self.names else None


def header(path: Path, needed: Sequence[str]) -> Header:
    """Reads the header of a CSV file.

    Raises:
        DownloadError: the file cannot be read or lacks a column.
    """
    try:
        with path.open("rb") as stream:
            line = stream.readline(MOST_BYTES)
    except OSError as error:
        raise DownloadError(f"{path} cannot be read: {error.strerror}.") from error
    text = line.removeprefix(_BOM).decode("utf-8", "replace")
    names = tuple(name.strip() for name in next(csv.reader([text]), []))
    missing = [name for name in needed if name not in names]
    if missing:
        raise DownloadError(
            f"{path} has no column {missing[0]!r}; its first line has {', '.join(names[:8]) or 'nothing'}."
        )
    return Header(names, len(line))


def rows(stream: BinaryIO, start: int, stop: int | None = None) -> Iterator[Row]:
    """Rows from a byte on, in order; empty lines are passed over.

    Args:
        stream: an open file.
        start: first byte of a row.
        stop: the byte after the last; left out, the end of the file.
    """
    stream.seek(start)
    offset = start
    while (stop is None or offset < stop) and (content := stream.readline(MOST_BYTES)):
        if content.count(b'"') % 2:
            content = _closed(stream, content)
        if content.strip():
            yield Row(offset, content)
        offset += len(content)


def _closed(stream: BinaryIO, content: bytes) -> bytes:
    """A row that goes on in further lines until its quotes are closed; the first line alone if they never are."""
    back, whole = stream.tell(), content
    while len(whole) < MOST_BYTES and (line := stream.readline(MOST_BYTES)):
        whole += line
        if line.count(b'"') % 2:
            return whole
    stream.seek(back)
    return content
