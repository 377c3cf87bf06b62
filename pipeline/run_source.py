"""Samples and facts of an earlier run, to be captioned again: neither imagery nor map is touched."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console

from annotation import gaia
from annotation.request import ElementFacts
from pipeline.config import Config, RunSamples
from pipeline.draw import draw
from pipeline.errors import PipelineError
from pipeline.fingerprint import digest
from pipeline.json_cells import from_json
from pipeline.shard_pictures import PICTURED, ShardPictures
from pipeline.source import Assignment, Row
from pipeline.store import Commit, RunFolder


@dataclass(frozen=True, slots=True)
class EarlierUnit:
    """A committed unit of the earlier run.

    Attributes:
        id: its name there and here.
        commit: what it says of itself.
        first_id: its smallest patch id, of captioned ones.
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
            PipelineError: there is none, it is not finished, or it holds no pictures though they are wanted.
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
        output, origin = earlier["config"]["output"]["kind"], earlier.get("origin") or earlier["config"]["samples"]
        wanting = f"output.kind: {config.output.kind}" if config.output.wants_pictures else "an engine that sees"
        if output not in PICTURED and (config.output.wants_pictures or _sees(config)):
            raise PipelineError(
                f"samples.path: the run in {samples.path} wrote {output}, which holds no pictures, and {wanting} wants "
                f"them. Take a run that wrote {' or '.join(PICTURED)}, or the samples that this one was made from "
                f"(samples.kind: {origin['kind']})."
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
                captioned = pq.read_table(
                    file, columns=["patch_id"], filters=pc.field("status") == "captioned", partitioning=None
                )
                found.append(EarlierUnit(file.stem, commit, pc.min(captioned["patch_id"]).as_py()))
        return sorted(found, key=lambda unit: unit.first_id)

    @property
    def info(self) -> Mapping[str, Any]:
        """Where the samples were made first, and of what."""
        origin = self.earlier.get("origin") or self.earlier["config"]["samples"]
        return {"origin": origin, **{key: self.earlier.get(key) for key in ("scenes", "map", "records")}}

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
        return EarlierLook(self.config, rows, elements, self.pictures() if _sees(self.config) else None)

    def pictures(self) -> ShardPictures:
        """The earlier run's shards."""
        return ShardPictures(self.folder.shards)


@dataclass(frozen=True, slots=True)
class EarlierLook:
    """Captioned patches of an earlier unit and their elements.

    Attributes:
        config: the configuration.
        rows: of its patches part.
        elements: rows of its elements part, by patch.
        shown: where engines that see have the pictures of records from; None: nobody is shown anything.
    """

    config: Config
    rows: list[Row]
    elements: Mapping[int, list[Row]]
    shown: ShardPictures | None = None

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
        metadata, patch_id = from_json(row["metadata"]), row["patch_id"]
        told = tuple(_facts(element) for element in self.elements[patch_id] if element["told"])
        if row["task"] == gaia.TASK:
            shown = self.shown.read(row).content if self.shown else None
            return Assignment(patch_id, gaia.TASK, 0, told, gsd=0.0, picture=shown)
        if self.config.captions.names == "drop":
            told = tuple(_nameless(element) for element in told)
        mean = self.config.captions.tasks.revision.mean
        revisions = int(mean) + (draw(f"{self.config.seed}/{patch_id}/revisions") < mean - int(mean))
        return Assignment(patch_id, row["task"], revisions, told, metadata["gsd"], metadata["place"])


def _sees(config: Config) -> bool:
    """Whether an engine is shown pictures."""
    return any(getattr(engine, "vision", False) for engine in config.captions.engines)


def _facts(element: Row) -> ElementFacts:
    return ElementFacts(element["id"], element["kind"], dict(element["tags"]), from_json(element["facts"]))


def _nameless(element: ElementFacts) -> ElementFacts:
    return replace(element, facts={key: value for key, value in element.facts.items() if key != "name"})
