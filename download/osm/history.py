"""The map as it stood at a moment, out of a file with every version of every element.

Asking pyosmium for one version after another takes Python some 10 microseconds each, and country histories hold
hundreds of millions. So a history is taken a few blocks at a time: osmium turns them into lines (OPL, "object per
line", https://osmcode.org/opl-file-format/), Arrow chooses among the lines, and osmium turns the chosen ones into
PBF again. Memory holds one piece of the file, and all versions of the element at its end.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import osmium
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from download.errors import DownloadError
from download.osm import osm_header
from download.osm.raw import ORIGINS, TIMESTAMP

PIECE: Final = 2**18
"""Bytes of PBF that are taken at a time, some 50,000 versions of nodes. Blocks of large relations, whose lines are a
hundred times as long as the block, decide how much memory is needed."""

_HEAD: Final = 80
"""Characters of a line within which its first five fields end, however large their numbers."""

_FIELDS: Final = 6
"""Of a line: type and id, version, visible or deleted, changeset, timestamp, and all the rest."""


@dataclass(frozen=True, slots=True)
class SnapshotCounts:
    """What became of the elements of a history.

    Attributes:
        kept: Elements that stood at the moment and are in the snapshot, by type (`node`, `way`, `relation`).
        deleted: Elements that had been deleted by then.
        later: Elements that appeared later.
        later_tagged: Those among them whose first version has tags, thus things and not mere corners of things.
        first_edit: Time of the earliest version in the history.
        last_edit: Time of the latest version in the history; of a moment after it, the history knows nothing.
    """

    kept: Mapping[str, int]
    deleted: int
    later: int
    later_tagged: int
    first_edit: datetime
    last_edit: datetime


def snapshot(history: Path, moment: datetime, target: Path) -> SnapshotCounts:
    """Writes the elements of a history as they stood at a moment.

    Of each element that is the last version not later than the moment, if the element was not deleted by it. The
    new file is an ordinary extract; it appears whole or not at all, and the same history and moment give the same
    bytes.

    Args:
        history: PBF file with all versions (`.osh.pbf`), ordered by type, id and version, as they are published.
        moment: With a time zone; what was edited in that very second counts as done.
        target: The new file, `.osm.pbf`.

    Raises:
        DownloadError: The file is no history, not in order or damaged, or nothing stood at the moment; the message
            says how to mend it.
        ValueError: The moment has no time zone.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} is no moment without a time zone.")
    _check(history)
    selection = _Selection(moment.astimezone(UTC))
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        beside = Path(folder) / target.name
        try:
            _write(history, selection, beside)
        except RuntimeError as error:
            raise DownloadError(
                f"Cannot read the history {history}: {error}. It is damaged: fetch it again."
            ) from error
        counts = selection.counts(history)
        beside.replace(target)
    return counts


def _check(history: Path) -> None:
    if not history.is_file():
        raise DownloadError(f"There is no history file at {history}. Correct `path`, or download it first.")
    if history.suffix != ".pbf":
        raise DownloadError(
            f"{history} is no PBF file, and only those are read a piece at a time. "
            f"Convert it once with: osmium cat {history} -o history.osh.pbf"
        )
    if not osm_header.header(history).has_multiple_object_versions:
        raise DownloadError(
            f"{history} is no history: its header does not say that it holds several versions of an element. "
            "Take a full-history file (`.osh.pbf`), or use this one as a plain extract."
        )
    for _ in osm_header.blob_ends(history):
        pass


def _write(history: Path, selection: "_Selection", target: Path) -> None:
    pool = osmium.io.ThreadPool()
    file = osmium.io.File(str(target), "pbf")
    with osmium.SimpleWriter(file, header=_new_header(history), thread_pool=pool) as writer:
        for versions in _whole_elements(history, target.with_suffix(".opl"), pool):
            stood = osmium.io.FileBuffer(_joined(selection(versions)), "opl")
            with osmium.io.Reader(stood, thread_pool=pool) as reader:
                osmium.apply(reader, writer)
    with target.open("rb") as written:
        os.fsync(written.fileno())


