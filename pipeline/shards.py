"""Shards: finished patches of consecutive units, packed in the same order on every run."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from download import traffic
from download.errors import DownloadError
from pipeline.atomic import replacing, write_json
from pipeline.config import Output
from pipeline.fingerprint import digest
from pipeline.garbage import collect_seldom
from pipeline.json_cells import from_json
from pipeline.source import Pictures, Row
from pipeline.store import META, Commit, RunFolder
from pipeline.writers.sample import Sample

INDEX_SCHEMA = pa.schema(
    {
        "patch_id": pa.int64(),
        "image_name": pa.string(),
        "split": pa.string(),
        "tasks": pa.list_(pa.int32()),
        "offset": pa.int64(),
        "bytes": pa.int64(),
    }
)

_ELEMENT = ("id", "kind", "tags", "facts")
_CAPTION = ("task", "text", "annotator", "elements", "prompt", "seed", "checks", "answer")
"""Columns of parts that samples are made of."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Captioned patches `start` to `stop` of a unit, by patch id."""

    unit: str
    content: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """What goes into one shard.

    Attributes:
        number: place of the shard in the dataset.
        pieces: where its patches come from.
    """

    number: int
    pieces: tuple[Piece, ...]

    @property
    def name(self) -> str:
        """File name without ending, numbered as RSTeller does."""
        return f"Patches{self.number:04d}"

    def files(self, folder: RunFolder, output: Output) -> tuple[Path, Path]:
        """The shard and its index."""
        return folder.shards / f"{self.name}{output.suffix}", folder.shards / f"{self.name}.parquet"

    def key(self, output: Output) -> str:
        """Changes when the content or the writer's settings do."""
        pieces = [[piece.unit, piece.content, piece.start, piece.stop] for piece in self.pieces]
        return digest([pieces, output.model_dump(mode="json")])


@dataclass(slots=True)
class Packer:
    """Deals captioned patches to shards as units are finished, whatever the order in which they finish."""

    units: Sequence[str]
    size: int
    _commits: dict[str, Commit] = field(default_factory=dict)
    _next_unit: int = 0
    _number: int = 0
    _open: list[Piece] = field(default_factory=list)
    _held: int = 0

    def add(self, unit: str, commit: Commit) -> list[ShardPlan]:
        """Takes a finished unit; returns the shards that are full now."""
        self._commits[unit] = commit
        plans: list[ShardPlan] = []
        while self._next_unit < len(self.units) and self.units[self._next_unit] in self._commits:
            plans += self._deal(self.units[self._next_unit])
            self._next_unit += 1
        return plans

    def finish(self) -> list[ShardPlan]:
        """The remaining shards, the last perhaps not full; units that were never added are left out."""
        plans = [plan for unit in self.units[self._next_unit :] if unit in self._commits for plan in self._deal(unit)]
        self._next_unit = len(self.units)
        return plans + ([self._close()] if self._open else [])

    def _deal(self, unit: str) -> Iterator[ShardPlan]:
        commit = self._commits[unit]
        start, captioned = 0, commit.counts["captioned"]
        while start < captioned:
            stop = min(captioned, start + self.size - self._held)
            self._open.append(Piece(unit, commit.content, start, stop))
            self._held += stop - start
            start = stop
            if self._held == self.size:
                yield self._close()

    def _close(self) -> ShardPlan:
        plan = ShardPlan(self._number, tuple(self._open))
        self._open, self._held, self._number = [], 0, self._number + 1
        return plan


def make_shard(plan: ShardPlan, folder: RunFolder, pictures: Pictures, output: Output) -> dict[str, Any]:
    """Reads the pixels of a shard's patches and writes it, unless it is there already.

    Returns:
        Its line in dataset.json, `failures`: patches whose pixels could not be read, and `fetched`: bytes and requests
        that it took, by source.
    """
    collect_seldom()
    known = finished_shard(plan, folder, output)
    if known:
        return known
    before = traffic.fetched()
    target, index = plan.files(folder, output)
    failures: list[dict[str, Any]] = []
    with replacing(target) as beside:
        rows = output.write(_samples(plan, folder, pictures, output, failures), beside)
        with beside.open("rb") as written:
            checksum = file_digest(written, "sha256").hexdigest()
        size = beside.stat().st_size
    line = {
        "file": target.name, "samples": len(rows), "captions": sum(len(row["tasks"]) for row in rows),
        "bytes": size, "sha256": checksum,
    }  # fmt: skip
    said = {"key": "" if failures else plan.key(output), **line}
    with replacing(index) as beside:
        pq.write_table(
            pa.Table.from_pylist(rows, schema=INDEX_SCHEMA.with_metadata({META: json.dumps(said).encode()})),
            beside,
        )
    return {**line, "failures": failures, "reused": False, "fetched": traffic.since(before)}


