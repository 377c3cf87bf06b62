"""The run folder: parts that are committed whole, and who may write there."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.atomic import remove_unfinished, replacing, write_json
from pipeline.errors import PipelineError
from pipeline.parts import PART_KINDS, SCHEMAS
from pipeline.source import Row

OURS = (*PART_KINDS, "map", "shards", "report")
META = b"mapteller"


@dataclass(frozen=True, slots=True)
class Commit:
    """What a committed unit says of itself.

    Attributes:
        fingerprint: of everything its captions depend on.
        content: digest of its captions.
        counts: patches laid, captioned, …
    """

    fingerprint: str
    content: str
    counts: Mapping[str, int]


class RunFolder:
    """A run's folder; see the README for what lies where."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def info_file(self) -> Path:
        """Where run.json lies."""
        return self.path / "run.json"

    @property
    def shards(self) -> Path:
        """Folder of the finished dataset."""
        return self.path / "shards"

    @property
    def map(self) -> Path:
        """Folder of the map as GeoParquet."""
        return self.path / "map"

    def info(self) -> dict[str, Any] | None:
        """Content of run.json; None where no run has begun.

        Raises:
            PipelineError: the file is damaged.
        """
        if not self.info_file.exists():
            return None
        try:
            content = json.loads(self.info_file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise PipelineError(
                f"{self.info_file} is damaged: {error}. Use another --out, or --resume never."
            ) from error
        return dict(content)

    def write_info(self, info: Mapping[str, Any]) -> None:
        """Replaces run.json."""
        write_json(self.info_file, info)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps a second run out; the system lifts the lock when this process ends, however it ends.

        Raises:
            PipelineError: another run is writing here, or the folder cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise PipelineError(f"{self.path} cannot be written: {error.strerror}. Choose another --out.") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise PipelineError(
                f"Another run is writing into {self.path}. Wait for it (`mapteller status {self.path}`), "
                "or choose another --out."
            ) from None
        try:
            remove_unfinished(self.path)
            yield
        finally:
            os.close(lock)

    def running(self) -> bool:
        """Whether a run holds the folder now."""
        file = self.path / ".lock"
        if not file.exists():
            return False
        with file.open("r") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def clear(self) -> None:
        """Throws an earlier run away; only what a run writes is touched."""
        for name in OURS:
            shutil.rmtree(self.path / name, ignore_errors=False) if (self.path / name).exists() else None
        for name in ("run.json", "scenes.json", "metrics.json", "README.md", "croissant.json"):
            (self.path / name).unlink(missing_ok=True)

    def forget_all_but(self, units: set[str]) -> None:
        """Removes parts of other units; the committing part goes first."""
        for kind in reversed(PART_KINDS):
            for file in (self.path / kind).glob("*.parquet"):
                if file.stem not in units:
                    file.unlink()

    def part(self, kind: str, unit: str) -> Path:
        """Where a unit's part lies."""
        return self.path / kind / f"{unit}.parquet"

    def commit(self, unit: str, parts: Mapping[str, Sequence[Row]], commit: Commit) -> None:
        """Writes a unit's parts, the committing one last."""
        meta = json.dumps(
            {"fingerprint": commit.fingerprint, "content": commit.content, "counts": dict(commit.counts)},
            sort_keys=True,
        )
        for kind in PART_KINDS:
            table = pa.Table.from_pylist(list(parts[kind]), schema=SCHEMAS[kind].with_metadata({META: meta.encode()}))
            with replacing(self.part(kind, unit)) as beside:
                pq.write_table(table, beside, compression="zstd")

    def committed(self, unit: str) -> Commit | None:
        """What a unit's commit says, or None where it is not done."""
        file = self.part(PART_KINDS[-1], unit)
        if not file.exists():
            return None
        try:
            meta = pq.read_schema(file).metadata or {}
        except (pa.ArrowInvalid, OSError):
            return None  # cut off by a failing disk: the unit is done again
        said = json.loads(meta.get(META, b"{}"))
        return Commit(**said) if said else None

    def read(self, kind: str, unit: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A unit's part, or some columns of it."""
        return pq.read_table(self.part(kind, unit), columns=columns and list(columns), partitioning=None)
