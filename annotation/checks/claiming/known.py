"""What is known of an element, in a form that claims can be held against; whatever a stranger's file holds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from annotation.checks.claiming.classes import Classes, spell
from annotation.checks.claiming.tagged import Tagged, spoken_of, tagged
from annotation.checks.claiming.text import folded
from annotation.measuring.frame import CELLS, EDGES
from annotation.measuring.shape import AXES
from annotation.phrasing.places import cells_of
from annotation.request import ElementFacts
from annotation.tags import TagTable

_LONGEST = 300
"""Characters of a tag's value that are read."""
NAME_KEYS = ("name", "ref", "alt_name", "official_name", "short_name", "loc_name", "old_name", "int_name", "nat_name")
_CLOCKWISE = ("N-S", "NNE-SSW", "NE-SW", "ENE-WSW", "E-W", "WNW-ESE", "NW-SE", "NNW-SSE")
_HALVES = {name: place for place, name in enumerate(_CLOCKWISE)}
assert set(_HALVES) == set(AXES)
_EDGES = frozenset(EDGES)
_MAPPINGS = (dict, Mapping)
"""The first spares most of them the slow question of the second."""
_WRITTEN, _LISTS, _NUMERIC = (str, int), (list, tuple, str), (int, float, str)


@dataclass(slots=True)
class Known:
    """One element.

    Attributes:
        id: of the element.
        own: the class that its noun names.
        nouns: its noun and plural, spelled.
        heads: the last words of them.
        qualifier: the first word of its noun, where there are several.
        kinds: all classes that it belongs to.
        loose: single words of its attributes, look and meaning, and what such things consist of.
        qualities: its attributes, spelled.
        names: words of its names.
        others: words of its other tags' values.
        tagged: numbers that its tags tell.
        facts: as given.
        relations: by id of the other element.
    """

    id: str
    own: str
    nouns: frozenset[str]
    heads: frozenset[str]
    qualifier: str
    kinds: frozenset[str]
    holds: frozenset[str]
    loose: frozenset[str]
    qualities: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    others: tuple[tuple[str, ...], ...]
    tagged: Tagged
    facts: Mapping[str, Any]
    cells: frozenset[str]
    edges: frozenset[str] | None
    share: float | None
    area: float | None
    length: float | None
    spacing: float | None
    count: float | None
    parts: float | None
    shape: str
    course: str
    arranged: str
    axis: int | None
    ends: tuple[str, str] | None
    relations: list[Mapping[str, Any]]

    @property
    def is_line(self) -> bool:
        """Whether it has what lines have."""
        return self.length is not None or bool(self.course) or self.ends is not None


def know(element: ElementFacts, classes: Classes, table: TagTable) -> Known:
    """Takes an element's facts as far as they have the types they should have.

    An element is told several times (drafts, revisions, what is asked again): what is known of it is kept meanwhile.
    """
    return _known(_Same(element), classes, table)


@lru_cache(maxsize=4096)
def _known(same: "_Same", classes: Classes, table: TagTable) -> Known:
    element = same.element
    facts, tags = _mapping(element.facts), _mapping(element.tags)
    plain = tuple([(str(key), str(value)[:_LONGEST]) for key, value in tags.items() if isinstance(value, _WRITTEN)])
    noun = _text(facts.get("noun"))
    own, kinds, holds, loose, names, others, numbers = _said_by(
        noun, _text(facts.get("meaning")), plain, classes, table
    )
    nouns, heads, qualifier = _called(noun, _text(facts.get("plural")))
    qualities = tuple(filter(None, map(spell, _texts(facts.get("attributes")))))
    given = _text(facts.get("name"))
    if given:
        names = (*names, *_named(given[:_LONGEST]))
    if qualities:
        loose |= {word for each in qualities for word in each.split()}
    edges = facts.get("edges")
    start, end = _text(facts.get("from")), _text(facts.get("to"))
    relations = facts.get("relations")
    return Known(
        id=str(element.id), own=own, kinds=kinds, holds=holds, loose=loose, qualities=qualities,
        nouns=nouns, heads=heads, qualifier=qualifier, names=names, others=others, tagged=numbers, facts=facts,
        cells=_cells(tuple(_texts(facts.get("position")))),
        edges=None if edges is None or not isinstance(edges, _LISTS) else _EDGES.intersection(_texts(edges)),
        share=_number(facts.get("share")), area=_number(facts.get("area_m2")), length=_number(facts.get("length_m")),
        spacing=_number(facts.get("spacing_m")), count=_number(facts.get("count")), parts=_number(facts.get("parts")),
        shape=_text(facts.get("shape")), course=_text(facts.get("course")), arranged=_text(facts.get("arrangement")),
        axis=_HALVES.get(_text(facts.get("orientation"))),
        ends=(start, end) if start and end else None,
        relations=[each for each in relations if isinstance(each, _MAPPINGS)] if isinstance(relations, list) else [],
    )  # fmt: skip


