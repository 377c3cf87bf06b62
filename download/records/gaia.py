"""GAIA's records as published: JSON arrays or JSON lines of any length, read piece by piece.

A file is looked at once from end to end; afterwards any stretch of it can be read for itself, because every record is
known by the bytes it takes. Texts are looked at as Latin-1 first, in which a character is a byte, so that one record
with broken UTF-8 costs that record and not the file.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from download.errors import DownloadError

PIECE = 1 << 22
"""Bytes that are read at a time."""
LONGEST = 1 << 24
"""Bytes of the longest record that is read."""
TEXT = 20_000
"""Characters of a field that are kept."""
ENTRIES = 100
"""Entries of a list that are kept."""

_BLANKS = b" \t\r\n"
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Record:
    """One picture as its publisher describes it; texts are on one line.

    Attributes:
        id: of the record.
        url: of the picture (`image_src`).
        alt: its alternative text (`image_alt`).
        captions: that it has already.
        credits: who made it.
        location: `Landmark, City, Country`; empty if unknown.
        lat: degrees north, -90 to 90 (EPSG:4326); None: unknown, or none that can be.
        lon: degrees east, -180 to 180.
        tag: themes.
        resolution: class of the spatial resolution.
        satellite: platforms.
        sensor: instruments.
        modalities: how it was made.
        misplaced: it had coordinates that cannot be.
    """

    id: str
    url: str
    alt: str
    captions: tuple[str, ...]
    credits: str
    location: str
    lat: float | None
    lon: float | None
    tag: tuple[str, ...]
    resolution: str
    satellite: tuple[str, ...]
    sensor: tuple[str, ...]
    modalities: tuple[str, ...]
    misplaced: bool = False

    @classmethod
    def of(cls, raw: Any) -> "Record":
        """Out of a JSON object; unknown fields are left out, one text may stand for a list of one.

        Raises:
            ValueError: it has no id or no address of a picture; says which, in a few words for counting.
        """
        if not isinstance(raw, Mapping):
            raise ValueError("no object")  # noqa: TRY004 - a reason for counting, as the others
        name, url = _text(raw.get("id")), _text(raw.get("image_src"))
        if not name:
            raise ValueError("no id")
        if not _is_address(url):
            raise ValueError("no picture address")
        lat, lon = _place(raw.get("lat"), raw.get("lon"))
        misplaced = lat is None and (raw.get("lat"), raw.get("lon")) != (None, None)
        return cls(
            id=name, url=url, alt=_text(raw.get("image_alt")), captions=_texts(raw.get("captions")),
            credits=_text(raw.get("credits")), location=", ".join(_texts(raw.get("location"))), lat=lat, lon=lon,
            tag=_texts(raw.get("tag")), resolution=_text(raw.get("resolution")),
            satellite=_texts(raw.get("satellite")), sensor=_texts(raw.get("sensor")),
            modalities=_texts(raw.get("modalities")), misplaced=misplaced,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """What stands at one place of a file.

    Attributes:
        start: first byte.
        stop: byte after the last.
        record: what it says; None if that is no record.
        problem: why it is none; empty if it is one.
    """

    start: int
    stop: int
    record: Record | None
    problem: str = ""


def items(path: Path, start: int = 0, stop: int | None = None) -> Iterator[Item]:
    """What stands in a file, in order; memory does not grow with the file.

    Args:
        path: a JSON array, or JSON lines.
        start: 0, or where an item begins.
        stop: None: the whole file; else where the last item wanted ends.

    Raises:
        DownloadError: the file cannot be read, is neither of the two, is cut off, or holds something between records
            that is no JSON.
    """
    try:
        with path.open("rb") as stream:
            first = stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip(_BLANKS)[:1]
            if first not in (b"[", b"{"):
                raise DownloadError(f"{path} begins neither with [ nor with {{: it is no JSON of records.")
            found = _of_array(path, stream, start, stop) if first == b"[" else _of_lines(stream, start, stop)
            yield from found
    except OSError as error:
        raise DownloadError(f"{path} cannot be read: {error.strerror}.") from error


def _of_lines(stream: BinaryIO, start: int, stop: int | None) -> Iterator[Item]:
    stream.seek(start)
    while line := stream.readline(LONGEST):
        whole, end = line.endswith(b"\n"), start + len(line)
        while not whole and (rest := stream.readline(LONGEST)):
            whole, end, line = rest.endswith(b"\n"), end + len(rest), b"?"
        if line.strip(_BLANKS):
            yield _item(start, end, line.removeprefix(b"\xef\xbb\xbf"))
        start = end
        if stop is not None and start >= stop:
            return


def _of_array(path: Path, stream: BinaryIO, start: int, stop: int | None) -> Iterator[Item]:
    """Items of an array; `text` holds the file's bytes from `base` on, one character each."""
    text, base, place, wanted = "", start, 0, PIECE
    stream.seek(start)
    at_begin, ended = start == 0, False
    while stop is None or base + place < stop:
        place = _skip(text, place, at_begin=at_begin and base == 0)
        closes = text[place : place + 1] == "]"
        if closes:
            return
        try:
            _, end = _DECODER.raw_decode(text, place)
        except RecursionError:
            raise DownloadError(f"{path}, byte {base + place:,}: lists within lists without end.") from None
        except ValueError:
            end = len(text)
        if end < len(text) or (stop is not None and base + end == stop):
            yield _item(base + place, base + end, text[place:end].encode("latin-1"))
            at_begin, place, wanted = False, end, PIECE
            continue
        if ended or len(text) - place > LONGEST:
            raise DownloadError(f"{path}, byte {base + place:,}: {_broken(text, place, ended=ended)}")
        more = stream.read(wanted)
        text, base, place, wanted, ended = text[place:] + more.decode("latin-1"), base + place, 0, 2 * wanted, not more


