"""Samples and facts of an earlier run, to be captioned again: neither imagery nor map is touched."""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console

from annotation.request import ElementFacts
from download.errors import DownloadError
from pipeline.config import Config, RunSamples
from pipeline.draw import draw
from pipeline.errors import PipelineError
from pipeline.fingerprint import digest
from pipeline.source import Assignment, Encoded, Row
from pipeline.store import Commit, RunFolder


@dataclass(frozen=True, slots=True)
class EarlierUnit:
    """A committed unit of the earlier run.

    Attributes:
        id: its name there and here.
        commit: what it says of itself.
        first_id: its smallest patch id.
    """

    id: str
    commit: Commit
    first_id: int

    @property
    def laid(self) -> int:
        """Captioned patches: only these have facts and a picture."""
        return self.commit.counts["captioned"]

    def fingerprint(self, run: str) -> str:
        """Changes with the configuration and with what the earlier run holds."""
        return digest([run, self.commit.fingerprint, self.commit.content])


@dataclass(frozen=True, slots=True)
class RunSource:
    """The captioned patches of a run.

    Attributes:
        config: the configuration.
        folder: the earlier run's folder.
        earlier: its run.json.
    """

    config: Config
    folder: RunFolder
    earlier: Mapping[str, Any]

    @classmethod
    def of(cls, config: Config, samples: RunSamples) -> "RunSource":
        """Looks at the earlier run.

        Raises:
            PipelineError: there is none, or it is not finished.
        """
        folder = RunFolder(samples.path)
        earlier = folder.info()
        if earlier is None:
            raise PipelineError(f"samples.path: {samples.path} holds no run: there is no run.json.")
        if earlier["state"] != "complete":
            raise PipelineError(
                f"samples.path: the run in {samples.path} is {earlier['state']}, not complete. Finish it first: "
                f"mapteller run CONFIG --out {samples.path}"
            )
        return cls(config, folder, earlier)

    @property
    def inputs(self) -> Mapping[str, str]:
        """The earlier run; each unit knows its content for itself."""
        return {"run": str(self.earlier["fingerprint"])}

    @property
    def units(self) -> list[EarlierUnit]:
        """The earlier run's units that hold a caption, by patch id."""
        found = []
        for file in (self.folder.path / "patches").glob("*.parquet"):
            commit = self.folder.committed(file.stem)
            if commit and commit.counts["captioned"]:
                first = pc.min(pq.read_table(file, columns=["patch_id"], partitioning=None)["patch_id"]).as_py()
                found.append(EarlierUnit(file.stem, commit, first))
        return sorted(found, key=lambda unit: unit.first_id)

    @property
    def info(self) -> Mapping[str, Any]:
        """Where the samples were made first, and of what."""
        origin = self.earlier.get("origin") or self.earlier["config"]["samples"]
        return {"origin": origin, "scenes": self.earlier["scenes"], "map": self.earlier["map"]}

    @property
    def summary(self) -> str:
        """Units and patches."""
        units = self.units
        return (
            f"{len(units):,} units, {sum(unit.laid for unit in units):,} captioned patches of {self.earlier['name']}."
        )

    def ready(self, folder: Path, console: Console) -> "RunSource":  # noqa: ARG002 - everything is there
        """Nothing is left to do."""
        return self

    def look(self, unit: EarlierUnit, limit: int | None = None) -> "EarlierLook":
        """Reads what the earlier run knew.

        Args:
            unit: one of `units`.
            limit: no more than this many patches, for a preview.
        """
        patches = self.folder.read("patches", unit.id)
        rows = patches.filter(pc.field("status") == "captioned").sort_by("patch_id").to_pylist()[:limit]
        elements: dict[int, list[Row]] = {row["patch_id"]: [] for row in rows}
        for element in self.folder.read("elements", unit.id).to_pylist():
            if element["patch_id"] in elements:
                elements[element["patch_id"]].append(element)
        return EarlierLook(self.config, rows, elements)

    def pictures(self) -> "ShardPictures":
        """The earlier run's shards."""
        return ShardPictures(self.folder.shards)


@dataclass(frozen=True, slots=True)
class EarlierLook:
    """Captioned patches of an earlier unit and their elements.

    Attributes:
        config: the configuration.
        rows: of its patches part.
        elements: rows of its elements part, by patch.
    """

    config: Config
    rows: list[Row]
    elements: Mapping[int, list[Row]]

    @property
    def assignments(self) -> list[Assignment]:
        """The same facts and tasks as before; the number of revisions is this configuration's."""
        return [self._assignment(row) for row in self.rows]

    @property
    def counts(self) -> Mapping[str, int]:
        """Every sample was laid and kept by the earlier run."""
        return {"laid": len(self.rows), "kept": len(self.rows)}

    def patch_rows(self, fates: Mapping[int, str]) -> list[Row]:
        """The earlier rows with their new fate."""
        return [row | {"status": fates[row["patch_id"]]} for row in self.rows]

    def element_rows(self, captioned: AbstractSet[int]) -> list[Row]:
        """The earlier rows of captioned patches."""
        return [element for patch, elements in self.elements.items() if patch in captioned for element in elements]

    def _assignment(self, row: Row) -> Assignment:
        metadata, patch_id = json.loads(row["metadata"]), row["patch_id"]
        told = tuple(_facts(element) for element in self.elements[patch_id] if element["told"])
        if self.config.captions.names == "drop":
            told = tuple(_nameless(element) for element in told)
        mean = self.config.captions.tasks.revision.mean
        revisions = int(mean) + (draw(f"{self.config.seed}/{patch_id}/revisions") < mean - int(mean))
        return Assignment(patch_id, row["task"], revisions, told, metadata["gsd"], metadata["place"])


@dataclass(frozen=True, slots=True)
class ShardPictures:
    """Pictures out of finished shards.

    Attributes:
        shards: folder of the shards.
    """

    shards: Path

    def fetch(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Everything is there."""

    def read(self, row: Mapping[str, Any]) -> Encoded:
        """The bytes of a sample's picture.

        Raises:
            DownloadError: the shard is gone or cut off.
        """
        name, offset, size = self._place(row["patch_id"])
        try:
            with (self.shards / name).open("rb") as shard:
                shard.seek(offset)
                content = shard.read(size)
        except OSError as error:
            raise DownloadError(f"{self.shards / name} cannot be read: {error.strerror}.") from error
        suffix = {b"\xff\xd8": "jpg", b"\x89P": "png"}.get(content[:2])
        if len(content) != size or suffix is None:
            raise DownloadError(f"{self.shards / name} is damaged at byte {offset:,}; make that run's shards again.")
        return Encoded(content, suffix)

    def _place(self, patch_id: int) -> tuple[str, int, int]:
        try:
            return _places(self.shards)[patch_id]
        except KeyError:
            raise DownloadError(f"no shard in {self.shards} holds patch {patch_id}.") from None


@cache
def _places(shards: Path) -> Mapping[int, tuple[str, int, int]]:
    """Shard, offset and size of each picture, by patch."""
    return {
        row["patch_id"]: (f"{index.stem}.tar", row["offset"], row["bytes"])
        for index in sorted(shards.glob("*.parquet"))
        for row in pq.read_table(index, columns=["patch_id", "offset", "bytes"], partitioning=None).to_pylist()
    }


def _facts(element: Row) -> ElementFacts:
    return ElementFacts(element["id"], element["kind"], dict(element["tags"]), json.loads(element["facts"]))


def _nameless(element: ElementFacts) -> ElementFacts:
    return replace(element, facts={key: value for key, value in element.facts.items() if key != "name"})
