"""Facts of an element or a group in a patch: its measures, what a person would call it, what can be seen of it.

Beside the measures (`measure.details`) the facts hold `noun`, `plural`, `attributes` where there are any, `name` where
names are kept and one stands there, and `meaning` where only a wiki knows the tag: whoever words or checks a caption
needs no tag table.
All values are ready for JSON.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from annotation import measure
from annotation.measuring import frame
from annotation.request import ElementFacts
from annotation.tagging.kinds import shared_kind
from annotation.tagging.names import proper_name
from annotation.tagging.nouns import pluralise
from annotation.tagging.wiki import TagWiki
from annotation.tags import TagTable

Names = Literal["keep", "drop"]

LIMIT = 80
"""Longest text of a mapper, in characters, that goes into a fact; what is longer ends in an ellipsis."""
MEANING_LIMIT = 160
"""Longest definition of a tag, in characters."""
EVERYWHERE = 7
"""A group with members in this many of the nine cells is everywhere."""

_UNSEEN = ("C", "Zl", "Zp")  # control, format (bidi marks, joiners), surrogates, unassigned, line ends
_BLANKS = re.compile(r"\s+")


def clean(text: str, limit: int = LIMIT) -> str:
    """Text that anybody may have typed, as harmless data: one line, nothing invisible, of bounded length."""
    if len(text) <= limit and text.isprintable() and "  " not in text:
        return text.strip()
    if len(text) > 4 * limit:
        text = text[: 4 * limit]
    if not text.isprintable():
        kept = (" " if character.isspace() else character for character in text)
        text = "".join(c for c in kept if not unicodedata.category(c).startswith(_UNSEEN))
    text = _BLANKS.sub(" ", text).strip()
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


@dataclass(frozen=True, slots=True)
class FactMaker:
    """Makes facts of elements; one for a run.

    Attributes:
        table: what tags look like.
        gsd: metres per pixel of the pictures; decides which attributes can be seen.
        names: whether proper names become facts.
        wiki: definitions of tags; what the table knows by its key only gets its definition as `meaning`.
    """

    table: TagTable
    gsd: float
    names: Names = "keep"
    wiki: TagWiki | None = None
    _known: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False, compare=False)

    def element(self, key: str, kind: str, tags: Mapping[str, str], measures: Mapping[str, Any]) -> ElementFacts:
        """Facts of one element.

        Args:
            key: OSM id, `way/123`.
            kind: `area`, `line` or `point`.
            tags: as mapped.
            measures: what `measure.details` gives for it.
        """
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._said_by_tags(tags)
        return ElementFacts(key, kind, tags, {**known, **measures})

    def _said_by_tags(self, tags: Mapping[str, str]) -> dict[str, Any]:
        facts = self._nouns(tags)
        name = clean(proper_name(self.table.name(tags) or "")) if self.names == "keep" else ""
        if name:
            facts["name"] = name
        attributes = self.table.attributes(tags, self.gsd)
        if attributes:
            facts["attributes"] = list(map(clean, attributes))
        return facts

    def _nouns(self, tags: Mapping[str, str]) -> dict[str, Any]:
        nouns = {"noun": self.table.noun(tags), "plural": self.table.noun(tags, plural=True)}
        main = self.table.main_tag(tags) if self.wiki else None
        if self.wiki is None or main is None or main in self.table.rows:
            return nouns
        meaning = clean(self.wiki.definition(*main) or "", MEANING_LIMIT)
        return {**nouns, "meaning": meaning} if meaning else nouns

    def group(
        self,
        keys: Sequence[str],
        tags: Sequence[Mapping[str, str]],
        points: NDArray[np.float64],
        matrix: NDArray[np.float64],
        area: tuple[float, float] | None = None,
    ) -> ElementFacts:
        """Facts of repeated elements of one kind, told as one: how many, how they stand, what all share.

        Where their nouns differ (houses and detached houses), they have the noun of what all are (houses), and its tag.

        Args:
            keys: OSM ids of the members; the first stands for the group.
            tags: of each member.
            points: (k, 2) a point of each member in the unit frame of the patch.
            matrix: (2, 2) unit frame to metres on the ground, see `frame.ground_matrices`.
            area: share of the patch and square metres that all take together; left out for points.
        """
        nouns, common = self._shared(tags)
        facts: dict[str, Any] = {
            **nouns,
            **measure.arrangement(points @ matrix.T, float(np.sqrt(abs(np.linalg.det(matrix))))),
        }
        attributes = self.table.attributes(common, self.gsd)
        if attributes:
            facts["attributes"] = list(map(clean, attributes))
        if area:
            facts["share"], facts["area_m2"] = round(min(area[0], 1.0), 4), round(area[1], 1)
        contents = np.bincount(frame.cell_of(points), minlength=len(frame.CELLS)).astype(np.float64)
        if np.count_nonzero(contents) >= EVERYWHERE:
            facts["position"] = ["whole"]
        else:
            listed = frame.positions(contents[None])[0]
            facts["position"] = [cell for cell, here in zip(frame.CELLS, listed, strict=True) if here]
        return ElementFacts(keys[0], "area" if area else "point", common, facts)

    def _shared(self, tags: Sequence[Mapping[str, str]]) -> tuple[dict[str, Any], dict[str, str]]:
        """Nouns and tags that hold of all."""
        common = _common(tags)
        called = {self.table.noun(each) for each in tags}
        if len(called) == 1:
            return self._nouns(tags[0]), common
        noun, (key, value) = shared_kind(called)
        return {"noun": noun, "plural": pluralise(noun)}, {**common, key: value}


def _common(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Tags that all members carry."""
    shared = set(tags[0].items()).intersection(*(other.items() for other in tags[1:]))
    return {key: value for key, value in tags[0].items() if (key, value) in shared}
