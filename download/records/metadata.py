"""What SkyScript's metadata files say of a picture: where and when it was taken, and what is in it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from download.records.refused import Refused
from download.records.safe_pickle import load_plain

MOST_OBJECTS, MOST_TAGS, MOST_CHARACTERS = 5_000, 100, 255
"""Surrounding objects of a picture, tags of an object, and characters of a key or value (OpenStreetMap's limit)."""
_ALIASES: Final = {"road_type": "highway"}
"""Keys as the paper's captions spell them."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a metadata file says.

    Attributes:
        box: west, south, east, north in degrees (EPSG:4326).
        acquired: day of the picture; None where what stands there is no date.
        center: tags of the focus object.
        surroundings: tags of each other object.
    """

    box: tuple[float, float, float, float]
    acquired: date | None
    center: Mapping[str, str]
    surroundings: tuple[Mapping[str, str], ...]

    @classmethod
    def of(cls, content: bytes) -> "Metadata":
        """Reads a metadata pickle, whoever made it.

        Raises:
            Refused: it is not plain, or says something else than metadata should.
        """
        value = load_plain(content)
        if not isinstance(value, dict):
            raise Refused("metadata of another shape", f"a {type(value).__name__}, no dictionary")
        missing = [name for name in ("box", "center_tags") if name not in value]
        if missing:
            raise Refused("metadata of another shape", f"no {missing[0]}")
        around = value.get("surrounding_tags") or ()
        if not isinstance(around, list | tuple) or len(around) > MOST_OBJECTS:
            raise Refused("metadata of another shape", "surrounding_tags is no list, or a very long one")
        return cls(
            _box(value["box"]),
            _day(value.get("time")),
            _tags(value["center_tags"]),
            tuple(tags for tags in map(_tags, around) if tags),
        )


def _box(value: Any) -> tuple[float, float, float, float]:
    if not isinstance(value, list | tuple) or len(value) != 4 or not all(map(_is_number, value)):
        raise Refused("metadata of another shape", "box is not four numbers")
    west, south, east, north = map(float, value)
    if not -90 <= south < north <= 90:
        raise Refused("box beyond the poles or empty", f"latitudes {south:g} to {north:g}")
    if not (-180 <= west <= 180 and -180 <= east <= 180) or east == west:
        raise Refused("box beyond 180 degrees or empty", f"longitudes {west:g} to {east:g}")
    if west > east or east - west > 180:
        raise Refused("box across the antimeridian", f"longitudes {west:g} to {east:g}")
    return west, south, east, north


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _day(value: Any) -> date | None:
    if not isinstance(value, list | tuple) or len(value) < 3 or not all(map(_is_number, value[:3])):
        return None
    try:
        return date(*(int(number) for number in value[:3]))
    except (ValueError, OverflowError):
        return None


def _tags(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MOST_TAGS:
        raise Refused("metadata of another shape", "tags are no dictionary, or very many")
    return {_key(key): _text(said) for key, said in value.items() if said is not None}


def _key(value: Any) -> str:
    key = _text(value)
    if " " in key:
        key = key.strip().replace(" ", "_")
    return _ALIASES.get(key, key)


def _text(value: Any) -> str:
    if isinstance(value, str) and len(value) <= MOST_CHARACTERS:
        return value
    if isinstance(value, int | float):
        return str(value)
    raise Refused("metadata of another shape", f"a tag holds a {type(value).__name__} or a very long text")
