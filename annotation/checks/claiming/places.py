"""Places and directions in a caption: sides of the frame and the compass are one (top is north)."""

from dataclasses import dataclass
from functools import lru_cache
from math import atan2, degrees, hypot

from annotation.checks.claiming.text import Text
from annotation.measuring.frame import CELLS

_POINTS = {
    **dict.fromkeys(("upper", "top", "uppermost", "topmost", "north", "northern", "northerly", "northernmost",
                     "northward", "upward"), "N"),
    **dict.fromkeys(("lower", "bottom", "lowermost", "bottommost", "south", "southern", "southerly", "southernmost",
                     "southward", "downward"), "S"),
    **dict.fromkeys(("left", "leftmost", "lefthand", "west", "western", "westerly", "westernmost", "westward",
                     "leftward", "leftwards"), "W"),
    **dict.fromkeys(("right", "rightmost", "righthand", "east", "eastern", "easterly", "easternmost", "eastward",
                     "rightward", "rightwards"), "E"),
}  # fmt: skip
_POINTS |= {"foot": "S", "head": "N"}  # of the picture
_POINTS |= {
    f"{one}{other}{end}": f"{one[0]}{other[0]}".upper()
    for one in ("north", "south")
    for other in ("east", "west")
    for end in ("", "ern", "erly", "ward", "wards", "ernmost")
}
ABBREVIATED = {"N", "S", "E", "W", "NE", "NW", "SE", "SW", "NNE", "NNW", "SSE", "SSW", "ENE", "ESE", "WNW", "WSW"}
_MIDDLES = frozenset(
    ("middle", "centre", "central", "centred", "mid", "midpoint", "midsection", "centrally", "centremost", "heart")
)
_SCOPES = {
    **dict.fromkeys(("edge", "edges", "border", "borders", "margin", "margins", "boundary", "boundaries", "rim",
                     "fringe", "fringes", "limit", "limits"), "edge"),
    **dict.fromkeys(("side", "sides", "flank"), "side"),
    **dict.fromkeys(("corner", "corners"), "corner"),
    **dict.fromkeys(("half", "halves"), "half"),
    **dict.fromkeys(("third", "thirds", "part", "parts", "portion", "portions", "section", "sections", "area",
                     "areas", "region", "regions", "quarter", "quarters", "quadrant", "quadrants", "sector", "zone",
                     "reaches", "end", "ends", "stretch", "extremity", "segment", "band", "fifth", "ground",
                     "space", "strip", "tip", "extreme", "row", "rows", "column", "columns", "cell",
                     "cells"), "part"),
}  # fmt: skip
_OBJECTS = (["the"], ["a"], ["an"], ["its"], ["some"], ["another"], ["on"])
_VERBAL = frozenset(("is", "are", "was", "were", "been", "being", "be", "has", "have", "little", "nothing"))
"""Words after which `left` is a verb."""
_LEFT_SO = (["untouched"], ["bare"], ["free"], ["open"], ["clear"], ["empty"], ["uncovered"], ["over"])
STARTERS = frozenset((*_POINTS, *_MIDDLES))
_COMPASS = ("north", "south", "east", "west")
_HEADINGS = ("ward", "wards")
_VECTORS = {"N": (0, 1), "S": (0, -1), "E": (1, 0), "W": (-1, 0)}
_CENTRES = {cell: (place % 3 - 1, 1 - place // 3) for place, cell in enumerate(CELLS)}
_EDGE_OF = {"N": "north", "S": "south", "E": "east", "W": "west"}
ALL = frozenset(CELLS)
STEP = 22.5


@dataclass(slots=True)
class Place:
    """A place or direction in words.

    Attributes:
        points: letters of the compass, `NNE` for north-north-east; empty for the middle.
        middle: whether it is said to be in the middle.
        scope: what kind of part is named: edge, side, corner, half, part, or nothing.
        start: first word.
        stop: after its last word.
        heading: whether it ends in -wards.
        compass: whether it is told by the compass, and not by the sides of the frame.
    """

    points: str
    middle: bool
    scope: str
    start: int
    stop: int
    heading: bool
    compass: bool = False

    @property
    def north(self) -> int:
        """1 in the north, -1 in the south, 0 in neither."""
        return ("N" in self.points) - ("S" in self.points)

    @property
    def east(self) -> int:
        """1 in the east, -1 in the west, 0 in neither."""
        return ("E" in self.points) - ("W" in self.points)

    @property
    def edges(self) -> frozenset[str]:
        """The edges that it names."""
        return _edges(self.points)

    @property
    def vector(self) -> tuple[float, float]:
        """Unit vector to the east and north; nothing for the middle."""
        return _vector(self.points)

    @property
    def needs(self) -> frozenset[str]:
        """Cells of which a thing in this place lies in at least one."""
        return _needs(self.east, self.north, self.middle)

    @property
    def bounds(self) -> frozenset[str]:
        """Cells that a thing in this place may touch."""
        return _bounds(self.east, self.north, self.middle)


def place_at(text: Text, place: int) -> Place | None:
    """The place that begins at a word; None if it names none."""
    words, written = text.words, text.written
    size, at = len(words), place
    if words[place] == "left" and _is_verb(words, place):
        return None
    points, middle, heading = "", False, False
    while at < size:
        word = words[at]
        letters = _POINTS.get(word) or (written[at] if written[at] in ABBREVIATED else "")
        if letters and (not points or (len(points) < 3 and not _against(points, letters))):
            if points and len(letters) == 1 and letters in points and not text.joined[at]:
                break
            points += letters
            heading = heading or word.endswith(_HEADINGS)
        elif word in _MIDDLES:
            middle = True
        else:
            break
        at += 1
        if at < size and words[at] in ("hand", "most") and text.joined[at]:
            at += 1
    if at == place or (words[place] in ("heart", "foot", "head") and words[at : at + 1] != ["of"]):
        return None
    scope, after = _scope_at(words, at)
    if not (scope and words[after - 1] == "stretch" and text.joined[place]):
        at = after  # else a north-south stretch
    scope = scope if at == after else ""
    beyond = _past_middle(words, at) if points and not scope else at
    scope, at = ("half", beyond) if beyond > at else (scope, at)
    compass = words[place].startswith(_COMPASS) or words[place].upper() in ABBREVIATED
    return Place(points, middle, scope, place, at, heading, compass)


def _scope_at(words: list[str], at: int) -> tuple[str, int]:
    """The kind of part that is named at a word, and where it ends: `edge`, `two thirds`; empty if there is none."""
    if words[at : at + 1] == ["borders"] and words[at + 1 : at + 2] in _OBJECTS:
        return "", at  # a residential area at the bottom left borders the wood
    for skip in (0, 1):  # in the upper two thirds
        named = at + skip < len(words) and words[at + skip] in _SCOPES
        if named and not (skip and words[at] not in ("most", "two", "very")):
            return _SCOPES[words[at + skip]], at + skip + 1
    return "", at


def _is_verb(words: list[str], left: int) -> bool:
    """Whether `left` is a verb: the corner is left to a lake."""
    after = words[left + 1 : left + 2]
    return (left > 0 and words[left - 1] in _VERBAL and after != ["of"]) or after in _LEFT_SO


def _past_middle(words: list[str], at: int) -> int:
    """Where `of the centre` ends, if it begins at a word: to the left of the centre."""
    if words[at : at + 1] != ["of"]:
        return at
    after = at + 1 + (words[at + 1 : at + 2] == ["the"])
    return after + 1 if after < len(words) and words[after] in _MIDDLES - {"heart"} else at


@lru_cache(maxsize=1024)
def _against(points: str, letters: str) -> bool:
    """Whether letters are opposite to what was said before, so that a new place begins."""
    known = set(points)
    return any(pair <= known | set(letters) for pair in ({"N", "S"}, {"E", "W"}))


@lru_cache(maxsize=64)
def _needs(east: int, north: int, middle: bool) -> frozenset[str]:  # noqa: FBT001 - a key of a small table
    if not east and not north:
        return frozenset(("center",))
    return frozenset(
        cell
        for cell, (x, y) in _CENTRES.items()
        if (not east or x == east)
        and (not north or y == north)
        and not (middle and ((not east and x) or (not north and y)))
    )


@lru_cache(maxsize=64)
def _bounds(east: int, north: int, middle: bool) -> frozenset[str]:  # noqa: FBT001 - a key of a small table
    if not east and not north:
        return frozenset(cell for cell, (x, y) in _CENTRES.items() if not x or not y)
    return frozenset(
        cell for cell, (x, y) in _CENTRES.items() if (x * east >= 0 and y * north >= 0) or (middle and cell == "center")
    )


@lru_cache(maxsize=1024)
def _edges(points: str) -> frozenset[str]:
    return frozenset(_EDGE_OF[point] for point in points)


@lru_cache(maxsize=1024)
def _vector(points: str) -> tuple[float, float]:
    x, y = (sum(_VECTORS[point][axis] for point in points) for axis in (0, 1))
    size = hypot(x, y)
    return (x / size, y / size) if size else (0.0, 0.0)


def axis_index(vector: tuple[float, float]) -> int | None:
    """Number of the axis, clockwise from north-south in eighths of a half-circle, along which a vector points."""
    if hypot(*vector) < 0.1:
        return None
    return round(degrees(atan2(*vector)) / STEP) % 8


def apart(one: int, other: int) -> int:
    """Steps between two axes, 4 at most."""
    return min((one - other) % 8, (other - one) % 8)


def angle_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Degrees between two vectors."""
    turn = abs(degrees(atan2(*one)) - degrees(atan2(*other))) % 360
    return min(turn, 360 - turn)


def middle_of(cells: frozenset[str]) -> tuple[float, float]:
    """Mean of the centres of cells, one unit a cell, from the middle of the frame."""
    size = len(cells) or 1
    return sum(_CENTRES[cell][0] for cell in cells) / size, sum(_CENTRES[cell][1] for cell in cells) / size
