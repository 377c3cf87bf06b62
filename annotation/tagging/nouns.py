"""Noun phrases for elements: the table's noun, and what use, crop, sport and other attributes make of it."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from annotation.tagging.rows import TagRow

RowOf = Callable[[str, str], TagRow | None]

GENERIC_BUILDINGS: Final = frozenset(
    {"yes", "*", "public", "civic", "commercial", "retail", "service", "government", "roof", "other"}
)
"""Values of `building` that say little; the use of the building says more."""

_USES: Final = ("amenity", "healthcare", "shop", "tourism", "leisure", "office", "craft", "emergency")
_NO_USE: Final = frozenset({"*", "yes", "no", "attraction", "information"})
_NOT_A_BUILDING: Final = frozenset({"garden", "park", "parking", "pitch", "playground", "track"})
_NAMES_A_BUILDING: Final = frozenset(
    {
        "bakery", "barn", "bookshop", "brewery", "building", "bunker", "cabin", "cafe", "casino", "castle",
        "cathedral", "centre", "chapel", "church", "cinema", "clinic", "dealership", "embassy", "factory",
        "fort", "garage", "greenhouse", "hall", "hangar", "hostel", "hotel", "house", "hut", "library",
        "lighthouse", "mall", "manor", "mill", "monastery", "mosque", "motel", "museum", "office", "palace",
        "prison", "pub", "restaurant", "roof", "ruin", "sawmill", "shed", "shelter", "shop", "stadium",
        "station", "store", "synagogue", "temple", "terminal", "theatre", "tower", "villa", "warehouse",
        "watermill", "windmill", "winery", "workshop", "worship",
    }
)  # fmt: skip
"""Last words of nouns that mean a building already."""

_NOUN_ATTRIBUTES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("amenity", "parking"): ("parking",),
    ("amenity", "place_of_worship"): ("religion",),
    ("amenity", "shelter"): ("shelter_type",),
    ("barrier", "fence"): ("fence_type",),
    ("barrier", "wall"): ("wall",),
    ("highway", "crossing"): ("crossing",),
    ("highway", "footway"): ("footway",),
    ("highway", "pedestrian"): ("area",),
    ("highway", "service"): ("service",),
    ("landuse", "farm"): ("crop", "produce"),
    ("landuse", "farmland"): ("crop", "produce"),
    ("landuse", "forest"): ("leaf_type",),
    ("landuse", "industrial"): ("industrial",),
    ("landuse", "meadow"): ("meadow",),
    ("landuse", "orchard"): ("trees", "crop", "produce"),
    ("landuse", "quarry"): ("resource",),
    ("landuse", "reservoir"): ("reservoir_type",),
    ("landuse", "residential"): ("residential",),
    ("leisure", "pitch"): ("sport",),
    ("leisure", "track"): ("sport",),
    ("man_made", "bridge"): ("bridge:structure",),
    ("man_made", "mast"): ("tower:type",),
    ("man_made", "silo"): ("content", "crop"),
    ("man_made", "storage_tank"): ("content", "substance"),
    ("man_made", "tower"): ("tower:type",),
    ("natural", "tree"): ("leaf_type", "denotation"),
    ("natural", "tree_row"): ("leaf_type",),
    ("natural", "water"): ("reservoir_type",),
    ("natural", "wood"): ("leaf_type",),
    ("power", "generator"): ("generator:source",),
    ("power", "plant"): ("plant:source",),
    ("railway", "rail"): ("service", "tracks"),
    ("water", "reservoir"): ("reservoir_type",),
}
"""Which attributes change the noun of which thing; the first that the table knows does."""

_SAID_BY_NOUN: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("amenity", "parking_space"): ("parking",),
    ("highway", "cycleway"): ("cycleway",),
    ("highway", "mini_roundabout"): ("junction",),
    ("landuse", "meadow"): ("crop", "produce"),
    ("landuse", "vineyard"): ("crop", "produce", "trees"),
    ("man_made", "bridge"): ("bridge",),
    ("natural", "tree"): ("leaf_cycle",),
    ("power", "generator"): ("generator:method",),
    ("power", "plant"): ("generator:method", "plant:method"),
}
"""Attributes that would only say the noun again."""

_ES: Final = re.compile(r"(s|x|z|ch|sh)$")
_IES: Final = re.compile(r"(?<=[bcdfghjklmnpqrstvwxz])y$")


def noun_phrase(tags: Mapping[str, str], main: tuple[str, str] | None, row_of: RowOf, *, plural: bool = False) -> str:
    """Make the noun phrase of an element, without article.

    Args:
        tags: All tags of the element.
        main: The tag that says what it is, None if there is none.
        row_of: Finds the row of a tag.
        plural: Whether several are meant.
    """
    row = row_of(*main) if main else None
    if main is None or row is None:
        return "features" if plural else "feature"
    changed = _changed_by_attribute(tags, main, row_of)
    if changed and "{}" in changed:
        return changed.format(row.plural if plural else row.noun)
    noun = changed or row.noun
    many = pluralise(changed) if changed else row.plural
    if _is_building(tags):
        noun, many = _building(tags, main, row_of, noun, many)
    return many if plural else noun


def changes_noun(main: tuple[str, str] | None, key: str) -> bool:
    """Whether an attribute is spoken of in the noun already."""
    return main is not None and (key in _NOUN_ATTRIBUTES.get(main, ()) or key in _SAID_BY_NOUN.get(main, ()))


def pluralise(noun: str) -> str:
    """Make the plural of a regular English noun phrase."""
    if _ES.search(noun):
        return noun + "es"
    ending_in_y = _IES.search(noun)
    return noun[:-1] + "ies" if ending_in_y else noun + "s"


def _changed_by_attribute(tags: Mapping[str, str], main: tuple[str, str], row_of: RowOf) -> str:
    for key in _NOUN_ATTRIBUTES.get(main, ()):
        row = row_of(key, tags[key]) if key in tags else None
        if row and row.plural:
            return row.plural
    return ""


def _is_building(tags: Mapping[str, str]) -> bool:
    return "building" in tags and tags["building"] != "no"


def _building(tags: Mapping[str, str], main: tuple[str, str], row_of: RowOf, noun: str, many: str) -> tuple[str, str]:
    """Name a building by its use: the school on `building=yes` is a school building."""
    key, use = main
    if key == "building":
        row = next(_uses(tags, row_of), None) if use in GENERIC_BUILDINGS else None
        if row is None:
            return noun, many
        use, noun, many = row.value, row.noun, row.plural
    if key not in {"building", *_USES} or use in _NOT_A_BUILDING:
        return noun, many
    same = row_of("building", use)
    if same and same.value == use and use not in GENERIC_BUILDINGS:
        return same.noun, same.plural
    if noun.rpartition(" ")[2] in _NAMES_A_BUILDING:
        return noun, many
    return f"{noun} building", f"{noun} buildings"


def _uses(tags: Mapping[str, str], row_of: RowOf) -> Iterator[TagRow]:
    """Rows that say what a building is used for; a catch-all and what only stands at a point do not."""
    for key in _USES:
        row = row_of(key, tags[key]) if key in tags else None
        if row and row.kind != "point" and row.value not in _NO_USE:
            yield row