def _skip(text: str, place: int, *, at_begin: bool) -> int:
    """Over blanks and commas, and at the begin of the file over what opens the array."""
    opening = " \t\r\n,[\xef\xbb\xbf" if at_begin else " \t\r\n,"
    while place < len(text) and text[place] in opening:
        place += 1
    return place


def _broken(text: str, place: int, *, ended: bool) -> str:
    try:
        _DECODER.raw_decode(text, place)
    except ValueError as error:
        at_end = getattr(error, "pos", 0) >= len(text.rstrip()) - 1 or "Unterminated" in str(error)
        if ended and (at_end or not text[place:].strip()):
            return "the file is cut off here; the array is not closed. Fetch it again."
        if not ended:
            return f"a record of more than {LONGEST:,} bytes, or broken JSON."
        return f"broken JSON: {error}."
    return "the file is cut off here; the array is not closed. Fetch it again."


def _item(start: int, stop: int, content: bytes) -> Item:
    try:
        return Item(start, stop, Record.of(_DECODER.decode(content.decode().strip())))
    except UnicodeDecodeError:
        return Item(start, stop, None, "invalid UTF-8")
    except (json.JSONDecodeError, RecursionError):
        return Item(start, stop, None, "broken JSON")
    except ValueError as error:
        return Item(start, stop, None, str(error))


def _text(value: Any) -> str:
    """One line, of characters that can be written as UTF-8."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    line = " ".join(str(value)[: 2 * TEXT].split())[:TEXT]
    return line.encode("utf-8", "replace").decode()


def _texts(value: Any) -> tuple[str, ...]:
    several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return tuple(filter(None, (_text(each) for each in islice(several, ENTRIES))))


def _place(lat: Any, lon: Any) -> tuple[float, float] | tuple[None, None]:
    try:
        north, east = float(lat), float(lon)
    except (TypeError, ValueError, OverflowError):
        return None, None
    if isfinite(north) and isfinite(east) and abs(north) <= 90 and abs(east) <= 180:
        return north, east
    return None, None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
