"""The blind floor: how well captions fit the facts of a picture that they were not told of.

A checker that supports most claims of any caption whatever the facts shows nothing; the distance from this floor to
the share that a caption's own facts support is what the checks can tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotation.checks.claims import read_claims
from annotation.request import ElementFacts
from annotation.tags import TagTable
from pipeline.draw import draw
from pipeline.json_cells import from_json
from pipeline.measuring.told import part, unit_rows, units
from pipeline.store import RunFolder
from pipeline.tables import tag_table

MOST = 500
"""Captions read; each twice."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A caption of the sample.

    Attributes:
        lot: the smallest are drawn.
        unit: whose parts hold it.
        patch_id: of its sample.
        text: as told.
        elements: ids of what it was told of.
    """

    lot: float
    unit: str
    patch_id: int
    text: str
    elements: tuple[str, ...]


def blind_floor(folder: RunFolder, overlay: Path | None) -> dict[str, Any] | None:
    """Share of the claims supported by facts of another patch, and by the captions' own.

    Args:
        folder: of the run.
        overlay: the CSV that was laid over the tag table, if any.

    Returns:
        `captions` read, `value` (others' facts), `own`; each a share of claims, hedges left out. None where fewer
        than two patches have captions.
    """
    drawn = _sample(folder)
    if len({caption.patch_id for caption in drawn}) < 2:
        return None
    shelf = _Shelf.of(folder, drawn, tag_table(overlay))
    own = _share([shelf.read(caption, caption) for caption in drawn])
    other = _share([shelf.read(caption, _stranger(drawn, number)) for number, caption in enumerate(drawn)])
    return {"captions": len(drawn), "value": other, "own": own}


def _sample(folder: RunFolder) -> list[Drawn]:
    """Captions with the smallest lots, in their order; a lot depends on the caption alone."""
    drawn: list[Drawn] = []
    largest = 1.0
    for unit in units(folder):
        table = part(folder, unit, "captions", ("patch_id", "task", "text", "elements"))
        said = zip(*(table[name].to_pylist() for name in ("patch_id", "task", "text")), strict=True)
        lots = [draw(f"blind/{patch_id}/{task}/{text}") for patch_id, task, text in said]
        likely = [place for place, lot in enumerate(lots) if lot <= largest]
        for place, row in zip(likely, table.take(pa.array(likely, pa.int64())).to_pylist(), strict=True):
            drawn.append(Drawn(lots[place], unit, row["patch_id"], row["text"], tuple(row["elements"])))
        if len(drawn) > MOST:
            drawn = sorted(drawn, key=_order)[:MOST]
            largest = drawn[-1].lot
    return sorted(drawn, key=_order)


def _order(caption: Drawn) -> tuple[float, int]:
    return caption.lot, caption.patch_id


def _stranger(drawn: Sequence[Drawn], number: int) -> Drawn:
    """The next caption of another patch; lots have put them in random order."""
    turned = (*drawn[number + 1 :], *drawn[:number])
    return next(caption for caption in turned if caption.patch_id != drawn[number].patch_id)


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What was known of the patches of the sample: facts by id, and metadata."""

    table: TagTable
    facts: Mapping[int, Mapping[str, ElementFacts]]
    metadata: Mapping[int, Mapping[str, Any]]

    @classmethod
    def of(cls, folder: RunFolder, drawn: Sequence[Drawn], table: TagTable) -> "_Shelf":
        """Reads it, from the parts of their units."""
        facts: dict[int, dict[str, ElementFacts]] = {caption.patch_id: {} for caption in drawn}
        wanted = pc.field("patch_id").isin(sorted(facts))
        metadata = {}
        for unit in sorted({caption.unit for caption in drawn}):
            for row in unit_rows(folder, unit, "elements", ("patch_id", "id", "kind", "tags", "facts"), wanted):
                facts[row["patch_id"]][row["id"]] = ElementFacts(
                    row["id"], row["kind"], dict(row["tags"]), from_json(row["facts"])
                )
            for row in unit_rows(folder, unit, "patches", ("patch_id", "metadata"), wanted):
                metadata[row["patch_id"]] = from_json(row["metadata"])
        return cls(table, facts, metadata)

    def read(self, caption: Drawn, shown: Drawn) -> tuple[int, int]:
        """Supported claims and all claims of a caption, read against what another one, or itself, was told of."""
        known, metadata = self.facts[shown.patch_id], self.metadata[shown.patch_id]
        elements = [known[key] for key in shown.elements if key in known]
        claims = read_claims(caption.text, elements, table=self.table, gsd=metadata["gsd"], place=metadata["place"])
        verdicts = [claim.verdict for claim in claims if claim.kind != "hedge"]
        return verdicts.count("supported"), len(verdicts)


def _share(counts: Sequence[tuple[int, int]]) -> float | None:
    claims = sum(of for _, of in counts)
    return round(sum(supported for supported, _ in counts) / claims, 6) if claims else None
