"""SkyScript's pictures with their tags, to be told again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from rich.console import Console

from annotation.facts import Names, clean
from annotation.request import ElementFacts
from annotation.skyscript_titles import title, title_multi_objects
from annotation.tag_facts import TagTeller
from download.errors import DownloadError
from download.records.metadata import Metadata
from download.records.refused import Refused
from download.records.skyscript import SOURCES, SkyScriptParts
from pipeline.config import Config
from pipeline.draw import draw
from pipeline.errors import PipelineError
from pipeline.json_cells import to_json, to_sorted_json
from pipeline.skyscript_samples import MAP_ATTRIBUTION, MAP_LICENCE, SkyScriptSamples
from pipeline.skyscript_units import BadRow, Entry, TableUnit, divide, located
from pipeline.source import Assignment, Encoded, Row
from pipeline.tables import tag_table, tag_wiki

TASK = "recaption"
_MAGIC = {b"\xff\xd8": "jpg", b"\x89P": "png"}
_TABLE = 1 << 44
"""Bytes of a table, for the ids of rows that cannot be told."""


@dataclass(frozen=True, slots=True)
class SkyScriptSource:
    """Rows of SkyScript's tables.

    Attributes:
        config: the configuration.
        samples: its samples.
        stretches: units, without pictures and metadata.
        parts: pictures and metadata, once they have been looked for.
    """

    config: Config
    samples: SkyScriptSamples
    stretches: tuple[TableUnit, ...]
    parts: SkyScriptParts | None = None

    @classmethod
    def of(cls, config: Config, samples: SkyScriptSamples) -> "SkyScriptSource":
        """Reads the tables through.

        Raises:
            DownloadError: there is no table, or it cannot be used.
            PipelineError: the tables hold no rows.
        """
        stretches = tuple(divide(samples.tables, samples.unit))
        if not stretches:
            raise PipelineError(f"samples.csv: the tables in {samples.path} hold no rows.")
        return cls(config, samples, stretches)

    @property
    def inputs(self) -> Mapping[str, str]:
        """Nothing in common: each unit knows its rows, metadata and pictures for itself."""
        return {}

    @property
    def units(self) -> list[TableUnit]:
        """Stretches of the tables, in order."""
        return [replace(unit, parts=self.parts) for unit in self.stretches]

    @property
    def info(self) -> Mapping[str, Any]:
        """Rows, and what of the parts cannot be used."""
        parts = self.parts or SkyScriptParts({})
        damaged = {f"{group}{number}": cause for (group, number), cause in parts.damaged.items()}
        records = {"rows": self._rows, "parts": len(parts.parts), "damaged": damaged, "left_out": dict(parts.left_out)}
        return {"origin": self.samples.origin, "scenes": len(parts.parts), "map": None, "records": records}

    @property
    def summary(self) -> str:
        """Units and rows."""
        return f"{len(self.stretches):,} units, {self._rows:,} rows of {len(self.samples.tables)} table(s)."

    @property
    def _rows(self) -> int:
        return sum(unit.laid for unit in self.stretches)

    def ready(self, folder: Path, console: Console) -> "SkyScriptSource":
        """Looks for the parts, and makes directories of zip files in a folder.

        Raises:
            DownloadError: no part can be read.
        """
        parts = SkyScriptParts.open(self.samples.path, folder / "zips")
        for cause in parts.damaged.values():
            console.print(f"{cause} Its rows are left out.", style="yellow", markup=False)
        return replace(self, parts=parts)

    def look(self, unit: TableUnit, limit: int | None = None) -> "SkyScriptLook":
        """Reads rows and their metadata, and decides what can be told.

        Args:
            unit: one of `units`.
            limit: tell no more than this many, for a preview.
        """
        if unit.parts is None:
            raise ValueError("pictures and metadata have not been looked for")
        rows = list(unit.rows())
        entries = [row for row in rows if isinstance(row, Entry)]
        bad = [row for row in rows if isinstance(row, BadRow)]
        told: list[Told] = []
        teller = _teller(self.config.tags, self.config.tag_wiki, self.config.captions.names)
        for entry, (picture, meta) in zip(entries, located(unit.parts, entries), strict=True):
            if limit is not None and len(told) >= limit:
                break
            try:
                metadata = _metadata(unit.parts, entry, picture, meta)
            except Refused as refused:
                bad.append(BadRow(entry.offset, entry.filepath, refused))
                continue
            name = entry.name
            facts = teller.tell((name.element, name.kind, metadata.center), metadata.surroundings, name.gsd)
            told.append(Told(entry, metadata, facts))
        return SkyScriptLook(self.config, self.samples, unit, told, bad)

    def pictures(self) -> "SkyScriptPictures":
        """The parts of pictures."""
        if self.parts is None:
            raise ValueError("pictures and metadata have not been looked for")
        return SkyScriptPictures(self.parts)


@dataclass(frozen=True, slots=True)
class Told:
    """A picture, and what of its tags can be told.

    Attributes:
        entry: its row.
        metadata: what its metadata file says.
        facts: the focus first; nothing where that cannot be seen.
    """

    entry: Entry
    metadata: Metadata
    facts: tuple[ElementFacts, ...]


@dataclass(frozen=True, slots=True)
class SkyScriptLook:
    """A unit that has been looked at.

    Attributes:
        config: the configuration.
        samples: its samples.
        unit: which unit it is.
        told: pictures with metadata.
        bad: rows that cannot be told.
    """

    config: Config
    samples: SkyScriptSamples
    unit: TableUnit
    told: list[Told]
    bad: list[BadRow]

    @property
    def assignments(self) -> list[Assignment]:
        """One for each picture whose focus can be seen."""
        return [self._assignment(each) for each in self.told if each.facts]

    @property
    def counts(self) -> Mapping[str, int]:
        """Rows, pictures with metadata, and rows that cannot be told by reason."""
        reasons = Counter(f"skipped.{row.refused.reason}" for row in self.bad)
        return {"laid": self.unit.laid, "kept": len(self.told), **dict(sorted(reasons.items()))}

    def patch_rows(self, fates: Mapping[int, str]) -> list[Row]:
        """One for each row of the table; `nothing` to tell and `skipped` are fates of those not assigned."""
        good = [self._patch_row(each, fates.get(each.entry.name.key, "nothing")) for each in self.told]
        return good + [self._bad_row(row) for row in self.bad]

    def element_rows(self, captioned: AbstractSet[int]) -> list[Row]:
        """Focus and surroundings; outlines are not known."""
        return [
            {"patch_id": each.entry.name.key, "id": element.id, "kind": element.kind,
             "tags": list(element.tags.items()),
             "facts": to_sorted_json(element.facts), "told": True, "outline": None}
            for each in self.told
            if each.entry.name.key in captioned
            for element in each.facts
        ]  # fmt: skip

    def _assignment(self, told: Told) -> Assignment:
        key, mean = told.entry.name.key, self.config.captions.tasks.revision.mean
        revisions = int(mean) + (mean > int(mean) and draw(f"{self.config.seed}/{key}/revisions") < mean - int(mean))
        return Assignment(key, TASK, revisions, told.facts, told.entry.name.gsd)

    def _patch_row(self, told: Told, status: str) -> Row:
        entry, name, metadata = told.entry, told.entry.name, told.metadata
        focus_only, with_others = entry.titles
        if self.samples.titles == "rule" or not focus_only:
            focus_only = title(metadata.center)
        if self.samples.titles == "rule" or not with_others:
            with_others = title_multi_objects(metadata.center, metadata.surroundings)
        said = {
            "patch_id": name.key,
            "image_name": name.stem,
            "filepath": entry.filepath,
            "title": focus_only,
            "title_multi_objects": with_others,
            "bounds": [round(value, 7) for value in metadata.box],
            "gsd": name.gsd,
            "acquired": metadata.acquired.isoformat() if metadata.acquired else None,
            "source": SOURCES[name.code].collection,
            "place": [],
            "licence": f"imagery: {self.samples.licence}; map: {MAP_LICENCE}",
            "attribution": f"imagery: {self.samples.attribution}; map: {MAP_ATTRIBUTION}",
            "split": self._split(metadata.box),
        }
        return _row(name.key, entry.filepath, said, status, TASK if told.facts else None)

    def _split(self, box: tuple[float, float, float, float]) -> str:
        """Where all places are in one split, any of them tells it: lots of places all over the globe take time."""
        split = self.config.split
        return split.of(0, 0, 0) if split.is_one else split.of_box(box, self.config.seed)

    def _bad_row(self, row: BadRow) -> Row:
        said = {"image_name": clean(row.said, 120), "skipped": row.refused.reason, "detail": clean(row.refused.detail)}
        return _row(-1 - row.offset - _TABLE * self.unit.number, "", said, "skipped", None)


@dataclass(frozen=True, slots=True)
class SkyScriptPictures:
    """Pictures as they lie in folders or zip files.

    Attributes:
        parts: where they are.
    """

    parts: SkyScriptParts

    def fetch(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Everything is there."""

    def read(self, row: Mapping[str, Any]) -> Encoded:
        """The bytes of a picture.

        Raises:
            DownloadError: it is gone, damaged or no picture.
        """
        try:
            content = self.parts.picture(row["scene"])
        except Refused as refused:
            raise DownloadError(f"{row['scene']}: {refused}") from refused
        suffix = _MAGIC.get(content[:2])
        if suffix is None:
            raise DownloadError(f"{row['scene']} is neither JPEG nor PNG.")
        return Encoded(content, suffix)


def _row(patch_id: int, scene: str, metadata: Mapping[str, Any], status: str, task: str | None) -> Row:
    return {
        "patch_id": patch_id, "scene": scene, "window": None, "size": None,
        "metadata": to_json(metadata), "status": status, "task": task,
    }  # fmt: skip


def _metadata(parts: SkyScriptParts, entry: Entry, picture: object, meta: object) -> Metadata:
    for group, found in (("images", picture), ("meta", meta)):
        if found is None:
            raise parts.missing("images" if group == "images" else "meta", entry.part)
    return parts.metadata(entry.part, meta)


@lru_cache(maxsize=4)
def _teller(tags: Path | None, wiki: Path | None, names: Names) -> TagTeller:
    return TagTeller(tag_table(tags), names, tag_wiki(wiki))
