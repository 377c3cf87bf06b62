"""The blind floor: how well captions fit the facts of a picture that they were not told of.

A checker that supports most claims of any caption whatever the facts shows nothing; the distance from this floor to
the share that a caption's own facts support is what the checks can tell.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from annotation.checks.claims import read_claims
from annotation.request import ElementFacts
from annotation.tags import TagTable
from pipeline.draw import draw
from pipeline.measuring.told import rows
from pipeline.store import RunFolder
from pipeline.tables import tag_table

MOST = 500
"""Captions read; each twice."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A caption of the sample.

    Attributes:
        lot: the smallest are drawn.
        patch_id: of its sample.
        text: as told.
        elements: ids of what it was told of.
    """

    lot: float
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
    for row in rows(folder, "captions", ("patch_id", "task", "text", "elements")):
        lot = draw(f"blind/{row['patch_id']}/{row['task']}/{row['text']}")
        drawn.append(Drawn(lot, row["patch_id"], row["text"], tuple(row["elements"])))
        if len(drawn) >= 4 * MOST:
            drawn = sorted(drawn, key=_order)[:MOST]
    return sorted(drawn, key=_order)[:MOST]


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
        """Reads it, from the parts of all units."""
        facts: dict[int, dict[str, ElementFacts]] = {caption.patch_id: {} for caption in drawn}
        wanted = pc.field("patch_id").isin(sorted(facts))
        for row in rows(folder, "elements", ("patch_id", "id", "kind", "tags", "facts"), wanted):
            facts[row["patch_id"]][row["id"]] = ElementFacts(
                row["id"], row["kind"], dict(row["tags"]), json.loads(row["facts"])
            )
        patches = rows(folder, "patches", ("patch_id", "metadata"), wanted)
        return cls(table, facts, {row["patch_id"]: json.loads(row["metadata"]) for row in patches})

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
