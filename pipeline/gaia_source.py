"""Published records of pictures, to be told again: metadata and five captions of each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from rich.console import Console

from annotation.gaia import TASK
from annotation.record import KIND
from annotation.request import ElementFacts
from download.errors import DownloadError
from download.records.gaia import Record, items
from download.records.gazetteer import Located
from download.records.pictures import fitted
from pipeline.config import Config
from pipeline.gaia_index import Block, Index, cell_of, index, place_of, year_of
from pipeline.gaia_samples import GaiaSamples
from pipeline.json_cells import from_json, to_json, to_sorted_json
from pipeline.source import Assignment, Encoded, Row

PUBLISHED = ("credits", "location", "lat", "lon", "tag", "resolution", "satellite", "sensor", "modalities", "captions")
"""Fields that a sample repeats under the names of the published JSON; id, address and text come first."""
NO_OUTLINE = shapely.to_wkb(shapely.Polygon())


@dataclass(frozen=True, slots=True)
class GaiaSource:
    """Records of JSON files and their pictures.

    Attributes:
        config: the configuration.
        samples: its samples.
        index: where the records lie, and their splits.
    """

    config: Config
    samples: GaiaSamples
    index: Index

    @classmethod
    def of(cls, config: Config, samples: GaiaSamples) -> "GaiaSource":
        """Looks at all records once.

        Raises:
            PipelineError: there is no file.
            DownloadError: a file is broken, or there are no pictures.
        """
        samples.pictures.check()
        return cls(config, samples, index(samples, config.split, config.seed))

    @property
    def inputs(self) -> Mapping[str, str]:
        """The records; they decide on the splits together."""
        return {"records": self.index.digest}

    @property
    def units(self) -> Sequence[Block]:
        """Consecutive records."""
        return self.index.blocks

    @property
    def info(self) -> Mapping[str, Any]:
        """How many records there are, and why some are none."""
        return {"scenes": 0, "map": None, "records": self._records, "no_records": dict(self.index.problems)}

    @property
    def summary(self) -> str:
        """Units and records."""
        return f"{len(self.units):,} units, {self._records:,} records."

    @property
    def _records(self) -> int:
        return sum(block.laid for block in self.index.blocks)

    def ready(self, folder: Path, console: Console) -> "GaiaSource":  # noqa: ARG002 - everything is there
        """Nothing is left to do."""
        return self

    def look(self, unit: Block, limit: int | None = None) -> "GaiaLook":
        """Reads the records of a unit and fetches their pictures; none is told whose picture is gone.

        Args:
            unit: one of `units`.
            limit: no more than this many records, for a preview.
        """
        counts, chosen = Counter({"laid": unit.laid}), dict[int, Record]()
        for number, item in enumerate(items(unit.path, unit.start, unit.stop), unit.first):
            if item.record is None:
                counts[f"skipped.{item.problem}"] += 1
            elif number in unit.repeated:
                counts["skipped.duplicate id"] += 1
            elif limit is None or len(chosen) < limit:
                chosen[number] = item.record
                counts["misplaced"] += item.record.misplaced
        sees = any(getattr(engine, "vision", False) for engine in self.config.captions.engines)
        keep = (lambda content: fitted(content, self.samples.size)) if sees else (lambda _: b"")
        got = self.samples.pictures.get_all([record.url for record in chosen.values()], keep)
        fetched = dict(zip(chosen, got, strict=True))
        counts["kept"] = len(chosen)
        counts["dead links"] = sum(isinstance(picture, DownloadError) for picture in got)
        return GaiaLook(self, chosen, fetched, dict(counts))

    def pictures(self) -> "RecordPictures":
        """Where the addresses say, or rather where they have been kept."""
        return RecordPictures(self.samples)


@dataclass(frozen=True, slots=True)
class RecordPictures:
    """Reads pictures of records.

    Attributes:
        samples: say where they are.
    """

    samples: GaiaSamples

    def fetch(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Gets the pictures of several rows together; what cannot be had is told when it is read."""
        addresses = [from_json(row["metadata"])["record"]["image_src"] for row in rows]
        self.samples.pictures.get_all(addresses, len)

    def read(self, row: Mapping[str, Any]) -> Encoded:
        """The picture of a row of the patches part, as PNG of the configured size."""
        content = self.samples.pictures.get(from_json(row["metadata"])["record"]["image_src"])
        return Encoded(fitted(content, self.samples.size), "png")