def finished_shard(plan: ShardPlan, folder: RunFolder, output: Output) -> dict[str, Any] | None:
    """The line of a shard that is there already with this very content, else None."""
    target, index = plan.files(folder, output)
    if not (index.exists() and target.exists()):
        return None
    try:
        said = json.loads((pq.read_schema(index).metadata or {}).get(META, b"{}"))
    except pa.ArrowInvalid:
        return None  # cut off by a failing disk: the shard is written again
    if said.pop("key", "") != plan.key(output) or target.stat().st_size != said["bytes"]:
        return None
    return {**said, "failures": [], "reused": True, "fetched": {}}


def list_shards(folder: RunFolder, name: str, lines: Sequence[Mapping[str, Any]]) -> None:
    """Writes dataset.json and removes shards of an earlier plan."""
    shards = [{key: line[key] for key in ("file", "samples", "captions", "bytes", "sha256")} for line in lines]
    shards.sort(key=lambda line: str(line["file"]))
    listed = {str(line["file"]).partition(".")[0] for line in shards}
    for file in folder.shards.glob("Patches*"):
        if file.name.partition(".")[0] not in listed:
            file.unlink()
    total = {key: sum(line[key] for line in shards) for key in ("samples", "captions", "bytes")}
    write_json(folder.shards / "dataset.json", {"name": name, **total, "shards": shards})


def _samples(
    plan: ShardPlan, folder: RunFolder, pictures: Pictures, output: Output, failures: list[dict[str, Any]]
) -> Iterator[Sample]:
    for piece in plan.pieces:
        rows = _patches(folder, piece)
        elements = _by_patch(folder, "elements", piece, _ELEMENT) if output.wants_elements else {}
        captions = _by_patch(folder, "captions", piece, _CAPTION)
        if output.wants_pictures:
            with suppress(DownloadError):  # a picture that cannot be had is told when it is read
                pictures.fetch(rows)
        for row in rows:
            patch_id = row["patch_id"]
            try:
                picture = pictures.read(row) if output.wants_pictures else None
            except DownloadError as error:
                failures.append({"patch_id": patch_id, "unit": piece.unit, "error": str(error)})
                continue
            yield Sample(
                patch_id,
                picture,
                from_json(row["metadata"]),
                [_element(element) for element in elements.get(patch_id, ())],
                [_annotation(caption) for caption in captions[patch_id]],
            )


def _patches(folder: RunFolder, piece: Piece) -> list[Row]:
    """Rows of the patches part of captioned patches, by patch id."""
    patches = folder.read("patches", piece.unit).filter(pc.field("status") == "captioned")
    rows: list[Row] = patches.sort_by("patch_id").slice(piece.start, piece.stop - piece.start).to_pylist()
    return rows


def _by_patch(folder: RunFolder, kind: str, piece: Piece, columns: Sequence[str]) -> Mapping[int, list[Row]]:
    grouped: defaultdict[int, list[Row]] = defaultdict(list)
    for row in folder.read(kind, piece.unit, ("patch_id", *columns)).to_pylist():
        grouped[row["patch_id"]].append(row)
    return grouped


def _element(row: Mapping[str, Any]) -> Row:
    return {"id": row["id"], "kind": row["kind"], "tags": dict(row["tags"]), "facts": from_json(row["facts"])}


def _annotation(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: row[key] for key in _CAPTION if key not in ("checks", "answer")}
    answer = {"answer": from_json(row["answer"])} if row["answer"] else {}
    return {**kept, "checks": from_json(row["checks"]), **answer}
