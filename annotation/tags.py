"""What an OpenStreetMap tag looks like from above, and everything that is decided from tags alone.

The table is `tags.csv`; `annotation.tagging.rows` says what its columns mean. Its tags come from counts over extracts
of five places and from general knowledge of how OpenStreetMap is mapped; nouns, steps of visibility and looks are
this project's own judgement, not measured on pictures.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal, Self

from annotation.errors import AnnotationError
from annotation.tagging.kinds import KINDS_OF
from annotation.tagging.nouns import GENERIC_BUILDINGS, changes_noun, noun_phrase
from annotation.tagging.rows import TagRow, parse_rows
from annotation.tagging.visibility import hidden_reason

__all__ = ["KEY_ORDER", "Kind", "TagRow", "TagTable"]

Kind = Literal["area", "line", "point"]

KEY_ORDER: Final = (
    "golf", "aeroway", "highway", "area:highway", "railway", "aerialway", "building", "building:part", "water",
    "wetland", "power", "man_made", "military", "attraction", "playground", "historic", "leisure", "amenity",
    "healthcare", "emergency", "tourism", "public_transport", "natural", "waterway", "landuse", "landcover",
    "piste:type", "barrier", "cemetery", "advertising", "geological", "telecom", "shop", "office", "craft", "club",
    "traffic_calming", "traffic_sign", "place",
)  # fmt: skip
"""Which key says most about what an element is, first to last, where several are equally telling."""

_MOST_TELLING: Final = frozenset(
    {
        ("man_made", "pier"), ("man_made", "breakwater"), ("man_made", "groyne"), ("waterway", "dam"),
        ("railway", "platform"), ("amenity", "parking"), ("leisure", "track"), ("public_transport", "platform"),
    }
)  # fmt: skip
"""Tags that name the thing even where a road runs over it."""

_GENERIC: Final = frozenset(
    {
        ("amenity", "public_building"), ("barrier", "yes"), ("historic", "building"), ("historic", "heritage"),
        ("historic", "yes"), ("landuse", "yes"), ("leisure", "yes"), ("man_made", "yes"), ("natural", "yes"),
        ("tourism", "attraction"), ("tourism", "yes"), ("waterway", "yes"),
        *(("building", value) for value in GENERIC_BUILDINGS),
    }
)  # fmt: skip
"""Tags that give way to any other that can be seen."""

_ATTRIBUTE_ORDER: Final = (
    "surface", "tracktype", "lanes", "tracks", "bridge", "electrified", "building:levels", "roof:shape",
    "roof:colour", "roof:material", "crop", "trees", "produce", "leaf_type", "leaf_cycle", "sport",
)  # fmt: skip

_FREE_VALUE: Final = re.compile(r"[a-z][a-z _-]{1,24}")
_NUMBERS: Final = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class TagTable:
    """The table and the decisions that rest on it."""

    rows: Mapping[tuple[str, str], TagRow]
    digest: str = field(init=False)
    physical_keys: frozenset[str] = field(init=False)
    _order: Mapping[str, int] = field(init=False, repr=False)
    _attributes: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rows = self.rows.values()
        in_order = sorted(rows, key=lambda row: (row.key, row.value))
        content = "\n".join([*(repr(astuple(row)) for row in in_order), repr(KINDS_OF)])
        things = {row.key for row in rows if row.kind != "attribute"}
        described = {row.key for row in rows if row.kind == "attribute" and row.seen_from is not None}
        keys = (*KEY_ORDER, *sorted(things.difference(KEY_ORDER)))
        ordered = [key for key in _ATTRIBUTE_ORDER if key in described]
        set_once = object.__setattr__
        set_once(self, "digest", hashlib.blake2b(content.encode(), digest_size=6).hexdigest())
        set_once(self, "physical_keys", frozenset(things))
        set_once(self, "_order", {key: place for place, key in enumerate(keys) if key in things})
        set_once(self, "_attributes", (*ordered, *sorted(described.difference(ordered))))

    @classmethod
    def load(cls, overlay: Path | None = None) -> Self:
        """Read the shipped table and lay a user's rows over it.

        Args:
            overlay: A CSV file with the same columns; its rows replace those of the same key and value, and add
                to them.

        Raises:
            AnnotationError: A file cannot be read or a cell is wrong; the message names line and column.
        """
        shipped = files("annotation") / "tags.csv"
        rows = parse_rows(shipped.read_text(encoding="utf-8"), "tags.csv")
        if overlay is not None:
            try:
                text = overlay.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                raise AnnotationError(f"Cannot read the tag table {overlay}: {error}.") from error
            rows |= parse_rows(text, str(overlay))
        return cls(rows)

    def row(self, key: str, value: str) -> TagRow | None:
        """Find the row of a tag: exact, then the first known value of a `;` list, then `key=*`, else None."""
        rows = self.rows
        found = rows.get((key, value))
        if found is None and ";" in value:
            parts = (rows.get((key, part.strip())) for part in value.split(";"))
            found = next((part for part in parts if part), None)
        if found is None:
            found = rows.get((key, "*"))
        if found is None and ":" in key:
            found = rows.get((key.partition(":")[0] + ":*", "*"))
        return found

    def main_tag(self, tags: Mapping[str, str]) -> tuple[str, str] | None:
        """Choose the tag that says what the element is, None if none does.

        What can be seen goes before what cannot, what is specific before what is generic (`building=yes`), then
        the key decides (`KEY_ORDER`). Of a `;` list the known value is given.
        """
        best: tuple[str, str] | None = None
        least = (9, 0)
        for key, value in tags.items():
            place = self._order.get(key)
            if place is None or value == "no":
                continue
            row = self.row(key, value)
            if row is None:
                continue
            rank = (_reticence(row), place)
            if rank < least:
                least, best = rank, (key, value if row.value == "*" else row.value)
        return best

    def is_area(self, tags: Mapping[str, str], *, closed: bool) -> bool:
        """Decide whether an element is an area: by its tags first, by closedness second.

        Args:
            tags: All tags of the element.
            closed: Whether its way ends where it began, or its rings were assembled.
        """
        if tags.get("type") in {"multipolygon", "boundary"}:
            return True
        if not closed or tags.get("area") == "no":
            return False
        if tags.get("area") == "yes":
            return True
        main = self.main_tag(tags)
        row = self.row(*main) if main else None
        if row is None:
            return "junction" not in tags and "route" not in tags
        return row.kind != "line"

    def hidden(self, tags: Mapping[str, str], kind: str | None = None) -> str | None:
        """Say why an element cannot be seen from above ("tunnel", "proposed", …), or None if it can.

        Args:
            tags: All tags of the element.
            kind: How it is drawn, if known: an area that does not close and a place without outline are hidden.
        """
        main = self.main_tag(tags)
        row = self.row(*main) if main else None
        row_kind, seen = (row.kind, row.seen_from is not None) if row else ("any", False)
        return hidden_reason(tags, main, row_kind, seen=seen, kind=kind)

    def seen_from(self, tags: Mapping[str, str]) -> float:
        """Give the coarsest GSD in metres at which the element can be told apart; 0.0 if it never can."""
        main = self.main_tag(tags)
        row = self.row(*main) if main else None
        return (row and row.seen_from) or 0.0

    def noun(self, tags: Mapping[str, str], *, plural: bool = False) -> str:
        """Name the element in plain English, without article: "residential street", "tennis court"."""
        return noun_phrase(tags, self.main_tag(tags), self.row, plural=plural)

    def attributes(self, tags: Mapping[str, str], gsd: float) -> list[str]:
        """Phrases for what can be seen of the element at a GSD (metres), in a fixed order, no phrase twice.

        What the noun says already ("tennis court") is left out.
        """
        main = self.main_tag(tags)
        phrases: dict[str, None] = {}
        for key in self._attributes:
            if key not in tags or changes_noun(main, key):
                continue
            row = self.row(key, tags[key])
            if row is None or row.seen_from is None or gsd > row.seen_from:
                continue
            phrase = _phrase(row, tags[key])
            if phrase:
                phrases[phrase] = None
        return list(phrases)

    def name(self, tags: Mapping[str, str]) -> str | None:
        """Give the element's name, None if it has none."""
        return tags.get("name", "").strip() or None


def _reticence(row: TagRow) -> int:
    """How little a row tells, 0 for most."""
    if row.seen_from is None:
        return 4 if row.value == "*" else 3
    tag = (row.key, row.value)
    if tag in _MOST_TELLING:
        return 0
    return 2 if row.value == "*" or tag in _GENERIC else 1


def _phrase(row: TagRow, value: str) -> str:
    """Put a free value into its phrase; empty where the value is no plain word and no small whole number."""
    if "{}" not in row.noun:
        return row.noun
    if value.isdecimal():
        number = int(value)
        return row.noun.format(_NUMBERS[number] if number < len(_NUMBERS) else number) if number else ""
    return row.noun.format(value.replace("_", " ")) if _FREE_VALUE.fullmatch(value) else ""
