"""Numbers that tags tell: lanes, storeys, cables, widths and heights, speed limits, voltages."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from annotation.checks.claiming.text import fold

Numbers = Mapping[str, frozenset[float]]

_VALUE = re.compile(r"^\s*(?:~|ca\.?)?\s*(\d{1,9}(?:\.\d{1,4})?)\s*([a-z'\"/]*)\s*$")
_FEET, _MILES = 0.3048, 1.609344
_METRES = {"": 1.0, "m": 1.0, "ft": _FEET, "'": _FEET, "km": 1000.0}
_SPEEDS = {"": 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "mph": _MILES, "knots": 1.852}
_DIMENSIONS = {"width": "width", "est_width": "width", "height": "height", "ele": "elevation", "depth": "depth",
               "diameter": "diameter", "length": "length", "building:height": "height"}  # fmt: skip
_COUNTS = {"lanes": "lane", "building:levels": "storey", "cables": "cable", "wires": "wire", "circuits": "circuit",
           "tracks": "track", "capacity": "space", "roof:levels": "storey", "passenger_lines": "track",
           "building:flats": "flat", "holes": "hole", "hoops": "hoop", "seats": "seat"}  # fmt: skip
"""Keys of tags and what is counted."""

DIMENSION_WORDS = {
    **dict.fromkeys(("wide", "width", "broad", "breadth", "across"), "width"),
    **dict.fromkeys(("tall", "high", "height"), "height"),
    **dict.fromkeys(("elevation", "altitude"), "elevation"),
    **dict.fromkeys(("deep", "depth"), "depth"),
    **dict.fromkeys(("diameter",), "diameter"),
}
"""Words beside a length that say of what it is."""
_UNITS = {
    "mph": ("speed", _MILES), "kmh": ("speed", 1.0), "kph": ("speed", 1.0),
    "kv": ("voltage", 1000.0), "kilovolt": ("voltage", 1000.0), "kilovolts": ("voltage", 1000.0),
    "v": ("voltage", 1.0), "volt": ("voltage", 1.0), "volts": ("voltage", 1.0),
}  # fmt: skip
"""Dimension and factor by unit."""
_SPOKEN = {
    **dict.fromkeys(("cycleway", "cycleway:left", "cycleway:right", "cycleway:both"), "cycle bicycle bike cycling"),
    "bicycle": "bicycles cycles bikes cyclists", "horse": "horses riders riding",
    "foot": "foot pedestrians walkers walking", "wheelchair": "wheelchairs", "hgv": "lorries trucks",
    "sidewalk": "sidewalks pavements", "bus": "buses", "motor_vehicle": "cars vehicles",
}  # fmt: skip
_PER_HOUR = (["/", "h"], ["per", "hour"], ["an", "hour"])


@dataclass(frozen=True, slots=True)
class Tagged:
    """What tags tell that captions may tell again.

    Attributes:
        counts: numbers of lanes, storeys, cables, by what is counted, in the singular.
        dimensions: metres by `width`, `height`, `elevation`, `depth`, `diameter`; `speed` in km/h, `voltage` in volts.
    """

    counts: Numbers = field(default_factory=dict)
    dimensions: Numbers = field(default_factory=dict)


def tagged(tags: tuple[tuple[str, str], ...]) -> Tagged:
    """The numbers among the values of tags."""
    counts: dict[str, set[float]] = {}
    dimensions: dict[str, set[float]] = {}
    for key, value in tags:
        if key in _COUNTS:
            counts.setdefault(_COUNTS[key], set()).update(_values(value, {"": 1.0}))
        elif key in _DIMENSIONS:
            dimensions.setdefault(_DIMENSIONS[key], set()).update(_values(value, _METRES))
        elif key == "maxspeed" or key.startswith("maxspeed:"):
            dimensions.setdefault("speed", set()).update(_values(value, _SPEEDS))
        elif key == "voltage":
            dimensions.setdefault("voltage", set()).update(_values(value, {"": 1.0, "kv": 1000.0}))
    return Tagged(
        {name: frozenset(values) for name, values in counts.items() if values},
        {name: frozenset(values) for name, values in dimensions.items() if values},
    )


def spoken_of(tag: tuple[str, str]) -> str:
    """Words for who and what a way is open to, and what it has at its side; empty for other tags."""
    key, value = tag
    if value in ("no", "none", "private", "separate"):
        return ""
    return _SPOKEN.get(key, "") + (" lanes" if value.endswith("lane") else "")


def _values(value: str, units: Mapping[str, float]) -> Iterable[float]:
    for each in value.split(";"):
        found = _VALUE.match(fold(each))
        if found and found[2] in units:
            yield float(found[1]) * units[found[2]]


def unit_of_tag(words: Sequence[str], stop: int) -> tuple[str, float, int] | None:
    """Dimension, factor and end of a unit that only tags use, after a bare number: `mph`, `kV`."""
    found = _UNITS.get(words[stop]) if stop < len(words) else None
    return (*found, stop + 1) if found else None


def is_speed(words: Sequence[str], stop: int) -> bool:
    """Whether what was read as a length up to a word is a speed: `50 km/h`, `30 miles an hour`."""
    return list(words[stop : stop + 2]) in _PER_HOUR