def _new_header(history: Path) -> "osmium.io.Header":
    header = osmium.io.Header()
    header.set("generator", "mapteller")
    header.set("sorting", "Type_then_ID")
    box = osm_header.header(history).box()
    if box.valid():
        header.add_box(box)
    return header


@dataclass(frozen=True, slots=True)
class _Versions:
    """Versions of elements, in the order of the file; all columns are of the same length.

    Attributes:
        lines: Their OPL, each with the end of its line.
        key: Number of the type, id and version; (n, 3).
        edited: When they were made; UTC.
        visible: False where the version is the deletion of its element.
    """

    lines: pa.LargeStringArray
    key: NDArray[np.int64]
    edited: NDArray[np.datetime64]
    visible: NDArray[np.bool_]

    @classmethod
    def of(cls, lines: pa.LargeStringArray, history: Path) -> Self:
        """Reads the fields that decide.

        Raises:
            DownloadError: They are empty.
        """
        heads = pc.utf8_slice_codeunits(lines, 0, _HEAD)
        fields = pc.split_pattern(heads, " ", max_splits=_FIELDS - 1).flatten()
        names, versions, states, _, stamps, _ = (fields[column::_FIELDS] for column in range(_FIELDS))
        if pc.any(pc.or_(pc.equal(stamps, "t"), pc.equal(versions, "v0"))).as_py():
            raise DownloadError(
                f"{history} has elements without a version or a time, so nobody can tell when they stood. "
                "Take a full-history file whose metadata were not removed."
            )
        origin = pc.index_in(pc.utf8_slice_codeunits(names, 0, 1), pa.array(["n", "w", "r"], names.type))
        numbers = [pc.utf8_slice_codeunits(each, 1).cast(pa.int64()).to_numpy() for each in (names, versions)]
        edited = pc.utf8_slice_codeunits(stamps, 1).cast(TIMESTAMP).to_numpy(zero_copy_only=False)
        visible = pc.equal(states, "dV").to_numpy(zero_copy_only=False)
        return cls(lines, np.stack([origin.to_numpy(), *numbers], axis=1), edited, visible)

    def __getitem__(self, rows: slice) -> "_Versions":
        return _Versions(self.lines[rows], self.key[rows], self.edited[rows], self.visible[rows])

    def __len__(self) -> int:
        return len(self.key)

    def element(self) -> NDArray[np.int64]:
        """Numbers from 0 up, the same for all versions of an element."""
        return np.cumsum(_changes(self.key[:, :2])) - 1

    def check_order(self, history: Path) -> None:
        """Raises DownloadError where a version does not come after the one before it."""
        step = np.diff(self.key, axis=0)
        first_change = np.take_along_axis(step, (step != 0).argmax(axis=1)[:, None], axis=1)
        wrong = np.flatnonzero(first_change <= 0)
        if len(wrong):
            origin, osm_id, version = self.key[wrong[0] + 1]
            raise DownloadError(
                f"{history} is not ordered by type, id and version: version {version} of {ORIGINS[origin]} {osm_id} "
                f"is out of order. Sort it once with: osmium sort {history} -o sorted.osh.pbf"
            )


