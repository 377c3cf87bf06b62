"""Units of SkyScript: stretches of its tables, divided by what they say and not by where they stand."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np

from download.records import tables
from download.records.refused import Refused
from download.records.skyscript import Name, SkyScriptParts, picture_of
from pipeline.fingerprint import digest

_MIX = 0x9E3779B97F4A7C15
_BAD = -1
"""Key of rows that are none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that names a picture.

    Attributes:
        offset: of the row in its table.
        filepath: as it stands there.
        part: number of its part.
        name: what the picture's name says.
        titles: `title` and `title_multi_objects`; empty where the table has none.
    """

    offset: int
    filepath: str
    part: str
    name: Name
    titles: tuple[str, str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be told, and why.

    Attributes:
        offset: of the row in its table.
        said: the picture that it names, as far as it does.
        refused: why it cannot be told.
    """

    offset: int
    said: str
    refused: Refused


@dataclass(frozen=True, slots=True)
class TableUnit:
    """A stretch of a table.

    Attributes:
        id: name of the table and a digest of the stretch.
        table: the CSV file.
        number: which of the tables it is.
        head: its header.
        start: first byte.
        stop: the byte after the last.
        laid: rows.
        content: digest of the rows.
        repeated: offsets of rows whose picture stands in an earlier row of any table.
        parts: pictures and metadata, once they have been looked for.
    """

    id: str
    table: Path
    number: int
    head: tables.Header
    start: int
    stop: int
    laid: int
    content: str
    repeated: frozenset[int] = frozenset()
    parts: SkyScriptParts | None = None

    def fingerprint(self, run: str) -> str:
        """Changes with the configuration, with the rows, and with the metadata and pictures that are there."""
        entries = [row for row in self.rows() if isinstance(row, Entry)]
        marks = [] if self.parts is None else _marks(self.parts, entries)
        return digest([run, self.content, sorted(self.repeated), marks])

    def rows(self) -> Iterator[Entry | BadRow]:
        """What the rows say, in order."""
        head, place = self.head, self.head.names.index("filepath")
        titles = [head.place(name) for name in ("title", "title_multi_objects")]
        with self.table.open("rb") as stream:
            for row in tables.rows(stream, self.start, self.stop):
                said = ""
                try:
                    cells = row.cells(len(head.names))
                    said = cells[place]
                    part, name = picture_of(said)
                except Refused as refused:
                    yield BadRow(row.offset, said, refused)
                    continue
                if row.offset in self.repeated:
                    yield BadRow(row.offset, said, Refused("picture named twice"))
                    continue
                first, second = ("" if title is None else cells[title] for title in titles)
                yield Entry(row.offset, said, part, name, (first, second))


def divide(files: Sequence[Path], size: int) -> list[TableUnit]:
    """Divides tables into units after rows whose key falls on a mark, so that a new row changes one unit only.

    Sixteen bytes a row are held for a moment, to find pictures that are named twice.

    Args:
        files: CSV files.
        size: rows of a unit: usually between a quarter of it and twice as many.

    Raises:
        DownloadError: a file cannot be read or has no column `filepath`.
    """
    keys, offsets = array("q"), array("q")
    units: list[TableUnit] = []
    firsts: list[int] = []
    for number, file in enumerate(files):
        head = tables.header(file, ["filepath"])
        for unit in _stretches(file, number, head, size, keys, offsets):
            firsts.append(len(keys) - unit.laid)
            units.append(unit)
    repeated: dict[int, list[int]] = {}
    for row in _repeated(keys).tolist():
        repeated.setdefault(int(np.searchsorted(firsts, row, side="right")) - 1, []).append(offsets[row])
    for place, found in repeated.items():
        units[place] = replace(units[place], repeated=frozenset(found))
    return _with_own_ids(units)


def _stretches(
    file: Path, number: int, head: tables.Header, size: int, keys: "array[int]", offsets: "array[int]"
) -> Iterator[TableUnit]:
    place = head.names.index("filepath")
    least, most, mark = max(1, size // 4), 2 * size, max(1, 3 * size // 4)
    with file.open("rb") as stream:
        start, laid, seen, end = head.end, 0, blake2b(digest_size=8), head.end
        for row in tables.rows(stream, head.end):
            seen.update(row.content)
            key = _key(row, place, len(head.names))
            keys.append(key)
            offsets.append(row.offset)
            laid, end = laid + 1, row.end
            if laid >= most or (laid >= least and ((key * _MIX & (1 << 64) - 1) >> 32) % mark == 0):
                yield TableUnit(
                    f"{file.stem}-{seen.hexdigest()}", file, number, head, start, end, laid, seen.hexdigest()
                )
                start, laid, seen = end, 0, blake2b(digest_size=8)
        if laid:
            yield TableUnit(f"{file.stem}-{seen.hexdigest()}", file, number, head, start, end, laid, seen.hexdigest())


def _key(row: tables.Row, place: int, number: int) -> int:
    """Key of the picture that a row names; -1 where it names none."""
    try:
        if b'"' in row.content:
            said = row.cells(number)[place]
        else:
            said = row.content.split(b",", place + 1)[place].decode("ascii", "replace").strip("\r\n")
        return picture_of(said)[1].key
    except (Refused, IndexError):
        return _BAD


def _repeated(keys: "array[int]") -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Numbers of rows whose key stands in an earlier one."""
    values = np.frombuffer(keys, dtype=np.int64) if keys else np.zeros(0, np.int64)
    order = np.argsort(values, kind="stable")
    again = np.zeros(len(values), dtype=bool)
    again[1:] = (values[order][1:] == values[order][:-1]) & (values[order][1:] != _BAD)
    return np.sort(order[again])


def _with_own_ids(units: list[TableUnit]) -> list[TableUnit]:
    """Stretches that are the same, byte for byte, are counted."""
    seen: dict[str, int] = {}
    named = []
    for unit in units:
        seen[unit.id] = seen.get(unit.id, 0) + 1
        named.append(unit if seen[unit.id] == 1 else replace(unit, id=f"{unit.id}-{seen[unit.id]}"))
    return named


def _marks(parts: SkyScriptParts, entries: Sequence[Entry]) -> list[str]:
    """For each entry what its metadata holds, and whether its picture is there."""
    places = located(parts, entries)
    return [
        f"{'' if meta is None else parts.parts['meta', entry.part].mark(meta)} {picture is not None:d}"
        for entry, (picture, meta) in zip(entries, places, strict=True)
    ]


def located(parts: SkyScriptParts, entries: Sequence[Entry]) -> list[tuple[object, object]]:
    """Where picture and metadata of each entry are; None for what is not there."""
    by_part: dict[str, list[int]] = {}
    for place, entry in enumerate(entries):
        by_part.setdefault(entry.part, []).append(place)
    found: list[tuple[object, object]] = [(None, None)] * len(entries)
    for number, places in by_part.items():
        names = [entries[place].name for place in places]
        pictures, metas = parts.find("images", number, names), parts.find("meta", number, names)
        for place, picture, meta in zip(places, pictures, metas, strict=True):
            found[place] = picture, meta
    return found
