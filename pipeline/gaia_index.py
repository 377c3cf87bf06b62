"""What is known of all records before the first is worked on: where they lie, which repeat others, the splits.

One pass over the files, whatever their size; of each record 8 bytes are kept.
"""

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from math import floor
from pathlib import Path

import numpy as np

from download.records.gaia import Item, Record, items
from download.records.gazetteer import Located
from pipeline.draw import draw
from pipeline.fingerprint import digest
from pipeline.gaia_samples import GaiaSamples, Places
from pipeline.split import Split
from pipeline.stratify import assign

UNIT = 128
"""Records of a unit: a few megabytes of pictures for engines that see."""

LOTS = 1_000
"""Groups into which records without any place fall, so that they need no memory each."""

_YEAR = re.compile(r"(?<![\d.,])(19[6-9]\d|20[0-4]\d)(?![\d.]*\d)")

Stratum = tuple[str, str]
"""Theme and year."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive records of one file.

    Attributes:
        id: of the unit.
        path: the file.
        start: first byte.
        stop: byte after the last.
        first: number of its first record among all.
        laid: how many records it holds.
        content: digest of what they say.
        repeated: numbers of those whose id an earlier one has.
    """

    id: str
    path: Path
    start: int
    stop: int
    first: int
    laid: int
    content: str
    repeated: frozenset[int] = frozenset()

    def fingerprint(self, run: str) -> str:
        """Changes with the configuration and with what the records say."""
        return digest([run, self.content, self.first, sorted(self.repeated)])


@dataclass(frozen=True, slots=True)
class Index:
    """All records, looked at once.

    Attributes:
        blocks: in order.
        splits: of each cell.
        digest: of all that the records say.
        problems: how many are none, and why.
    """

    blocks: tuple[Block, ...]
    splits: Mapping[str, str]
    digest: str
    problems: Mapping[str, int]


def index(samples: GaiaSamples, split: Split, seed: int) -> Index:
    """Looks at all records, once in each process as long as the files stay as they are.

    Raises:
        DownloadError: a file is broken; the message says at which byte.
        PipelineError: there is no file.
    """
    files = tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in samples.files())
    return _index(samples, split, seed, files)


@lru_cache(maxsize=2)
def _index(samples: GaiaSamples, split: Split, seed: int, files: Sequence[tuple[Path, int, int]]) -> Index:
    blocks: list[Block] = []
    ids, cells, problems = array("Q"), defaultdict[str, Counter[Stratum]](Counter), Counter[str]()
    for path, *_ in files:
        held: list[Item] = []
        for item in items(path):
            if item.record is None:
                problems[item.problem] += 1
            else:
                located = place_of(item.record, samples.places)
                cells[cell_of(item.record, located, samples.cell)][stratum_of(item.record)] += 1
            ids.append(_number(item.record.id if item.record else f"\0{len(ids)}"))
            held.append(item)
            if len(held) == UNIT:
                blocks.append(_block(path, held, len(blocks), len(ids)))
                held = []
        if held:
            blocks.append(_block(path, held, len(blocks), len(ids)))
    repeated = _repeated(ids)
    shares = {"train": split.train, "validation": split.validation, "test": split.test}
    marked = [_marked(block, repeated) for block in blocks]
    return Index(
        tuple(marked), assign(cells, shares, seed), digest([block.content for block in blocks]), dict(problems)
    )


def place_of(record: Record, places: Places | None) -> Located | None:
    """The record's own coordinates, sure as they stand; else those of its location's name."""
    if record.lat is not None and record.lon is not None:
        return Located(record.lat, record.lon, 1.0, "record")
    return places.locate(record.location) if places and record.location else None


def cell_of(record: Record, located: Located | None, side: float) -> str:
    """The square that a record lies in; without coordinates its location's name, without that one of many lots."""
    if located is None:
        return f"name {record.location.casefold()}" if record.location else f"lot {int(LOTS * draw(record.id))}"
    columns = floor(360 / side)
    column = floor((located.lon + 180) / side) % columns  # 180 degrees east is 180 degrees west
    return f"{column} {floor((located.lat + 90) / side)}"


def stratum_of(record: Record) -> Stratum:
    """First theme and year."""
    return (record.tag[0].casefold() if record.tag else "", year_of(record))


def year_of(record: Record) -> str:
    """The first year that its text or else its picture's address names, for records have no date; empty: none does."""
    found = next(filter(None, map(_YEAR.search, (record.alt, *record.captions, record.url))), None)
    return found[1] if found else ""


def _number(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")


def _block(path: Path, held: Sequence[Item], number: int, stop: int) -> Block:
    with path.open("rb") as stream:
        stream.seek(held[0].start)
        content = stream.read(held[-1].stop - held[0].start)
    said = blake2b(content, digest_size=12).hexdigest()
    start, end = held[0].start, held[-1].stop
    return Block(f"gaia-{number:06d}", path, start, end, stop - len(held), len(held), said)


def _repeated(ids: "array[int]") -> frozenset[int]:
    numbers = np.frombuffer(ids, dtype=np.uint64) if ids else np.zeros(0, np.uint64)
    _, first = np.unique(numbers, return_index=True)
    again = np.ones(len(numbers), dtype=bool)
    again[first] = False
    return frozenset(np.flatnonzero(again).tolist())


def _marked(block: Block, repeated: frozenset[int]) -> Block:
    mine = repeated.intersection(range(block.first, block.first + block.laid)) if repeated else repeated
    if not mine:
        return block
    return Block(block.id, block.path, block.start, block.stop, block.first, block.laid, block.content, frozenset(mine))