@dataclass(frozen=True, slots=True)
class GaiaLook:
    """Records of a unit.

    Attributes:
        source: where they come from.
        records: by number.
        fetched: what engines are shown, empty where none sees, or why there is no picture.
        counts: figures for run.json.
    """

    source: GaiaSource
    records: Mapping[int, Record]
    fetched: Mapping[int, bytes | DownloadError]
    counts: Mapping[str, int]

    @property
    def assignments(self) -> list[Assignment]:
        """One for each record that has a picture and says anything of it."""
        return [
            Assignment(number, TASK, 0, (_element(record),), gsd=0.0, picture=self._shown(number))
            for number, record in self.records.items()
            if self._status(number) == "told"
        ]

    def patch_rows(self, fates: Mapping[int, str]) -> list[Row]:
        """One for each record; `dead` (no picture) and `nothing` (to tell) are fates of those not assigned."""
        return [self._patch_row(number, fates.get(number, self._status(number))) for number in self.records]

    def element_rows(self, captioned: AbstractSet[int]) -> list[Row]:
        """The record itself, of captioned ones."""
        elements = {number: _element(self.records[number]) for number in self.records if number in captioned}
        return [
            {"patch_id": number, "id": element.id, "kind": element.kind, "tags": [], "told": True,
             "facts": to_sorted_json(element.facts), "outline": NO_OUTLINE}
            for number, element in elements.items()
        ]  # fmt: skip

    def _shown(self, number: int) -> bytes | None:
        picture = self.fetched[number]
        return None if isinstance(picture, DownloadError) else picture or None

    def _status(self, number: int) -> str:
        if isinstance(self.fetched[number], DownloadError):
            return "dead"
        return "told" if self.records[number].alt or self.records[number].tag else "nothing"

    def _patch_row(self, number: int, status: str) -> Row:
        record, samples = self.records[number], self.source.samples
        located = place_of(record, samples.places)
        size = samples.size
        metadata = {
            "patch_id": number,
            "image_name": record.id,
            "bounds": [located.lon, located.lat] * 2 if located else None,
            "gsd": 0.0,
            "acquired": None,
            "year": year_of(record) or None,
            "source": samples.source,
            "place": [part.strip() for part in reversed(record.location.split(",")) if part.strip()],
            "licence": samples.licence,
            "attribution": "; ".join(filter(None, (record.credits, samples.attribution))),
            "split": self.source.index.splits[cell_of(record, located, samples.cell)],
            "located": _as_json(located),
            "record": _published(record, located),
        }
        return {
            "patch_id": number, "scene": record.id, "window": [0, 0, size, size], "size": size, "task": TASK,
            "metadata": to_json(metadata), "status": status,
        }  # fmt: skip


def _element(record: Record) -> ElementFacts:
    names = ("location", "tag", "modalities", "satellite", "sensor", "resolution")
    facts = {"alt": record.alt} | {name: getattr(record, name) for name in names}
    return ElementFacts(f"record/{record.id[:200]}", KIND, {}, {name: said for name, said in facts.items() if said})


def _as_json(located: Located | None) -> dict[str, Any] | None:
    return {"sure": located.sure, "by": located.by} if located else None


def _published(record: Record, located: Located | None) -> dict[str, Any]:
    said = {"id": record.id, "image_src": record.url, "image_alt": record.alt}
    said |= {name: getattr(record, name) for name in PUBLISHED}
    return said | ({"lat": located.lat, "lon": located.lon} if located else {})
