"""Facts of a picture of which only tags are known: what it was taken for, and what else is in it.

No geometry, so no fact about place, size or course. The element that a picture was taken for has `role` `focus`, each
other `surrounding`; surroundings that a person would call the same are one element with a `count`. Lines are not
counted: a street is mapped in many pieces, and a further piece may belong to the street in focus.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Any, Final

import numpy as np

from annotation.facts import FactMaker, Names
from annotation.rarity import weights
from annotation.request import ElementFacts
from annotation.tagging.kinds import lineage, shared_kind
from annotation.tagging.nouns import pluralise
from annotation.tagging.wiki import TagWiki
from annotation.tags import TagTable

MOST_KINDS: Final = 4
"""Most different surroundings told of a picture, by how telling they are."""
SAME: Final = 0.99
"""Allowance for a GSD that is one step of the tag table but for rounding."""

Tags = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Thing:
    """What can be seen of something with given tags.

    Attributes:
        kind: `area`, `line` or `point`, as such things are drawn.
        facts: noun, plural, attributes, name, meaning.
        weight: how telling it is.
    """

    kind: str
    facts: Mapping[str, Any]
    weight: float


class TagTeller:
    """Makes facts of tags; equal tags are looked at once.

    Args:
        table: what tags look like.
        names: whether proper names become facts.
        wiki: definitions of tags that the table lacks.
    """

    def __init__(self, table: TagTable, names: Names = "keep", wiki: TagWiki | None = None) -> None:
        self._table, self._names, self._wiki = table, names, wiki
        self._thing = lru_cache(maxsize=50_000)(self._look_at)

    def tell(self, focus: tuple[str, str, Tags], surroundings: Sequence[Tags], gsd: float) -> tuple[ElementFacts, ...]:
        """Facts of the focus object and then of its surroundings; nothing where the focus cannot be seen.

        Args:
            focus: id, kind (`area`, `line` or `point`) and tags of what the picture was taken for.
            surroundings: tags of each other object.
            gsd: metres per pixel of the picture.
        """
        key, kind, tags = focus
        thing = self._thing(tuple(tags.items()), gsd, is_point=kind == "point")
        if thing is None:
            return ()
        first = ElementFacts(key, kind, dict(tags), {**thing.facts, "role": "focus"})
        same_line = thing.facts["noun"] if "line" in (kind, thing.kind) else ""
        return first, *self._around(surroundings, gsd, same_line)

    def _around(self, surroundings: Sequence[Tags], gsd: float, left_out: str) -> list[ElementFacts]:
        alike: dict[str, list[tuple[int, _Thing]]] = {}
        for number, tags in enumerate(surroundings, 1):
            thing = self._thing(tuple(tags.items()), gsd, is_point=False)
            if thing and thing.facts["noun"] != left_out:
                alike.setdefault(lineage(thing.facts["noun"])[-1], []).append((number, thing))
        groups = sorted(alike.values(), key=lambda group: (-group[0][1].weight * (1 + log(len(group))), group[0][0]))
        return [_surrounding(group, surroundings) for group in groups[:MOST_KINDS]]

    def _look_at(self, items: tuple[tuple[str, str], ...], gsd: float, *, is_point: bool) -> _Thing | None:
        tags, table = dict(items), self._table
        main, seen_from = table.main_tag(tags), table.seen_from(tags)
        if main is None or table.hidden(tags, "point" if is_point else None) or seen_from < gsd * SAME:
            return None
        row = table.row(*main)
        kind = "area" if row is None or row.kind == "any" else row.kind
        facts = FactMaker(table, gsd, self._names, self._wiki).element("", kind, tags, {}).facts
        return _Thing(kind, facts, float(weights([main], np.array([seen_from]), gsd)[0]))


def _surrounding(group: Sequence[tuple[int, _Thing]], surroundings: Sequence[Tags]) -> ElementFacts:
    """One thing, or several of one kind with what all of them share."""
    number, thing = group[0]
    key, tags = f"surrounding/{number}", dict(surroundings[number - 1])
    facts = {**thing.facts, "role": "surrounding"}
    if len(group) == 1:
        return ElementFacts(key, thing.kind, tags, facts)
    for other, seen in group[1:]:
        tags = dict(tags.items() & surroundings[other - 1].items())
        facts["attributes"] = [each for each in facts.get("attributes", ()) if each in seen.facts.get("attributes", ())]
    left_out = {"name"} if facts["attributes"] else {"name", "attributes"}
    facts = {name: fact for name, fact in facts.items() if name not in left_out}
    called = {seen.facts["noun"] for _, seen in group}
    if len(called) > 1:  # houses and detached houses are houses
        noun, (main, value) = shared_kind(called)
        facts = {"noun": noun, "plural": pluralise(noun), **{k: facts[k] for k in ("attributes", "role") if k in facts}}
        tags[main] = value
    counted = {} if thing.kind == "line" else {"count": len(group)}
    return ElementFacts(key, thing.kind, dict(sorted(tags.items())), {**facts, **counted})