def _changes(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where a row differs from the one before it; the first one does."""
    changes = np.ones(len(rows), bool)
    changes[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    return changes


def _whole_elements(history: Path, scratch: Path, pool: Any) -> Iterator[_Versions]:
    """All versions in the file, in portions that hold all versions of their elements."""
    held = pa.array([], pa.large_string())
    for piece in _pieces(history):
        lines = pa.concat_arrays([held, _lines(piece, scratch, pool)])
        if len(lines):
            versions = _Versions.of(lines, history)
            versions.check_order(history)
            element = versions.element()
            last = int(np.searchsorted(element, element[-1]))
            held = lines[last:]
            if last:
                yield versions[:last]
    if len(held):
        yield _Versions.of(held, history)


def _pieces(history: Path) -> Iterator[bytes]:
    """The history as PBF files: each has the first blob, which is about the file, and some of the others."""
    ends = osm_header.blob_ends(history)
    with history.open("rb") as file:
        about = file.read(next(ends))
        for end in ends:
            if end - file.tell() >= PIECE:
                yield about + file.read(end - file.tell())
        rest = file.read()
        if rest:
            yield about + rest


def _lines(piece: bytes, scratch: Path, pool: Any) -> pa.LargeStringArray:
    """The versions in a PBF file as lines of OPL."""
    elements = osmium.osm.NODE | osmium.osm.WAY | osmium.osm.RELATION
    lines = osmium.io.File(str(scratch), "opl")
    with (
        osmium.io.Reader(osmium.io.FileBuffer(piece, "pbf"), elements, thread_pool=pool) as reader,
        osmium.SimpleWriter(lines, overwrite=True, thread_pool=pool) as writer,
    ):
        osmium.apply(reader, writer)
    text = scratch.read_bytes()
    starts = np.append(0, np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1)
    return pa.LargeStringArray.from_buffers(len(starts) - 1, pa.py_buffer(starts), pa.py_buffer(text))


def _joined(lines: pa.LargeStringArray) -> bytes:
    texts = pa.LargeListArray.from_arrays([0, len(lines)], lines)
    joined: bytes = pc.binary_join(texts, pa.scalar("", pa.large_string()))[0].as_buffer().to_pybytes()
    return joined


class _Selection:
    """Chooses the versions that stood at a moment, and counts the elements.

    Args:
        moment: Time in UTC.
    """

    def __init__(self, moment: datetime) -> None:
        self._moment = np.datetime64(moment.replace(tzinfo=None), "s")
        self._kept: Counter[int] = Counter()
        self._deleted = self._later = self._later_tagged = 0
        self._edits: list[np.datetime64] = []

    def __call__(self, versions: _Versions) -> pa.LargeStringArray:
        """Lines of those that stood, given all versions of some elements."""
        element = versions.element()
        first = np.unique(element, return_index=True)[1]
        known = np.flatnonzero(versions.edited <= self._moment)
        newest = np.full(len(first), -1)
        newest[element[known]] = known  # of several versions of an element the last one remains
        later = newest < 0
        stood = newest[~later]
        stood = stood[versions.visible[stood]]
        self._kept.update(versions.key[stood, 0].tolist())
        self._deleted += int((~later).sum()) - len(stood)
        self._later += int(later.sum())
        self._later_tagged += _tagged(versions.lines.take(pa.array(first[later])))
        self._edits = [*self._edits, versions.edited.min(), versions.edited.max()]
        self._edits = [min(self._edits), max(self._edits)]
        return versions.lines.take(pa.array(stood))

    def counts(self, history: Path) -> SnapshotCounts:
        """What has become of all elements.

        Raises:
            DownloadError: None of them stood.
        """
        if not self._edits:
            raise DownloadError(f"The history {history} holds no elements. Fetch it again.")
        first_edit, last_edit = (edit.astype(datetime).replace(tzinfo=UTC) for edit in self._edits)
        if not self._kept:
            raise DownloadError(
                f"Nothing in {history} stood at {self._moment}Z: it was edited from {first_edit:%Y-%m-%d} to "
                f"{last_edit:%Y-%m-%d}. Take a history or a picture of another time."
            )
        kept = {word: self._kept[number] for number, word in enumerate(ORIGINS)}
        return SnapshotCounts(kept, self._deleted, self._later, self._later_tagged, first_edit, last_edit)


def _tagged(lines: pa.LargeStringArray) -> int:
    return int(pc.sum(pc.match_substring_regex(lines, " T[^ \\n]").cast(pa.int64())).as_py() or 0)