@dataclass(slots=True, eq=False)
class _Same:
    """This very element; another with the same facts is another."""

    element: ElementFacts

    def __hash__(self) -> int:
        return id(self.element)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.element is other.element


_Words = tuple[tuple[str, ...], ...]


@lru_cache(maxsize=8192)
def _said_by(
    noun: str, meaning: str, tags: tuple[tuple[str, str], ...], classes: Classes, table: TagTable
) -> tuple[str, frozenset[str], frozenset[str], frozenset[str], _Words, _Words, Tagged]:
    """Classes, what they hold, loose words, names, other values and numbers, from noun and tags."""
    own = dict(tags)
    rows = [row for row in (table.row(*tag) for tag in tags) if row]
    nouns = [noun or table.noun(own)]
    nouns += [row.noun for row in rows if row.kind != "attribute" and row.seen_from is not None]
    kinds: set[str] = set()
    for name in map(classes.of_noun, nouns):
        kinds |= classes.kinds.get(name, frozenset())
    holds = frozenset().union(*(classes.holds.get(kind, ()) for kind in kinds))
    spoken = " ".join((*nouns, meaning, *(row.look for row in rows), *map(spoken_of, tags)))
    loose = frozenset(spell(spoken).split())
    names = tuple(words for key, value in tags if _is_name(key) for words in _named(value))
    others = tuple(words for key, value in tags if not _is_name(key) for words in _named(value))
    if "addr:street" in own and "addr:housenumber" in own:
        others = (*others, *_named(f"{own['addr:street']} {own['addr:housenumber']}"))
    return classes.of_noun(nouns[0]), frozenset(kinds), holds, loose, names, others, tagged(tags)


@lru_cache(maxsize=4096)
def _called(noun: str, plural: str) -> tuple[frozenset[str], frozenset[str], str]:
    """Noun and plural spelled, the last words of them, and the first word of a noun of several."""
    nouns = (spell(noun), spell(plural))
    qualifier, several, _ = nouns[0].partition(" ")
    return frozenset(nouns), frozenset(each.rpartition(" ")[2] for each in nouns), qualifier if several else ""


@lru_cache(maxsize=1024)
def _cells(position: tuple[str, ...]) -> frozenset[str]:
    return cells_of(position) & frozenset(CELLS)


def _is_name(key: str) -> bool:
    return key in NAME_KEYS or key.startswith("name:")


@lru_cache(maxsize=8192)
def _named(value: str) -> _Words:
    """Folded words of a value, and of each of a list of values."""
    texts = [value, *value.split(";")] if ";" in value else [value]
    if not value.isascii():
        texts += [text.translate(_DIGRAPHS) for text in texts]
    return tuple(dict.fromkeys(words for words in map(folded, texts) if words))


_DIGRAPHS = str.maketrans(
    {
        "\u00e4": "ae",
        "\u00f6": "oe",
        "\u00fc": "ue",
        "\u00c4": "Ae",
        "\u00d6": "Oe",
        "\u00dc": "Ue",
        "\u00e5": "aa",
        "\u00f8": "oe",
    }
)
"""How letters are written where a keyboard lacks them."""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, _MAPPINGS) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> Sequence[str]:
    if isinstance(value, str):
        return (value,)
    return [each for each in value if isinstance(each, str)] if value and isinstance(value, list | tuple) else ()


def _number(value: Any) -> float | None:
    """A finite number, also one that was written as text."""
    if value is None or isinstance(value, bool) or not isinstance(value, _NUMERIC):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
